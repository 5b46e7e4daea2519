use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use diesel::{
    ConnectionResult, QueryResult,
    connection::{
        CacheSize, DynInstrumentation, Instrumentation, InstrumentationEvent, statement_cache::StatementCache,
    },
    pg::{Pg, PgNotification},
};
use diesel_async::{AnsiTransactionManager, AsyncConnection, TransactionManager as _};
use futures_util::{Stream, stream};
use pgferry::{Config, Error, Transport, execute::Session};

use super::{TransactionBuilder, notes::Notes, types::Types};
use crate::{CancelToken, connection::public_url, error, statement::Prepared};

/// A connection to Postgres over HTTP or WebSocket for `diesel-async`, in the place of its `AsyncPgConnection`.
///
/// What carries the statements is the configuration's [`Transport`]: the URL's `transport` parameter, or
/// [`Config::transport`]. The [crate's documentation](crate) says what each can do.
///
/// It has an I/O thread of its own, so it depends on no runtime of its user's. Dropping it ends its session in the background.
///
/// # Pipelining
///
/// As with `AsyncPgConnection`, queries that are polled together on a shared reference travel together. Over WebSocket ten of them
/// cost one round trip; over HTTP each is a request, one after the other.
///
/// ```no_run
/// use diesel::{prelude::*, sql_types::Integer};
/// use diesel_async::RunQueryDsl;
/// use pgferry_diesel::AsyncFerryConnection;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let connection = AsyncFerryConnection::connect("postgresql://app:secret@db.example.com/blog").await?;
/// let (one, two) = (diesel::select(1.into_sql::<Integer>()), diesel::select(2.into_sql::<Integer>()));
/// let (mut first, mut second) = (&connection, &connection);
/// let (one, two): (i32, i32) = futures_util::try_join!(one.get_result(&mut first), two.get_result(&mut second))?;
/// assert_eq!((one, two), (1, 2));
/// # Ok(())
/// # }
/// ```
///
/// # Cancel safety
///
/// A query whose future is dropped still runs to its end, unless it was not sent yet, and disturbs none that follows. A transaction whose
/// future is dropped stays open: pools drop such a connection, as they do `AsyncPgConnection`.
pub struct AsyncFerryConnection {
    pub(super) session: Session,
    pub(super) statements: Mutex<StatementCache<Pg, Prepared>>,
    pub(super) types: Types,
    /// Shared with the results that are still being read.
    pub(super) notes: Arc<Notes>,
    pub(super) instrumentation: Mutex<DynInstrumentation>,
    transactions: AnsiTransactionManager,
}

impl AsyncFerryConnection {
    /// Opens a connection from a URL or a [`Config`].
    ///
    /// Over WebSocket it logs in; over HTTP it sends one request, so that a wrong password is reported here.
    /// [`establish`](AsyncConnection::establish) does the same, with diesel's less telling error.
    ///
    /// Cancel safe: nothing is left behind.
    ///
    /// # Errors
    ///
    /// - [`Error::is_config`]: the URL cannot be read, or lacks something.
    /// - [`Error::is_connect`], [`Error::is_timeout`]: the endpoint could not be reached.
    /// - [`Error::is_auth`]: the log-in was refused.
    pub async fn connect<C>(config: C) -> Result<Self, Error>
    where
        C: TryInto<Config>,
        C::Error: Into<Error>,
    {
        let config = config.try_into().map_err(Into::into);
        Self::open(config).await
    }

    async fn open(config: Result<Config, Error>) -> Result<Self, Error> {
        // Instrumentations print what they are given, so the URL that they see is rebuilt without the password.
        let url = config.as_ref().map_or_else(|_| String::new(), public_url);
        let mut instrumentation = DynInstrumentation::default_instrumentation();
        instrumentation.on_connection_event(InstrumentationEvent::start_establish_connection(&url));
        let session = match config {
            Ok(config) => Session::connect(&config).await,
            Err(error) => Err(error),
        };
        let failure = session.as_ref().err().map(error::connection_error);
        instrumentation.on_connection_event(InstrumentationEvent::finish_establish_connection(&url, failure.as_ref()));
        Ok(Self {
            session: session?,
            statements: Mutex::new(StatementCache::new()),
            types: Types::default(),
            notes: Arc::default(),
            instrumentation: Mutex::new(instrumentation),
            transactions: AnsiTransactionManager::default(),
        })
    }

    /// Returns what carries the statements at the moment, never [`Transport::Auto`].
    #[must_use]
    pub fn transport(&self) -> Transport {
        self.session.transport()
    }

    /// Builds a transaction with an isolation level, read only, or deferrable.
    ///
    /// Over HTTP it is refused when it is run.
    ///
    /// # Example
    ///
    /// ```no_run
    /// use diesel_async::RunQueryDsl;
    /// use pgferry_diesel::AsyncFerryConnection;
    ///
    /// # async fn example(connection: &mut AsyncFerryConnection) -> diesel::QueryResult<()> {
    /// connection
    ///     .build_transaction()
    ///     .serializable()
    ///     .run(async |connection| {
    ///         diesel::sql_query("update accounts set balance = balance + 1").execute(connection).await?;
    ///         diesel::QueryResult::Ok(())
    ///     })
    ///     .await
    /// # }
    /// ```
    pub fn build_transaction(&mut self) -> TransactionBuilder<'_, Self> {
        TransactionBuilder::new(self)
    }

    /// Returns what cancels the statement that is running then, from any task.
    #[must_use]
    pub fn cancel_token(&self) -> CancelToken {
        CancelToken::new(self.session.cancel_token())
    }

    /// Returns the notifications that this session's LISTEN brings, those included that came before the call.
    ///
    /// The stream ends when the session is lost. Over HTTP, LISTEN is refused, so there are none. Cancel safe.
    pub fn notifications_stream(&mut self) -> impl Stream<Item = QueryResult<PgNotification>> + Send + '_ {
        stream::unfold(&self.session, |session| async move {
            let pgferry::wire::Notification { process_id, channel, payload } = session.notification().await?;
            Some((Ok(PgNotification { process_id, channel, payload }), session))
        })
    }
}

impl AsyncConnection for AsyncFerryConnection {
    type TransactionManager = AnsiTransactionManager;

    async fn establish(database_url: &str) -> ConnectionResult<Self> {
        Self::open(database_url.parse()).await.map_err(|error| error::connection_error(&error))
    }

    fn transaction_state(&mut self) -> &mut AnsiTransactionManager {
        let notes = self.notes.take();
        if !notes.is_empty() {
            // It asks for the state again, and finds no notes then.
            let status = AnsiTransactionManager::transaction_manager_status_mut(self);
            notes.into_iter().for_each(|note| note.apply(status));
        }
        &mut self.transactions
    }

    fn instrumentation(&mut self) -> &mut dyn Instrumentation {
        &mut **self.instrumentation.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_instrumentation(&mut self, instrumentation: impl Instrumentation) {
        self.instrumentation = Mutex::new(instrumentation.into());
    }

    fn set_prepared_statement_cache_size(&mut self, size: CacheSize) {
        self.statements.get_mut().unwrap_or_else(PoisonError::into_inner).set_cache_size(size);
    }
}

impl fmt::Debug for AsyncFerryConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { session, statements: _, types: _, notes: _, instrumentation: _, transactions } = self;
        f.debug_struct("AsyncFerryConnection")
            .field("transport", &session.transport())
            .field("is_usable", &session.is_usable())
            .field("transactions", transactions)
            .finish_non_exhaustive()
    }
}
