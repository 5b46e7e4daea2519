use std::{
    fs,
    io::{Read, Write},
    os::unix::net::UnixStream,
    path::Path,
    sync::mpsc,
    thread,
    time::Duration,
};

use anyhow::{Context, Result};
use pglite_oxide::{
    PgliteServer,
    extensions::{
        BTREE_GIN, BTREE_GIST, CITEXT, CUBE, EARTHDISTANCE, Extension, FUZZYSTRMATCH, HSTORE, INTARRAY, LTREE, PG_TRGM,
        TABLEFUNC, UNACCENT, VECTOR,
    },
};

use super::Launch;
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

/// The engine on its private socket.
pub(super) struct Postgres(PgliteServer);

impl Postgres {
    /// Starts it, or starts it again on the same files. Blocks until it listens.
    pub(super) fn start(launch: &Launch) -> Result<Self> {
        let Launch { root, socket, .. } = launch;
        let mark = root.join(EXTENDED);
        if !mark.exists() {
            // Elsewhere, since whoever sees the socket may connect.
            let aside = socket.with_extension("x");
            let postgres = Self::start_with(root, &aside, &EXTENSIONS)?;
            let unpacked = unpack_extensions(&aside);
            postgres.0.shutdown()?;
            unpacked.and_then(|()| Ok(fs::write(&mark, "")?)).context("the extensions cannot be unpacked")?;
        }
        Self::start_with(root, socket, &[])
    }

    fn start_with(root: &Path, socket: &Path, extensions: &'static [Extension]) -> Result<Self> {
        let server = PgliteServer::builder()
            .path(root)
            .unix(socket)
            .extensions(extensions.iter().copied())
            .postgres_config("search_path", "\"$user\", public")
            .postgres_config("allow_system_table_mods", "off")
            .start()
            .context(
                "the embedded PostgreSQL does not start (it needs a cache directory that it can write to, which HOME or XDG_CACHE_HOME leads \
                 to): install PostgreSQL, or name a server with --upstream",
            )?;
        Ok(Self(server))
    }

    /// Ends it, once its connection has ended. Blocks for as long as is allowed.
    pub(super) fn stop(self, limit: Duration) -> Result<()> {
        let (ended, end) = mpsc::channel();
        thread::Builder::new().name("pgferry-embedded-end".into()).spawn(move || {
            // What it complains of is its last session, which hung up.
            let _ = self.0.shutdown();
            ended.send(())
        })?;
        // Who waits no longer ends the process, and what is not written down is in the log.
        let _ = end.recv_timeout(limit);
        Ok(())
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
