//! Unmodified sqlx for Postgres, over HTTP and WebSocket.
//!
//! Types stay sqlx's own: [`sqlx::PgPool`], `query!`, `FromRow`, everything whose signature says `Postgres`. What changes is how
//! a pool is opened:
//!
//! ```no_run
//! # async fn example() -> sqlx::Result<()> {
//! let pool = pgferry_sqlx::pool("postgresql://role:password@ep-cool-darkness-a1b2c3d4.us-east-2.aws.neon.tech/db").await?;
//! let one: i32 = sqlx::query_scalar("select 1").fetch_one(&pool).await?;
//! assert_eq!(one, 1);
//! # Ok(())
//! # }
//! ```
//!
//! or, with options of the pool, through [`PgPoolOptionsExt`]. sqlx connects to an endpoint inside this process
//! ([`pgferry::bridge`]), which carries its statements through the transport that [`Config`] names. Over WebSocket everything
//! works that works over TCP; over HTTP what needs a session is refused with SQLSTATE 0A000 and a sentence that names the
//! remedy.

pub mod batch;
mod connect;
mod ferry;
#[cfg(feature = "migrate")]
pub mod migrate;
mod on;
mod pool;

pub use pgferry::{Capabilities, Config, Error, Transport, batch::IsolationLevel};

pub use batch::Batch;
pub use connect::{Guard, connect_options};
pub use ferry::Ferry;
pub use pool::{PgPoolOptionsExt, pool, pool_lazy};
