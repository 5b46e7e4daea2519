use std::{sync::Arc, time::Duration};

use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{session, shared::Shared};

/// Takes connections until it is to stop.
pub(crate) async fn serve(listener: &TcpListener, shared: &Arc<Shared>, stop: &CancellationToken) {
    let mut sessions = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = sessions.join_next(), if !sessions.is_empty() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    // Only speed is lost without it.
                    let _ = stream.set_nodelay(true);
                    sessions.spawn(session::serve(stream, Arc::clone(shared)));
                }
                Err(error) => {
                    tracing::warn!("a connection cannot be taken: {error}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
        }
    }
}
