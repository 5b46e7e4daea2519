//! What must be known of a statement's text: where its parameters' types can be fixed, where it ends, what it does to a session.
//!
//! No I/O, and no parser: the text is read as tokens by PostgreSQL's lexical rules, and the server has the last word on the rest.

mod builtin_types;
#[cfg(feature = "client")]
mod calls;
mod changes;
mod classify;
mod command_tag;
mod dialect;
mod effect;
mod gives_rows;
mod in_place;
#[cfg(feature = "client")]
mod is_command;
mod lexer;
#[cfg(feature = "client")]
mod literal;
#[cfg(feature = "client")]
mod names;
mod parameters;
mod placement;
mod prologue;
#[cfg(feature = "client")]
mod search_path;
mod session_calls;
mod session_state;
mod split;
mod token;
mod transaction_block;
mod typed;
mod typing;
#[cfg(feature = "client")]
mod whole_rows;

pub use builtin_types::gives_builtin_types;
pub use changes::{changes_types, may_write};
pub use command_tag::command_tag;
pub use dialect::Dialect;
pub use effect::{Effect, effect};
pub use gives_rows::gives_rows;
#[cfg(feature = "client")]
pub(crate) use is_command::is_command;
#[cfg(feature = "client")]
pub(crate) use literal::literal;
#[cfg(feature = "client")]
pub(crate) use names::names;
pub use parameters::highest_parameter;
#[cfg(feature = "client")]
pub(crate) use search_path::may_move_names;
pub use session_state::{discards_all, leaves_session_state};
pub use split::{split, split_ranges};
pub use transaction_block::forbids_transaction_block;
pub use typed::{Error, Typed};
#[cfg(feature = "client")]
pub(crate) use typing::is_undeclared;
pub use typing::{typed, typed_in_place, typed_in_place_with, typed_with};
#[cfg(feature = "client")]
pub(crate) use whole_rows::whole_rows;
