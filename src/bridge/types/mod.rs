//! What sqlx must know of a database's types, told to it before it meets them.
//!
//! sqlx learns types when a statement is prepared: it reads which types the statement's columns have and asks the catalogue for those
//! that it does not know. The bridge describes columns with the rows, and by then sqlx asks no more. So the first statement of a
//! connection is described with a column that has an unknown type, and the question that follows is answered with all types at once.
//!
//! They are read in one request a database and set of settings, shared by all connections of a bridge. It is sent when the first
//! of them opens, beside what the client does next; the first statement that gives rows waits for what is left of it, since its text
//! does not tell whether the types of its columns are built in. The request is sent again once a client of the bridge has changed types,
//! after a minute, and when a text that writes and gives rows is described for the first time: nobody else's new type may be met
//! with the row already written. A text that names a type or a table which is not among them is not described by them either.
//!
//! What no text tells of, such as a type that was made anew under its name, is met with the result. Then the server is asked once more,
//! before the client hears of it. sqlx reads values of enums and of base types untold, and those of a type that has the name and the
//! shape of one it knows; a column of another composite type, array or range is described with a stand-in that sqlx refuses to decode.
//! The connection goes on, and a pool that is given it back is made to open another, which is told.
//!
//! [`HttpSession::catalogue`](crate::execute::HttpSession::catalogue) holds other things of the same types: how values are converted,
//! whatever the settings. sqlx looks types up by names as the search path decides, and knows them by codes that no conversion needs; so
//! these are read by a question of their own, for clients that ask as sqlx does.

mod ask;
mod client;
mod columns;
mod directory;
mod lookup;
mod pending;
mod question;
mod registry;
mod row;
mod stand_in;

pub(super) use ask::Ask;
pub(super) use client::{Client, is_built_in};
pub(super) use columns::placeholder;
pub(super) use directory::{Directory, Named};
pub(super) use lookup::{Lookup, asks_nullability, nullability_of_placeholder};
pub(super) use registry::{Question, Registry, Types};
pub(super) use stand_in::StandIns;
