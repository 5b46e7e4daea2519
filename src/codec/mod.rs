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
mod catalogue;
mod char;
mod composite;
mod cube;
mod date_time;
mod definition;
mod error;
mod ewkb;
mod float;
mod geometry;
mod hstore;
mod integer;
mod interval;
mod json;
mod kind;
mod lexeme;
mod money;
mod multirange;
mod network;
mod number_vector;
mod numeric;
mod pgvector;
mod quoting;
mod range;
mod reader;
mod reg_names;
mod resolver;
mod snapshot;
mod text;
mod ts_query;
mod ts_vector;
mod type_;
mod unconvertible;
mod uuid;
mod value;
mod xml;

pub use builtin::{builtin_element, builtin_name};
pub use catalogue::Catalogue;
pub use definition::{Attribute, Definition, DefinitionKind};
pub use error::Error;
pub use reg_names::RegNames;
pub use type_::Type;
pub use unconvertible::Unconvertible;

/// Why a value is not of its type's form; [`Error`] adds the type and the value.
type Reason = &'static str;
