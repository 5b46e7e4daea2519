//! What the numbers say: what dominates, and what to try.

use std::{net::SocketAddr, time::Duration};

use pgferry::Transport;

use super::{
    measure::{Line, Measured},
    phase::Phase,
};

/// Says what is true of what was measured; nothing where nothing was.
pub(super) fn of<'a>(all: impl Iterator<Item = &'a Measured>) -> Vec<String> {
    let all: Vec<_> = all.collect();
    all.iter().flat_map(|measured| of_one(measured)).chain(compared(&all)).collect()
}

fn of_one(measured: &Measured) -> Vec<String> {
    let mut findings = Vec::new();
    let (Some(total), lines) = (measured.total(), measured.lines()) else { return findings };
    let name = name(measured.transport);
    let is_local = measured.facts().address.is_some_and(|address: SocketAddr| address.ip().is_loopback());
    let distance = lines.iter().find(|line| line.phase == Phase::Tcp).map(|line| line.times.median());

    let longest = lines.iter().max_by_key(|line| line.times.median());
    if let (Some(longest), Some(distance)) = (longest, distance) {
        let part = percent(longest.times.median(), total.median());
        let mut finding =
            format!("{name}: of {} to the first row, {} takes {part} %", shown(total.median()), longest.phase);
        match longest.round_trips {
            Some(count) if is_distance(longest, distance) => {
                finding.push_str(&format!(", which is {} of {}", trips(count), shown(distance)));
                if !is_local {
                    finding.push_str("; a program in a region nearer to the database has shorter ones");
                }
            }
            _ => {}
        }
        findings.push(finding);
    }
    findings.extend(first_was_slow(measured, name));

    let Some(warm) = measured.warm() else { return findings };
    if warm.times.median() * 2 < total.median() {
        findings.push(format!(
            "{name}: an open connection answers in {}, a new one in {}: keep connections open, as a pool or a shared client does",
            shown(warm.times.median()),
            shown(total.median())
        ));
    }
    if let Some(distance) = distance.filter(|_| !is_local) {
        let beyond = warm.times.median().saturating_sub(distance * warm.round_trips.unwrap_or(1));
        findings.push(if beyond < distance / 2 {
            format!("{name}: a warm statement is its way and little else: what is left is the distance")
        } else {
            format!(
                "{name}: of a warm statement, {} are not the way to the endpoint: they are spent there and behind it",
                shown(beyond)
            )
        });
    }
    findings
}

/// A compute that was suspended makes the first try much slower than those after it.
fn first_was_slow(measured: &Measured, name: &str) -> Option<String> {
    let waited = |sample: &super::probe::Sample| {
        let timed = sample.phases.iter().filter(|timed| matches!(timed.phase, Phase::LogIn | Phase::FirstRow));
        timed.map(|timed| timed.time).sum::<Duration>()
    };
    let (first, rest) = measured.samples.split_first()?;
    let rest = super::distribution::Distribution::of(rest.iter().map(waited))?;
    let first = waited(first);
    (first > rest.max() * 3 && first - rest.max() > Duration::from_millis(300)).then(|| {
        format!(
            "{name}: the first try waited {} for the database, the others {}: it was probably asleep, and woke",
            shown(first),
            shown(rest.median())
        )
    })
}

fn compared(all: &[&Measured]) -> Option<String> {
    let [one, other] = all[..] else { return None };
    let (first, second) = (one.total()?.median(), other.total()?.median());
    let (fast, slow, by) = if first <= second { (one, other, second - first) } else { (other, one, first - second) };
    // What differs less is noise.
    (by > Duration::from_millis(1) && by > first.max(second) / 5).then(|| {
        let trips = |measured: &Measured| {
            measured.round_trips().map(|count| format!(" ({})", trips(count))).unwrap_or_default()
        };
        format!(
            "a first row comes {} sooner over {}{} than over {}{}",
            shown(by),
            name(fast.transport),
            trips(fast),
            name(slow.transport),
            trips(slow)
        )
    })
}

/// Whether a phase takes about as long as its round trips.
fn is_distance(line: &Line, distance: Duration) -> bool {
    line.round_trips.is_some_and(|count| {
        let expected = distance * count;
        count > 0 && expected >= Duration::from_millis(1) && line.times.median() < expected * 3 / 2
    })
}

fn percent(part: Duration, whole: Duration) -> u32 {
    // A share of a whole that is never zero, rounded.
    (100.0 * part.as_secs_f64() / whole.as_secs_f64().max(f64::MIN_POSITIVE)).round().clamp(0.0, 100.0) as u32
}

fn trips(count: u32) -> String {
    format!("{count} round trip{}", if count == 1 { "" } else { "s" })
}

