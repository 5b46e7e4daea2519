use std::fmt;

use super::{
    condition::Condition,
    kind::{Event, Kind, Loss, Stage},
};
use pgferry::Transport;

/// One fault, and which requests it strikes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rule {
    pub(super) kind: Kind,
    pub(super) condition: Condition,
}

impl Rule {
    /// Reads `kind=value@condition@…`. Errors say what is wrong with which part.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = text.split('@');
        let kind = Kind::parse(parts.next().unwrap_or_default())?;
        let mut condition = Condition::default();
        for part in parts {
            condition.add(part)?;
        }
        match kind {
            Kind::ColdStart { .. } if condition != Condition::default() => {
                Err("a cold start strikes whatever comes first, and takes no condition".into())
            }
            Kind::Loss(Loss { stage: Stage::Connect, .. }) if condition.transport.is_some() => {
                Err("a fresh connection is not yet one of HTTP or of a WebSocket: leave the condition out".into())
            }
            _ => Ok(Self { kind, condition }),
        }
    }

    /// Returns whether it looks at this at all, and so counts it.
    pub(super) fn meets(&self, event: Event) -> bool {
        let transport = match event {
            Event::Connection => None,
            Event::Request => Some(Transport::Http),
            Event::Upgrade | Event::LogIn | Event::Flight | Event::Statement => Some(Transport::WebSocket),
        };
        self.kind.meets(event) && self.condition.transport.is_none_or(|only| Some(only) == transport)
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, condition } = self;
        write!(f, "{kind}{condition}")
    }
}
