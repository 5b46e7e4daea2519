use std::fmt;

use tokio::{
    io::{AsyncRead, AsyncWrite},
    time,
};

use crate::{
    config::{Config, Credential, Provider, Transport},
    error::{Error, Outcome, Result},
    sql::literal,
    websocket,
    wire::{self, BackendKey},
};

/// The client that speaks Postgres through the WebSocket.
pub type WireClient = wire::Client<websocket::Stream>;

/// What a session is opened with beyond the configuration: what a bridged client asked for itself.
#[derive(Clone, Default)]
pub struct Opening {
    /// The database, where it is not the configuration's.
    pub database: Option<String>,
    /// Settings by name, as in a startup message: `application_name`, `DateStyle`, `TimeZone`, `options`, …
    pub parameters: Vec<(String, String)>,
}

impl Opening {
    /// Returns what pgferry's own sessions ask for: the settings under which text means the same everywhere, and the
    /// configuration's own.
    #[must_use]
    pub fn canonical(config: &Config) -> Self {
        let mut parameters: Vec<(String, String)> =
            [("client_encoding", "UTF8"), ("DateStyle", "ISO, MDY"), ("TimeZone", "UTC")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into();
        let own = [("application_name", config.get_application_name()), ("options", config.get_options())];
        parameters.extend(own.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))));
        Self { database: None, parameters }
    }
}

/// Settings may hold anybody's secrets, so that only their names are shown.
impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { database, parameters } = self;
        let names: Vec<_> = parameters.iter().map(|(name, _)| name).collect();
        f.debug_struct("Opening").field("database", database).field("parameters", &names).finish()
    }
}

/// Opens a WebSocket, logs in and sees to it that the settings asked for are in force.
///
/// Bounded by the configuration's connect timeout. Not cancel safe in that the attempt is lost, but nothing is left behind.
///
/// # Errors
///
/// Those of [`websocket::connect`] and of the log-in; nothing was executed.
pub async fn open(config: &Config, opening: &Opening) -> Result<WireClient> {
    let limit = config.get_connect_timeout();
    time::timeout(limit, open_unbounded(config, opening))
        .await
        .unwrap_or_else(|_| Err(Error::timeout("session over WebSocket", limit, Outcome::NotExecuted)))
}

async fn open_unbounded(config: &Config, opening: &Opening) -> Result<WireClient> {
    let startup = startup(config, opening).await?;
    let stream = websocket::connect(config).await?;
    log_in(config, opening, &startup, stream).await
}

/// Opens a WebSocket and logs in as [`open`] does, with the messages of a first flight right behind the password where that may go ahead.
/// They must put the [`settings`] in force themselves.
///
/// # Errors
///
/// As for [`open`]; nothing was executed.
pub(crate) async fn open_ahead(config: &Config, opening: &Opening, first_flight: &[u8]) -> Result<WireClient> {
    let limit = config.get_connect_timeout();
    let connected = async {
        let startup = startup(config, opening).await?;
        let stream = websocket::connect(config).await?;
        wire::Client::connect_ahead(stream, &startup, first_flight).await
    };
    let timeout = || Err(Error::timeout("session over WebSocket", limit, Outcome::NotExecuted));
    time::timeout(limit, connected).await.unwrap_or_else(|_| timeout())
}

/// Logs in over any stream as [`open`] does over its WebSocket, and sees to it that the settings asked for are in force.
///
/// Without a deadline of its own. Not cancel safe: the stream is lost.
///
/// # Errors
///
/// Those of the log-in; nothing was executed.
pub async fn open_on<S>(stream: S, config: &Config, opening: &Opening) -> Result<wire::Client<S>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let startup = startup(config, opening).await?;
    log_in(config, opening, &startup, stream).await
}

async fn startup(config: &Config, opening: &Opening) -> Result<wire::Startup> {
    let password = match config.optional_credential().await? {
        Some(Credential::Password(password)) => Some(password),
        Some(Credential::Bearer(_)) => {
            return Err(Error::refused(match config.get_transport() {
                Transport::Auto => {
                    "the statement needs a session over a WebSocket, and a bearer token logs in over HTTP only: give a password, or send \
                     what needs no session"
                }
                _ => "a bearer token logs in over HTTP only: give a password, or use transport=http",
            }));
        }
        None => None,
    };
    Ok(wire::Startup {
        user: config.get_user()?.to_owned(),
        database: Some(opening.database.as_deref().map_or_else(|| config.get_dbname(), Ok)?.to_owned()),
        parameters: accepted(config, &opening.parameters),
        password,
        require_auth: config.get_require_auth(),
        pipeline_password: config.pipelines_password(),
    })
}

async fn log_in<S>(config: &Config, opening: &Opening, startup: &wire::Startup, stream: S) -> Result<wire::Client<S>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut client = wire::Client::connect(stream, startup).await?;
    apply_dropped(config, &mut client, &opening.parameters).await?;
    Ok(client)
}

/// What of the settings asked for may be sent in a startup message.
fn accepted(config: &Config, parameters: &[(String, String)]) -> Vec<(String, String)> {
    parameters
        .iter()
        // PgBouncer ends a connection that asks for it, and it changes nothing in binary values nor, from PostgreSQL 12 on,
        // in the digits that text keeps.
        .filter(|(name, _)| !(config.is_pooled() && name.eq_ignore_ascii_case("extra_float_digits")))
        .cloned()
        .collect()
}

/// The settings that a startup message asks for and a proxy may drop (PROTOCOL.md, section 3).
fn droppable(parameters: &[(String, String)]) -> impl Iterator<Item = (&str, &str)> {
    /// Those that every proxy forwards, or that a client cannot set so.
    const FORWARDED: [&str; 6] = ["user", "database", "application_name", "replication", "options", "client_encoding"];
    let parameters = parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    parameters
        .filter(|(name, _)| !FORWARDED.contains(&name.to_ascii_lowercase().as_str()) && !name.starts_with("_pq_."))
}

/// The query that puts those settings in force, where there are any.
pub(crate) fn settings(parameters: &[(String, String)]) -> Option<String> {
    let set = |(name, value)| format!("select pg_catalog.set_config({}, {}, false);", literal(name), literal(value));
    Some(droppable(parameters).map(set).collect::<String>()).filter(|query| !query.is_empty())
}

/// Sets what the startup message asked for and a proxy dropped.
async fn apply_dropped<S>(config: &Config, client: &mut wire::Client<S>, parameters: &[(String, String)]) -> Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let Some(settings) = settings(parameters) else { return Ok(()) };
    let differs = |name: &str, value: &str| {
        let mut reported = client.parameters().filter(|(other, _)| other.eq_ignore_ascii_case(name));
        reported.next().is_some_and(|(_, current)| !current.eq_ignore_ascii_case(value))
    };
    // Only some settings are reported back; a proxy that dropped one of them dropped the others too.
    let dropped =
        config.get_provider() == Provider::Neon || droppable(parameters).any(|(name, value)| differs(name, value));
    if !dropped {
        return Ok(());
    }
    let mut execution = client.simple_query(&settings).await?;
    while execution.next().await?.is_some() {}
    Ok(())
}

/// Asks the server to cancel what the session of this key is running, over a WebSocket of its own.
///
/// # Errors
///
/// When no WebSocket could be opened. That the server obeyed is never reported.
pub async fn cancel(config: &Config, key: BackendKey) -> Result<()> {
    let stream = websocket::connect(config).await?;
    wire::cancel(stream, key).await
}
