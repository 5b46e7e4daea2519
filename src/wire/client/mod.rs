//! The client: startup, statements in one flight each, cancellation.

mod cancel;
mod channel;
mod connection;
mod drive;
mod error_fields;
mod event;
mod execution;
mod flight;
mod log_in;
mod pipeline;
mod scram;
mod session;
mod startup;
mod statement;

pub use cancel::cancel;
pub use connection::Client;
pub(crate) use error_fields::read_body as read_error;
pub use event::Event;
pub use execution::Execution;
pub use pipeline::Answer;
pub use session::Notification;
pub use startup::Startup;
pub use statement::{Params, Parse, Statement};
