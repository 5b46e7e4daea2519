use std::{any::Any, fmt, marker::PhantomData, sync::Arc};

/// Where a [`Batch`](super::Batch) puts what one of its queries gives: to be taken from the [`Results`].
pub struct Slot<T> {
    pub(super) index: usize,
    pub(super) batch: Arc<()>,
    pub(super) gives: PhantomData<fn() -> T>,
}

/// What the queries of a batch gave. The batch has taken effect.
pub struct Results {
    pub(super) batch: Arc<()>,
    pub(super) results: Vec<Option<Box<dyn Any + Send>>>,
}

impl Results {
    /// Takes what the slot's query gave.
    ///
    /// # Errors
    ///
    /// The batch has taken effect by then, whatever is wrong with what this query gave:
    ///
    /// - [`sqlx::Error::RowNotFound`] when `fetch_one` found no row.
    /// - [`sqlx::Error::ColumnDecode`] and its like when a row is none of the wanted type.
    /// - [`sqlx::Error::Protocol`] for a slot of another batch.
    pub fn take<T: Send + 'static>(&mut self, slot: Slot<T>) -> sqlx::Result<T> {
        let foreign = || sqlx::Error::Protocol("the slot is of another batch than the results".to_owned());
        if !Arc::ptr_eq(&self.batch, &slot.batch) {
            return Err(foreign());
        }
        let result = self.results.get_mut(slot.index).and_then(Option::take).ok_or_else(foreign)?;
        *result.downcast::<sqlx::Result<T>>().map_err(|_| foreign())?
    }
}

impl<T> fmt::Debug for Slot<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { index, batch: _, gives: _ } = self;
        f.debug_struct("Slot").field("index", index).finish_non_exhaustive()
    }
}

impl fmt::Debug for Results {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { batch: _, results } = self;
        f.debug_struct("Results").field("queries", &results.len()).finish_non_exhaustive()
    }
}
