//! A handle that opens pools, sends batches, and executes single statements.

mod acquire;
mod executor;
mod own_pool;

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use pgferry::{Capabilities, Config, Error, bridge::Verification};
use sqlx::{PgPool, Postgres, Transaction, pool::PoolConnection, postgres::PgPoolOptions};

use self::own_pool::OwnPool;
use crate::{
    Batch,
    batch::Seats,
    connect::{Guard, configuration, open_guard},
    on::on,
    pool::tie,
};

/// A database behind an HTTP or WebSocket endpoint: a cheap handle to clone, to keep in a `static`, to use from any runtime.
///
/// It opens [pools](Self::pool) for code that takes a [`PgPool`], sends [batches](Self::batch), and is itself an
/// [`Executor`](sqlx::Executor) and [`Acquire`](sqlx::Acquire) for single statements and transactions.
///
/// # What lives how long
///
/// All of a ferry's pools, batches and connections go through one endpoint inside this process, with one thread, one set of HTTP
/// connections and one knowledge of the database's types. The endpoint lives as long as any clone of the ferry and any of its pools
/// that is not closed: a pool outlives the ferry that opened it, and [closing](Self::close) the ferry or a pool closes no other pool.
///
/// Statements that are executed on the ferry itself run on connections of its own, on its thread: they are bound to no runtime of the
/// caller's, which may end while the ferry goes on, as each `#[tokio::test]`'s does. A [pool](Self::pool) is sqlx's own and bound to the
/// runtime that it is opened in.
///
/// # Example
///
/// ```no_run
/// # async fn example() -> sqlx::Result<()> {
/// use pgferry_sqlx::Ferry;
///
/// let ferry = Ferry::connect("postgresql://app:secret@db.example.com/app").await?;
/// let one: i32 = sqlx::query_scalar("select 1").fetch_one(&ferry).await?;
/// assert_eq!(one, 1);
///
/// let pool = ferry.pool().await?;
/// sqlx::query("insert into jobs (name) values ($1)").bind("sweep").execute(&pool).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Ferry(Arc<Inner>);

struct Inner {
    config: Config,
    /// None once it was closed.
    open: Mutex<Option<Open>>,
}

#[derive(Clone, Debug)]
struct Open {
    guard: Arc<Guard>,
    own_pool: OwnPool,
    seats: Seats,
}

impl Ferry {
    /// Makes a ferry for a URL or a [`Config`]. Nothing is sent and so nothing verified: a wrong password or address is reported by
    /// the first statement. Needs no runtime.
    ///
    /// # Errors
    ///
    /// [`sqlx::Error::Configuration`] when the target is not understood or the system gives no socket or thread.
    pub fn new<T>(target: T) -> sqlx::Result<Self>
    where
        T: TryInto<Config>,
        T::Error: Into<Error>,
    {
        Self::start(target, Verification::FirstStatement)
    }

    /// Makes a ferry for a URL or a [`Config`] and verifies that the server is there and lets it in: over HTTP by one request, over
    /// WebSocket by a connection that is then kept for statements.
    ///
    /// Cancel safe: nothing is left behind.
    ///
    /// # Errors
    ///
    /// Those of [`new`](Self::new), and what sqlx reports when it cannot connect.
    pub async fn connect<T>(target: T) -> sqlx::Result<Self>
    where
        T: TryInto<Config> + Send,
        T::Error: Into<Error>,
    {
        let ferry = Self::start(target, Verification::Connect)?;
        let own_pool = ferry.open()?.own_pool;
        own_pool.run(|pool| async move { pool.acquire().await.map(drop) }).await?;
        Ok(ferry)
    }

    fn start<T>(target: T, verification: Verification) -> sqlx::Result<Self>
    where
        T: TryInto<Config>,
        T::Error: Into<Error>,
    {
        let guard = Arc::new(open_guard(target, verification)?);
        let config = guard.bridge().config().clone();
        let own_pool = OwnPool::new(Arc::clone(&guard));
        Ok(Self(Arc::new(Inner { config, open: Mutex::new(Some(Open { guard, own_pool, seats: Seats::default() })) })))
    }

    /// Opens a pool with sqlx's default options, and one connection in it, which verifies that the server is there.
    ///
    /// The pool is a new one each time, and its maker's: it goes on when the ferry is dropped or closed.
    ///
    /// Cancel safe: nothing is left behind.
    ///
    /// # Errors
    ///
    /// What sqlx reports when it cannot connect; [`sqlx::Error::PoolClosed`] when the ferry was closed.
    pub async fn pool(&self) -> sqlx::Result<PgPool> {
        self.pool_with(PgPoolOptions::new()).await
    }

