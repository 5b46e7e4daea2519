use pgferry::{
    Config, Error,
    bridge::{Address, Bridge, Verification},
};
use sqlx::postgres::{PgConnectOptions, PgSslMode};

/// Keeps the endpoint alive that options from [`connect_options`] lead to.
///
/// Dropping it takes no further connections; those that are open go on until they are closed.
#[derive(Debug)]
#[must_use = "dropping the guard closes the endpoint that the options lead to"]
pub struct Guard {
    bridge: Bridge,
}

impl Guard {
    pub(crate) fn bridge(&self) -> &Bridge {
        &self.bridge
    }

    /// The options that lead to the endpoint.
    pub(crate) fn options(&self) -> sqlx::Result<PgConnectOptions> {
        options(&self.bridge).map_err(configuration)
    }
}

/// Starts an endpoint for a URL or a [`Config`] and returns the options with which sqlx connects to it.
///
/// For whoever opens connections or pools by other means than [`PgPoolOptionsExt`](crate::PgPoolOptionsExt). The options may
/// be changed, but for host, port, socket, user, password and TLS, which are the endpoint's. The guard must be kept for as long as
/// connections are opened.
///
/// Over HTTP the first connection sends one request, so that a wrong password is reported there.
///
/// # Errors
///
/// [`sqlx::Error::Configuration`] when the target is not understood or the system gives no socket or thread.
///
/// # Example
///
/// ```no_run
/// use sqlx::{Connection, PgConnection};
///
/// # async fn example() -> sqlx::Result<()> {
/// let (options, _guard) = pgferry_sqlx::connect_options("postgresql://app:secret@db.example.com/app")?;
/// let mut connection = PgConnection::connect_with(&options).await?;
/// sqlx::query("select 1").execute(&mut connection).await?;
/// connection.close().await
/// # }
/// ```
pub fn connect_options<T>(target: T) -> sqlx::Result<(PgConnectOptions, Guard)>
where
    T: TryInto<Config>,
    T::Error: Into<Error>,
{
    start(target, Verification::Connect)
}

pub(crate) fn start<T>(target: T, verification: Verification) -> sqlx::Result<(PgConnectOptions, Guard)>
where
    T: TryInto<Config>,
    T::Error: Into<Error>,
{
    let guard = open_guard(target, verification)?;
    Ok((guard.options()?, guard))
}

pub(crate) fn open_guard<T>(target: T, verification: Verification) -> sqlx::Result<Guard>
where
    T: TryInto<Config>,
    T::Error: Into<Error>,
{
    let config = target.try_into().map_err(|error| configuration(error.into()))?;
    Ok(Guard { bridge: Bridge::start(&config, verification).map_err(configuration)? })
}

/// The options for a bridge. Each is named, since sqlx takes those that are not from the environment; but for PGOPTIONS, which
/// nothing can take back: it goes on top of the configuration's. The password file is not read.
fn options(bridge: &Bridge) -> Result<PgConnectOptions, Error> {
    let config = bridge.config();
    let options = PgConnectOptions::new_without_pgpass()
        .username(config.get_user()?)
        .password(bridge.password().reveal())
        .database(config.get_dbname()?)
        // The socket is private to this process's user.
        .ssl_mode(PgSslMode::Disable);
    let options = match config.get_application_name() {
        Some(name) => options.application_name(name),
        None => options,
    };
    Ok(match bridge.address() {
        Address::Unix { directory, port } => options.socket(directory).port(*port),
        Address::Tcp(address) => options.host(&address.ip().to_string()).port(address.port()),
        other => return Err(Error::refused(format!("sqlx cannot connect to a bridge at {other:?}"))),
    })
}

pub(crate) fn configuration(error: Error) -> sqlx::Error {
    sqlx::Error::Configuration(Box::new(error))
}
