//! What diesel's connections take over pgferry, beside `PgConnection` on libpq and `AsyncPgConnection` over TCP.
//!
//! `cargo bench --bench diesel -- --seconds 5` prints, for each road of either world, the time that half of the `select 1` take at
//! most, and then what it takes to load 100 000 rows into structs. All is on the loopback interface; PostgreSQL and the gateway are
//! other processes. Roads take turns, so that what disturbs one disturbs all.

#[path = "../common/mod.rs"]
mod common;
mod connection;
mod one;
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
use roads::Roads;

fn main() -> anyhow::Result<()> {
    let options = Options::read()?;
    if let Role::Gateway { upstream, listen } = &options.role {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        return runtime.block_on(gateway::serve(upstream, listen));
    }
    let postgres = Postgres::start()?;
    postgres.psql(common::ITEMS)?;
    let mut roads = Roads::open(&postgres)?;
    let mut out = io::stdout().lock();
    writeln!(out, "CPU is this process's, without the gateway and PostgreSQL.")?;
    writeln!(out, "The load of {} CPUs was {} before.\n", thread::available_parallelism()?, cpu::load()?)?;
    for world in &mut roads.worlds {
        one::measure(&mut out, world, options.seconds)?;
        rows::measure(&mut out, world)?;
    }
    writeln!(out, "The load was {} at the end.", cpu::load()?)?;
    Ok(out.flush()?)
}
