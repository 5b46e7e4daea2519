use std::io::{self, IsTerminal, Write};

use tracing_subscriber::{EnvFilter, filter::LevelFilter};

/// Writes logs to standard error, by the filter in `RUST_LOG`; warnings and errors where it is not set.
pub(crate) fn start() {
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::WARN.into()).from_env_lossy();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .init();
}

/// Says why the command failed, with all causes.
pub(crate) fn complain(error: &anyhow::Error) {
    // Where standard error is closed there is nobody to tell.
    let _ = writeln!(io::stderr(), "pgferry: {error:#}");
}
