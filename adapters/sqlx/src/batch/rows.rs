use sqlx::{
    Either,
    postgres::{PgQueryResult, PgRow},
};

use super::capture::Steps;

/// What is made of each row.
pub(super) async fn all<T>(mut steps: Steps, make: impl Fn(PgRow) -> sqlx::Result<T>) -> sqlx::Result<Vec<T>> {
    let mut all = Vec::new();
    while let Some(step) = steps.recv().await {
        if let Either::Right(row) = step? {
            all.push(make(row)?);
        }
    }
    Ok(all)
}

/// What is made of the first row.
pub(super) async fn first<T>(mut steps: Steps, make: impl Fn(PgRow) -> sqlx::Result<T>) -> sqlx::Result<Option<T>> {
    while let Some(step) = steps.recv().await {
        if let Either::Right(row) = step? {
            return make(row).map(Some);
        }
    }
    Ok(None)
}

/// What all statements of a query did.
pub(super) async fn total(mut steps: Steps) -> sqlx::Result<PgQueryResult> {
    let mut total = PgQueryResult::default();
    while let Some(step) = steps.recv().await {
        if let Either::Left(result) = step? {
            total.extend([result]);
        }
    }
    Ok(total)
}
