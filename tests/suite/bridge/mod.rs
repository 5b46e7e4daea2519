//! The bridge by the bytes of the protocol and by other people's clients; a server without pgferry is the control.

mod diesel;
mod diesel_async;
mod protocol;
mod raw_client;
mod statement_names;
mod tokio_postgres;
