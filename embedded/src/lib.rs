//! A PostgreSQL compiled in, for machines that have none.
