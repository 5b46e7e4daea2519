use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use sqlx::{PgPool, postgres::PgPoolOptions};

use crate::{connect::Guard, on::on};

/// The pool of a ferry's own connections. It lives on the endpoint's thread, so that no runtime of a caller's is part of it.
#[derive(Clone)]
pub(super) struct OwnPool {
    guard: Arc<Guard>,
    pool: Arc<Mutex<Option<PgPool>>>,
}

impl OwnPool {
    pub(super) fn new(guard: Arc<Guard>) -> Self {
        Self { guard, pool: Arc::default() }
    }

    pub(super) fn guard(&self) -> &Guard {
        &self.guard
    }

    /// Does something with the pool on the endpoint's thread.
    pub(super) async fn run<T, F>(&self, with: impl FnOnce(PgPool) -> F + Send + 'static) -> sqlx::Result<T>
    where
        T: Send + 'static,
        F: Future<Output = sqlx::Result<T>> + Send + 'static,
    {
        let own = self.clone();
        on(self.guard.bridge().runtime(), async move { with(own.pool()?).await }).await
    }

    /// The pool, made when it is first needed. To be called on the endpoint's thread, whose runtime it then belongs to.
    pub(super) fn pool(&self) -> sqlx::Result<PgPool> {
        let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pool) = &*pool {
            return Ok(pool.clone());
        }
        let made = PgPoolOptions::new().connect_lazy_with(self.guard.options()?);
        *pool = Some(made.clone());
        Ok(made)
    }

    pub(super) async fn close(&self) {
        let pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(pool) = pool {
            // It ends with an answer in any case.
            let _ = on(self.guard.bridge().runtime(), async move {
                pool.close().await;
                Ok(())
            })
            .await;
        }
    }
}

impl fmt::Debug for OwnPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { guard: _, pool } = self;
        f.debug_struct("OwnPool").field("pool", pool).finish_non_exhaustive()
    }
}
