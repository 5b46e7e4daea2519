use std::{
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use pgferry::{DbError, SqlState};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{
    cold_start::ColdStart,
    kind::{Event, Kind, Loss, Stage},
    refusal::Refusal,
    rule::Rule,
    spec::Faults,
    sqlstate,
};

/// Decides which faults strike what, while a gateway runs.
pub(crate) struct Injector {
    rules: Vec<Armed>,
    pub(super) cold_start: Option<ColdStart>,
    /// Set when nothing new is to begin, and what hangs is to end.
    pub(super) draining: CancellationToken,
}

struct Armed {
    rule: Rule,
    state: Mutex<State>,
}

struct State {
    seen: u64,
    chance: fastrand::Rng,
}

/// What strikes one request.
#[derive(Default)]
pub(super) struct Strike {
    latency: Option<Duration>,
    /// Bytes a second.
    pub(super) rate: Option<u64>,
    pub(super) end: Option<End>,
    /// As they are shown.
    pub(super) names: Vec<String>,
}

/// What a request gets instead of its answer.
#[derive(Clone, Debug)]
pub(super) enum End {
    Refused(Refusal),
    Failed(SqlState),
    Lost(Loss),
}

/// The connection is to be closed, whatever was still to be said.
#[derive(Debug)]
pub(crate) struct Cut;

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection is closed on purpose, by a fault")
    }
}

impl std::error::Error for Cut {}

impl Injector {
    /// Makes what injects these; `None` where there are none.
    pub(crate) fn new(faults: &Faults, draining: &CancellationToken) -> Option<Self> {
        if faults.is_empty() {
            return None;
        }
        let seed = faults.seed.unwrap_or_else(|| fastrand::u64(..));
        tracing::info!(%faults, seed, "things go wrong on purpose");
        let mut rules = Vec::new();
        let mut cold_start = None;
        for (index, rule) in (0_u64..).zip(&faults.rules) {
            if let Kind::ColdStart { takes, after } = rule.kind {
                cold_start = Some(ColdStart::new(takes, after));
                continue;
            }
            // Each has a chance of its own, so that one fault more does not change what the others do.
            let chance = fastrand::Rng::with_seed(seed.wrapping_add(index));
            rules.push(Armed { rule: rule.clone(), state: Mutex::new(State { seen: 0, chance }) });
        }
        Some(Self { rules, cold_start, draining: draining.clone() })
    }

    /// Decides what strikes this, and logs it.
    pub(super) fn strike(&self, event: Event) -> Strike {
        let mut strike = Strike::default();
        for armed in &self.rules {
            let Some(chance) = armed.strikes(event) else { continue };
            let name = match &armed.rule.kind {
                Kind::Latency { least, most } => {
                    let latency = *least + most.saturating_sub(*least).mul_f64(chance);
                    // No timer is as exact as the number is long.
                    let latency = latency - Duration::from_nanos(u64::from(latency.subsec_nanos() % 1000));
                    strike.latency = Some(strike.latency.unwrap_or_default().saturating_add(latency));
                    format!("latency={latency:?}")
                }
                Kind::Rate(rate) => {
                    strike.rate = Some(strike.rate.map_or(*rate, |other| other.min(*rate)));
                    armed.rule.kind.to_string()
                }
                // The first that ends a request leaves nothing to the others.
                _ if strike.end.is_some() => continue,
                kind => {
                    strike.end = match kind {
                        Kind::Status(refusal) => Some(End::Refused(*refusal)),
                        Kind::Error(code) => Some(End::Failed(code.clone())),
                        Kind::Loss(loss) => Some(End::Lost(*loss)),
                        Kind::Latency { .. } | Kind::Rate(_) | Kind::ColdStart { .. } => None,
                    };
                    kind.to_string()
                }
            };
            tracing::info!(fault = name, "injected");
            strike.names.push(name);
        }
        strike
    }
}

