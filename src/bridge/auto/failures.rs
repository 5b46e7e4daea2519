use std::{
    collections::HashSet,
    hash::{BuildHasher, RandomState},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// The texts whose results HTTP could not carry, so that nothing is executed for nothing a second time.
#[derive(Debug, Default)]
pub(in crate::bridge) struct Failures {
    /// Their hashes.
    texts: Mutex<HashSet<u64>>,
    hasher: RandomState,
}

/// How many texts are remembered.
const MOST: usize = 10_000;

impl Failures {
    pub(super) fn note(&self, text: &str) {
        let mut texts = self.lock();
        if texts.len() >= MOST {
            texts.clear();
        }
        texts.insert(self.hasher.hash_one(text));
    }

    pub(super) fn has(&self, text: &str) -> bool {
        let texts = self.lock();
        !texts.is_empty() && texts.contains(&self.hasher.hash_one(text))
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<u64>> {
        // A set of hashes has no state between two others.
        self.texts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
