use std::{
    io::Write,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use futures_util::TryStreamExt;

use crate::{
    common::{cpu, table::Table},
    queries::Item,
    roads::{Road, Roads},
};

/// How often the roads take turns; the fastest turn counts.
const TURNS: usize = 10;

/// Prints what 100 000 rows of 5 columns take on each road, decoded one by one.
pub(crate) async fn measure(out: &mut impl Write, roads: &Roads) -> Result<()> {
    let mut measured = vec![(Duration::MAX, Duration::ZERO); roads.all.len()];
    for turn in 0..=TURNS {
        for (road, (fastest, cpu)) in roads.all.iter().zip(&mut measured) {
            let before = cpu::used()?;
            let started = Instant::now();
            let sum = sum(road).await?;
            let elapsed = started.elapsed();
            ensure!(sum == 5_000_050_000, "{}: the sum of all ids is {sum}", road.name);
            // The first warms up.
            if turn > 0 {
                *fastest = elapsed.min(*fastest);
                *cpu += cpu::used()? - before;
            }
        }
    }
    let mut table = Table::new("100 000 rows of 5 columns", &["ms", "ms CPU"], 2);
    for (road, (fastest, cpu)) in roads.all.iter().zip(measured) {
        table.row(road.name, vec![fastest.as_secs_f64() * 1e3, cpu.as_secs_f64() * 1e3 / TURNS as f64]);
    }
    table.print(out)?;
    Ok(())
}

async fn sum(road: &Road) -> Result<i64> {
    let rows = sqlx::query_as::<_, Item>("select id, name, made, amount, good from items").fetch(&road.pool);
    Ok(rows.try_fold(0, async |sum, item| Ok(sum + item.0)).await?)
}
