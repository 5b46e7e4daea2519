use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::Path,
    sync::{Arc, mpsc},
    thread::{self, JoinHandle},
};

use anyhow::{Context, Result, anyhow, ensure};
use pgferry::config::Password;
use tokio_util::sync::CancellationToken;

use crate::{
    backend::{Backend, Failure},
    database,
    engine::{Engine, Launch},
    listener, message,
    options::Options,
    place::Place,
    shared::{Seat, Shared},
};

/// A PostgreSQL 17 for local development, on 127.0.0.1, until it is dropped.
///
/// It asks for a password in cleartext, which never leaves the machine. The role `app` owns the database `app`, and may create
/// databases and roles; `postgres` is the superuser, with the same password, which every other role has too.
///
/// # Several sessions
///
/// There is one backend, so sessions take turns, a transaction each. One that waits longer than [`Options::queue_timeout`] gets
/// the error 55P03 and goes on. Each has settings and prepared statements of its own. Temporary tables, `LISTEN`, session-level
/// advisory locks and cursors `WITH HOLD` cannot be moved out of a session's way: while it has one, the others wait. `currval`
/// and `lastval` are known only until another session has had a turn.
///
/// # How a statement is ended
///
/// The engine has a process of its own, which is ended with the statement and started again on the same data: when the client
/// sends a cancel request, when it goes away while the statement runs, and when `statement_timeout` is over. The session goes on with
/// the error 57014, in a failed transaction where one was open, and no other session notices more than a second's delay. A
/// session that has what cannot be moved is ended, since it loses that.
///
/// # What it does not do
///
/// Committed data survive the end of the process in whatever way, but not that of the machine, since the engine's files are not
/// synced. There are no ICU collations, no XML, and no stop words for full-text search in English. `CREATE EXTENSION` finds
/// btree_gin, btree_gist, citext, cube, earthdistance, fuzzystrmatch, hstore, intarray, ltree, pg_trgm, tablefunc, unaccent and
/// vector; `gen_random_uuid()` needs none.
///
/// # Example
///
/// ```standalone_crate
/// use std::process::ExitCode;
///
/// use pgferry_embedded::{Embedded, Options};
///
/// fn main() -> anyhow::Result<ExitCode> {
///     if let Some(ended) = pgferry_embedded::engine() {
///         return Ok(ended);
///     }
///     let embedded = Embedded::start(Options::new())?;
///     assert_eq!((embedded.user(), embedded.database()), ("app", "app"));
///     embedded.shutdown()?;
///     Ok(ExitCode::SUCCESS)
/// }
/// ```
pub struct Embedded {
    address: SocketAddr,
    password: Password,
    place: Place,
    stop: CancellationToken,
    thread: Option<JoinHandle<Option<Engine>>>,
}

impl Embedded {
    /// Starts the server and waits until it takes connections. Blocks for as long: a second or two, several more at the very first
    /// start on a machine.
    ///
    /// What the engine consists of is unpacked into the user's cache directory.
    ///
    /// # Errors
    ///
    /// - The directory is another's, not empty, in use or out of reach; the message says what to do.
    /// - The port is taken, or the password is empty.
    /// - The engine does not start, or the program does not call [`engine`](crate::engine).
    pub fn start(options: Options) -> Result<Self> {
        let Options { data, password, port, queue_timeout, program } = options;
        let password = match password {
            Some(password) => password,
            None => message::random()?.into(),
        };
        ensure!(
            !password.reveal().is_empty() && !password.reveal().contains('\0'),
            "the password is empty or has a zero byte in it"
        );
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .with_context(|| format!("the embedded PostgreSQL cannot listen on port {port}"))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let place = Place::open(data.as_deref())?;
        let launch = Launch {
            program: program.map_or_else(std::env::current_exe, Ok).context("this program's own path is not known")?,
            root: place.root(),
            socket: place.socket(),
            is_kept: data.is_some(),
        };
        let engine = Engine::start(&launch)?;
        let seat = Seat { engine: Some(engine), backend: None, occupant: None };
        let shared = Arc::new(Shared::new(password.clone(), queue_timeout, launch, seat));
        let stop = CancellationToken::new();
        let (ready, is_ready) = mpsc::channel();
        let thread = thread::Builder::new().name("pgferry-embedded".into()).spawn({
            let stop = stop.clone();
            move || run(listener, &shared, &stop, &ready)
        })?;
        let embedded = Self { address, password, place, stop, thread: Some(thread) };
        is_ready.recv().map_err(|_| anyhow!("the embedded PostgreSQL ended while it started"))??;
        Ok(embedded)
    }

    /// Returns the address it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the role's name.
    #[must_use]
    pub fn user(&self) -> &str {
        database::ROLE
    }

    /// Returns the password.
    #[must_use]
    pub fn password(&self) -> &str {
        self.password.reveal()
    }

    /// Returns the database's name.
    #[must_use]
    pub fn database(&self) -> &str {
        database::DATABASE
    }

    /// Returns where the data are, which vanish at the end where no directory was chosen.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.place.directory()
    }

    /// Ends the sessions and the server, and removes its data where they are temporary. Blocks until that is done. A
    /// statement that still runs is ended.
    ///
    /// # Errors
    ///
    /// When the engine's process cannot be ended.
    pub fn shutdown(mut self) -> Result<()> {
        self.end()
    }

    fn end(&mut self) -> Result<()> {
        self.stop.cancel();
        let Some(thread) = self.thread.take() else { return Ok(()) };
        let engine = thread.join().map_err(|_| anyhow!("the embedded PostgreSQL's thread panicked"))?;
        engine.map_or(Ok(()), Engine::stop)
    }
}

impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, password: _, place, stop: _, thread: _ } = self;
        f.debug_struct("Embedded")
            .field("address", address)
            .field("directory", &place.directory())
            .finish_non_exhaustive()
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            tracing::warn!("{error:#}");
        }
    }
}

/// Runs the sessions until they are to stop; gives the engine back, whose connection has ended.
fn run(
    listener: TcpListener,
    shared: &Arc<Shared>,
    stop: &CancellationToken,
    ready: &mpsc::Sender<Result<()>>,
) -> Option<Engine> {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            // Nobody listens where the start was given up.
            let _ = ready.send(Err(error.into()));
            return None;
        }
    };
    runtime.block_on(async {
        let started = async {
            prepare(shared).await?;
            Ok(tokio::net::TcpListener::from_std(listener)?)
        };
        match started.await {
            Ok(listener) => {
                let _ = ready.send(Ok(()));
                listener::serve(&listener, shared, stop).await;
            }
            Err(error) => {
                let _ = ready.send(Err(error));
            }
        }
    });
    // The sessions end with their runtime, and let go of the backend.
    drop(runtime);
    let mut seat = shared.seat.try_lock().ok()?;
    seat.backend = None;
    // A session that was in the middle of something has ended it.
    seat.engine.take()
}

async fn prepare(shared: &Shared) -> Result<()> {
    let mut seat = shared.seat.lock().await;
    let prepare = async {
        let mut backend = Backend::connect(&shared.launch.socket, database::MAINTENANCE).await?;
        database::prepare(&mut backend).await?;
        drop(backend);
        // What most sessions want next.
        Backend::connect(&shared.launch.socket, database::DATABASE).await
    };
    let backend = prepare.await.map_err(|failure| match failure {
        Failure::Refused(error) => anyhow!("the embedded PostgreSQL cannot be prepared: {error}"),
        Failure::Gone(error) => anyhow!("the embedded PostgreSQL ended while it was prepared: {error}"),
    })?;
    seat.backend = Some(backend);
    Ok(())
}
