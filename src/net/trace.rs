use std::{
    fmt,
    time::{Duration, Instant},
};

use crate::error::Result;

/// One step of opening a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Step {
    /// Asking the system for the host's addresses.
    Dns,
    /// Opening the TCP connection: one round trip.
    Tcp,
    /// The TLS handshake.
    Tls,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dns => "DNS",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
        })
    }
}

/// What opening a connection took, step by step; [`connect`](super::connect) fills it.
///
/// A step that was not needed is missing, as DNS is for an IP address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    steps: Vec<(Step, Duration)>,
    failed: Option<Step>,
}

impl Trace {
    /// Makes one with no steps.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the steps that were done, in their order, with the time each took.
    #[must_use]
    pub fn steps(&self) -> &[(Step, Duration)] {
        &self.steps
    }

    /// Returns the step that failed, if one did.
    ///
    /// Where the future was dropped, it is the one that was under way.
    #[must_use]
    pub fn failed(&self) -> Option<Step> {
        self.failed
    }

    /// Notes how long a step takes, or that it failed.
    pub(super) async fn time<T>(&mut self, step: Step, future: impl Future<Output = Result<T>>) -> Result<T> {
        let began = Instant::now();
        self.failed = Some(step);
        let value = future.await?;
        self.steps.push((step, began.elapsed()));
        self.failed = None;
        Ok(value)
    }
}
