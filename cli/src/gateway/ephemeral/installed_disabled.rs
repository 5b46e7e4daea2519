use std::path::Path;

use anyhow::bail;

use super::{Wanted, server::Server};

/// There is none.
pub(super) enum Installation {}

pub(super) fn find(_programs: Option<&Path>) -> anyhow::Result<Installation> {
    bail!("an installed PostgreSQL is started on Unix alone")
}

pub(super) fn start(installation: &Installation, _wanted: Wanted) -> anyhow::Result<Server> {
    match *installation {}
}
