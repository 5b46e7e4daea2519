//! PostgreSQL servers from the binaries that are installed on this machine.
