//! The engine, which runs in a process of its own: nothing else ends a statement that does not end by itself.

mod launch;
mod postgres;
mod process;
mod serve;

pub use self::serve::engine;
pub(crate) use self::{launch::Launch, process::Engine};
