use std::{
    fs,
    io::{Read, Write},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    sync::mpsc,
    thread,
    time::Duration,
};

use anyhow::{Context, Result, anyhow};
use pglite_oxide::{
    PgliteServer,
    extensions::{
        BTREE_GIN, BTREE_GIST, CITEXT, CUBE, EARTHDISTANCE, Extension, FUZZYSTRMATCH, HSTORE, INTARRAY, LTREE, PG_TRGM,
        TABLEFUNC, UNACCENT, VECTOR,
    },
};

use crate::message;

/// The extensions that CREATE EXTENSION finds.
const EXTENSIONS: [Extension; 13] = [
    BTREE_GIN,
    BTREE_GIST,
    CITEXT,
    CUBE,
    EARTHDISTANCE,
    FUZZYSTRMATCH,
    HSTORE,
    INTARRAY,
    LTREE,
    PG_TRGM,
    TABLEFUNC,
    UNACCENT,
    VECTOR,
];

/// The file that says that their files are there.
const EXTENDED: &str = ".pgferry-extensions";

/// How long a statement that still runs can hold the end up.
const END: Duration = Duration::from_secs(5);

/// The engine on its private socket: it serves one connection after another, each by a backend of its own.
pub(crate) struct Engine {
    server: PgliteServer,
}

impl Engine {
    /// Starts the engine, or starts it again on the same files. Blocks until it listens.
    pub(crate) fn start(root: PathBuf, socket: PathBuf) -> Result<Self> {
        let mark = root.join(EXTENDED);
        if !mark.exists() {
            let engine = Self::start_with(root.clone(), socket.clone(), &EXTENSIONS)?;
            let unpacked = unpack_extensions(&socket);
            engine.stop()?;
            unpacked.and_then(|()| Ok(fs::write(&mark, "")?)).context("the extensions cannot be unpacked")?;
        }
        Self::start_with(root, socket, &[])
    }

    fn start_with(root: PathBuf, socket: PathBuf, extensions: &'static [Extension]) -> Result<Self> {
        // It blocks on a runtime of its own, which it must not do within another's.
        let start = move || {
            PgliteServer::builder()
                .path(root)
                .unix(socket)
                .extensions(extensions.iter().copied())
                .postgres_config("search_path", "\"$user\", public")
                .postgres_config("allow_system_table_mods", "off")
                .start()
        };
        let server = thread::Builder::new()
            .name("pgferry-embedded-start".into())
            .spawn(start)?
            .join()
            .map_err(|_| anyhow!("the embedded PostgreSQL panicked while it started"))?
            .context(
                "the embedded PostgreSQL does not start (it needs a cache directory that it can write to, which HOME or XDG_CACHE_HOME leads \
                 to): install PostgreSQL, or name a server with --upstream",
            )?;
        Ok(Self { server })
    }

    /// Ends the engine; its connection must have ended before. Blocks for at most 5 s.
    pub(crate) fn stop(self) -> Result<()> {
        let (ended, end) = mpsc::channel();
        thread::Builder::new().name("pgferry-embedded-end".into()).spawn(move || ended.send(self.server.shutdown()))?;
        end.recv_timeout(END)
            .map_err(|_| anyhow!("a statement still runs in the embedded PostgreSQL, and ends with the process"))?
    }
}

/// Has the engine unpack the extensions' files, which it does when a session opens.
///
/// In a session that did open it would create the extensions too, which is for the user to do. So this asks for a database that does
/// not exist.
fn unpack_extensions(socket: &Path) -> Result<()> {
    let mut stream = UnixStream::connect(socket)?;
    stream.write_all(&message::startup("pgferry_has_no_such_database"))?;
    stream.read_to_end(&mut Vec::new())?;
    Ok(())
}
