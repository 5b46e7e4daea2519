use std::time::Duration;

use pgferry::{Config, Error, Transport};

use super::{
    distribution::Distribution,
    phase::Phase,
    probe::{self, Facts, Failure, Sample, Timed},
};

/// After how many failures a transport is given up: each may take the whole timeout.
const PATIENCE: usize = 3;

/// How much is measured.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// How many connections are opened, one after the other.
    pub(super) tries: usize,
    /// How many statements are run on an open one.
    pub(super) warm: usize,
    pub(super) statement: String,
    /// How long opening a connection may take, up to the log-in.
    pub(super) connect_timeout: Duration,
    /// How long a statement may take.
    pub(super) timeout: Duration,
}

/// What was found out about one transport.
#[derive(Debug)]
pub(super) struct Measured {
    pub(super) transport: Transport,
    /// The tries that went well.
    pub(super) samples: Vec<Sample>,
    /// How far the first try came that did not.
    pub(super) broken_off: Option<Sample>,
    pub(super) failures: Vec<Failure>,
    /// How long each statement on an open connection took, and in how many round trips.
    pub(super) warm_times: Vec<(Duration, u32)>,
}

/// One line of a table.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) phase: Phase,
    pub(super) round_trips: Option<u32>,
    pub(super) times: Distribution,
}

impl Measured {
    pub(super) fn is_ok(&self) -> bool {
        self.failures.is_empty()
    }

    /// The phases of the tries, in their order; where none went well, those of the try that failed.
    pub(super) fn lines(&self) -> Vec<Line> {
        let samples = || if self.samples.is_empty() { self.broken_off.as_slice() } else { &self.samples }.iter();
        let line = |phase: Phase| {
            let timed = || samples().flat_map(|sample| &sample.phases).filter(|timed| timed.phase == phase);
            let round_trips = timed().filter_map(|timed: &Timed| timed.round_trips).max();
            Some(Line { phase, round_trips, times: Distribution::of(timed().map(|timed| timed.time))? })
        };
        Phase::TIMED.into_iter().filter_map(line).collect()
    }

    /// From nothing to the first row.
    pub(super) fn total(&self) -> Option<Distribution> {
        Distribution::of(self.samples.iter().filter_map(|sample| sample.total))
    }

    /// How many round trips the first row takes, where every phase knows its own. DNS is not among them.
    pub(super) fn round_trips(&self) -> Option<u32> {
        let lines = self.lines();
        let counted = lines.iter().filter(|line| line.phase != Phase::Dns).map(|line| line.round_trips);
        counted.sum::<Option<u32>>().filter(|_| !self.samples.is_empty())
    }

    /// A statement on an open connection.
    pub(super) fn warm(&self) -> Option<Line> {
        let round_trips = self.warm_times.iter().map(|(_, round_trips)| *round_trips).max();
        let times = Distribution::of(self.warm_times.iter().map(|(time, _)| *time))?;
        Some(Line { phase: Phase::Warm, round_trips, times })
    }

    /// What the other side told of itself.
    pub(super) fn facts(&self) -> Facts {
        self.samples.first().or(self.broken_off.as_ref()).map(|sample| sample.facts.clone()).unwrap_or_default()
    }

    fn failed(&mut self, phase: Phase, error: Error) {
        self.failures.push(Failure { phase, error });
    }
}

/// Tries a transport, first with new connections and then on an open one; `tick` hears of each step.
pub(super) async fn measure(config: &Config, transport: Transport, plan: &Plan, tick: impl Fn()) -> Measured {
    let mut measured =
        Measured { transport, samples: Vec::new(), broken_off: None, failures: Vec::new(), warm_times: Vec::new() };
    let mut session = None;
    for number in 0..plan.tries {
        let mut sample = Sample::default();
        let opened = match transport {
            Transport::Http => probe::http::open(config, plan, &mut sample).await.map(|()| None),
            _ => probe::websocket::open(config, plan, &mut sample).await.map(Some),
        };
        tick();
        match opened {
            Ok(opened) => {
                measured.samples.push(sample);
                if let Some(last) = std::mem::replace(&mut session, opened) {
                    last.close().await;
                }
            }
            Err(failure) => {
                measured.broken_off.get_or_insert(sample);
                measured.failures.push(failure);
                // What never went well needs no second try: it is no matter of luck.
                if number == 0 || measured.failures.len() >= PATIENCE {
                    break;
                }
            }
        }
    }
    if !measured.samples.is_empty() && plan.warm > 0 {
        let warm = match session.as_mut() {
            Some(session) => warm_websocket(session, plan, &mut measured.warm_times, &tick).await,
            None => warm_http(config, plan, &mut measured.warm_times, &tick).await,
        };
        if let Err(error) = warm {
            measured.failed(Phase::Warm, error);
        }
    }
    if let Some(session) = session {
        session.close().await;
    }
    measured
}

async fn warm_websocket(
    session: &mut probe::websocket::Session,
    plan: &Plan,
    times: &mut Vec<(Duration, u32)>,
    tick: impl Fn(),
) -> Result<(), Error> {
    for _ in 0..plan.warm {
        times.push(session.warm(plan).await?);
        tick();
    }
    Ok(())
}

async fn warm_http(
    config: &Config,
    plan: &Plan,
    times: &mut Vec<(Duration, u32)>,
    tick: impl Fn(),
) -> Result<(), Error> {
    let mut session = probe::http::Session::open(config, plan).await?;
    for _ in 0..plan.warm {
        times.push(session.warm(plan).await?);
        tick();
    }
    Ok(())
}
