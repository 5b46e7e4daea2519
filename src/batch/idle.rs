use std::{
    mem,
    time::{Duration, Instant},
};

/// How long something without work is kept: while a session is, a serverless database does not sleep.
const KEPT: Duration = Duration::from_secs(30);

/// How many are kept.
const MOST: usize = 4;

/// What has no work and may have some soon.
#[derive(Debug)]
pub(super) struct Idle<T> {
    kept: Vec<(T, Instant)>,
    is_watched: bool,
}

impl<T> Idle<T> {
    /// Takes the one that had work last.
    pub(super) fn take(&mut self) -> Option<T> {
        self.kept.pop().map(|(one, _)| one)
    }

    /// Keeps one unless there are enough, and says whether somebody must begin to watch them with [`expire`](Self::expire).
    pub(super) fn keep(&mut self, one: T, now: Instant) -> bool {
        if self.kept.len() == MOST {
            return false;
        }
        self.kept.push((one, now));
        !mem::replace(&mut self.is_watched, true)
    }

    /// Takes those that were kept for long enough, and says after what time whoever watches is to look again; `None` where that is over.
    pub(super) fn expire(&mut self, now: Instant) -> (Vec<T>, Option<Duration>) {
        let age = |since: &Instant| now.saturating_duration_since(*since);
        let old = self.kept.extract_if(.., |(_, since)| age(since) >= KEPT).map(|(one, _)| one).collect();
        let pause = self.kept.iter().map(|(_, since)| KEPT.saturating_sub(age(since))).min();
        self.is_watched = pause.is_some();
        (old, pause)
    }
}

impl<T> Default for Idle<T> {
    fn default() -> Self {
        Self { kept: Vec::new(), is_watched: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn one_watches_while_there_is_something_to_watch() {
        let begun = Instant::now();
        let mut idle = Idle::default();
        assert!(idle.keep('a', begun));
        for second in 1..20 {
            assert_eq!(idle.take(), Some('a'));
            assert!(!idle.keep('a', begun + SECOND * second), "it is watched already");
        }
        assert!(!idle.keep('b', begun + 25 * SECOND));
        assert_eq!(idle.expire(begun + KEPT), (vec![], Some(19 * SECOND)));
        assert_eq!(idle.expire(begun + KEPT + 19 * SECOND), (vec!['a'], Some(6 * SECOND)));
        assert_eq!(idle.expire(begun + 2 * KEPT), (vec!['b'], None));
        assert!(idle.keep('c', begun + 2 * KEPT), "nobody watches any more");
    }

    #[test]
    fn no_more_are_kept_than_may_be_of_use() {
        let mut idle = Idle::default();
        let begun: Vec<bool> = (0..=MOST).map(|one| idle.keep(one, Instant::now())).collect();
        assert_eq!(begun, [true, false, false, false, false]);
        assert_eq!(idle.take(), Some(MOST - 1));
    }
}
