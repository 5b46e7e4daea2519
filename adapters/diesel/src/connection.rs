use std::{fmt, iter, mem};

use diesel::{
    ConnectionResult, QueryResult,
    connection::{
        AnsiTransactionManager, CacheSize, Connection, ConnectionSealed, DynInstrumentation, Instrumentation,
        InstrumentationEvent, statement_cache::StatementCache,
    },
    pg::{Pg, PgMetadataCache, PgNotification, TransactionBuilder},
    query_builder::{QueryFragment, QueryId},
    result,
};
use pgferry::{Config, Error, Transport, execute::BlockingSession, wire::Notification};

use crate::{CancelToken, error, statement::Prepared};

/// A connection to Postgres over HTTP or WebSocket, in the place of diesel's `PgConnection`.
///
/// What carries the statements is the configuration's [`Transport`]: the URL's `transport` parameter, or
/// [`Config::transport`]. The [crate's documentation](crate) says what each can do.
///
/// Each connection has an I/O thread of its own. Dropping a connection ends its session in the background.
///
/// # Example
///
/// ```no_run
/// use diesel::{prelude::*, sql_types::Integer};
/// use pgferry_diesel::{Config, FerryConnection, Transport};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let config: Config = "postgresql://app:secret@db.example.com/blog".parse()?;
/// let mut connection = FerryConnection::connect(config.transport(Transport::Http))?;
///
/// let three: i32 = diesel::select(1.into_sql::<Integer>() + 2).get_result(&mut connection)?;
/// assert_eq!(three, 3);
/// # Ok(())
/// # }
/// ```
pub struct FerryConnection {
    pub(crate) session: BlockingSession,
    pub(crate) statements: StatementCache<Pg, Prepared>,
    pub(crate) types: PgMetadataCache,
    /// Whether the cache holds the types that the database had when the first was asked for.
    pub(crate) types_looked_up: bool,
    pub(crate) transactions: AnsiTransactionManager,
    pub(crate) instrumentation: DynInstrumentation,
}

impl FerryConnection {
    /// Opens a connection from a URL or a [`Config`].
    ///
    /// Over WebSocket it logs in; otherwise it sends one request over HTTP, so that a wrong password is reported here.
    ///
    /// [`establish`](Connection::establish) does the same, with diesel's less telling error.
    ///
    /// # Errors
    ///
    /// - [`Error::is_config`]: the URL cannot be read, or lacks something.
    /// - [`Error::is_connect`], [`Error::is_timeout`]: the endpoint could not be reached.
    /// - [`Error::is_auth`]: the log-in was refused.
    ///
    /// # Example
    ///
    /// ```
    /// use pgferry_diesel::FerryConnection;
    ///
    /// let error = FerryConnection::connect("mysql://localhost/blog").unwrap_err();
    /// assert!(error.is_config());
    /// ```
    pub fn connect<C>(config: C) -> Result<Self, Error>
    where
        C: TryInto<Config>,
        C::Error: Into<Error>,
    {
        let config = config.try_into().map_err(Into::into);
        // Instrumentations print what they are given, so the URL that they see is rebuilt without the password.
        let url = config.as_ref().map_or_else(|_| String::new(), public_url);
        let mut instrumentation = DynInstrumentation::default_instrumentation();
        instrumentation.on_connection_event(InstrumentationEvent::start_establish_connection(&url));
        let session = config.and_then(|config| BlockingSession::connect(&config));
        let failure = session.as_ref().err().map(error::connection_error);
        instrumentation.on_connection_event(InstrumentationEvent::finish_establish_connection(&url, failure.as_ref()));
        Ok(Self {
            session: session?,
            statements: StatementCache::new(),
            types: PgMetadataCache::new(),
            types_looked_up: false,
            transactions: AnsiTransactionManager::default(),
            instrumentation,
        })
    }

    /// Returns what carries statements now.
    #[must_use]
    pub fn transport(&self) -> Transport {
        self.session.transport()
    }

    /// Returns what cancels the statement that is running then, from any thread.
    ///
    /// # Example
    ///
    /// ```no_run
    /// use std::{thread, time::Duration};
    ///
    /// use diesel::prelude::*;
    /// use pgferry_diesel::FerryConnection;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut connection = FerryConnection::connect("postgresql://app:secret@db.example.com/blog")?;
    /// let token = connection.cancel_token();
    /// thread::spawn(move || {
    ///     thread::sleep(Duration::from_secs(5));
    ///     token.cancel_blocking()
    /// });
    /// // It fails with "canceling statement due to user request".
    /// diesel::sql_query("select pg_sleep(600)").execute(&mut connection).unwrap_err();
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn cancel_token(&self) -> CancelToken {
        CancelToken::new(self.session.cancel_token())
    }

