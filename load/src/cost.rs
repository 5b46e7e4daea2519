use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
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
    say::say,
    stage::Stage,
};

const QUERY: &str = "SELECT 1";

/// How long clients run before what they do counts: connections open and caches fill.
const WARM_UP: Duration = Duration::from_secs(1);

/// What the smallest request costs, beside the same statement on as many direct connections.
pub(crate) async fn run(options: &Options, checks: &mut Checks) -> Result<()> {
    let clients = options.cost_clients;
    say(&format!("\n== {QUERY} by {clients} clients for {:?}", options.cost_duration()));
    let stage = Arc::new(Stage::start(options, clients, 64 * 1024 * 1024)?);
    let direct = measure(options, &stage, |end, done| over_tcp(Arc::clone(&stage), end, done)).await?;
    direct.say("direct connections");
    let http = Http::new(&stage, Version::HTTP_11)?;
    let through = measure(options, &stage, |end, done| over_http(http.clone(), end, done)).await?;
    through.say("HTTP, kept alive  ");
    say(&format!(
        "beside direct connections: {:.2} times the CPU of Postgres, {:.2} times the requests/s",
        through.postgres / direct.postgres,
        through.per_second / direct.per_second
    ));
    for (name, measured) in [("direct statement", &direct), ("HTTP request", &through)] {
        checks.that(measured.latencies.errors().next().is_none(), format!("no {name} failed"));
    }
    Ok(())
}

struct Measured {
    latencies: Latencies,
    per_second: f64,
    /// Microseconds of CPU time for each request.
    gateway: f64,
    postgres: f64,
}

impl Measured {
    fn say(&self, name: &str) {
        let Self { latencies, per_second, gateway, postgres } = self;
        say(&format!("{name}  {per_second:.0}/s; CPU µs each: gateway {gateway:.1}, Postgres {postgres:.1}"));
        say(&format!("{name}  {latencies}"));
    }
}

/// Runs as many clients as were asked for, and measures between their warm-up and their end.
async fn measure<W, F>(options: &Options, stage: &Stage, worker: W) -> Result<Measured>
where
    W: Fn(Instant, Arc<AtomicU64>) -> F,
    F: Future<Output = Latencies> + Send + 'static,
{
    let (gateway, postgres) = (stage.gateway_process(), stage.postgres_process()?);
    let done = Arc::new(AtomicU64::new(0));
    let end = Instant::now() + WARM_UP + options.cost_duration();
    let mut workers = JoinSet::new();
    for _ in 0..options.cost_clients {
        workers.spawn(worker(end, Arc::clone(&done)));
    }
    let look = || -> Result<_> {
        Ok((Instant::now(), done.load(Ordering::Relaxed), gateway.cpu()?, postgres.cpu_with_children()?))
    };
    sleep(WARM_UP).await;
    let before = look()?;
    sleep(options.cost_duration().saturating_sub(WARM_UP / 4)).await;
    let after = look()?;
    let mut latencies = Latencies::default();
    workers.join_all().await.into_iter().for_each(|more| latencies.merge(more));
    let count = (after.1 - before.1) as f64;
    let micros = |before: Duration, after: Duration| after.saturating_sub(before).as_secs_f64() * 1e6 / count;
    Ok(Measured {
        latencies,
        per_second: count / after.0.duration_since(before.0).as_secs_f64(),
        gateway: micros(before.2, after.2),
        postgres: micros(before.3, after.3),
    })
}

async fn over_tcp(stage: Arc<Stage>, end: Instant, done: Arc<AtomicU64>) -> Latencies {
    let mut latencies = Latencies::default();
    match clients::open_direct(&stage).await {
        Ok(mut session) => {
            while Instant::now() < end {
                let began = Instant::now();
                let result = clients::query(&mut session, QUERY).await;
                latencies.note(began.elapsed(), result);
                done.fetch_add(1, Ordering::Relaxed);
            }
        }
        Err(error) => latencies.fail(format!("{error:#}")),
    }
    latencies
}

async fn over_http(http: Http, end: Instant, done: Arc<AtomicU64>) -> Latencies {
    let mut latencies = Latencies::default();
    while Instant::now() < end {
        let began = Instant::now();
        let result = http.query(QUERY).await;
        latencies.note(began.elapsed(), result);
        done.fetch_add(1, Ordering::Relaxed);
    }
    latencies
}
