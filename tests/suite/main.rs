//! Everything that needs a PostgreSQL, a gateway or a foreign peer: one binary, one module a subject.

#[cfg(unix)]
mod bridge;
#[cfg(unix)]
mod bridge_hostile;
mod diesel;
mod diesel_async;
mod diesel_cases;
mod execute;
mod gateway;
mod http;
mod http_gateway;
mod migrate;
mod parallel;
mod postgres;
mod providers;
mod proxy;
mod secrets;
mod sql;
mod sqlx;
mod streaming;
mod tls;
mod tls_front;
#[cfg(unix)]
mod websockify;
mod wide_row;
mod wire;
