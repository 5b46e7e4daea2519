use std::io;

use tokio::signal;

/// The signals by which people, service managers and containers end a process. From its making on they no longer end it by themselves.
pub(crate) struct Interruption {
    #[cfg(unix)]
    interrupt: signal::unix::Signal,
    #[cfg(unix)]
    terminate: signal::unix::Signal,
}

#[cfg(unix)]
impl Interruption {
    pub(crate) fn expect() -> io::Result<Self> {
        use signal::unix::{SignalKind, signal};

        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for one of them. Cancel safe.
    pub(crate) async fn come(&mut self) -> io::Result<()> {
        tokio::select! {
            _ = self.interrupt.recv() => Ok(()),
            _ = self.terminate.recv() => Ok(()),
        }
    }
}

#[cfg(not(unix))]
impl Interruption {
    pub(crate) fn expect() -> io::Result<Self> {
        Ok(Self {})
    }

    /// Waits for Ctrl-C. Cancel safe.
    pub(crate) async fn come(&mut self) -> io::Result<()> {
        signal::ctrl_c().await
    }
}
