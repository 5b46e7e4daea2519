use std::{
    io::Write,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};

use crate::{
    common::{cpu, table::Table},
    roads::World,
};

/// How often the roads take turns.
const TURNS: u32 = 5;

/// Prints what half of the `select 1` take at most.
pub(crate) fn measure(out: &mut impl Write, world: &mut World, time: Duration) -> Result<()> {
    let World { roads, runtime, one, rows: _ } = world;
    let mut measured = vec![(Vec::new(), Duration::ZERO); roads.len()];
    for turn in 0..=TURNS {
        for ((name, connection), (latencies, cpu)) in roads.iter_mut().zip(&mut measured) {
            let before = cpu::used()?;
            let ends = Instant::now() + time / TURNS;
            let mut of_turn = Vec::new();
            while Instant::now() < ends {
                let started = Instant::now();
                let answer = connection.one(runtime)?;
                of_turn.push(started.elapsed());
                ensure!(answer == 1, "{name}: {answer}");
            }
            // The first warms up.
            if turn > 0 {
                *cpu += cpu::used()? - before;
                latencies.append(&mut of_turn);
            }
        }
    }
    let mut table = Table::new(one, &["us p50", "us CPU a query"], 1);
    for ((name, _), (mut latencies, cpu)) in roads.iter().zip(measured) {
        ensure!(!latencies.is_empty(), "{name}: nothing was measured");
        latencies.sort_unstable();
        let median = latencies.get(latencies.len() / 2).copied().unwrap_or_default();
        table.row(name, vec![median.as_secs_f64() * 1e6, cpu.as_secs_f64() * 1e6 / latencies.len() as f64]);
    }
    Ok(table.print(out)?)
}
