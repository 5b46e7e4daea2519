//! SQL over HTTP.
pub mod wire;

#[cfg(feature = "client")]
mod client;
#[cfg(feature = "client")]
pub use client::{Client, ResultStream};
#[cfg(feature = "client")]
pub use wire::{Event, Field, RawRow, Statement};
