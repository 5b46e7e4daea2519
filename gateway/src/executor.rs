use std::sync::Arc;

use hyper::rt;

use crate::gateway::Shared;

/// Runs what hyper has beside a connection, each request over HTTP/2 among it, as tasks that end with the gateway.
#[derive(Clone)]
pub(crate) struct Executor(pub(crate) Arc<Shared>);

impl<F> rt::Executor<F> for Executor
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, task: F) {
        self.0.spawn(task);
    }
}
