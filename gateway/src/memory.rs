use std::{fmt, sync::Arc};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What is taken and given back at once, in bytes: one step for a request of the usual size.
const STEP: usize = 16 * 1024;

/// How much one request may take of the part that is kept for small ones, in bytes, and how much of it is read before its caller has
/// logged in.
pub(crate) const SMALL: usize = 64 * 1024;

/// The memory that requests may take together while they are read and taken apart.
///
/// A quarter is kept for small requests. The rest is for those whose callers have logged in, so that nobody else can take it.
#[derive(Clone)]
pub(crate) struct Memory {
    kept: Arc<Semaphore>,
    rest: Arc<Semaphore>,
}

/// What one request has of it, until it is dropped.
pub(crate) struct Held {
    memory: Memory,
    /// In bytes, never more than what the permits stand for.
    used: usize,
    logged_in: bool,
    kept: Option<OwnedSemaphorePermit>,
    rest: Option<OwnedSemaphorePermit>,
}

/// There is no memory left for a request.
#[derive(Debug)]
pub(crate) struct Exhausted;

impl Memory {
    pub(crate) fn new(bytes: usize) -> Self {
        let steps = (bytes / STEP).clamp(1, Semaphore::MAX_PERMITS);
        let kept = steps.div_ceil(4);
        Self { kept: Arc::new(Semaphore::new(kept)), rest: Arc::new(Semaphore::new(steps - kept)) }
    }

    pub(crate) fn hold(&self) -> Held {
        Held { memory: self.clone(), used: 0, logged_in: false, kept: None, rest: None }
    }
}

impl Held {
    /// Notes that the caller has logged in.
    pub(crate) fn log_in(&mut self) {
        self.logged_in = true;
    }

    /// Takes so many bytes more.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), Exhausted> {
        let used = self.used.checked_add(bytes).ok_or(Exhausted)?;
        let mut missing = used.div_ceil(STEP).saturating_sub(steps(&self.kept).saturating_add(steps(&self.rest)));
        let small = missing.min((SMALL / STEP).saturating_sub(steps(&self.kept)));
        if take(&self.memory.kept, &mut self.kept, small).is_ok() {
            missing -= small;
        }
        if missing > 0 {
            if !self.logged_in {
                return Err(Exhausted);
            }
            take(&self.memory.rest, &mut self.rest, missing)?;
        }
        self.used = used;
        Ok(())
    }

    /// Gives so many bytes back.
    pub(crate) fn shrink(&mut self, bytes: usize) {
        self.used = self.used.saturating_sub(bytes);
        let needed = self.used.div_ceil(STEP).saturating_sub(steps(&self.kept));
        let surplus = steps(&self.rest).saturating_sub(needed);
        drop(self.rest.as_mut().and_then(|rest| rest.split(surplus)));
    }
}

fn steps(permit: &Option<OwnedSemaphorePermit>) -> usize {
    permit.as_ref().map_or(0, OwnedSemaphorePermit::num_permits)
}

fn take(from: &Arc<Semaphore>, to: &mut Option<OwnedSemaphorePermit>, steps: usize) -> Result<(), Exhausted> {
    if steps == 0 {
        return Ok(());
    }
    let count = u32::try_from(steps).map_err(|_| Exhausted)?;
    let more = Arc::clone(from).try_acquire_many_owned(count).map_err(|_| Exhausted)?;
    match to {
        Some(permit) => permit.merge(more),
        None => *to = Some(more),
    }
    Ok(())
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kept, rest } = self;
        let free = |steps: &Semaphore| steps.available_permits().saturating_mul(STEP);
        f.debug_struct("Memory").field("free_for_small", &free(kept)).field("free", &free(rest)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn free(memory: &Memory) -> (usize, usize) {
        (memory.kept.available_permits(), memory.rest.available_permits())
    }

    #[test]
    fn is_taken_in_steps_and_given_back() {
        let memory = Memory::new(4 * STEP);
        let (mut one, mut other) = (memory.hold(), memory.hold());
        one.log_in();
        other.log_in();
        for _ in 0..STEP {
            assert!(one.grow(1).is_ok());
        }
        assert_eq!(free(&memory), (0, 3));
        assert!(other.grow(3 * STEP).is_ok());
        assert!(one.grow(1).is_err() && other.grow(usize::MAX).is_err());
        other.shrink(2 * STEP + 1);
        assert_eq!(free(&memory), (0, 2));
        assert!(one.grow(1).is_ok());
        drop(other);
        assert_eq!(free(&memory), (0, 2));
        drop(one);
        assert_eq!(free(&memory), (1, 3));
    }

    #[test]
    fn strangers_leave_most_of_it_and_large_requests_some() {
        let memory = Memory::new(16 * SMALL);
        let strangers: Vec<_> = (0..100)
            .map(|_| {
                let mut stranger = memory.hold();
                let _ = stranger.grow(SMALL);
                assert!(stranger.grow(1).is_err());
                stranger
            })
            .collect();
        assert_eq!(free(&memory), (0, 12 * SMALL / STEP));
        drop(strangers);
        let mut large = memory.hold();
        large.log_in();
        assert!(large.grow(13 * SMALL).is_ok() && large.grow(1).is_err());
        assert!(memory.hold().grow(SMALL).is_ok());
    }
}
