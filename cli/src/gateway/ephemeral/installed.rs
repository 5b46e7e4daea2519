use std::path::Path;

use anyhow::Context;
use pgferry_local::{Installation, Options};

use super::{
    Wanted,
    server::{Process, Server, fate},
};

/// Finds the programs of a server, in a directory where one is named.
pub(super) fn find(programs: Option<&Path>) -> anyhow::Result<Installation> {
    match programs {
        Some(directory) => Installation::at(directory).context("--postgres-bin (or PGFERRY_POSTGRES_BIN) is wrong"),
        None => Installation::find(),
    }
}

/// Starts a server of the installed programs.
pub(super) fn start(installation: &Installation, wanted: Wanted) -> anyhow::Result<Server> {
    let Wanted { data, password, port } = wanted;
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
    let server = pgferry_local::Server::start(installation, options)?;
    let url = format!("postgresql://{}@127.0.0.1:{}/{}", server.user(), server.port(), server.database());
    let introduction = format!(
        "PostgreSQL {} of {} runs on 127.0.0.1 port {}.\n{}",
        installation.version(),
        installation.directory().display(),
        server.port(),
        fate(server.directory(), server.is_temporary())
    );
    Ok(Server {
        upstream: url.parse()?,
        password: server.password().to_owned(),
        introduction,
        process: Box::new(server),
    })
}

impl Process for pgferry_local::Server {
    fn check(&mut self) -> anyhow::Result<()> {
        Self::check(self)
    }

    fn stop(self: Box<Self>) -> anyhow::Result<()> {
        Self::stop(*self)
    }
}
