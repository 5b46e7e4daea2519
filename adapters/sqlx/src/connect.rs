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

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use pgferry::bridge::Options;
    use sqlx::{Connection, PgConnection};

    use super::*;

    /// As it is where a system has no Unix sockets, or no place for one.
    #[tokio::test]
    async fn a_loopback_port_takes_who_has_the_password() {
        let config: Config = "postgresql://app:secret@db.example.com/app?transport=http".parse().unwrap();
        let listening =
            Options::new().listen((Ipv4Addr::LOCALHOST, 0).into()).verification(Verification::FirstStatement);
        let guard = Guard { bridge: Bridge::start_with(&config, &listening).unwrap() };
        assert!(matches!(guard.bridge().address(), Address::Tcp(address) if address.ip().is_loopback()));
        let options = guard.options().unwrap();
        PgConnection::connect_with(&options).await.unwrap().close().await.unwrap();

        let error = PgConnection::connect_with(&options.password("guessed")).await.unwrap_err();
        assert_eq!(error.as_database_error().unwrap().code().as_deref(), Some("28P01"));
    }
}
