use std::sync::{Arc, Mutex, PoisonError};

use pgferry::bridge::Gathering;
use sqlx::{ConnectOptions, PgConnection};

use crate::{
    connect::{Guard, configuration},
    on::on,
};

/// A connection of sqlx's own whose statements are gathered: it writes a batch and reads the results.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) gathering: Gathering,
    pub(super) connection: PgConnection,
}

/// The seats that no batch uses. They cost no session: what they are to sqlx is known to the endpoint alone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seats(Arc<Mutex<Vec<Seat>>>);

/// How many are kept.
const MOST: usize = 8;

impl Seats {
    pub(super) async fn take(&self, guard: &Guard) -> sqlx::Result<Seat> {
        let idle = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        match idle {
            Some(seat) => Ok(seat),
            None => open(guard).await,
        }
    }

    /// Keeps a seat from which a whole batch was read.
    pub(super) fn give_back(&self, seat: Seat) {
        let mut seats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seats.len() < MOST {
            seats.push(seat);
        }
    }

    pub(crate) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

async fn open(guard: &Guard) -> sqlx::Result<Seat> {
    let bridge = guard.bridge();
    let gathering = bridge.gather().map_err(configuration)?;
    // What it would log are the questions for results, not the user's statements.
    let options = guard.options()?.application_name(gathering.name()).disable_statement_logging();
    let connection = on(bridge.runtime(), async move { options.connect().await }).await?;
    Ok(Seat { gathering, connection })
}
