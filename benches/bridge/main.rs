//! What sqlx pays for its bridge, beside sqlx's own connection over TCP and beside bytes that are only passed on over the
//! same hops.
//!
//! `cargo bench --bench bridge -- --seconds 5` prints, for each road, the CPU time of this process and the time that half of
//! the queries take at most, and then what 100 000 rows take. PostgreSQL, the gateway and the passing on at the
//! gateway's place are other processes. Roads take turns, so that what disturbs one disturbs all.

mod cpu;
mod gateway;
mod options;
mod passing;
mod queries;
mod roads;
mod rows;
mod table;

use std::{
    io::{self, Write},
    thread,
};

use pgferry_test_support::Postgres;

use options::{Options, Role};

const SCHEMA: &str = "
    create table items (id int8 primary key, name text not null, made timestamptz not null, amount float8 not null, good bool not null);
    insert into items select n, 'item number ' || n, timestamptz '2024-01-01' + n * interval '1 minute', n / 7.0, n % 3 = 0
        from generate_series(1, 100000) n;
    grant select on items to app;
    analyze items;
";

fn main() -> anyhow::Result<()> {
    let options = Options::read()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match options.role {
        Role::Gateway { upstream, listen } => runtime.block_on(gateway::serve(&upstream, &listen)),
        Role::PassOn { target } => runtime.block_on(passing::serve(target)),
        Role::Measure => {
            let postgres = Postgres::start()?;
            postgres.psql(SCHEMA)?;
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
