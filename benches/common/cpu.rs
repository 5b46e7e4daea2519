use std::{fs, time::Duration};

use anyhow::{Context, Result};

/// How many ticks the kernel counts a second in `/proc` (proc(5)): 100 on every architecture that matters.
const TICKS: u64 = 100;

/// Returns the CPU time that all threads of this process have used, in ticks of 10 ms.
pub(crate) fn used() -> Result<Duration> {
    let line = fs::read_to_string("/proc/self/stat").context("CPU times are read from /proc, as Linux has it")?;
    let (_, rest) = line.rsplit_once(')').context("/proc/self/stat has another form")?;
    let mut fields = rest.split_whitespace().skip(11);
    let mut ticks = || -> Result<u64> { Ok(fields.next().context("/proc/self/stat is too short")?.parse()?) };
    Ok(Duration::from_millis((ticks()? + ticks()?) * 1000 / TICKS))
}

/// Returns how many threads have run or waited for a CPU in the last minute, on average: above the number of CPUs, figures are of
/// a busy machine.
pub(crate) fn load() -> Result<String> {
    let line = fs::read_to_string("/proc/loadavg").context("the load is read from /proc, as Linux has it")?;
    Ok(line.split_whitespace().next().context("/proc/loadavg is empty")?.to_owned())
}
