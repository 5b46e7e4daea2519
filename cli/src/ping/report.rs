use serde_json::{Value, json};

use super::{
    distribution::{Distribution, milliseconds},
    measure::{Line, Measured, Plan},
    subject::Subject,
};

/// What was found out about a transport, and what to try where it failed.
pub(super) struct Diagnosed {
    pub(super) measured: Measured,
    /// For the first failure.
    pub(super) remedies: Vec<String>,
}

/// The report for programs; the keys are documented in the command's help.
pub(super) fn json(subject: &Subject, plan: &Plan, all: &[Diagnosed], findings: &[String]) -> Value {
    let is_ok = all.iter().all(|diagnosed| diagnosed.measured.is_ok()) && !subject.is_refused;
    json!({
        "ok": is_ok,
        "error": null,
        "url": subject.json(),
        "statement": plan.statement,
        "transports": all.iter().map(|diagnosed| transport(diagnosed, subject)).collect::<Vec<_>>(),
        "findings": findings,
    })
}

/// The report where nothing can be measured; `subject` is what is known all the same.
pub(super) fn refused(error: &str, subject: Option<&Subject>, statement: &str) -> Value {
    json!({
        "ok": false,
        "error": error,
        "url": subject.map(Subject::json),
        "statement": statement,
        "transports": [],
        "findings": [],
    })
}

fn transport(Diagnosed { measured, remedies }: &Diagnosed, subject: &Subject) -> Value {
    let facts = measured.facts();
    let endpoint = subject.endpoint(measured.transport).as_ref().ok();
    let errors: Vec<_> = measured
        .failures
        .iter()
        .enumerate()
        .map(|(index, failure)| {
            let remedies = if index == 0 { remedies.as_slice() } else { &[] };
            json!({
                "phase": failure.phase.key(),
                "message": failure.error.to_string(),
                "code": failure.error.code().map(|code| code.as_str()),
                "remedies": remedies,
            })
        })
        .collect();
    json!({
        "transport": measured.transport.to_string(),
        "endpoint": endpoint.map(|endpoint| &endpoint.url),
        "ok": measured.is_ok(),
        "address": facts.address.map(|address| address.to_string()),
        "tls": facts.tls,
        "http": facts.http,
        "authentication": facts.method,
        "server_version": facts.server_version,
        "phases": measured.lines().iter().map(line).collect::<Vec<_>>(),
        "total": measured.total().map(|times| timed("total", measured.round_trips(), &times)),
        "warm": measured.warm().as_ref().map(line),
        "errors": errors,
    })
}

fn line(Line { phase, round_trips, times }: &Line) -> Value {
    timed(phase.key(), *round_trips, times)
}

fn timed(phase: &str, round_trips: Option<u32>, times: &Distribution) -> Value {
    let [min, p50, p90, p99, max] = times.summary().map(milliseconds);
    json!({
        "phase": phase,
        "round_trips": round_trips,
        "count": times.count(),
        "min_ms": min,
        "p50_ms": p50,
        "p90_ms": p90,
        "p99_ms": p99,
        "max_ms": max,
    })
}
