use anyhow::Result;

use crate::command::{cargo, run};

/// Builds the load program as it would be deployed and runs it with these arguments.
pub(crate) fn load(arguments: &[&str]) -> Result<()> {
    run(cargo(&["run", "--quiet", "--release", "--package", "pgferry-load", "--locked", "--"]).args(arguments))
}
