use std::time::Duration;

/// Times of the same thing, sorted; at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Distribution(Vec<Duration>);

impl Distribution {
    /// Those of some times, `None` where there are none.
    pub(super) fn of(times: impl IntoIterator<Item = Duration>) -> Option<Self> {
        let mut times: Vec<_> = times.into_iter().collect();
        times.sort_unstable();
        (!times.is_empty()).then_some(Self(times))
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    pub(super) fn min(&self) -> Duration {
        self.0.first().copied().unwrap_or_default()
    }

    pub(super) fn max(&self) -> Duration {
        self.0.last().copied().unwrap_or_default()
    }

    pub(super) fn median(&self) -> Duration {
        self.percentile(50)
    }

    /// The smallest time that so many percent of all do not exceed (the nearest rank), so that it is one that was measured.
    pub(super) fn percentile(&self, percent: usize) -> Duration {
        let rank = (self.0.len() * percent).div_ceil(100).max(1);
        self.0.get(rank - 1).copied().unwrap_or_else(|| self.max())
    }

    /// Minimum, median, 90th and 99th percentile, maximum.
    pub(super) fn summary(&self) -> [Duration; 5] {
        [self.min(), self.median(), self.percentile(90), self.percentile(99), self.max()]
    }
}

/// Milliseconds, to the microsecond.
pub(super) fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(times: impl IntoIterator<Item = u64>) -> Distribution {
        Distribution::of(times.into_iter().map(Duration::from_millis)).unwrap()
    }

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        let hundred = of((1..=100).rev());
        assert_eq!(hundred.summary().map(|time| time.as_millis()), [1, 50, 90, 99, 100]);
        assert_eq!(of(1..=10).summary().map(|time| time.as_millis()), [1, 5, 9, 10, 10]);
        assert_eq!(of([15, 20, 35, 40, 50]).percentile(30).as_millis(), 20);
        assert_eq!(of([7]).summary().map(|time| time.as_millis()), [7; 5]);
    }

    #[test]
    fn nothing_measured_has_no_distribution() {
        assert_eq!(Distribution::of([]), None);
    }

    #[test]
    fn milliseconds_keep_microseconds() {
        assert_eq!(milliseconds(Duration::from_nanos(1_234_567)), 1.235);
    }
}
