use std::io;

use tracing_subscriber::{EnvFilter, filter::LevelFilter};

/// What is logged where `RUST_LOG` does not say: whoever asks for faults also wants to know which they met.
const DEFAULT: &str = "warn,pgferry_gateway::faults=info";

/// Writes logs to standard error, by the filter in `RUST_LOG`; warnings, errors and injected faults where it is not set.
pub(crate) fn start() {
    let directives = std::env::var(EnvFilter::DEFAULT_ENV).unwrap_or_else(|_| DEFAULT.to_owned());
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::WARN.into()).parse_lossy(directives);
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(console::colors_enabled_stderr())
        .init();
}
