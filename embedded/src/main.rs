//! Serves until its input ends: `cargo run -p pgferry-embedded [DIRECTORY]`.

#![allow(clippy::print_stdout, reason = "the URL is what it is run for")]

use std::{
    io::{Read as _, stdin},
    process::ExitCode,
};

use pgferry_embedded::{Embedded, Options};

fn main() -> anyhow::Result<ExitCode> {
    if let Some(ended) = pgferry_embedded::engine() {
        return Ok(ended);
    }
    let options = std::env::args_os().nth(1).map_or_else(Options::new, |data| Options::new().data(data));
    let server = Embedded::start(options)?;
    println!("postgresql://{}:{}@{}/{}", server.user(), server.password(), server.address(), server.database());
    stdin().read_to_end(&mut Vec::new())?;
    server.shutdown()?;
    Ok(ExitCode::SUCCESS)
}
