//! A diesel connection to Postgres over HTTP and WebSocket, without libpq.
