use std::{fmt, time::Duration};

use http::StatusCode;
use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder, text::encode},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Registry, Unit},
};

/// What a gateway counts about itself. Labels have few values that are all known here: no role, no SQL, nothing that a caller chooses.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Request, Counter>,
    durations: Family<OfKind, Histogram>,
    sent: Family<OfKind, Counter>,
    received: Counter,
    connections: Family<State, Gauge>,
    limit: Gauge,
    sessions: Gauge,
    sessions_total: Counter,
    log_in_failures: Counter,
    cancellations: Counter,
    queued: Histogram,
}

/// What a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Sql,
    WebSocket,
    Preflight,
    Health,
    Metrics,
    Other,
}

/// The connections to Postgres at a moment.
pub(crate) struct Connections {
    pub(crate) limit: usize,
    pub(crate) in_use: usize,
    pub(crate) idle: usize,
    pub(crate) waiting: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    kind: Kind,
    status: StatusClass,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfKind {
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct State {
    state: ConnectionState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct StatusClass(u16);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum ConnectionState {
    InUse,
    Idle,
    Waiting,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let histogram = || Histogram::new(exponential_buckets(0.001, 2.0, 16));
        let metrics = Self {
            registry: Registry::with_prefix("pgferry_gateway"),
            requests: Family::default(),
            durations: Family::new_with_constructor(histogram),
            sent: Family::default(),
            received: Counter::default(),
            connections: Family::default(),
            limit: Gauge::default(),
            sessions: Gauge::default(),
            sessions_total: Counter::default(),
            log_in_failures: Counter::default(),
            cancellations: Counter::default(),
            queued: histogram(),
        };
        metrics.registered()
    }

    fn registered(mut self) -> Self {
        let registry = &mut self.registry;
        registry.register("requests", "Requests that were answered", self.requests.clone());
        let seconds = Unit::Seconds;
        registry.register_with_unit(
            "request_duration",
            "From a request's head to the last byte of its answer",
            seconds.clone(),
            self.durations.clone(),
        );
        registry.register_with_unit("sent", "Bodies of answers", Unit::Bytes, self.sent.clone());
        registry.register_with_unit("received", "Bodies of requests", Unit::Bytes, self.received.clone());
        registry.register(
            "upstream_connections",
            "Connections to Postgres in use and idle, and how many requests and sessions wait for one",
            self.connections.clone(),
        );
        registry.register(
            "upstream_connections_limit",
            "How many connections to Postgres there may be",
            self.limit.clone(),
        );
        registry.register("sessions", "Sessions over WebSocket that are open", self.sessions.clone());
        registry.register("sessions_opened", "Sessions over WebSocket that were opened", self.sessions_total.clone());
        registry.register("log_in_failures", "Log-ins that Postgres refused", self.log_in_failures.clone());
        registry.register("cancellations", "Queries that were cancelled", self.cancellations.clone());
        registry.register_with_unit(
            "queue_duration",
            "How long requests and sessions waited for a connection to Postgres",
            seconds,
            self.queued.clone(),
        );
        self
    }

    pub(crate) fn request(&self, kind: Kind, status: StatusCode, took: Duration, sent: u64) {
        self.requests.get_or_create(&Request { kind, status: StatusClass(status.as_u16() / 100) }).inc();
        self.durations.get_or_create(&OfKind { kind }).observe(took.as_secs_f64());
        self.sent.get_or_create(&OfKind { kind }).inc_by(sent);
    }

    pub(crate) fn received(&self, bytes: usize) {
        self.received.inc_by(u64::try_from(bytes).unwrap_or(u64::MAX));
    }

    pub(crate) fn log_in_failed(&self) {
        self.log_in_failures.inc();
    }

    pub(crate) fn cancelled(&self) {
        self.cancellations.inc();
    }

    pub(crate) fn queued(&self, waited: Duration) {
        self.queued.observe(waited.as_secs_f64());
    }

    /// Counts a session until what it returns is dropped.
    pub(crate) fn session(&self) -> OpenSession {
        self.sessions_total.inc();
        self.sessions.inc();
        OpenSession(self.sessions.clone())
    }

    /// Writes them in Prometheus's text form.
    pub(crate) fn text(&self, connections: &Connections) -> Result<String, fmt::Error> {
        let Connections { limit, in_use, idle, waiting } = connections;
        let states =
            [(ConnectionState::InUse, in_use), (ConnectionState::Idle, idle), (ConnectionState::Waiting, waiting)];
        for (state, count) in states {
            self.connections.get_or_create(&State { state }).set(to_gauge(*count));
        }
        self.limit.set(to_gauge(*limit));
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// A session that is counted as open.
pub(crate) struct OpenSession(Gauge);

impl Drop for OpenSession {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Kind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Sql => "sql",
            Self::WebSocket => "websocket",
            Self::Preflight => "preflight",
            Self::Health => "health",
            Self::Metrics => "metrics",
            Self::Other => "other",
        }
    }
}

impl EncodeLabelValue for Kind {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        self.as_str().encode(encoder)
    }
}

impl EncodeLabelValue for StatusClass {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        let Self(hundreds) = self;
        format!("{hundreds}xx").encode(encoder)
    }
}

impl EncodeLabelValue for ConnectionState {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        let state = match self {
            Self::InUse => "in_use",
            Self::Idle => "idle",
            Self::Waiting => "waiting",
        };
        state.encode(encoder)
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

fn to_gauge(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
