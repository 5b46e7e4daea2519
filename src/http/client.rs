use std::{fmt, sync::Arc, time::Duration};

use tokio::sync::mpsc;

use super::{
    BatchOptions, Param, Query, QueryResult, Request, ResultStream, Row,
    connector::Connector,
    exchange::Exchange,
    query::{Prepared, place_in_batch, wrong_count},
    refusal::{check_in_batch, check_single},
    settings::Settings,
};
use crate::{
    config::Config,
    error::{Error, Outcome, Result},
    runtime::Runtime,
    sql::{self, Dialect},
};

/// How many chunks of a response wait for the caller; more would only cost memory.
const CHUNKS_AHEAD: usize = 2;

/// A client of SQL over HTTP, cheap to clone.
///
/// Each request is one statement or one batch, in a transaction of its own. Connections are kept and shared by the clones:
/// over TLS, HTTP/2 carries all requests on one where the server speaks it. They live on a thread of the client's, so that
/// the methods can be awaited on any executor. Nothing is prepared. Proxies named in the environment are not used and
/// redirects not followed.
///
/// What the configuration asks of a session (`application_name`, `options`) is set anew by each request, in one batch with its
/// statement; a statement that Postgres runs outside a transaction only, as `VACUUM`, is then refused.
///
/// A request is sent again only where the server said that it did not act on it. Everything else is an error, whose
/// [`outcome`](Error::outcome) says whether the statement may have run.
///
/// # Example
///
/// ```no_run
/// use pgferry::http::{BatchOptions, Client, Query};
///
/// # async fn example() -> pgferry::Result<()> {
/// let config: pgferry::Config = "postgres://app:secret@ep-cool-darkness-a1b2c3d4.us-east-2.aws.neon.tech/app".parse()?;
/// let client = Client::new(&config)?;
///
/// let row = client.query_one("SELECT title FROM post WHERE id = $1", &[7_i64.into()]).await?;
/// let title: String = row.get("title")?;
///
/// let transfer = [
///     Query::new("UPDATE account SET balance = balance - $1 WHERE owner = $2").bind(10_i64).bind("ada"),
///     Query::new("UPDATE account SET balance = balance + $1 WHERE owner = $2").bind(10_i64).bind("bob"),
/// ];
/// let results = client.batch(&transfer, BatchOptions::new()).await?;
/// assert_eq!(results[1].row_count(), Some(1));
/// # drop(title); Ok(()) }
/// ```
#[derive(Clone)]
pub struct Client {
    connector: Connector,
    config: Arc<Config>,
    timeout: Option<Duration>,
    settings: Arc<Settings>,
    runtime: Runtime,
}

impl Client {
    /// Makes a client with a thread of its own, which ends with the last clone and the last of its results.
    ///
    /// Nothing is sent: an endpoint that does not answer, or a wrong password, shows at the first request.
    ///
    /// # Errors
    ///
    /// * The config is incomplete or contradicts itself: [`Error::is_config`].
    /// * The platform has no root certificates, and the config names none: [`Error::is_tls`].
    /// * The system gives no thread.
    pub fn new(config: &Config) -> Result<Self> {
        Self::on(config, &Runtime::start()?)
    }

    /// Makes a client whose connections live on a runtime that others share.
    ///
    /// # Errors
    ///
    /// As of [`new`](Self::new).
    pub fn on(config: &Config, runtime: &Runtime) -> Result<Self> {
        Ok(Self {
            connector: Connector::new(config)?,
            config: Arc::new(config.clone()),
            timeout: config.get_request_timeout(),
            settings: Arc::new(Settings::of_config(config)?),
            runtime: runtime.clone(),
        })
    }

