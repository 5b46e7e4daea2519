use std::{env, time::Duration};

use anyhow::{Context, Result, bail};

/// What this program is told.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) role: Role,
    /// How long each road is measured, in each way.
    pub(crate) seconds: Duration,
}

/// What this process is: it starts itself as the gateway.
#[derive(Debug)]
pub(crate) enum Role {
    Measure,
    Gateway { upstream: String, listen: String },
}

impl Options {
    pub(crate) fn read() -> Result<Self> {
        let mut seconds = Duration::from_secs(5);
        let (mut gateway, mut upstream, mut listen) = (false, None, None);
        let mut arguments = env::args().skip(1);
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().with_context(|| format!("{argument} needs a value"));
            match argument.as_str() {
                // cargo's own.
                "--bench" => {}
                "--seconds" => seconds = Duration::try_from_secs_f64(value()?.parse()?)?,
                "gateway" => gateway = true,
                "--upstream" => upstream = Some(value()?),
                "--listen" => listen = Some(value()?),
                other => bail!("{other}: there is only --seconds N"),
            }
        }
        let role = match gateway {
            true => Role::Gateway { upstream: upstream.context("--upstream")?, listen: listen.context("--listen")? },
            false => Role::Measure,
        };
        Ok(Self { role, seconds })
    }
}
