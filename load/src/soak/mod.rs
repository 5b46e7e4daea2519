//! sqlx's own pool over each transport, with whatever programs do to it at once: is every answer right, and is anything left?

mod random;
mod schema;
mod tally;
mod task;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use pgferry_sqlx::{Config, PgPoolOptionsExt, Transport};
use pgferry_test_support::Postgres;
use sqlx::{PgPool, postgres::PgPoolOptions};
use tokio::{task::JoinSet, time::sleep};

use self::{random::Random, tally::Tally, task::Task};
use crate::{
    check::Checks,
    options::Options,
    process::{Process, Usage},
    say::say,
    stage::Stage,
};

const TASKS: i32 = 32;

const CONNECTIONS: u32 = 8;

/// How long caches may fill and the allocator may settle; shorter where the whole time is.
const SETTLING: Duration = Duration::from_secs(10);

/// How much memory may grow after that, in KiB: the largest rows are 800 KB, and which of the tasks have one of them, in how many
/// copies, when memory is looked at is chance.
const GROWTH: u64 = 24 * 1024;

/// How many more file descriptors there may be: whatever connections are just being replaced, with both of their ends here.
const MORE_DESCRIPTORS: usize = 4 * CONNECTIONS as usize;

/// How long the gateway keeps a session for requests, in seconds, and how long all of them may take to go.
const IDLE: &str = "2";
const GOODBYE: Duration = Duration::from_secs(20);

pub(crate) async fn run(options: &Options, checks: &mut Checks) -> Result<()> {
    for &transport in &options.transport {
        soak(options, transport, checks).await?;
    }
    Ok(())
}

async fn soak(options: &Options, transport: Transport, checks: &mut Checks) -> Result<()> {
    let duration = options.duration();
    say(&format!("\n== {TASKS} tasks on a pool of {CONNECTIONS} over {transport:?} for {duration:?}"));
    let stage = Stage::start_with(options, 60, 256 * 1024 * 1024, &["--idle-timeout", IDLE])?;
    schema::create(&stage.postgres, TASKS)?;
    let config: Config = stage.gateway.ferry(&stage.postgres.url()).parse()?;
    let [this, gateway] = [Process::new(std::process::id()), stage.gateway_process()];
    let baseline = connections(&stage.postgres)?;
    let pool = PgPoolOptions::new().max_connections(CONNECTIONS).connect_over(config.transport(transport)).await?;
    let tally = Arc::new(Tally::default());
    let began = Instant::now();
    let mut tasks = JoinSet::new();
    for number in 1..=TASKS {
        tasks.spawn(work(pool.clone(), transport, Arc::clone(&tally), number, began + duration));
    }
    let usages = watch([this, gateway], duration).await?;
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended {
            tally.wrong(error.to_string());
        }
    }
    pool.close().await;
    say(&format!("{tally}; {:.0} a second", tally.total() as f64 / began.elapsed().as_secs_f64()));

    for fault in tally.faults() {
        say(&format!("  wrong: {fault}"));
    }
    let left = connections_left(&stage.postgres, baseline).await?;
    let name = format!("{transport:?}");
    checks.that(tally.total() > 0 && tally.faults().is_empty(), format!("{name}: every answer is right"));
    checks.that(left == baseline, format!("{name}: {left} connections to the server are left, {baseline} were before"));
    for (index, whose) in ["here", "of the gateway"].into_iter().enumerate() {
        let settled: Vec<Usage> =
            usages.iter().filter(|(at, _)| *at >= SETTLING.min(duration / 3)).map(|(_, of)| of[index]).collect();
        let (Some(first), Some(last)) = (settled.first(), settled.last()) else { bail!("the time was too short") };
        let growth = last.resident.saturating_sub(first.resident);
        checks.that(growth < GROWTH, format!("{name}: memory {whose} is flat: it grew {growth} KiB"));
        let more = last.descriptors.saturating_sub(first.descriptors);
        checks.that(more <= MORE_DESCRIPTORS, format!("{name}: {more} more file descriptors {whose}"));
    }
    Ok(())
}

async fn work(pool: PgPool, transport: Transport, tally: Arc<Tally>, number: i32, end: Instant) {
    let random = Random::new(u64::from(number.unsigned_abs()));
    let task = Task { number, pool: &pool, transport, tally: &tally, random, balance: 0, entries: 0, attempts: 0 };
    task.run(end).await;
}

/// Looks at both processes twelve times.
async fn watch(processes: [Process; 2], duration: Duration) -> Result<Vec<(Duration, [Usage; 2])>> {
    let began = Instant::now();
    let mut usages = Vec::new();
    for round in 1..=12 {
        sleep((duration * round / 12).saturating_sub(began.elapsed())).await;
        let [here, gateway] = [processes[0].usage()?, processes[1].usage()?];
        say(&format!(
            "{:>5.1} s: memory here {} KiB, of the gateway {} KiB; file descriptors {} and {}",
            began.elapsed().as_secs_f64(),
            here.resident,
            gateway.resident,
            here.descriptors,
            gateway.descriptors,
        ));
        usages.push((began.elapsed(), [here, gateway]));
    }
    Ok(usages)
}

/// How many clients the server has, besides the one that asks.
fn connections(postgres: &Postgres) -> Result<usize> {
    let count =
        "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
    Ok(postgres.psql(count)?.parse()?)
}

/// As [`connections`], once it is what it was before, or will not become it.
async fn connections_left(postgres: &Postgres, baseline: usize) -> Result<usize> {
    let end = Instant::now() + GOODBYE;
    loop {
        let left = connections(postgres)?;
        if left <= baseline || Instant::now() > end {
            return Ok(left);
        }
        sleep(Duration::from_millis(200)).await;
    }
}
