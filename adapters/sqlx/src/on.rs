use futures_util::future::{Either, select};
use pgferry::runtime::Runtime;
use tokio::sync::oneshot;

/// Runs a future on the endpoint's thread, whatever executor the caller is on, and drops it there when the caller is dropped.
///
/// What a connection needs of a runtime, its socket above all, is then that thread's, which lives as long as the connection may.
pub(crate) async fn on<T, F>(runtime: &Runtime, future: F) -> sqlx::Result<T>
where
    T: Send + 'static,
    F: Future<Output = sqlx::Result<T>> + Send + 'static,
{
    let (mut sender, receiver) = oneshot::channel();
    runtime.spawn(async move {
        let ended = match select(std::pin::pin!(future), std::pin::pin!(sender.closed())).await {
            Either::Left((result, _)) => Some(result),
            Either::Right(((), _)) => None,
        };
        if let Some(result) = ended {
            // The receiver is gone when the caller was dropped, who then wants no answer.
            let _ = sender.send(result);
        }
    });
    // The runtime drops its tasks only with the last handle to it.
    receiver.await.unwrap_or(Err(sqlx::Error::WorkerCrashed))
}
