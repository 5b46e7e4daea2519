use diesel::{Connection, PgConnection, connection::SimpleConnection};

/// A database of its own and the way to it: all that a case is given.
#[derive(Clone, Debug)]
pub(super) struct Ground {
    /// The road's URL.
    pub(super) url: String,
    /// The URL past the road.
    pub(super) direct: String,
    /// The URL of the superuser, past the road.
    pub(super) superuser: String,
}

impl Ground {
    /// Runs a script past the road.
    pub(super) fn prepare(&self, script: &str) {
        PgConnection::establish(&self.direct).unwrap().batch_execute(script).unwrap();
    }

    /// Gives the database back its first state.
    pub(super) fn reset(&self) {
        PgConnection::establish(&self.superuser)
            .unwrap()
            .batch_execute("set lock_timeout = '20s'; set client_min_messages = error; drop owned by app cascade")
            .unwrap();
        self.prepare(super::schema::SCRIPT);
    }
}
