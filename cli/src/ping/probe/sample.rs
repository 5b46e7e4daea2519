use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use pgferry::{
    Error, Outcome,
    net::{Socket, Trace},
};

use crate::ping::phase::Phase;

/// What one try showed, from nothing to the first row or to where it failed.
#[derive(Clone, Debug, Default)]
pub(in crate::ping) struct Sample {
    pub(in crate::ping) phases: Vec<Timed>,
    /// From nothing to the first row, with what lies between the phases.
    pub(in crate::ping) total: Option<Duration>,
    pub(in crate::ping) facts: Facts,
}

/// A phase that was done.
#[derive(Clone, Copy, Debug)]
pub(in crate::ping) struct Timed {
    pub(in crate::ping) phase: Phase,
    pub(in crate::ping) time: Duration,
    /// `None` where nobody can tell, as of DNS.
    pub(in crate::ping) round_trips: Option<u32>,
}

/// What a try told about the other side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::ping) struct Facts {
    pub(in crate::ping) address: Option<SocketAddr>,
    /// The version of TLS.
    pub(in crate::ping) tls: Option<&'static str>,
    pub(in crate::ping) http: Option<&'static str>,
    /// How the server asked for proof, as `require_auth` names it.
    pub(in crate::ping) method: Option<&'static str>,
    pub(in crate::ping) server_version: Option<String>,
}

/// Why a try ended early.
#[derive(Debug)]
pub(in crate::ping) struct Failure {
    pub(in crate::ping) phase: Phase,
    pub(in crate::ping) error: Error,
}

impl Sample {
    /// Notes what opening a connection took.
    pub(super) fn opened(&mut self, trace: &Trace, socket: Result<Socket, Error>) -> Result<Socket, Failure> {
        let handshake = socket.as_ref().ok().and_then(Socket::handshake);
        for (step, time) in trace.steps() {
            let phase = Phase::from(Some(*step));
            let round_trips = match phase {
                Phase::Tcp => Some(1),
                Phase::Tls => handshake.map(|handshake| handshake.round_trips),
                _ => None,
            };
            self.phases.push(Timed { phase, time: *time, round_trips });
        }
        self.facts.tls = handshake.map(|handshake| handshake.version);
        let socket = socket.map_err(|error| Failure { phase: trace.failed().into(), error })?;
        self.facts.address = socket.tcp().peer_addr().ok();
        Ok(socket)
    }

    /// Takes a phase, within a limit, and notes how long it took.
    pub(super) async fn take<T>(
        &mut self,
        phase: Phase,
        limit: Limit,
        round_trips: Option<u32>,
        future: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Failure> {
        let began = Instant::now();
        let value = within(limit, phase, future).await.map_err(|error| Failure { phase, error })?;
        self.phases.push(Timed { phase, time: began.elapsed(), round_trips });
        Ok(value)
    }

    /// Corrects how many round trips the last phase took, where they are counted while it runs.
    pub(super) fn counted(&mut self, round_trips: u32) {
        if let Some(last) = self.phases.last_mut() {
            last.round_trips = Some(round_trips);
        }
    }
}

/// How long a phase may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    /// What earlier phases have left of it.
    pub(super) left: Duration,
    pub(super) whole: Duration,
}

impl Limit {
    pub(super) fn whole(limit: Duration) -> Self {
        Self { left: limit, whole: limit }
    }
}

/// Waits for a phase, or makes the error that it did not end in time.
pub(super) async fn within<T>(
    limit: Limit,
    phase: Phase,
    future: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let late = || {
        let (what, outcome) = match phase {
            Phase::Upgrade => ("answer to the WebSocket upgrade", Outcome::NotExecuted),
            Phase::LogIn => ("end of the log-in", Outcome::NotExecuted),
            _ => ("result of the statement", Outcome::Unknown),
        };
        Error::timeout(what, limit.whole, outcome)
    };
    tokio::time::timeout(limit.left, future).await.unwrap_or_else(|_| Err(late()))
}
