//! Everything that needs a PostgreSQL, a gateway or a foreign peer: one binary, one module a subject.

mod codec;
mod diesel;
mod gateway;
mod http;
mod http_gateway;
mod postgres;
mod providers;
mod proxy;
mod sqlx;
mod tls_front;
mod typed;
mod wire;