impl Strike {
    /// Waits as long as the request is to be late.
    pub(super) async fn delay(&self) {
        if let Some(latency) = self.latency {
            sleep(latency).await;
        }
    }

    /// Returns the error that it fails with, if it does.
    pub(super) fn error(&self) -> Option<DbError> {
        match &self.end {
            Some(End::Failed(code)) => Some(sqlstate::error(code)),
            _ => None,
        }
    }

    /// Returns how the client is lost when this stage is reached, if it is.
    pub(super) fn loss(&self, stage: Stage) -> Option<Loss> {
        match self.end {
            Some(End::Lost(loss)) if loss.stage == stage => Some(loss),
            _ => None,
        }
    }
}

impl Armed {
    /// Counts this, and returns a number of chance from 0 to 1 where it is struck.
    fn strikes(&self, event: Event) -> Option<f64> {
        if !self.rule.meets(event) {
            return None;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let number = state.seen;
        state.seen = state.seen.wrapping_add(1);
        // Both are drawn each time, so that what one request meets does not depend on what another met.
        let (chance, size) = (state.chance.f64(), state.chance.f64());
        self.rule.condition.strikes(number, chance).then_some(size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn injector(faults: &str) -> Injector {
        let faults = faults.parse().unwrap_or_else(|error| panic!("{error}"));
        Injector::new(&faults, &CancellationToken::new()).unwrap_or_else(|| panic!("there are faults"))
    }

    fn names(faults: &str, events: &[Event]) -> Vec<String> {
        let injector = injector(faults);
        events.iter().map(|event| injector.strike(*event).names.join(" ")).collect()
    }

    #[test]
    fn nothing_is_injected_by_default() {
        assert!(Injector::new(&Faults::default(), &CancellationToken::new()).is_none());
    }

    #[test]
    fn a_seed_repeats_what_was_injected() {
        let faults = |seed| format!("latency=1ms..900ms@50% status=503@20% drop=during@10% seed={seed}");
        let struck = |seed| names(&faults(seed), &[Event::Request; 200]);
        assert_eq!(struck(7), struck(7));
        assert_ne!(struck(7), struck(8));
        // What one fault does depends on no other.
        let alone = names("latency=1ms..900ms@50% seed=7", &[Event::Request; 200]);
        let latencies: Vec<_> =
            struck(7).iter().map(|names| names.split(' ').next().unwrap_or_default().to_owned()).collect();
        for (alone, among) in alone.iter().zip(&latencies) {
            assert!(alone == among || alone.is_empty() && !among.starts_with("latency"), "{alone} {among}");
        }
        let refused = struck(7).iter().filter(|names| names.contains("status=503")).count();
        assert!((20..=60).contains(&refused), "{refused} of 200 are no 20%");
    }

    #[test]
    fn each_fault_counts_what_it_could_strike() {
        use Event::{Connection, Flight, LogIn, Request, Statement, Upgrade};

        let events = [Connection, Upgrade, LogIn, Flight, Statement, Flight, Statement, Request];
        assert_eq!(names("drop=after@first=1", &events), ["", "", "", "", "drop=after", "", "", ""]);
        assert_eq!(names("drop=after@http", &events), ["", "", "", "", "", "", "", "drop=after"]);
        assert_eq!(names("hang=connect", &events), ["hang=connect", "", "", "", "", "", "", ""]);
        assert_eq!(names("status=503", &events), ["", "status=503", "", "", "", "", "", "status=503"]);
        assert_eq!(names("error=53300", &events), ["", "", "error=53300", "", "", "", "", "error=53300"]);
        assert_eq!(names("error=40001@every=2", &events), ["", "", "", "", "", "", "error=40001", ""]);
        let late = "latency=5ms";
        assert_eq!(names("latency=5ms@websocket", &events), ["", "", late, late, "", late, "", ""]);
    }

    #[test]
    fn the_first_of_several_ends_is_taken() {
        assert_eq!(names("latency=1ms error=40001 status=503", &[Event::Request]), ["latency=1ms error=40001"]);
    }
}
