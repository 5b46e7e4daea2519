//! What sqlx pays for its bridge, beside sqlx's own connection over TCP and beside bytes that are only passed on over the
//! same hops.
//!
//! `cargo bench --bench bridge -- --seconds 5` prints, for each road, the CPU time of this process and the time that half of
//! the queries take at most, and then what 100 000 rows take. PostgreSQL, the gateway and the passing on at the
//! gateway's place are other processes. Roads take turns, so that what disturbs one disturbs all.

#[path = "../common/mod.rs"]
mod common;
mod passing;
mod queries;
mod roads;
mod rows;

use std::{
    io::{self, Write},
    thread,
};

use pgferry_test_support::Postgres;

use common::{
    cpu, gateway,
    options::{Options, Role},
};

fn main() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    if let Some(target) = passing::target()? {
        return runtime.block_on(passing::serve(target));
    }
    let options = Options::read()?;
    match options.role {
        Role::Gateway { upstream, listen } => runtime.block_on(gateway::serve(&upstream, &listen)),
        Role::Measure => {
            let postgres = Postgres::start()?;
            postgres.psql(common::ITEMS)?;
            runtime.block_on(async {
                let roads = roads::Roads::open(&postgres).await?;
                let mut out = io::stdout().lock();
                let cpus = thread::available_parallelism()?;
                writeln!(
                    out,
                    "CPU is this process's, with sqlx and the bridge and without the gateway and PostgreSQL."
                )?;
                writeln!(out, "The load of {cpus} CPUs was {} before.\n", cpu::load()?)?;
                queries::measure(&mut out, &roads, options.seconds).await?;
                rows::measure(&mut out, &roads).await?;
                writeln!(out, "The load was {} at the end.", cpu::load()?)?;
                out.flush()?;
                anyhow::Ok(())
            })
        }
    }
}