    /// Returns a clone with another deadline per request, from asking for the credential to the last row; `None` is none. The
    /// time in which nobody takes what has arrived is not counted.
    ///
    /// # Example
    ///
    /// ```no_run
    /// # async fn example(client: pgferry::http::Client) -> pgferry::Result<()> {
    /// use std::time::Duration;
    ///
    /// client.with_timeout(Some(Duration::from_secs(120))).execute("CREATE INDEX ON post (title)", &[]).await?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn with_timeout(&self, timeout: Option<Duration>) -> Self {
        Self { timeout, ..self.clone() }
    }

    /// Returns a clone that asks for these parameters of a startup message instead of the configuration's: settings by name,
    /// and `options`.
    pub(crate) fn with_parameters(&self, parameters: &[(String, String)]) -> Result<Self> {
        Ok(Self { settings: Arc::new(Settings::of(parameters)?), ..self.clone() })
    }

    /// Returns a clone that sets these as well, over its own settings: what only decides how values are written.
    pub(crate) fn with_more(&self, settings: &[(String, String)]) -> Self {
        Self { settings: Arc::new(self.settings.and(settings)), ..self.clone() }
    }

    /// Lets later requests go on new connections, because the way to the server was found broken.
    pub(crate) fn forget_connections(&self) {
        self.connector.forget_connections();
    }

    /// Returns whether its requests set the same as the other's.
    pub(crate) fn has_settings_of(&self, other: &Self) -> bool {
        self.settings == other.settings
    }

    /// Runs a statement and returns its rows.
    ///
    /// Not cancel safe: dropping the future cancels the statement on the server, if it has not ended.
    ///
    /// # Errors
    ///
    /// * The statement needs a session, as `LISTEN` does, or would lose its effect with its request, as `SET` and `BEGIN`
    ///   would: [`Error::is_refused`], and the message names the remedy.
    /// * Postgres reported an error: [`Error::as_db_error`].
    /// * The request or the response is larger than the config allows: [`Error::is_limit`].
    /// * The service could not be reached, did not let the caller in, gave up, or was lost in the middle.
    pub async fn query(&self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>> {
        Ok(self.single(sql, params).await?.into_rows())
    }

    /// Runs a statement and returns its only row.
    ///
    /// Not cancel safe, as [`query`](Self::query).
    ///
    /// # Errors
    ///
    /// * As of [`query`](Self::query).
    /// * There was no row or more than one; the statement has run all the same.
    pub async fn query_one(&self, sql: &str, params: &[Param<'_>]) -> Result<Row> {
        self.query_opt(sql, params).await?.ok_or_else(|| wrong_count("one", 0))
    }

    /// Runs a statement and returns its only row, if there is one.
    ///
    /// Not cancel safe, as [`query`](Self::query).
    ///
    /// # Errors
    ///
    /// * As of [`query`](Self::query).
    /// * There was more than one row; the statement has run all the same.
    pub async fn query_opt(&self, sql: &str, params: &[Param<'_>]) -> Result<Option<Row>> {
        let mut rows = self.query(sql, params).await?;
        match rows.len() {
            0 | 1 => Ok(rows.pop()),
            many => Err(wrong_count("at most one", many)),
        }
    }

    /// Runs a statement and returns how many rows it affected, or 0 where Postgres does not count, as for DDL.
    ///
    /// Not cancel safe, as [`query`](Self::query).
    ///
    /// # Errors
    ///
    /// As of [`query`](Self::query).
    pub async fn execute(&self, sql: &str, params: &[Param<'_>]) -> Result<u64> {
        Ok(self.single(sql, params).await?.row_count().unwrap_or(0))
    }

    /// Runs statements in one transaction and returns a result for each; when any fails, all are undone.
    ///
    /// It is one request. No statement sees another's result before it is sent. Postgres does not say which statement of a
    /// batch failed; the place in its text is given only where it is sure.
    ///
    /// Not cancel safe, as [`query`](Self::query).
    ///
    /// # Errors
    ///
    /// * As of [`query`](Self::query); but a setting or a temporary table is allowed, and lasts until the batch ends.
    /// * A statement would end the transaction, after which the rest would run outside it: [`Error::is_refused`].
    pub async fn batch(&self, queries: &[Query<'_>], options: BatchOptions) -> Result<Vec<QueryResult>> {
        for query in queries {
            check_in_batch(Dialect::new(), query.text())?;
        }
        let mut prepared = queries.iter().map(Query::prepare).collect::<Result<Vec<_>>>()?;
        let mut results = self.collect_batch(&prepared, options).await;
        // Postgres refuses a prologue when it analyses a statement, and the batch is undone: nothing has taken effect.
        if results.as_ref().is_err_and(|error| prepared.iter().any(|prepared| prepared.is_refused_by(error))) {
            prepared = queries.iter().map(Query::prepare_for_rules).collect::<Result<_>>()?;
            results = self.collect_batch(&prepared, options).await;
        }
        let results = results.map_err(|error| place_in_batch(&prepared, error))?;
        if results.len() == queries.len() { Ok(results) } else { Err(count_mismatch(queries.len(), results.len())) }
    }

    /// Sends a request as it is and returns its results while they arrive.
    ///
    /// Nothing is rewritten or refused, so that a `BEGIN` runs and is undone at once; [`query`](Self::query) and
    /// [`batch`](Self::batch) know better. Only what the configuration asks of a session is never left out.
    ///
    /// Not cancel safe: dropping the future, or later the stream, cancels the statement on the server.
    ///
    /// # Errors
    ///
    /// * As of [`query`](Self::query), except that what needs a session is not refused.
    ///
    /// # Example
    ///
    /// ```no_run
    /// use pgferry::http::{Event, Request, Statement};
    ///
    /// # async fn example(client: pgferry::http::Client) -> pgferry::Result<()> {
    /// let statement = Statement::new("SELECT n FROM generate_series(1, 1000000) n");
    /// let mut results = client.stream(Request::Single(statement)).await?;
    /// while let Some(event) = results.next().await? {
    ///     if let Event::Row(row) = event {
    ///         println!("{:?}", row.get(0)?);
    ///     }
    /// }
    /// # Ok(()) }
    /// ```
    pub async fn stream(&self, request: Request<'_>) -> Result<ResultStream> {
        let Some(settings) = self.settings.statement() else { return self.send(request).await };
        if let Request::Single(statement) = &request
            && sql::forbids_transaction_block(&statement.text)
        {
            self.settings.check_left_out()?;
            return self.send(request).await;
        }
        let (given, options) = match request {
            Request::Single(statement) => (vec![statement], BatchOptions::new()),
            Request::Batch { statements, options } => (statements.to_vec(), options),
        };
        let statements: Vec<_> = std::iter::once(settings).chain(given).collect();
        let options = self.settings.transaction(options);
        let sent = self.send(Request::Batch { statements: &statements, options }).await;
        let mut results = sent.map_err(|error| self.settings.explain(error))?;
        results.skip_result().await.map_err(|error| self.settings.explain(error))?;
        Ok(results)
    }

    async fn send(&self, request: Request<'_>) -> Result<ResultStream> {
        let exchange = Exchange {
            connector: self.connector.clone(),
            config: self.config.clone(),
            body: request.encode(self.config.get_max_request_size())?,
            batch: request.batch_options(),
            timeout: self.timeout,
        };
        let (sender, receiver) = mpsc::channel(CHUNKS_AHEAD);
        self.runtime.spawn(exchange.run(sender));
        ResultStream::open(receiver, self.runtime.clone()).await
    }

    async fn single(&self, sql: &str, params: &[Param<'_>]) -> Result<QueryResult> {
        check_single(Dialect::new(), sql)?;
        let mut prepared = Prepared::new(sql, params)?;
        let mut results = self.collect(Request::Single(prepared.statement.clone())).await;
        if results.as_ref().is_err_and(|error| prepared.is_refused_by(error)) {
            prepared = Prepared::in_place(sql, params)?;
            results = self.collect(Request::Single(prepared.statement.clone())).await;
        }
        let mut results = results.map_err(|error| prepared.place(error))?;
        match (results.pop(), results.len()) {
            (Some(result), 0) => Ok(result),
            (last, more) => Err(count_mismatch(1, more + usize::from(last.is_some()))),
        }
    }

    async fn collect_batch(&self, batch: &[Prepared<'_>], options: BatchOptions) -> Result<Vec<QueryResult>> {
        let statements: Vec<_> = batch.iter().map(|prepared| prepared.statement.clone()).collect();
        self.collect(Request::Batch { statements: &statements, options }).await
    }

    async fn collect(&self, request: Request<'_>) -> Result<Vec<QueryResult>> {
        self.stream(request).await?.collect().await
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { connector, config: _, timeout, settings: _, runtime: _ } = self;
        f.debug_struct("Client").field("endpoint", connector).field("timeout", timeout).finish_non_exhaustive()
    }
}

fn count_mismatch(sent: usize, got: usize) -> Error {
    Error::protocol(format!("the server gave {got} results for {sent} statements"), Outcome::Unknown)
}
