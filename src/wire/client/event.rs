use std::sync::Arc;

use crate::wire::{Column, DataRow};

/// A step in a statement's results.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The statement gives rows of these columns; not sent for one that gives none.
    Columns(Arc<[Column]>),
    /// A row.
    Row(DataRow),
    /// The statement ended well, with this command tag, as `INSERT 0 1`.
    Complete(String),
    /// The text held no statement.
    Empty,
}
