//! A client whose statements are gathered into a batch and answered when that has ended.
//!
//! sqlx's arguments cannot be taken apart outside of sqlx, and its rows and errors cannot be made there. So its own connection writes the
//! statements and reads the results, each by a statement whose text is the gathering's name; what comes between is one batch.

mod connection;
mod plan;
mod registry;

use std::{fmt, sync::Arc};

use tokio::sync::oneshot;

use super::{secret, shared::Shared};
use crate::{
    Oid,
    batch::BatchOptions,
    error::{Error, Outcome, Result},
};

pub(super) use connection::serve;
pub(super) use plan::Plan;
pub(super) use registry::Registry;

/// From this number on types are a database's own (`FirstNormalObjectId` of PostgreSQL's).
const FIRST_OWN_TYPE: Oid = 16384;

/// Gathers the statements of one client of a [`Bridge`](super::Bridge), sends them as a batch, and answers them.
///
/// The client connects with the gathering's [name](Self::name) as its application name. What it executes from then on is noted and
/// answered with no rows. After [`send`](Self::send), whatever it executes under the name as the text gives the result of the query that
/// was [turned to](Self::turn_to), or the error that ended the batch.
///
/// Only for clients that describe a statement before they execute it, one statement at a time, as sqlx does.
#[must_use = "dropped, it gathers no more"]
pub struct Gathering {
    shared: Arc<Shared>,
    plan: Arc<Plan>,
}

impl Gathering {
    pub(super) fn start(shared: &Arc<Shared>) -> Result<Self> {
        let plan = Arc::new(Plan::new(format!("pgferry-gathering-{}", secret::random(16)?)));
        shared.gatherings().add(&plan);
        Ok(Self { shared: Arc::clone(shared), plan })
    }

    /// Returns the name, which nobody can guess.
    #[must_use]
    pub fn name(&self) -> &str {
        self.plan.name()
    }

    /// Notes a text of any number of statements without parameters, whose results are wanted as text: as a simple query has them.
    pub fn add_script(&self, text: &str) {
        let dialect = self.shared.http().map_or_else(Default::default, |session| session.dialect());
        self.plan.note_script(dialect, text);
    }

    /// Makes a query's result the one that the client is given next: counted from 0, in the order in which they were noted. Each can
    /// be given once.
    pub fn turn_to(&self, query: usize) {
        self.plan.turn_to(query);
    }

    /// Sends what was noted as one transaction, and keeps the results for the client.
    ///
    /// Needs no runtime in the caller. Cancel safe in that dropping the future cancels what runs; whether it had ended by then is
    /// unknown.
    ///
    /// # Errors
    ///
    /// Those of [`batch::Sender::send`](crate::batch::Sender::send), which the client is told as well when it asks for a result.
    pub async fn send(&self, options: BatchOptions) -> Result<()> {
        let statements = self.plan.take_statements();
        let changes_types = statements.iter().any(|statement| crate::sql::changes_types(&statement.text));
        let has_own_types =
            statements.iter().flat_map(|statement| &statement.param_types).any(|oid| *oid >= FIRST_OWN_TYPE);
        let sender = self.shared.batches().clone();
        let (mut done, result) = oneshot::channel();
        self.shared.runtime().spawn(async move {
            tokio::select! {
                result = sender.send(&statements, options) => {
                    // The receiver is gone when the caller was dropped, who then wants no answer.
                    let _ = done.send(result);
                }
                () = done.closed() => {}
            }
        });
        let result = result.await.unwrap_or_else(|_| {
            Err(Error::closed("the task on pgferry's thread ended before it answered", Outcome::Unknown).into())
        });
        // A failure may mean that a type is not any more what it was when it was looked up.
        if changes_types || result.is_err() && has_own_types {
            self.shared.types().note_change();
            if let Some(http) = self.shared.http() {
                http.note_changed_types();
            }
        }
        self.plan.keep(result)
    }
}

impl fmt::Debug for Gathering {
    /// Without its name, by which any of the user's processes could take its place.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { shared: _, plan } = self;
        f.debug_struct("Gathering").field("plan", plan).finish_non_exhaustive()
    }
}
