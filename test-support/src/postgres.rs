use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    process,
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use anyhow::{Context, Result, anyhow};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use pgferry_local::{Account, Installation, Launch, Postmaster, Shutdown, Watchdog};
use tempfile::TempDir;

use crate::{
    base_directory::base_directory,
    programs::readable,
    psql::psql,
    settings::SETTINGS,
    template::{Passwords, Template},
};

/// A PostgreSQL server that runs until it is dropped, or until its process ends in whatever way.
///
/// It listens on a free port of 127.0.0.1 and on a Unix socket, asks for SCRAM-SHA-256, speaks UTF-8 and UTC, and writes
/// nothing to disk that would have to survive. The superuser is `postgres`; the role `app`, an ordinary one,
/// owns the database `app`.
///
/// # Example
///
/// ```
/// use pgferry_test_support::Postgres;
///
/// let postgres = Postgres::start()?;
/// assert_eq!(postgres.psql("select 6 * 7")?, "42");
/// # Ok::<(), anyhow::Error>(())
/// ```
pub struct Postgres {
    // Ended before its directory is removed, and watched until then.
    server: Postmaster,
    directory: TempDir,
    watchdog: Watchdog,
    passwords: Passwords,
    psql: PathBuf,
}

impl Postgres {
    /// Starts a server with the defaults.
    ///
    /// # Errors
    ///
    /// - No server is installed; the message says how to install one.
    /// - It does not start; the message has its log.
    pub fn start() -> Result<Self> {
        Self::builder().start()
    }

    /// Returns what a server is started with.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Returns the one server that all tests of this process share; isolate them with
    /// [`create_database`](Self::create_database).
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start), the same each time.
    pub fn shared() -> Result<&'static Self> {
        // Statics are not dropped: the watchdog ends it with the process.
        static SHARED: OnceLock<Result<Postgres, String>> = OnceLock::new();
        SHARED
            .get_or_init(|| Self::start().map_err(|error| format!("{error:#}")))
            .as_ref()
            .map_err(|error| anyhow!("{error}"))
    }

    /// Returns the URL of the database `app` for the role `app`.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_for("app", &self.passwords.app, "app")
    }

    /// Returns the URL of the database `app` for the superuser.
    #[must_use]
    pub fn superuser_url(&self) -> String {
        self.url_for("postgres", &self.passwords.superuser, "app")
    }

    /// Returns the URL of a database for the role `app`.
    #[must_use]
    pub fn database_url(&self, database: &str) -> String {
        self.url_for("app", &self.passwords.app, database)
    }

    /// Returns the URL of a database for any role, percent-encoded.
    #[must_use]
    pub fn url_for(&self, user: &str, password: &str, database: &str) -> String {
        let [user, password, database] =
            [user, password, database].map(|part| utf8_percent_encode(part, NON_ALPHANUMERIC));
        format!("postgresql://{user}:{password}@127.0.0.1:{}/{database}", self.port())
    }

    /// Returns the password of the role `app`.
    #[must_use]
    pub fn password(&self) -> &str {
        &self.passwords.app
    }

    /// Returns the superuser's password.
    #[must_use]
    pub fn superuser_password(&self) -> &str {
        &self.passwords.superuser
    }

    /// Returns the port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.server.port()
    }

    /// Returns the directory of the Unix socket `.s.PGSQL.<port>`.
    #[must_use]
    pub fn socket_dir(&self) -> &Path {
        self.directory.path()
    }

    /// Runs statements as the superuser in the database `app`, each in a transaction of its own, and returns the rows:
    /// columns separated by `|`, rows by newlines.
    ///
    /// # Errors
    ///
    /// When a statement fails; those before it have been executed.
    pub fn psql(&self, sql: &str) -> Result<String> {
        self.psql_in("app", sql)
    }

    /// Does as [`psql`](Self::psql) in another database.
    ///
    /// # Errors
    ///
    /// As [`psql`](Self::psql).
    pub fn psql_in(&self, database: &str, sql: &str) -> Result<String> {
        let database = utf8_percent_encode(database, NON_ALPHANUMERIC);
        let url = format!("postgresql://postgres@127.0.0.1:{}/{database}", self.port());
        psql(&self.psql, &url, &self.passwords.superuser, sql)
    }

    /// Creates an empty database that the role `app` owns, and returns its name.
    ///
    /// # Errors
    ///
    /// When the server refuses.
    pub fn create_database(&self) -> Result<String> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}_{}", process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        self.psql_in("postgres", &format!("create database {name} owner app"))?;
        Ok(name)
    }

    /// Returns what the server has logged.
    ///
    /// # Errors
    ///
    /// When the log cannot be read.
    pub fn log(&self) -> io::Result<String> {
        self.server.log()
    }
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { server, directory, watchdog, passwords: _, psql } = self;
        f.debug_struct("Postgres")
            .field("server", server)
            .field("directory", directory)
            .field("watchdog", watchdog)
            .field("psql", psql)
            .finish()
    }
}

