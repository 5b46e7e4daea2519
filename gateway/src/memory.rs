use std::{fmt, sync::Arc};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What is taken and given back at once, in bytes: one step for a request of the usual size.
const STEP: usize = 16 * 1024;

/// The memory that requests may take together while they are read and taken apart.
#[derive(Clone)]
pub(crate) struct Memory {
    steps: Arc<Semaphore>,
}

/// What one request has of it, until it is dropped.
pub(crate) struct Held {
    memory: Memory,
    /// In bytes, never more than what the permit stands for.
    used: usize,
    room: usize,
    permit: Option<OwnedSemaphorePermit>,
}

/// There is no memory left for a request.
#[derive(Debug)]
pub(crate) struct Exhausted;

impl Memory {
    pub(crate) fn new(bytes: usize) -> Self {
        Self { steps: Arc::new(Semaphore::new((bytes / STEP).clamp(1, Semaphore::MAX_PERMITS))) }
    }

    pub(crate) fn hold(&self) -> Held {
        Held { memory: self.clone(), used: 0, room: 0, permit: None }
    }
}

impl Held {
    /// Takes so many bytes more.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), Exhausted> {
        let used = self.used.checked_add(bytes).ok_or(Exhausted)?;
        if let Some(missing) = used.checked_sub(self.room).filter(|missing| *missing > 0) {
            let steps = missing.div_ceil(STEP);
            let count = u32::try_from(steps).map_err(|_| Exhausted)?;
            let more = Arc::clone(&self.memory.steps).try_acquire_many_owned(count).map_err(|_| Exhausted)?;
            match &mut self.permit {
                Some(permit) => permit.merge(more),
                None => self.permit = Some(more),
            }
            self.room = self.room.saturating_add(steps.saturating_mul(STEP));
        }
        self.used = used;
        Ok(())
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { steps } = self;
        f.debug_struct("Memory").field("free", &steps.available_permits().saturating_mul(STEP)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_taken_in_steps_and_given_back() {
        let memory = Memory::new(4 * STEP);
        let (mut one, mut other) = (memory.hold(), memory.hold());
        for _ in 0..STEP {
            assert!(one.grow(1).is_ok());
        }
        assert_eq!(memory.steps.available_permits(), 3);
        assert!(other.grow(3 * STEP).is_ok());
        assert!(one.grow(1).is_err() && other.grow(usize::MAX).is_err());
        drop(other);
        assert!(one.grow(1).is_ok());
        assert_eq!(memory.steps.available_permits(), 2);
        drop(one);
        assert_eq!(memory.steps.available_permits(), 4);
    }
}
