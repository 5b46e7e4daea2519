use std::path::{Path, PathBuf};

use anyhow::Context;
use pgferry_local::{Installation, Options};

use super::server::Server;

/// Starts a server of the installed binaries.
pub(super) fn start(
    programs: Option<&Path>,
    data: Option<PathBuf>,
    password: Option<String>,
    port: Option<u16>,
) -> anyhow::Result<Server> {
    let installation = match programs {
        Some(directory) => Installation::at(directory).context("--postgres-bin (or PGFERRY_POSTGRES_BIN) is wrong")?,
        None => Installation::find()?,
    };
    let mut options = Options::new();
    if let Some(directory) = data {
        options = options.data(directory);
    }
    if let Some(password) = password {
        options = options.password(password);
    }
    if let Some(port) = port {
        options = options.port(port);
    }
    let server = pgferry_local::Server::start(&installation, options)?;
    Ok(Server::Installed { server, installation })
}
