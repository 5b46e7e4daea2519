use crate::{error::Error, sql::literal};

/// Multiplied with a hash of the database's name, it is the advisory lock that sqlx's migrator takes.
const FACTOR: i64 = 0x3d32_ad9e;

/// What tells that the lock was not had in time; no error of Postgres's has it.
const BUSY: &str = "PGFM2";

/// How long is waited for the lock in one go, in milliseconds.
///
/// Whoever makes an index concurrently waits for every transaction that is open, also for one that waits for the lock which it
/// holds itself. So none waits for long, and never until Postgres looks for deadlocks, which it does after a second.
const PATIENCE: u32 = 500;

/// The lock that lets one runner at a time apply migrations to a database.
#[derive(Debug)]
pub(super) struct Lock {
    key: i64,
}

impl Lock {
    pub(super) fn of(database: &str) -> Self {
        Self { key: FACTOR.wrapping_mul(crc32fast::hash(database.as_bytes()).into()) }
    }

    /// Takes it until the transaction's end.
    pub(super) fn for_transaction(&self) -> String {
        self.take("pg_advisory_xact_lock")
    }

    /// Takes it until the session's end.
    pub(super) fn for_session(&self) -> String {
        self.take("pg_advisory_lock")
    }

    fn take(&self, function: &str) -> String {
        let body = format!(
            "DECLARE given text := pg_catalog.current_setting('lock_timeout'); BEGIN \
             PERFORM pg_catalog.set_config('lock_timeout', '{PATIENCE}', true); PERFORM pg_catalog.{function}({}); \
             PERFORM pg_catalog.set_config('lock_timeout', given, true); \
             EXCEPTION WHEN lock_not_available THEN RAISE EXCEPTION 'another runner is at work' USING ERRCODE = '{BUSY}'; END",
            self.key
        );
        format!("DO{}", literal(&body))
    }
}

/// Whether another runner has the lock; then nothing has been executed.
pub(super) fn is_busy(error: &Error) -> bool {
    error.code().is_some_and(|code| code.as_str() == BUSY)
}
