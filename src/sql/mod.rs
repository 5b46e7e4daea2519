//! What must be known of a statement's text; no I/O.
use crate::Oid;
use std::borrow::Cow;

/// stub: A statement with its parameters' types fixed by a prologue.
#[derive(Debug)]
pub struct Typed<'a> {
    pub text: Cow<'a, str>,
}
impl Typed<'_> {
    /// maps a position (characters, from 1) in `text` back to the user's text
    pub fn position(&self, position: u32) -> Option<u32> {
        todo!()
    }
}
/// Fixes the parameters' types (0 and 705 stay undeclared) by a prologue; a type is named through `name_of` (built-ins: their pg_catalog name)
pub fn typed<'a>(text: &'a str, types: &[Oid]) -> Result<Typed<'a>, Error> {
    todo!()
}

/// what a statement does to a session
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Effect {
    None,
    TransactionControl,
    Set,
    Listen,
    Copy,
    Prepare,
    Cursor,
    Temporary,
    AdvisoryLock,
    SessionFunction,
    /* … */ Empty,
}
pub fn effect(text: &str) -> Effect {
    todo!()
}

/// splits a script into its statements, without their semicolons; empty ones are left out
pub fn split(script: &str) -> Vec<&str> {
    todo!()
}

#[derive(Debug)]
pub struct Error {}
