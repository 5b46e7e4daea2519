use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Result;
use reqwest::Version;
use tokio::{task::JoinSet, time::sleep};

use crate::{
    check::Checks,
    clients::{self, Http},
    latencies::Latencies,
    options::Options,
    process::{Process, Usage},
    say::say,
    stage::Stage,
};

/// Some rows of several columns, as pages show them.
const QUERY: &str = "SELECT n, n::text, now() FROM generate_series(1, 10) AS n";

/// What Postgres says, and so the gateway, to whom it has no connection for.
const TOO_MANY_CONNECTIONS: &str = "53300";

/// How long a session that was refused waits before it tries again.
const PAUSE: Duration = Duration::from_millis(500);

/// How much memory may grow after the first third of the time, in KiB.
const GROWTH: u64 = 16 * 1024;

/// HTTP clients and WebSocket sessions at once.
pub(crate) async fn run(options: &Options, connections: usize, checks: &mut Checks) -> Result<()> {
    let Options { clients, sessions, .. } = *options;
    let enough = connections > sessions;
    say(&format!(
        "\n== {clients} HTTP clients and {sessions} WebSocket sessions with {connections} connections for {:?}",
        options.duration()
    ));
    let stage = Arc::new(Stage::start(options, connections, 64 * 1024 * 1024)?);
    let (gateway, postgres) = (stage.gateway_process(), stage.postgres_process()?);
    let http = Http::new(&stage, Version::HTTP_11)?;
    let began = Instant::now();
    let end = began + options.duration();
    let mut requests = JoinSet::new();
    for _ in 0..clients {
        let http = http.clone();
        requests.spawn(async move { over_http(&http, end).await });
    }
    let mut statements = JoinSet::new();
    for _ in 0..sessions {
        let stage = Arc::clone(&stage);
        statements.spawn(async move { over_websocket(&stage, end).await });
    }
    let usages = watch(gateway, options.duration()).await?;
    let requests = merged(requests).await;
    let [log_ins, statements] = merged_sessions(statements).await;
    let seconds = began.elapsed().as_secs_f64();
    let cpu = [gateway.cpu()?, postgres.cpu_with_children()?];
    let total = (requests.count() + statements.count()) as f64;
    say(&format!("HTTP requests         {requests}"));
    say(&format!("WebSocket log-ins     {log_ins}"));
    say(&format!("WebSocket statements  {statements}"));
    say(&format!(
        "{:.0} requests/s, {:.0} statements/s; CPU s: gateway {:.1}, Postgres {:.1}; of both together {:.0} µs each",
        requests.count() as f64 / seconds,
        statements.count() as f64 / seconds,
        cpu[0].as_secs_f64(),
        cpu[1].as_secs_f64(),
        (cpu[0] + cpu[1]).as_secs_f64() * 1e6 / total,
    ));

    let wrong = |latencies: &Latencies| latencies.errors().filter(|(why, _)| *why != TOO_MANY_CONNECTIONS).count();
    checks.that(requests.count() > 0 && statements.count() > 0, "both endpoints served");
    checks.that(requests.errors().next().is_none(), "no HTTP request failed");
    checks.that(statements.errors().next().is_none(), "no statement of a session failed");
    if enough {
        checks.that(log_ins.errors().next().is_none(), "no session was refused");
    } else {
        checks.that(wrong(&log_ins) == 0, format!("sessions were refused with {TOO_MANY_CONNECTIONS} alone"));
    }
    let (settled, last) = (usages.get(usages.len() / 3), usages.last());
    let growth = settled.zip(last).map(|(settled, last)| last.resident.saturating_sub(settled.resident));
    checks.that(growth.is_some_and(|growth| growth < GROWTH), format!("memory is flat: grew {growth:?} KiB"));
    Ok(())
}

async fn over_http(http: &Http, end: Instant) -> Latencies {
    let mut latencies = Latencies::default();
    while Instant::now() < end {
        let began = Instant::now();
        let result = http.query(QUERY).await;
        latencies.note(began.elapsed(), result);
    }
    latencies
}

/// The log-ins and the statements of one session after the other.
async fn over_websocket(stage: &Stage, end: Instant) -> [Latencies; 2] {
    let [mut log_ins, mut statements] = [Latencies::default(), Latencies::default()];
    while Instant::now() < end {
        let began = Instant::now();
        let mut session = match clients::open_websocket(stage).await {
            Ok(session) => session,
            Err(error) => {
                log_ins.fail(error.code().map_or_else(|| error.to_string(), |code| code.as_str().to_owned()));
                sleep(PAUSE).await;
                continue;
            }
        };
        log_ins.add(began.elapsed());
        let mut lost = None;
        while Instant::now() < end && lost.is_none() {
            let began = Instant::now();
            match clients::query(&mut session, QUERY).await {
                Ok(()) => statements.add(began.elapsed()),
                Err(error) => lost = Some(error),
            }
        }
        match lost {
            Some(error) => statements.fail(format!("{error:#}")),
            None => {
                if let Err(error) = session.close().await {
                    statements.fail(format!("{error:#}"));
                }
            }
        }
    }
    [log_ins, statements]
}

/// Looks at a process every ten seconds, and oftener where the time is short.
async fn watch(process: Process, time: Duration) -> Result<Vec<Usage>> {
    let began = Instant::now();
    let pause = Duration::from_secs(10).min(time / 6);
    let mut usages = Vec::new();
    loop {
        let usage = process.usage()?;
        let Usage { resident, peak, descriptors } = usage;
        say(&format!(
            "{:>5.1} s: memory of the gateway {resident} KiB (peak {peak}), {descriptors} file descriptors",
            began.elapsed().as_secs_f64()
        ));
        usages.push(usage);
        if began.elapsed() + pause > time + pause / 2 {
            return Ok(usages);
        }
        sleep(pause).await;
    }
}

async fn merged(set: JoinSet<Latencies>) -> Latencies {
    let mut all = Latencies::default();
    set.join_all().await.into_iter().for_each(|latencies| all.merge(latencies));
    all
}

async fn merged_sessions(set: JoinSet<[Latencies; 2]>) -> [Latencies; 2] {
    let mut all = [Latencies::default(), Latencies::default()];
    for [log_ins, statements] in set.join_all().await {
        all[0].merge(log_ins);
        all[1].merge(statements);
    }
    all
}
