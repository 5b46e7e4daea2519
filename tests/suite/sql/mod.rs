//! What is told from a statement's text, against what real servers and foreign clients make of it.

mod parameters;
mod scripts;
mod statements;
mod tags;
mod transaction_blocks;
mod user_types;
