use std::{fmt, num::NonZeroU64};

use pgferry::Transport;

use super::units;

const FORMS: &str = "a condition is a percentage such as @5%, @first=3, @every=10, @http or @websocket";

/// Which of the requests that a fault could strike it does.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Condition {
    pub(super) percent: Option<f64>,
    pub(super) first: Option<u64>,
    pub(super) every: Option<NonZeroU64>,
    pub(super) transport: Option<Transport>,
}

impl Condition {
    /// Adds what stands behind one `@`. Errors say what is wrong with it.
    pub(super) fn add(&mut self, text: &str) -> Result<(), String> {
        let twice = match text.split_once('=') {
            None if text.ends_with('%') => {
                let percent = units::percent(text).ok_or(format!("{text:?} is no percentage from 0% to 100%"))?;
                self.percent.replace(percent).is_some()
            }
            None => {
                let transport = match text {
                    "http" => Transport::Http,
                    "websocket" => Transport::WebSocket,
                    _ => return Err(format!("{text:?} is no condition: {FORMS}")),
                };
                self.transport.replace(transport).is_some()
            }
            Some(("first", count)) => {
                let count = count.parse().map_err(|_| format!("{count:?} is no number, as in @first=3"))?;
                self.first.replace(count).is_some()
            }
            Some(("every", count)) => {
                let count = count.parse().map_err(|_| format!("{count:?} is no number above 0, as in @every=10"))?;
                self.every.replace(count).is_some()
            }
            Some(_) => return Err(format!("{text:?} is no condition: {FORMS}")),
        };
        if twice { Err(format!("{text:?} is the second condition of its kind: one fault takes one")) } else { Ok(()) }
    }

    /// Returns whether it strikes the request with this number, from 0; `chance` is from 0 to 1, and 1 is never reached.
    pub(super) fn strikes(&self, number: u64, chance: f64) -> bool {
        self.first.is_none_or(|first| number < first)
            && self.every.is_none_or(|every| number.wrapping_add(1) % every == 0)
            && self.percent.is_none_or(|percent| chance * 100.0 < percent)
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { percent, first, every, transport } = self;
        if let Some(percent) = percent {
            write!(f, "@{percent}%")?;
        }
        if let Some(first) = first {
            write!(f, "@first={first}")?;
        }
        if let Some(every) = every {
            write!(f, "@every={every}")?;
        }
        match transport {
            Some(transport) => write!(f, "@{transport}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(parts: &[&str]) -> Condition {
        let mut condition = Condition::default();
        for part in parts {
            condition.add(part).unwrap_or_else(|error| panic!("{error}"));
        }
        condition
    }

    fn struck(parts: &[&str]) -> Vec<u64> {
        let condition = condition(parts);
        (0..8).filter(|number| condition.strikes(*number, 0.3)).collect()
    }

    #[test]
    fn each_condition_narrows() {
        assert_eq!(struck(&[]), [0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(struck(&["first=3"]), [0, 1, 2]);
        assert_eq!(struck(&["every=3"]), [2, 5]);
        assert_eq!(struck(&["every=3", "first=4"]), [2]);
        assert!(struck(&["30%"]).is_empty());
        assert_eq!(struck(&["31%", "first=1"]), [0]);
        assert!(!condition(&["0%"]).strikes(0, 0.0));
        assert!(condition(&["100%"]).strikes(0, 0.999_999));
    }
}