    /// Returns the notifications that this session's LISTEN has brought so far, as `PgConnection` does.
    ///
    /// It does not wait: it ends where none is left, and can be asked again later. Once the session is lost, an error comes behind the last
    /// one. Over HTTP, LISTEN is refused, so there are none.
    ///
    /// # Example
    ///
    /// ```no_run
    /// use diesel::prelude::*;
    /// use pgferry_diesel::FerryConnection;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut connection = FerryConnection::connect("postgresql://app:secret@db.example.com/blog")?;
    /// diesel::sql_query("listen news").execute(&mut connection)?;
    /// diesel::sql_query("notify news, 'first'").execute(&mut connection)?;
    /// for notification in connection.notifications_iter() {
    ///     assert_eq!(notification?.payload, "first");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn notifications_iter(&mut self) -> impl Iterator<Item = QueryResult<PgNotification>> + '_ {
        let mut has_failed = false;
        iter::from_fn(move || {
            // Looked at first, since what came before the loss comes before its error.
            let is_lost = !self.session.is_usable();
            if let Some(Notification { process_id, channel, payload }) = self.session.take_notification() {
                return Some(Ok(PgNotification { process_id, channel, payload }));
            }
            let fails = is_lost && !mem::replace(&mut has_failed, is_lost);
            fails.then(|| Err(error::lost()))
        })
    }

    /// Builds a transaction with an isolation level, read only, or deferrable.
    ///
    /// Over HTTP it is refused when it is run.
    ///
    /// # Example
    ///
    /// ```no_run
    /// use diesel::prelude::*;
    /// use pgferry_diesel::FerryConnection;
    ///
    /// # fn main() -> QueryResult<()> {
    /// # let mut connection = FerryConnection::establish("").unwrap();
    /// connection.build_transaction().serializable().run(|connection| {
    ///     diesel::sql_query("update accounts set balance = balance + 1").execute(connection)
    /// })?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn build_transaction(&mut self) -> TransactionBuilder<'_, Self> {
        TransactionBuilder::new(self)
    }
}

impl ConnectionSealed for FerryConnection {}

impl Connection for FerryConnection {
    type Backend = Pg;
    type TransactionManager = AnsiTransactionManager;

    fn establish(database_url: &str) -> ConnectionResult<Self> {
        Self::connect(database_url).map_err(|error| error::connection_error(&error))
    }

    /// Runs `f` in a transaction that is rolled back whatever it returns.
    ///
    /// # Panics
    ///
    /// When `f` fails, and when no transaction can be begun, as over HTTP.
    fn test_transaction<T, E, F>(&mut self, f: F) -> T
    where
        F: FnOnce(&mut Self) -> Result<T, E>,
        E: fmt::Debug,
    {
        let mut outcome = None;
        let ended = self.transaction::<(), _, _>(|connection| {
            outcome = Some(f(connection));
            Err(result::Error::RollbackTransaction)
        });
        match outcome {
            Some(Ok(value)) => value,
            Some(Err(error)) => panic!("Transaction did not succeed: {error:?}"),
            // diesel's own method keeps the reason to itself.
            None => panic!("Transaction never executed: {ended:?}"),
        }
    }

    fn execute_returning_count<T>(&mut self, source: &T) -> QueryResult<usize>
    where
        T: QueryFragment<Pg> + QueryId,
    {
        let output = self.execute(source)?;
        // More rows than a usize counts do not fit this machine's memory either.
        Ok(usize::try_from(output.affected).unwrap_or(usize::MAX))
    }

    fn transaction_state(&mut self) -> &mut AnsiTransactionManager {
        &mut self.transactions
    }

    fn instrumentation(&mut self) -> &mut dyn Instrumentation {
        &mut *self.instrumentation
    }

    fn set_instrumentation(&mut self, instrumentation: impl Instrumentation) {
        self.instrumentation = instrumentation.into();
    }

    fn set_prepared_statement_cache_size(&mut self, size: CacheSize) {
        self.statements.set_cache_size(size);
    }
}

impl fmt::Debug for FerryConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { session, statements: _, types: _, types_looked_up: _, transactions, instrumentation: _ } = self;
        f.debug_struct("FerryConnection")
            .field("transport", &session.transport())
            .field("is_usable", &session.is_usable())
            .field("transactions", transactions)
            .finish_non_exhaustive()
    }
}

/// The configuration as a URL for people to read: whose session where, and no secret.
pub(crate) fn public_url(config: &Config) -> String {
    let user = config.get_user().unwrap_or_default();
    let host = config.get_host().unwrap_or_default();
    let database = config.get_dbname().unwrap_or_default();
    format!("postgresql://{user}@{host}:{}/{database}", config.get_port())
}
