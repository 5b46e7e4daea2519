//! Statements sent whole, as one transaction, whatever carries them.
//!
//! Over HTTP a batch is one request. Over a WebSocket it is one flight in a session that batches share: BEGIN, the statements and COMMIT
//! travel together, so a batch costs one round trip once a session is open. With [`Transport::Auto`](crate::Transport::Auto) it
//! goes over HTTP, unless one of its statements needs a session.
//!
//! ```no_run
//! use pgferry::{Config, batch::{BatchOptions, Sender}, execute::Statement, runtime::Runtime};
//!
//! # fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let config: Config = "postgresql://app:secret@db.example.com/app".parse()?;
//! let runtime = Runtime::start()?;
//! let sender = Sender::new(&config, &runtime)?;
//! let outputs = runtime.block_on(async move {
//!     let statements = ["insert into jobs (name) values ('one')", "select count(*) from jobs"].map(Statement::new);
//!     Ok(sender.send(&statements, BatchOptions::new()).await?)
//! })?;
//! assert_eq!(outputs[0].affected, 1);
//! # Ok(())
//! # }
//! ```

mod admission;
mod failure;
mod flight;
mod idle;
mod outputs;
mod sender;
mod sessions;
mod shared;

pub use failure::Failure;
pub use sender::Sender;
pub use shared::send_on;

pub use crate::http::{BatchOptions, IsolationLevel};
