//! Unmodified sqlx for Postgres, over HTTP and WebSocket.
