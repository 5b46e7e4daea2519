use std::{
    net::{Ipv4Addr, TcpListener},
    path::Path,
};

use anyhow::{Result, bail, ensure};

use crate::{
    account::Account,
    cluster::Cluster,
    installation::Installation,
    options::Options,
    password::Password,
    place::Place,
    postmaster::{Launch, Postmaster},
    prepare::{DATABASE, ROLE},
    reach::is_open_to_all,
    watchdog::Watchdog,
};

/// A PostgreSQL server for local development, on 127.0.0.1, until it is dropped or its process ends in whatever way.
///
/// It asks for SCRAM-SHA-256 and speaks UTF-8 and UTC. The role `app` owns the database `app`, and may create databases, roles and
/// trusted extensions, as the role that a provider gives. It is no superuser: row-level security and permissions would not hold for it, and
/// what works here would fail elsewhere. For what only a superuser may do, there is `postgres` with the same password.
///
/// Without [`Options::data`], all that was written vanishes at the end, and nothing is written so that it survives a crash. With it, the
/// server is as durable as any.
///
/// # Example
///
/// ```
/// use pgferry_local::{Installation, Options, Server};
///
/// let server = Server::start(&Installation::find()?, Options::new())?;
/// assert_eq!((server.user(), server.database()), ("app", "app"));
/// server.stop()?;
/// # Ok::<(), anyhow::Error>(())
/// ```
#[derive(Debug)]
pub struct Server {
    // Ended before its directory is removed, and watched until then.
    postmaster: Postmaster,
    place: Place,
    password: Password,
    _watchdog: Watchdog,
}

impl Server {
    /// Starts a server and waits until it accepts connections. Blocks for as long, which is seconds where the data directory has to be
    /// made first.
    ///
    /// # Errors
    ///
    /// - The directory is another's, not empty, in use, out of reach, or of another version; the message says what to do.
    /// - The port is taken.
    /// - The data directory cannot be made, or the server does not start; the message has the program's last words.
    pub fn start(installation: &Installation, options: Options) -> Result<Self> {
        let Options { data, password, port } = options;
        let chosen = password.as_deref().map(Password::chosen).transpose()?;
        let account = Account::unprivileged()?;
        ensure!(
            !account.is_another() || is_open_to_all(installation.directory()),
            "PostgreSQL does not run as root, and user {} that it runs as instead cannot reach {}: install it where everybody can, or run \
             this as another user",
            account.uid(),
            installation.directory().display()
        );
        let place = Place::open(data.as_deref(), &account, installation)?;
        let mut watchdog = Watchdog::start(&Account::current(), place.vanishing(), place.lock())?;
        let cluster = Cluster { installation, account: &account, data: &place.data() };
        let password = place.prepare(&cluster, chosen, &mut watchdog)?;
        let ports: Vec<u16> = port.or_else(|| place.last_port()).into_iter().collect();
        if let Some(port) = port {
            ensure_free(port)?;
        }
        let launch = Launch {
            installation,
            account: &account,
            data: &place.data(),
            log: &place.log(),
            settings: &place.settings(),
            ports: &ports,
            shutdown: place.shutdown(),
        };
        let postmaster = Postmaster::start(&launch, &mut watchdog)?;
        if port.is_some_and(|port| port != postmaster.port()) {
            bail!("port {} was taken by another while PostgreSQL started", port.unwrap_or_default());
        }
        place.remember_port(postmaster.port())?;
        Ok(Self { postmaster, place, password, _watchdog: watchdog })
    }

    /// Returns the port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.postmaster.port()
    }

    /// Returns the role's name.
    #[must_use]
    pub fn user(&self) -> &str {
        ROLE
    }

    /// Returns the role's password, which is the superuser's too.
    #[must_use]
    pub fn password(&self) -> &str {
        self.password.as_str()
    }

    /// Returns the database's name.
    #[must_use]
    pub fn database(&self) -> &str {
        DATABASE
    }

    /// Returns whether its directory vanishes at the end.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        self.place.vanishing().is_some()
    }

    /// Returns the directory that it has for itself, with the data and the log in it.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.place.directory()
    }

    /// Checks that the server has not ended by itself.
    ///
    /// # Errors
    ///
    /// When it has, with the end of its log.
    pub fn check(&mut self) -> Result<()> {
        self.postmaster.check()
    }

    /// Ends the server, and removes its data where they are temporary. Blocks until that is done.
    ///
    /// # Errors
    ///
    /// When it does not end in time, or the data cannot be removed.
    pub fn stop(self) -> Result<()> {
        let Self { postmaster, place, password: _, _watchdog } = self;
        postmaster.stop()?;
        place.close()
    }
}

fn ensure_free(port: u16) -> Result<()> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Ok(_) => Ok(()),
        Err(error) => bail!("PostgreSQL cannot listen on port {port}: {error}"),
    }
}
