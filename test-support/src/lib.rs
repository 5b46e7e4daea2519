//! Throw-away PostgreSQL servers and gateways.
