//! The command as a process of its own: what people see of it, foreign clients, and what happens to ours when it dies.

mod bridge;
mod completions;
mod ephemeral;
mod failures;
mod faults;
mod gateway;
mod javascript;
mod migrate;
mod peers;
mod ping;
mod query;
mod runners;
mod running;
mod shutdown;
mod tap;
mod tls;

/// The command that these tests are about.
const PGFERRY: &str = env!("CARGO_BIN_EXE_pgferry");
