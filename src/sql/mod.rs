//! What must be known of a statement's text: where its parameters' types can be fixed, where it ends, what it does to a session.
//!
//! No I/O, and no parser: the text is read as tokens by PostgreSQL's lexical rules, and the server has the last word on the rest.

mod command_tag;
mod effect;
mod lexer;
mod parameters;
mod placement;
mod split;
mod typed;

pub use command_tag::command_tag;
pub use effect::{Effect, effect};
pub use parameters::highest_parameter;
pub use split::{split, split_ranges};
pub use typed::{Error, Typed, typed, typed_in_place, typed_in_place_with, typed_with};
