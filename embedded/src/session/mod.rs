//! A client's session: what it is, how it opens, its statements, and its turns at the backend.

mod batch;
mod custom;
mod interrupt;
mod journal;
mod log_in;
mod pending;
mod prepared;
mod pump;
mod requests;
mod run;
mod startup;
pub(crate) mod state;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

pub(crate) use self::requests::{Cancelled, Requests};
use self::{custom::Names, state::State};
use crate::shared::Shared;

/// Who a session is, and what it gets back at its turns.
pub(crate) struct Identity {
    pub(crate) number: i32,
    pub(crate) user: String,
    pub(crate) database: String,
    /// The settings that it opened with.
    pub(crate) settings: Vec<(String, String)>,
    pub(crate) kept: Arc<Mutex<Kept>>,
    pub(crate) has_logged_in: bool,
    /// How long its statements may run, where `statement_timeout` says.
    pub(crate) timeout: Option<Duration>,
}

/// What is kept of a session while another has its turn.
#[derive(Default)]
pub(crate) struct Kept {
    pub(crate) state: State,
    /// The names of settings of the user's own making, which Postgres does not list.
    pub(crate) custom: Names,
}

/// Serves a connection until it ends, or is to stop.
pub(crate) async fn serve(stream: TcpStream, shared: Arc<Shared>, stop: CancellationToken) {
    let mut client = run::Client::new(stream);
    let Some(logged_in) = stop.run_until_cancelled(log_in::log_in(&mut client, &shared)).await else { return };
    match logged_in {
        Ok(Some((identity, cancelled))) => run::Session::new(client, identity, cancelled, shared).run(&stop).await,
        Ok(None) => {}
        Err(error) => tracing::debug!("a connection ended before it was logged in: {error}"),
    }
}