    /// Opens a pool with options, and one connection in it, as [`pool`](Self::pool) does.
    ///
    /// Cancel safe: nothing is left behind.
    ///
    /// # Errors
    ///
    /// As for [`pool`](Self::pool).
    pub async fn pool_with(&self, options: PgPoolOptions) -> sqlx::Result<PgPool> {
        let guard = self.guard()?;
        let connect_options = guard.options()?;
        let pool = options.connect_with(connect_options).await?;
        tie(Arc::clone(&guard), &pool);
        // A ferry that was not verified connects without asking the server.
        let bridge = Arc::clone(&guard);
        on(guard.bridge().runtime(), async move { bridge.bridge().verify().await.map_err(configuration) }).await?;
        Ok(pool)
    }

    /// Opens a pool with options, without connecting. Needs to be called in a runtime, as sqlx's `connect_lazy_with` does.
    ///
    /// # Errors
    ///
    /// [`sqlx::Error::PoolClosed`] when the ferry was closed.
    pub fn pool_lazy_with(&self, options: PgPoolOptions) -> sqlx::Result<PgPool> {
        let guard = self.guard()?;
        let pool = options.connect_lazy_with(guard.options()?);
        tie(guard, &pool);
        Ok(pool)
    }

    /// Begins a batch: queries that are sent whole, as one transaction.
    pub fn batch<'q>(&self) -> Batch<'q> {
        Batch::on(self.clone())
    }

    /// Applies the migrations that are pending, as [`migrate::run`](crate::migrate::run) does, on either transport.
    ///
    /// # Errors
    ///
    /// Those of [`migrate::run`](crate::migrate::run).
    #[cfg(feature = "migrate")]
    pub async fn migrate(&self, migrator: &sqlx::migrate::Migrator) -> Result<(), sqlx::migrate::MigrateError> {
        crate::migrate::run(migrator, self.config()).await
    }

    /// Returns what the ferry's connections can do, as far as transport and pooler decide it.
    ///
    /// # Errors
    ///
    /// None for a ferry that could be made.
    pub fn capabilities(&self) -> sqlx::Result<Capabilities> {
        self.0.config.capabilities().map_err(configuration)
    }

    /// Returns the configuration that it was made with.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// Begins a transaction on a connection of the ferry's own. Over HTTP there is none, which the error says: send a
    /// [batch](Self::batch).
    ///
    /// Cancel safe: nothing is left behind.
    ///
    /// # Errors
    ///
    /// What sqlx reports when it cannot connect or begin; [`sqlx::Error::PoolClosed`] when the ferry was closed.
    pub async fn begin(&self) -> sqlx::Result<Transaction<'static, Postgres>> {
        let own_pool = self.open()?.own_pool;
        own_pool.run(|pool| async move { pool.begin().await }).await
    }

    /// Takes a connection of the ferry's own, which goes back when it is dropped.
    ///
    /// Cancel safe: nothing is left behind.
    ///
    /// # Errors
    ///
    /// What sqlx reports when it cannot connect; [`sqlx::Error::PoolClosed`] when the ferry was closed.
    pub async fn acquire(&self) -> sqlx::Result<PoolConnection<Postgres>> {
        let own_pool = self.open()?.own_pool;
        own_pool.run(|pool| async move { pool.acquire().await }).await
    }

    /// Closes the ferry and all its clones: waits until its own connections have come back and are closed. Its pools go on, and the
    /// endpoint with them.
    ///
    /// Cancel safe in that the ferry is closed in any case.
    pub async fn close(&self) {
        let open = self.0.open.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Open { guard: _guard, own_pool, seats }) = open {
            seats.clear();
            own_pool.close().await;
        }
    }

    /// Returns whether the ferry was closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    fn open(&self) -> sqlx::Result<Open> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner).clone().ok_or(sqlx::Error::PoolClosed)
    }

    pub(crate) fn guard(&self) -> sqlx::Result<Arc<Guard>> {
        Ok(self.open()?.guard)
    }

    pub(crate) fn seats(&self) -> Option<Seats> {
        self.open().ok().map(|open| open.seats)
    }
}

impl fmt::Debug for Ferry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { config, open: _ } = &*self.0;
        f.debug_struct("Ferry").field("config", config).field("is_closed", &self.is_closed()).finish()
    }
}
