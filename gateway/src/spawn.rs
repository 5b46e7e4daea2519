use tokio::runtime::Handle;

/// Starts a task where there is still a runtime to start it on, as there may not be when something is dropped.
pub(crate) fn spawn(task: impl Future<Output = ()> + Send + 'static) {
    if let Ok(runtime) = Handle::try_current() {
        runtime.spawn(task);
    }
}
