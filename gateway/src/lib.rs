//! SQL over HTTP and Postgres over WebSocket in front of any Postgres.
