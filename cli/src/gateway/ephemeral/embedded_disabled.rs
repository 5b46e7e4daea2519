use anyhow::bail;

use super::{Wanted, server::Server};

const REMEDY: &str = "build pgferry with its feature `embedded`, which is among its defaults";

pub(super) fn start(_wanted: Wanted) -> anyhow::Result<Server> {
    bail!("this pgferry has no PostgreSQL compiled in: leave --embedded out where one is installed, or {REMEDY}")
}

pub(super) fn start_instead(_wanted: Wanted, missing: anyhow::Error) -> anyhow::Result<Server> {
    bail!("{missing:#}; or {REMEDY}")
}
