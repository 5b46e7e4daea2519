//! Typed statements: the same declared types and the same bytes over TCP and over HTTP must give the same answer and leave the
//! same data behind.

mod case;
mod families;
mod outcome;
mod run;
mod stage;

pub(crate) use run::run;
