use std::{fs, time::Duration};

use anyhow::{Context, Result};

/// How many ticks the kernel counts a second in `/proc` (proc(5)): 100 on every architecture that matters.
const TICKS: u64 = 100;

/// A process as `/proc` shows it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Process {
    id: u32,
}

/// What one process takes of memory and file descriptors.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    /// In KiB.
    pub(crate) resident: u64,
    /// The most until now, in KiB.
    pub(crate) peak: u64,
    pub(crate) descriptors: usize,
}

impl Process {
    pub(crate) fn new(id: u32) -> Self {
        Self { id }
    }

    pub(crate) fn usage(self) -> Result<Usage> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id)).context("the process has ended")?;
        let kib = |name: &str| -> Result<u64> {
            let value = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            let value = value.with_context(|| format!("/proc has no {name}"))?;
            Ok(value.trim().trim_end_matches("kB").trim().parse()?)
        };
        let descriptors = fs::read_dir(format!("/proc/{}/fd", self.id))?.count();
        Ok(Usage { resident: kib("VmRSS")?, peak: kib("VmHWM")?, descriptors })
    }

    /// The CPU time of this process alone.
    pub(crate) fn cpu(self) -> Result<Duration> {
        let stat = Stat::read(self.id)?;
        Ok(stat.own)
    }

    /// The CPU time of this process and of all that it started, those that have ended included.
    pub(crate) fn cpu_with_children(self) -> Result<Duration> {
        let stat = Stat::read(self.id)?;
        let mut sum = stat.own + stat.ended_children;
        for entry in fs::read_dir("/proc")? {
            let Some(id) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            // It may end while it is looked at.
            let Ok(child) = Stat::read(id) else { continue };
            if child.parent == self.id {
                sum += child.own;
            }
        }
        Ok(sum)
    }
}

/// A line of `/proc/PID/stat`.
struct Stat {
    parent: u32,
    own: Duration,
    ended_children: Duration,
}

impl Stat {
    fn read(id: u32) -> Result<Self> {
        let line = fs::read_to_string(format!("/proc/{id}/stat"))?;
        // The name before it may have blanks and parentheses.
        let (_, rest) = line.rsplit_once(')').context("/proc/PID/stat has another form")?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let field = |number: usize| -> Result<u64> {
            // proc(5) counts from 1, and the name is the second.
            let field = number.checked_sub(3).and_then(|index| fields.get(index));
            Ok(field.context("/proc/PID/stat is too short")?.parse()?)
        };
        let ticks = |ticks: u64| Duration::from_millis(ticks * 1000 / TICKS);
        Ok(Self {
            parent: u32::try_from(field(4)?)?,
            own: ticks(field(14)? + field(15)?),
            ended_children: ticks(field(16)? + field(17)?),
        })
    }
}
