use std::process;

use tokio::{signal, sync::watch};

use crate::problem::INTERRUPTED;

/// Listens for Ctrl-C: the first is told through the channel, the second ends the process.
pub(super) fn listen() -> watch::Receiver<bool> {
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        // Where the system gives no signals, Ctrl-C ends the process as ever.
        while signal::ctrl_c().await.is_ok() {
            if sender.send_replace(true) {
                process::exit(INTERRUPTED.into());
            }
        }
    });
    receiver
}
