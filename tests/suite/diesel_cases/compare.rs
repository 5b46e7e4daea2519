use std::{
    fmt::{self, Write as _},
    panic::{self, AssertUnwindSafe},
    thread,
};

use pgferry::bridge::{Bridge, Verification};
use pgferry_diesel::{Config, Transport};
use pgferry_test_support::Stage;

use super::{
    case::{Case, Seen},
    differences,
    ground::Ground,
    seen,
};

/// The same cases on the control and on our connection; those on the control also run through a bridge.
#[derive(Clone, Copy, Debug)]
pub(super) struct World {
    pub(super) name: &'static str,
    pub(super) control: &'static [Case],
    pub(super) ferried: &'static [Case],
    pub(super) run: fn(&Case, &Ground) -> Seen,
}

/// How a case gets to its database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Road {
    /// By the control, over TCP.
    Direct,
    /// By our connection.
    Ferried(Transport),
    /// By the control, as the client of a bridge.
    Bridged(Transport),
}

const ROADS: [Road; 5] = [
    Road::Ferried(Transport::WebSocket),
    Road::Ferried(Transport::Auto),
    Road::Ferried(Transport::Http),
    Road::Bridged(Transport::WebSocket),
    Road::Bridged(Transport::Auto),
];

impl fmt::Display for Road {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Direct => f.write_str("tcp"),
            Self::Ferried(transport) => transport.fmt(f),
            Self::Bridged(transport) => write!(f, "bridge/{transport}"),
        }
    }
}

/// Runs each case on each road, in a database that holds nothing of the cases before, and reports all that differs.
pub(super) fn compare(worlds: &[World]) {
    let stage = &Stage::start();
    let report: String = thread::scope(|scope| {
        let worlds: Vec<_> = worlds.iter().map(|world| scope.spawn(|| world.compare(stage))).collect();
        worlds.into_iter().map(|world| world.join().unwrap()).collect()
    });
    assert!(report.is_empty(), "\n{report}");
}

impl World {
    /// Reports what differs.
    fn compare(&self, stage: &Stage) -> String {
        let (control, lanes) = thread::scope(|scope| {
            let control = scope.spawn(|| self.observe(stage, Road::Direct));
            let lanes =
                ROADS.map(|road| scope.spawn(move || self.observe(stage, road))).map(|lane| lane.join().unwrap());
            (control.join().unwrap(), lanes)
        });
        let mut report = String::new();
        for (index, case) in self.control.iter().enumerate() {
            let control = &control[index];
            if control.is_broken {
                writeln!(report, "{} {} over TCP is broken: {}", self.name, case.name, control.text).unwrap();
            }
            for (road, lane) in ROADS.into_iter().zip(&lanes) {
                let seen = &lane[index];
                if let Some(fault) = fault(self.name, road, case, control, seen) {
                    let (name, case) = (self.name, case.name);
                    writeln!(
                        report,
                        "{name} {case} over {road} {fault}\n  tcp: {}\n  {road}: {}",
                        control.text, seen.text
                    )
                    .unwrap();
                }
            }
        }
        report
    }

    /// Runs the cases one after the other, in a database of their own.
    fn observe(&self, stage: &Stage, road: Road) -> Vec<Observed> {
        let postgres = stage.postgres();
        let database = postgres.create_database().unwrap();
        let direct = postgres.database_url(&database);
        let ferried = |transport| format!("{}&transport={transport}", stage.gateway().ferry(&direct));
        // It serves until it is dropped.
        let (cases, url, _bridge) = match road {
            Road::Direct => (self.control, direct.clone(), None),
            Road::Ferried(transport) => (self.ferried, ferried(transport), None),
            Road::Bridged(transport) => {
                let config: Config = ferried(transport).parse().unwrap();
                let bridge = Bridge::start(&config, Verification::Connect).unwrap();
                (self.control, bridge.url().unwrap().reveal().to_owned(), Some(bridge))
            }
        };
        let superuser = postgres.url_for("postgres", postgres.superuser_password(), &database);
        let ground = Ground { url, direct, superuser };
        let observe = |case: &Case| {
            ground.reset();
            let seen = panic::catch_unwind(AssertUnwindSafe(|| (self.run)(case, &ground)));
            seen.map_or_else(|panic| Observed::broken(panic.as_ref()), Observed::of)
        };
        cases.iter().map(observe).collect()
    }
}

/// What is wrong with what was seen on a road.
fn fault(world: &str, road: Road, case: &Case, control: &Observed, seen: &Observed) -> Option<String> {
    if seen.is_broken {
        return Some("is broken".to_owned());
    }
    match (seen == control, differences::given(world, road, case.name)) {
        (true, None) => None,
        (true, Some(_)) => Some("is listed and no longer differs".to_owned()),
        (false, Some(given)) if seen.text.contains(&given) => None,
        (false, Some(given)) => Some(format!("is listed to give {given:?}")),
        (false, None) => Some("differs".to_owned()),
    }
}

/// What was seen of a case on one road.
#[derive(Debug, PartialEq)]
struct Observed {
    text: String,
    /// It panicked, which is wrong on each road.
    is_broken: bool,
}

impl Observed {
    fn of(seen: Seen) -> Self {
        let text = seen.unwrap_or_else(|error| format!("ended with {}", seen::error(&error)));
        Self { text, is_broken: false }
    }

    fn broken(panic: &(dyn std::any::Any + Send)) -> Self {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|&text| text.to_owned()));
        Self { text: text.unwrap_or_else(|| "a panic".to_owned()), is_broken: true }
    }
}
