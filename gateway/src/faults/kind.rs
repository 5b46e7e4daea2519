use std::{fmt, time::Duration};

use pgferry::SqlState;

use super::{
    refusal::Refusal,
    sqlstate::{self, Moment},
    units,
};

/// What goes wrong.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Latency {
        least: Duration,
        most: Duration,
    },
    /// Bytes a second.
    Rate(u64),
    Status(Refusal),
    Error(SqlState),
    Loss(Loss),
    ColdStart {
        takes: Duration,
        after: Option<Duration>,
    },
}

/// How a client loses the other side, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Loss {
    pub(super) manner: Manner,
    pub(super) stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// The connection is closed.
    Drop,
    /// The connection stays open, and nothing comes any more.
    Hang,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// When the connection is accepted.
    Connect,
    /// Before Postgres has heard of the statement.
    Before,
    /// While Postgres runs it.
    During,
    /// When Postgres has run it.
    After,
}

/// What can be struck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// A TCP connection that has been accepted.
    Connection,
    /// A request for `/sql`.
    Request,
    /// A request for a WebSocket.
    Upgrade,
    /// A session's log-in in a WebSocket.
    LogIn,
    /// What a client says in a WebSocket before it hears again.
    Flight,
    /// What a client sends in a WebSocket to have something executed.
    Statement,
}

impl Kind {
    /// Reads a fault without its conditions. Errors say what is wrong with it, and what is right.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        match name {
            "latency" => latency(value)
                .ok_or_else(|| format!("{value:?} is no latency: write latency=50ms or latency=50ms..200ms")),
            "rate" => units::rate(value)
                .map(Self::Rate)
                .ok_or_else(|| format!("{value:?} is no rate: write rate=64KiB/s (B, kB, KiB, MB or MiB)")),
            "status" => value.parse().map(Self::Status).map_err(|()| {
                format!(
                    "{value:?} is no failure's status: write status=503 (any from 400 to 599), status=too-many-connections, status=control-plane or status=no-compute"
                )
            }),
            "error" => sqlstate::parse(value)
                .map(Self::Error)
                .ok_or_else(|| format!("{value:?} is no error's SQLSTATE: write error=40001, error=57P01 or error=53300")),
            "drop" => loss(Manner::Drop, value),
            "hang" => loss(Manner::Hang, value),
            "cold-start" => cold_start(value)
                .ok_or_else(|| format!("{value:?} is no cold start: write cold-start=3s or, with how long it takes to fall asleep, cold-start=3s/60s")),
            _ => Err(format!(
                "{name:?} is no fault: there are latency, rate, status, error, drop, hang, cold-start and seed"
            )),
        }
    }

    /// Returns whether it can strike this.
    pub(super) fn meets(&self, event: Event) -> bool {
        let events: &[Event] = match self {
            Self::Latency { .. } => &[Event::Request, Event::LogIn, Event::Flight],
            Self::Rate(_) => &[Event::Request, Event::LogIn],
            Self::Status(_) => &[Event::Request, Event::Upgrade],
            Self::Error(code) if sqlstate::moment(code) == Moment::LogIn => &[Event::Request, Event::LogIn],
            Self::Loss(Loss { stage: Stage::Connect, .. }) => &[Event::Connection],
            Self::Error(_) | Self::Loss(_) => &[Event::Request, Event::Statement],
            Self::ColdStart { .. } => &[],
        };
        events.contains(&event)
    }
}

fn latency(value: &str) -> Option<Kind> {
    let (least, most) = value.split_once("..").unwrap_or((value, value));
    let (least, most) = (units::duration(least)?, units::duration(most)?);
    (least <= most).then_some(Kind::Latency { least, most })
}

fn loss(manner: Manner, value: &str) -> Result<Kind, String> {
    let stage = match value {
        "connect" => Stage::Connect,
        "before" => Stage::Before,
        "during" => Stage::During,
        "after" => Stage::After,
        _ => {
            return Err(format!(
                "{value:?} is no moment: write {manner}=connect, {manner}=before, {manner}=during or {manner}=after"
            ));
        }
    };
    Ok(Kind::Loss(Loss { manner, stage }))
}

fn cold_start(value: &str) -> Option<Kind> {
    let (takes, after) = match value.split_once('/') {
        Some((takes, after)) => (takes, Some(units::duration(after).filter(|after| !after.is_zero())?)),
        None => (value, None),
    };
    Some(Kind::ColdStart { takes: units::duration(takes)?, after })
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Latency { least, most } if least == most => write!(f, "latency={least:?}"),
            Self::Latency { least, most } => write!(f, "latency={least:?}..{most:?}"),
            Self::Rate(rate) => write!(f, "rate={rate}B/s"),
            Self::Status(refusal) => write!(f, "status={refusal}"),
            Self::Error(code) => write!(f, "error={code}"),
            Self::Loss(Loss { manner, stage }) => write!(f, "{manner}={stage}"),
            Self::ColdStart { takes, after: None } => write!(f, "cold-start={takes:?}"),
            Self::ColdStart { takes, after: Some(after) } => write!(f, "cold-start={takes:?}/{after:?}"),
        }
    }
}

impl fmt::Display for Manner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Drop => "drop",
            Self::Hang => "hang",
        })
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "connect",
            Self::Before => "before",
            Self::During => "during",
            Self::After => "after",
        })
    }
}
