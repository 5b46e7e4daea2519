use std::cell::{Cell, RefCell};

use serde::de::Error;

use crate::memory::{Exhausted, Held};

/// What the allocator needs for each text beside its bytes.
pub(super) const ALLOCATION: usize = 16;

/// The memory for what a body is made into.
pub(super) struct Room {
    held: RefCell<Held>,
    exhausted: Cell<bool>,
}

impl Room {
    pub(super) fn new(held: Held) -> Self {
        Self { held: RefCell::new(held), exhausted: Cell::new(false) }
    }

    pub(super) fn take<E: Error>(&self, bytes: usize) -> Result<(), E> {
        self.held.borrow_mut().grow(bytes).map_err(|Exhausted| {
            self.exhausted.set(true);
            E::custom("there is no memory left")
        })
    }

    pub(super) fn give_back(&self, bytes: usize) {
        self.held.borrow_mut().shrink(bytes);
    }

    /// Whether that is why the body could not be read.
    pub(super) fn is_exhausted(&self) -> bool {
        self.exhausted.get()
    }

    pub(super) fn into_held(self) -> Held {
        self.held.into_inner()
    }
}
