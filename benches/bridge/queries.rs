use std::{
    io::Write,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use futures_util::future::try_join_all;
use sqlx::{PgConnection, PgPool};

use crate::{
    common::{cpu, table::Table},
    roads::{CONNECTIONS, Road, Roads},
};

/// How often the roads take turns.
const TURNS: u32 = 5;

/// How the statements are sent.
#[derive(Clone, Copy)]
enum How {
    /// One after the other on one connection, the statement known.
    Known,
    /// As `Known`, each a statement that the connection has not seen.
    New,
    /// One after the other by the pool, which looks at the connection before.
    Pool,
    /// Several at once by the pool.
    Beside,
}

const ALL: [(How, &str); 4] = [
    (How::Known, "one row by its key, a known statement on one connection"),
    (How::New, "one row by its key, each time a new statement on one connection"),
    (How::Pool, "one row by its key, by the pool"),
    (How::Beside, "one row by its key, 8 tasks at once by the pool"),
];

#[derive(Clone, Default)]
struct Measured {
    latencies: Vec<Duration>,
    cpu: Duration,
}

/// Prints what a query costs on each road.
pub(crate) async fn measure(out: &mut impl Write, roads: &Roads, time: Duration) -> Result<()> {
    for (how, title) in ALL {
        let mut measured = vec![Measured::default(); roads.all.len()];
        for turn in 0..=TURNS {
            for (road, measured) in roads.all.iter().zip(&mut measured) {
                let before = cpu::used()?;
                let latencies = turn_of(road, how, time / TURNS).await?;
                // The first warms up.
                if turn > 0 {
                    measured.cpu += cpu::used()? - before;
                    measured.latencies.extend(latencies);
                }
            }
        }
        let mut table = Table::new(title, &["us CPU a query", "us p50", "us p99"], 2);
        for (road, mut measured) in roads.all.iter().zip(measured) {
            measured.latencies.sort_unstable();
            let count = measured.latencies.len();
            ensure!(count > 0, "nothing was measured");
            let at = |share: f64| measured.latencies[((count - 1) as f64 * share) as usize].as_secs_f64() * 1e6;
            table.row(road.name, vec![measured.cpu.as_secs_f64() * 1e6 / count as f64, at(0.5), at(0.99)]);
        }
        table.print(out)?;
    }
    Ok(())
}

async fn turn_of(road: &Road, how: How, time: Duration) -> Result<Vec<Duration>> {
    let ends = Instant::now() + time;
    match how {
        How::Known | How::New => {
            let mut connection = road.pool.acquire().await?;
            let new = matches!(how, How::New);
            alone(&mut connection, new, ends).await
        }
        How::Pool => by_pool(&road.pool, ends).await,
        How::Beside => {
            let all = try_join_all((0..CONNECTIONS).map(|_| by_pool(&road.pool, ends))).await?;
            Ok(all.concat())
        }
    }
}

async fn alone(connection: &mut PgConnection, new: bool, ends: Instant) -> Result<Vec<Duration>> {
    let mut latencies = Vec::new();
    while Instant::now() < ends {
        let id = latencies.len() as i64 % 100_000 + 1;
        let number = if new { latencies.len() } else { 0 };
        let text = format!("select id, name, made, amount, good from items where id = $1 and {number} = {number}");
        let started = Instant::now();
        let query = sqlx::query_as::<_, Item>(sqlx::AssertSqlSafe(text)).bind(id);
        let row = query.fetch_one(&mut *connection).await?;
        latencies.push(started.elapsed());
        ensure!(row.0 == id, "another row");
    }
    Ok(latencies)
}

async fn by_pool(pool: &PgPool, ends: Instant) -> Result<Vec<Duration>> {
    let mut latencies = Vec::new();
    while Instant::now() < ends {
        let id = latencies.len() as i64 % 100_000 + 1;
        let started = Instant::now();
        let query = sqlx::query_as::<_, Item>("select id, name, made, amount, good from items where id = $1").bind(id);
        let row = query.fetch_one(pool).await?;
        latencies.push(started.elapsed());
        ensure!(row.0 == id, "another row");
    }
    Ok(latencies)
}

pub(crate) type Item = (i64, String, chrono::DateTime<chrono::Utc>, f64, bool);
