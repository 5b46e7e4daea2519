use std::{collections::BTreeMap, fmt, time::Duration};

/// How long each of many things took, and why others failed.
#[derive(Debug, Default)]
pub(crate) struct Latencies {
    /// In microseconds.
    taken: Vec<u32>,
    errors: BTreeMap<String, u64>,
}

impl Latencies {
    pub(crate) fn add(&mut self, taken: Duration) {
        self.taken.push(u32::try_from(taken.as_micros()).unwrap_or(u32::MAX));
    }

    pub(crate) fn fail(&mut self, why: impl Into<String>) {
        *self.errors.entry(why.into()).or_default() += 1;
    }

    /// Adds what did well, or why it did not.
    pub(crate) fn note(&mut self, taken: Duration, result: anyhow::Result<()>) {
        match result {
            Ok(()) => self.add(taken),
            Err(error) => self.fail(format!("{error:#}")),
        }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.taken.extend(other.taken);
        for (why, count) in other.errors {
            *self.errors.entry(why).or_default() += count;
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.taken.len()
    }

    pub(crate) fn errors(&self) -> impl Iterator<Item = (&str, u64)> {
        self.errors.iter().map(|(why, count)| (why.as_str(), *count))
    }
}

impl fmt::Display for Latencies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut taken = self.taken.clone();
        taken.sort_unstable();
        let at = |percent: usize| {
            let index = (taken.len() * percent / 100).min(taken.len().saturating_sub(1));
            f64::from(taken.get(index).copied().unwrap_or_default()) / 1000.0
        };
        let (p50, p90, p99, max) = (at(50), at(90), at(99), at(100));
        write!(f, "{} in ms: p50 {p50:.2}, p90 {p90:.2}, p99 {p99:.2}, max {max:.2}; errors:", taken.len())?;
        if self.errors.is_empty() {
            return f.write_str(" none");
        }
        self.errors.iter().try_for_each(|(why, count)| write!(f, " {count} of {why:?}"))
    }
}
