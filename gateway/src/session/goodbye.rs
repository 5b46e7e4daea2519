use pgferry::{DbError, Error, SqlState};

/// What a client is told that gets no session, or keeps none.
#[derive(Debug)]
pub(super) struct Goodbye(pub(super) DbError);

impl Goodbye {
    /// What Postgres itself says when it shuts down.
    pub(super) fn shutting_down() -> Self {
        let message = "terminating connection because the gateway is shutting down";
        Self(DbError::new("FATAL", Some(SqlState::from_code("57P01")), message))
    }
}

impl From<Error> for Goodbye {
    fn from(error: Error) -> Self {
        Self(match error.as_db_error() {
            Some(db) => db.clone(),
            None => {
                let code = if error.is_connect() { SqlState::from_code("08006") } else { error.sql_state() };
                DbError::new("FATAL", Some(code), error.message())
            }
        })
    }
}