/// What a [`Postgres`] is started with.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Builder {
    programs: Option<PathBuf>,
    hba: Vec<String>,
    settings: Vec<(String, String)>,
}

impl Builder {
    /// Takes the server whose `initdb` and `postgres` are in a directory, instead of the installed one.
    ///
    /// Where tests run as root, the server runs as another account: if that cannot read the directory, it gets a copy of it and
    /// of those beside it.
    pub fn programs(mut self, directory: impl Into<PathBuf>) -> Self {
        self.programs = Some(directory.into());
        self
    }

    /// Adds a line to `pg_hba.conf` before those that ask everybody for SCRAM-SHA-256.
    pub fn hba(mut self, line: impl Into<String>) -> Self {
        self.hba.push(line.into());
        self
    }

    /// Sets a parameter of the server, as in `postgresql.conf`.
    pub fn setting(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.push((name.into(), value.into()));
        self
    }

    /// Starts the server.
    ///
    /// # Errors
    ///
    /// As [`Postgres::start`].
    pub fn start(&self) -> Result<Postgres> {
        let account = Account::unprivileged()?;
        let base = base_directory(&account)?;
        let installation = match &self.programs {
            Some(directory) => Installation::at(&readable(directory, &account, &base)?)?,
            None => Installation::find()?,
        };
        let template = Template::new(&installation, &account, &base);
        let attempt = || self.start_from(&installation, &account, &base, &template);
        attempt().or_else(|first| {
            // The template itself may be broken, by a cleaner of temporary directories for example.
            template.discard()?;
            attempt().map_err(|_| first)
        })
    }

    fn start_from(
        &self,
        installation: &Installation,
        account: &Account,
        base: &Path,
        template: &Template<'_>,
    ) -> Result<Postgres> {
        let directory = tempfile::Builder::new()
            .prefix("pg-")
            .tempdir_in(base)
            .with_context(|| format!("no directory can be made in {}", base.display()))?;
        account.own(directory.path())?;
        let passwords = template.copy_to(&directory.path().join("data"))?;
        let everybody = ["local all all scram-sha-256", "host all all all scram-sha-256"];
        let hba: String = self.hba.iter().map(String::as_str).chain(everybody).flat_map(|line| [line, "\n"]).collect();
        let hba_file = directory.path().join("pg_hba.conf");
        fs::write(&hba_file, hba)?;
        let paths = [("hba_file", &*hba_file), ("unix_socket_directories", directory.path())];
        let settings: Vec<(String, String)> = SETTINGS
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into_iter()
            .chain(paths.map(|(name, path)| (name.to_owned(), path.display().to_string())))
            .chain(self.settings.iter().cloned())
            .collect();
        let mut watchdog = Watchdog::start(account, Some(directory.path()), None)?;
        let launch = Launch {
            installation,
            account,
            data: &directory.path().join("data"),
            log: &directory.path().join("log"),
            settings: &settings,
            ports: &[],
            shutdown: Shutdown::Immediate,
        };
        let server = Postmaster::start(&launch, &mut watchdog)?;
        let psql =
            installation.psql().context("PostgreSQL's client psql was not found: install it beside the server")?;
        Ok(Postgres { server, directory, watchdog, passwords, psql })
    }
}
