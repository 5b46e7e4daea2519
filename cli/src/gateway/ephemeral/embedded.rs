use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use pgferry_embedded::{Embedded, Options};

use super::{
    Wanted,
    server::{Process, Server, fate},
};

/// The server, and what is its own for as long as it runs.
struct Running {
    // Ended before the others are let go.
    server: Embedded,
    _lock: Option<File>,
    #[cfg(unix)]
    _watchdog: Option<pgferry_local::Watchdog>,
}

/// Starts the server that is compiled in.
pub(super) fn start(wanted: Wanted) -> anyhow::Result<Server> {
    let Wanted { data, password, port } = wanted;
    let lock = data.as_deref().map(lock).transpose()?;
    let password_file = data.as_deref().map(|directory| directory.join("password"));
    let mut options = Options::new();
    if let Some(directory) = &data {
        options = options.data(directory);
    }
    if let Some(password) = password.map_or_else(|| kept(password_file.as_ref()), |password| Ok(Some(password)))? {
        options = options.password(password);
    }
    if let Some(port) = port {
        options = options.port(port);
    }
    let server = Embedded::start(options)?;
    if let Some(file) = &password_file {
        keep(server.password(), file).with_context(|| format!("{} cannot be written", file.display()))?;
    }
    let address = server.address();
    let introduction = format!(
        "The PostgreSQL that is compiled in runs on {} port {}. Sessions take turns in it, a transaction each; an installed PostgreSQL \
         serves them side by side.\n{}",
        address.ip(),
        address.port(),
        fate(server.directory(), data.is_none())
    );
    Ok(Server {
        upstream: format!("postgresql://{}@{address}/{}", server.user(), server.database()).parse()?,
        password: server.password().to_owned(),
        introduction,
        process: Box::new(Running {
            _lock: lock,
            #[cfg(unix)]
            _watchdog: watchdog(&server, data.is_none())?,
            server,
        }),
    })
}

/// Does as [`start`] where no server is installed.
pub(super) fn start_instead(wanted: Wanted, missing: anyhow::Error) -> anyhow::Result<Server> {
    tracing::debug!("{missing:#}");
    start(wanted)
}

impl Process for Running {
    fn check(&mut self) -> anyhow::Result<()> {
        // It starts anew by itself.
        Ok(())
    }

    fn stop(self: Box<Self>) -> anyhow::Result<()> {
        let Self { server, .. } = *self;
        server.shutdown()
    }
}

/// Takes a directory for this process alone, after making it where it does not exist.
fn lock(directory: &Path) -> anyhow::Result<File> {
    let shown = directory.display();
    fs::create_dir_all(directory).with_context(|| format!("{shown} cannot be made"))?;
    let file = File::open(directory).with_context(|| format!("{shown} cannot be opened"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => bail!("the data cannot be kept in {shown}: another process is using it"),
        Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("{shown} cannot be locked")),
    }
}

/// Reads the password that kept data were last started with.
fn kept(file: Option<&PathBuf>) -> anyhow::Result<Option<String>> {
    let Some(file) = file else { return Ok(None) };
    match fs::read_to_string(file) {
        Ok(password) => Ok(Some(password.trim_end_matches('\n').to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("{} cannot be read", file.display())),
    }
}

fn keep(password: &str, file: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    writeln!(options.open(file)?, "{password}")
}

/// Sees to it that a temporary directory vanishes also when this process is killed.
#[cfg(unix)]
fn watchdog(server: &Embedded, is_temporary: bool) -> anyhow::Result<Option<pgferry_local::Watchdog>> {
    let account = pgferry_local::Account::current();
    // Beside the data is the engine's socket.
    let directory = server.directory().parent().filter(|_| is_temporary);
    // What it removes has to be the server's own, whatever becomes of where that keeps its data.
    let is_own = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with("pgferry-");
    let directory = directory.filter(|directory| directory.file_name().is_some_and(is_own));
    directory.map(|directory| pgferry_local::Watchdog::start(&account, Some(directory), None)).transpose()
}
