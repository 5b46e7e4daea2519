//! The control: plain TCP by the messages of `postgres-protocol`, the library under tokio-postgres, which hides what is compared
//! here (declared types and bytes as given, command tags, type modifiers).

mod answer;
mod connection;

pub(crate) use answer::{Answer, Column, Failure};
pub(crate) use connection::{Connection, Format, Question};
