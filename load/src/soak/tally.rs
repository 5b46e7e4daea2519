use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// What was done, how often, and what went wrong.
#[derive(Debug, Default)]
pub(super) struct Tally(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    done: BTreeMap<&'static str, (u64, Duration)>,
    wrong: BTreeMap<String, u64>,
}

impl Tally {
    pub(super) fn done(&self, what: &'static str, took: Duration) {
        let mut inner = self.lock();
        let (count, time) = inner.done.entry(what).or_default();
        *count += 1;
        *time += took;
    }

    pub(super) fn wrong(&self, what: String) {
        *self.lock().wrong.entry(what).or_default() += 1;
    }

    pub(super) fn total(&self) -> u64 {
        self.lock().done.values().map(|(count, _)| count).sum()
    }

    /// The kinds of what went wrong.
    pub(super) fn faults(&self) -> Vec<String> {
        self.lock().wrong.iter().map(|(what, count)| format!("{count} x {what}")).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Counts have no state between two others.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let each = |(what, (count, time)): (&&str, &(u64, Duration))| {
            format!("{what} {count} ({:.1} ms each)", time.as_secs_f64() * 1e3 / *count as f64)
        };
        let done: Vec<_> = self.lock().done.iter().map(each).collect();
        f.write_str(&done.join(", "))
    }
}
