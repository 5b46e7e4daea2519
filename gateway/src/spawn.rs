use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;

/// Starts a task where there is still a runtime to start it on, as there may not be when something is dropped.
pub(crate) fn spawn(task: impl Future<Output = ()> + Send + 'static) {
    if let Ok(runtime) = Handle::try_current() {
        runtime.spawn(task);
    }
}

/// Starts a task in the same way, for which a shutdown waits.
pub(crate) fn spawn_tracked(tracker: &TaskTracker, task: impl Future<Output = ()> + Send + 'static) {
    if let Ok(runtime) = Handle::try_current() {
        tracker.spawn_on(task, &runtime);
    }
}
