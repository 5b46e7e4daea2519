use std::{
    io::Write,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};

use crate::{
    common::{cpu, table::Table},
    roads::World,
};

/// How often the roads take turns; the fastest turn counts.
const TURNS: usize = 10;

/// Prints what 100 000 rows of 5 columns take.
pub(crate) fn measure(out: &mut impl Write, world: &mut World) -> Result<()> {
    let World { roads, runtime, one: _, rows } = world;
    let mut measured = vec![(Duration::MAX, Duration::ZERO); roads.len()];
    for turn in 0..=TURNS {
        for ((name, connection), (fastest, cpu)) in roads.iter_mut().zip(&mut measured) {
            let before = cpu::used()?;
            let started = Instant::now();
            let items = connection.load(runtime)?;
            let elapsed = started.elapsed();
            let sum: i64 = items.iter().map(|item| item.id).sum();
            ensure!(sum == 5_000_050_000, "{name}: the sum of all ids is {sum}");
            // The first warms up.
            if turn > 0 {
                *fastest = elapsed.min(*fastest);
                *cpu += cpu::used()? - before;
            }
        }
    }
    let mut table = Table::new(rows, &["ms", "ms CPU"], 1);
    for ((name, _), (fastest, cpu)) in roads.iter().zip(measured) {
        table.row(name, vec![fastest.as_secs_f64() * 1e3, cpu.as_secs_f64() * 1e3 / TURNS as f64]);
    }
    Ok(table.print(out)?)
}
