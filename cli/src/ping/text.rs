//! The report for people.

use std::{fmt::Write as _, time::Duration};

use pgferry::{Transport, config::Provider};

use super::{
    chart::Chart,
    findings::{name, shown},
    measure::{Line, Measured},
    phase::Phase,
    report::Diagnosed,
    screen::Screen,
    subject::{Given, Parameter, Subject},
};

/// What the URL is taken for.
pub(super) fn subject(subject: &Subject, screen: Screen) -> String {
    let provider = match subject.provider {
        Provider::Neon => "Neon",
        Provider::PlanetScale => "PlanetScale",
        _ => "a Postgres of your own",
    };
    let provider_from = if subject.provider_from == "host" { "by its host" } else { subject.provider_from };
    let from = |value: &str, from: &str| format!("{value} ({from})");
    let given = |Given { value, from: origin }: &Given| from(value, origin);
    let server = match subject.is_pooled {
        true => "pooled: a pooler in transaction mode, so that what a session sets does not last",
        false => "direct: no pooler is known of",
    };
    let password = match &subject.password_from {
        Some(origin) => from("given", origin),
        None => "none, neither in the URL nor in the environment".to_owned(),
    };
    let mut rows = vec![
        ("provider", from(provider, provider_from)),
        ("host", given(&subject.host)),
        ("port", given(&subject.port)),
        ("user", given(&subject.user)),
        ("password", password),
        ("database", given(&subject.database)),
        ("server", server.to_owned()),
        ("transport", given(&subject.transport)),
    ];
    for transport in [Transport::Http, Transport::WebSocket] {
        match subject.endpoint(transport) {
            Ok(endpoint) => {
                rows.extend([(name(transport), endpoint.url.clone()), ("  log-in", subject.log_in(transport))]);
            }
            Err(error) => rows.push((name(transport), format!("none: {error}"))),
        }
    }
    let mut text = format!("{}\n", screen.bold("What the URL is taken for"));
    for (key, value) in rows {
        push_wrapped(&mut text, &format!("  {key:<11}"), &value, screen);
    }
    if !subject.parameters.is_empty() {
        text.push_str(&format!("\n{}\n", screen.bold("Its parameters")));
    }
    for Parameter { name, value, from: origin, fate, reason } in &subject.parameters {
        let assignment = value.as_ref().map_or_else(|| name.clone(), |value| format!("{name}={value}"));
        text.push_str(&format!("  {}\n", from(&assignment, origin)));
        let done = reason.as_ref().map_or_else(|| (*fate).to_owned(), |reason| format!("{fate}: {reason}"));
        push_wrapped(&mut text, "      ", &done, screen);
    }
    text
}

/// What a transport took, and why it failed where it did.
pub(super) fn measured(diagnosed: &Diagnosed, endpoint: &str, tries: usize, screen: Screen) -> String {
    let Diagnosed { measured, remedies } = diagnosed;
    let facts = measured.facts();
    let title = format!("{}  {endpoint}", name(measured.transport));
    let mut text = format!("{}\n", screen.bold(title));
    let known = [
        facts.address.map(|address| address.to_string()),
        facts.tls.map(str::to_owned),
        facts.http.map(str::to_owned),
        facts.method.map(|method| match method {
            "none" => "log-in without proof".to_owned(),
            "password" => "log-in by password".to_owned(),
            other => format!("log-in by {}", other.to_ascii_uppercase()),
        }),
        facts.server_version.map(|version| format!("PostgreSQL {version}")),
    ];
    let known: Vec<_> = known.into_iter().flatten().collect();
    if !known.is_empty() {
        let _ = writeln!(text, "  {}", screen.dim(known.join(", ")));
    }
    if !measured.lines().is_empty() {
        let _ = write!(text, "{}", table(measured, screen));
    }
    let failed = measured.failures.len();
    if let Some(failure) = measured.failures.first() {
        let many =
            if measured.samples.is_empty() { String::new() } else { format!(" ({failed} of {tries} tries failed)") };
        let _ = writeln!(text, "  {}{many}", screen.bad(format!("failed at: {}", failure.phase)));
        for line in std::iter::once(&failure.error.to_string()).chain(remedies) {
            push_wrapped(&mut text, "  - ", line, screen);
        }
    } else {
        let count = measured.samples.len();
        let _ = writeln!(text, "  {}", screen.good(format!("works ({count} of {count} tries)")));
    }
    text
}

/// What the numbers say.
pub(super) fn findings(findings: &[String], screen: Screen) -> String {
    let mut text = format!("{}\n", screen.bold("What this says"));
    for finding in findings {
        push_wrapped(&mut text, "  - ", finding, screen);
    }
    text
}

fn table(measured: &Measured, screen: Screen) -> String {
    const NUMBERS: usize = 76;
    let lines = measured.lines();
    let whole = lines.iter().map(|line| line.times.median()).sum();
    let chart =
        Chart { width: screen.width.saturating_sub(NUMBERS).clamp(8, 40), whole, is_unicode: screen.is_unicode };
    let mut text = String::new();
    let header = ["min", "p50", "p90", "p99", "max"].map(|title| format!("{title:>9}")).concat();
    let _ = writeln!(text, "  {}", screen.dim(format!("{:<16}{:>11}{header}", "", "round trips")));
    let mut row = |phase: String, round_trips: Option<u32>, times: &super::distribution::Distribution, bar: String| {
        let trips = round_trips.map_or_else(|| "-".to_owned(), |count| count.to_string());
        let times = times.summary().map(|time| format!("{:>9}", shown(time))).concat();
        let _ = writeln!(text, "{}", format!("  {phase:<16}{trips:>11}{times}  {bar}").trim_end());
    };
    let mut start = Duration::ZERO;
    for Line { phase, round_trips, times } in &lines {
        row(phase.to_string(), *round_trips, times, chart.bar(start, times.median()));
        start += times.median();
    }
    if let Some(total) = measured.total() {
        row("to the first row".to_owned(), measured.round_trips(), &total, String::new());
    }
    if let Some(Line { round_trips, times, .. }) = measured.warm() {
        row(Phase::Warm.to_string(), round_trips, &times, chart.bar(Duration::ZERO, times.median()));
    }
    text
}

/// Adds a paragraph, whose lines after the first begin where the first does.
fn push_wrapped(out: &mut String, start: &str, paragraph: &str, screen: Screen) {
    let indent = start.chars().count();
    for (index, line) in wrapped(paragraph, screen.width.saturating_sub(indent)).iter().enumerate() {
        let start = if index == 0 { start.to_owned() } else { " ".repeat(indent) };
        out.push_str(&format!("{start}{line}\n"));
    }
}

/// Breaks a line between words.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn lines_break_between_words() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("unbreakable x", 4), ["unbreakable", "x"]);
        assert!(wrapped("", 4).is_empty());
    }
}
