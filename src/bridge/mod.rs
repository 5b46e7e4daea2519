//! An in-process Postgres endpoint on a private socket, for unmodified Postgres clients.