pub(super) fn name(transport: Transport) -> &'static str {
    match transport {
        Transport::Http => "HTTP",
        _ => "WebSocket",
    }
}

/// A time in the unit that people would choose.
pub(super) fn shown(time: Duration) -> String {
    match time.as_secs_f64() {
        seconds if seconds >= 10.0 => format!("{seconds:.1} s"),
        seconds if seconds >= 0.1 => format!("{:.0} ms", seconds * 1e3),
        seconds if seconds >= 0.01 => format!("{:.1} ms", seconds * 1e3),
        seconds => format!("{:.2} ms", seconds * 1e3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ping::probe::{Facts, Sample, Timed};

    fn ms(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    /// Tries of these phases, in milliseconds and round trips, on an address.
    fn measured(transport: Transport, address: &str, tries: &[&[(Phase, u64, Option<u32>)]], warm: u64) -> Measured {
        let sample = |phases: &&[(Phase, u64, Option<u32>)]| Sample {
            phases: phases
                .iter()
                .map(|(phase, time, round_trips)| Timed { phase: *phase, time: ms(*time), round_trips: *round_trips })
                .collect(),
            total: Some(ms(phases.iter().map(|(_, time, _)| time).sum())),
            facts: Facts { address: address.parse().ok(), ..Facts::default() },
        };
        Measured {
            transport,
            samples: tries.iter().map(sample).collect(),
            broken_off: None,
            failures: Vec::new(),
            warm_times: vec![(ms(warm), 1); 5],
        }
    }

    const FAR: &[(Phase, u64, Option<u32>)] = &[
        (Phase::Dns, 2, None),
        (Phase::Tcp, 80, Some(1)),
        (Phase::Tls, 170, Some(2)),
        (Phase::Upgrade, 81, Some(1)),
        (Phase::LogIn, 82, Some(1)),
        (Phase::FirstRow, 83, Some(1)),
    ];

    #[test]
    fn distance_is_told_from_work() {
        let findings = of([&measured(Transport::WebSocket, "192.0.2.1:443", &[FAR], 82)].into_iter());
        assert_eq!(
            findings,
            [
                "WebSocket: of 498 ms to the first row, TLS takes 34 %, which is 2 round trips of 80.0 ms; a program in a region \
                 nearer to the database has shorter ones",
                "WebSocket: an open connection answers in 82.0 ms, a new one in 498 ms: keep connections open, as a pool or a \
                 shared client does",
                "WebSocket: a warm statement is its way and little else: what is left is the distance",
            ]
        );
        let slow = of([&measured(Transport::WebSocket, "192.0.2.1:443", &[FAR], 480)].into_iter());
        assert!(slow[1].contains("400 ms are not the way"), "{slow:?}");
    }

    #[test]
    fn nobody_moves_nearer_to_this_machine() {
        let findings = of([&measured(Transport::WebSocket, "127.0.0.1:443", &[FAR], 82)].into_iter());
        assert!(
            findings.iter().all(|finding| !finding.contains("region") && !finding.contains("distance")),
            "{findings:?}"
        );
    }

    #[test]
    fn a_database_that_woke_is_noticed() {
        let asleep: &[_] = &[(Phase::Tcp, 10, Some(1)), (Phase::FirstRow, 900, Some(1))];
        let awake: &[_] = &[(Phase::Tcp, 10, Some(1)), (Phase::FirstRow, 12, Some(1))];
        let woke = |tries: &[&[_]]| {
            let findings = of([&measured(Transport::Http, "192.0.2.1:443", tries, 11)].into_iter());
            findings.iter().any(|finding| finding.contains("probably asleep"))
        };
        assert!(woke(&[asleep, awake, awake]));
        assert!(!woke(&[awake, asleep, awake]) && !woke(&[asleep]) && !woke(&[awake, awake]));
    }

    #[test]
    fn transports_are_compared_where_they_differ() {
        let http: &[_] = &[(Phase::Tcp, 80, Some(1)), (Phase::Tls, 80, Some(1)), (Phase::FirstRow, 81, Some(1))];
        let [one, other] = [(Transport::Http, http), (Transport::WebSocket, FAR)]
            .map(|(transport, phases)| measured(transport, "192.0.2.1:443", &[phases], 81));
        let last = of([&one, &other].into_iter()).pop().unwrap_or_default();
        assert_eq!(
            last,
            "a first row comes 257 ms sooner over HTTP (3 round trips) than over WebSocket (6 round trips)"
        );
        assert!(of([&one, &one].into_iter()).iter().all(|finding| !finding.contains("sooner")));
    }

    #[test]
    fn nothing_is_said_of_what_was_not_measured() {
        assert!(of([&measured(Transport::Http, "192.0.2.1:443", &[], 1)].into_iter()).is_empty());
    }
}
