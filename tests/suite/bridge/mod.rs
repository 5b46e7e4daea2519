//! The bridge by the bytes of the protocol; a server without pgferry is the control.

mod protocol;
mod raw_client;
mod tokio_postgres;
