use std::sync::Arc;

use pgferry::{Config, Error, bridge::Verification};
use sqlx::{PgPool, postgres::PgPoolOptions};

use crate::connect::{Guard, start};

/// Opens a pool with sqlx's default options for a URL or a [`Config`], and one connection in it.
///
/// Over HTTP that spends one request; a wrong password is reported here on either transport.
///
/// Cancel safe: nothing is left behind.
///
/// # Errors
///
/// [`sqlx::Error::Configuration`] when the target is not understood, and what sqlx reports when it cannot connect.
///
/// # Example
///
/// ```no_run
/// # async fn example() -> sqlx::Result<()> {
/// let pool = pgferry_sqlx::pool("postgresql://app:secret@db.example.com/app?transport=http").await?;
/// # Ok(())
/// # }
/// ```
pub async fn pool<T>(target: T) -> sqlx::Result<PgPool>
where
    T: TryInto<Config> + Send,
    T::Error: Into<Error>,
{
    PgPoolOptions::new().connect_over(target).await
}

/// Opens a pool with sqlx's default options for a URL or a [`Config`], without connecting.
///
/// Nothing is verified: a wrong password or address is reported by the first statement.
///
/// # Errors
///
/// [`sqlx::Error::Configuration`] when the target is not understood.
pub fn pool_lazy<T>(target: T) -> sqlx::Result<PgPool>
where
    T: TryInto<Config>,
    T::Error: Into<Error>,
{
    PgPoolOptions::new().connect_lazy_over(target)
}

/// Opens pools over pgferry's transports with sqlx's own options.
///
/// The endpoint that a pool connects to lives until the pool is closed or its last clone is dropped.
pub trait PgPoolOptionsExt: Sized {
    /// Opens a pool for a URL or a [`Config`], and one connection in it.
    ///
    /// Over HTTP that spends one request; a wrong password is reported here on either transport.
    ///
    /// Cancel safe: nothing is left behind.
    ///
    /// # Errors
    ///
    /// [`sqlx::Error::Configuration`] when the target is not understood, and what sqlx reports when it cannot connect.
    ///
    /// # Example
    ///
    /// ```no_run
    /// use pgferry_sqlx::{Config, PgPoolOptionsExt, Transport};
    /// use sqlx::postgres::PgPoolOptions;
    ///
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let config: Config = "postgresql://app:secret@db.example.com/app".parse()?;
    /// let config = config.transport(Transport::Http);
    /// let pool = PgPoolOptions::new().max_connections(5).connect_over(&config).await?;
    /// # Ok(())
    /// # }
    /// ```
    fn connect_over<T>(self, target: T) -> impl Future<Output = sqlx::Result<PgPool>> + Send
    where
        T: TryInto<Config> + Send,
        T::Error: Into<Error>;

    /// Opens a pool for a URL or a [`Config`], without connecting.
    ///
    /// Nothing is verified: a wrong password or address is reported by the first statement. Needs to be called in a runtime,
    /// as sqlx's `connect_lazy_with` does.
    ///
    /// # Errors
    ///
    /// [`sqlx::Error::Configuration`] when the target is not understood.
    fn connect_lazy_over<T>(self, target: T) -> sqlx::Result<PgPool>
    where
        T: TryInto<Config>,
        T::Error: Into<Error>;
}

impl PgPoolOptionsExt for PgPoolOptions {
    fn connect_over<T>(self, target: T) -> impl Future<Output = sqlx::Result<PgPool>> + Send
    where
        T: TryInto<Config> + Send,
        T::Error: Into<Error>,
    {
        let started = start(target, Verification::Connect);
        async move {
            let (options, guard) = started?;
            let pool = self.connect_with(options).await?;
            tie(Arc::new(guard), &pool);
            Ok(pool)
        }
    }

    fn connect_lazy_over<T>(self, target: T) -> sqlx::Result<PgPool>
    where
        T: TryInto<Config>,
        T::Error: Into<Error>,
    {
        let (options, guard) = start(target, Verification::FirstStatement)?;
        let pool = self.connect_lazy_with(options);
        tie(Arc::new(guard), &pool);
        Ok(pool)
    }
}

/// Lets the endpoint end with the pool: when it is closed, or when its last clone is dropped, which closes it too.
///
/// Not through the pool's hooks, which the user may set anew.
pub(crate) fn tie(guard: Arc<Guard>, pool: &PgPool) {
    let closed = pool.close_event();
    let runtime = guard.bridge().runtime().clone();
    runtime.spawn(async move {
        closed.await;
        drop(guard);
    });
}
