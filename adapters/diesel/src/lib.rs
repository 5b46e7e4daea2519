//! A [diesel](https://diesel.rs) connection to Postgres over HTTP and WebSocket, without libpq.
//!
//! [`FerryConnection`] takes the place of diesel's `PgConnection`: the schema, the query builder, the derives and
//! `diesel::pg` stay as they are, and the URL says what carries the statements.
//!
//! ```no_run
//! use diesel::prelude::*;
//! use pgferry_diesel::FerryConnection;
//!
//! diesel::table! {
//!     posts (id) {
//!         id -> Integer,
//!         title -> Text,
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut connection = FerryConnection::establish("postgresql://app:secret@db.example.com/blog")?;
//! let title: String = posts::table.find(1).select(posts::title).first(&mut connection)?;
//! # Ok(())
//! # }
//! ```
//!
//! # Transports
//!
//! By default (`transport=auto`) statements ride HTTP until one needs a session, which then is opened over a WebSocket. A session that
//! is idle and holds nothing is left after some seconds. What is hidden in a function, view or trigger is not seen: where one of
//! those changes its session, say `transport=websocket`. Where the URL has one endpoint only, that one is used.
//!
//! Over a **WebSocket** (`transport=websocket`) a connection is a session as over TCP: transactions, `SET`, temporary
//! tables and cursors work, and a statement that is new to the connection takes one round trip.
//!
//! Over **HTTP** (`transport=http`) each statement is a request of its own and a transaction of its own. What
//! needs a session is refused before it is sent, with a sentence that names the remedy; that includes
//! [`Connection::transaction`](diesel::Connection::transaction). A script given to
//! [`batch_execute`](diesel::connection::SimpleConnection::batch_execute) is one request and takes effect as a whole or not
//! at all.
//!
//! # COPY
//!
//! diesel's `copy_from` and `copy_to` take its `PgConnection` alone: what they send is private to diesel. COPY by any other way is refused
//! with a sentence. Rows are inserted many at a time with one statement as with `PgConnection`; for a COPY, let that one go through
//! `pgferry bridge` with `transport=websocket`.
//!
//! # In async programs
//!
//! The connection blocks the thread that uses it until the answer is there. It brings its own I/O thread, so it needs no
//! runtime and works inside one as well; there, use it within `spawn_blocking`, as any blocking call.
//!
//! # Features
//!
//! - `ring` (default) or `aws-lc-rs`: whose cryptography TLS uses.
//! - `r2d2`: the connection can be pooled with `diesel::r2d2`.
//! - `migrations`: diesel's migrations over HTTP too, and safe against others that run them at the same time.
//! - `async`: `AsyncFerryConnection`, for diesel-async and its pools.

#[cfg(feature = "async")]
mod asynchronous;
mod batch;
mod cancel_token;
mod columns;
mod connection;
mod cursor;
mod error;
mod executor;
mod metadata;
mod migration;
#[cfg(feature = "migrations")]
pub mod migrations;
#[cfg(feature = "r2d2")]
mod r2d2;
mod row;
mod save_changes;
mod statement;
mod transaction;

#[cfg(feature = "async")]
pub use asynchronous::{AsyncFerryConnection, TransactionBuilder};
pub use batch::{Batch, Results, Slot};
pub use cancel_token::CancelToken;
pub use connection::FerryConnection;
pub use cursor::Cursor;
pub use pgferry::{Config, Error, Transport};
pub use row::{Field, Row};
