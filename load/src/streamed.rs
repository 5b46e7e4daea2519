use std::{sync::Arc, time::Duration};

use anyhow::{Result, bail};
use reqwest::Version;
use tokio::time::sleep;

use crate::{check::Checks, clients::Http, options::Options, say::say, stage::Stage};

const MIB: u64 = 1024 * 1024;

/// How much of the gateway's memory a response may take, in KiB.
const BOUND: u64 = 64 * 1024;

/// How long a response is left unread.
const UNREAD: Duration = Duration::from_secs(5);

/// The bytes of one row's value.
const ROW: u64 = 1000;

/// A large response, read and unread, over both versions of HTTP.
pub(crate) async fn run(options: &Options, checks: &mut Checks) -> Result<()> {
    let mib = options.mib;
    say(&format!("\n== a response of {mib} MiB"));
    let rows = mib * MIB / ROW;
    let query = format!("SELECT repeat('x', {ROW}) FROM generate_series(1, {rows})");
    for version in [Version::HTTP_11, Version::HTTP_2] {
        for read in [true, false] {
            // One each, so that a peak is of nothing else.
            let stage = Arc::new(Stage::start(options, 4, mib * MIB * 2)?);
            let gateway = stage.gateway_process();
            let http = Http::new(&stage, version)?;
            http.query("SELECT 1").await?;
            let before = gateway.usage()?;
            let mut response = http.request(&query).send().await?;
            let mut length: u64 = 0;
            if read {
                while let Some(chunk) = response.chunk().await? {
                    length += chunk.len() as u64;
                }
                if length < rows * ROW {
                    bail!("only {length} bytes came");
                }
            } else {
                sleep(UNREAD).await;
            }
            let after = gateway.usage()?;
            let added = after.peak.saturating_sub(before.resident);
            let what = if read { format!("{} MiB", length / MIB) } else { format!("unread for {UNREAD:?}") };
            let what = format!("{version:?}, {what}: {added} KiB of the gateway's memory");
            checks.that(added < BOUND, what);
        }
    }
    Ok(())
}
