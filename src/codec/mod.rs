//! Postgres's values between their text and their binary form; no I/O.
//!
//! Text is what the server prints under canonical settings: `DateStyle` ISO, `IntervalStyle` postgres, `TimeZone` UTC,
//! `bytea_output` hex, `extra_float_digits` 1 or more, `lc_monetary` C. Both forms are byte for byte the server's own.

mod array;
mod base;
mod bits;
mod bool;
mod builtin;
mod bytea;
mod char;
mod cube;
mod date_time;
mod error;
mod ewkb;
mod float;
mod geometry;
mod hstore;
mod integer;
mod interval;
mod json;
mod lexeme;
mod money;
mod network;
mod number_vector;
mod numeric;
mod pgvector;
mod reader;
mod snapshot;
mod text;
mod ts_query;
mod ts_vector;
mod type_;
mod uuid;
mod xml;

pub use builtin::{builtin_element, builtin_name};
pub use error::Error;
pub use type_::Type;

/// Why a value is not of its type's form; [`Error`] adds the type and the value.
type Reason = &'static str;
