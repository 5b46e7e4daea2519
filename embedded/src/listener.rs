use std::{sync::Arc, time::Duration};

use tokio::{net::TcpListener, task::JoinSet, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::{session, shared::Shared};

/// How long sessions may take to say that they end.
const GOODBYE: Duration = Duration::from_secs(1);

/// Takes connections until it is to stop, and ends their sessions then.
pub(crate) async fn serve(listener: &TcpListener, shared: &Arc<Shared>, stop: &CancellationToken) {
    let mut sessions = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            _ = sessions.join_next(), if !sessions.is_empty() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    // Only speed is lost without it.
                    let _ = stream.set_nodelay(true);
                    sessions.spawn(session::serve(stream, Arc::clone(shared), stop.clone()));
                }
                Err(error) => {
                    tracing::warn!("a connection cannot be taken: {error}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
        }
    }
    // Those that take longer end with the runtime.
    let _ = timeout(GOODBYE, async { while sessions.join_next().await.is_some() {} }).await;
}
