use tokio::{runtime::Handle, task::JoinHandle, time::Instant};

use super::{Session, close};
use crate::reset;

/// A session that is being reset or has been.
pub(super) struct Idle {
    pub(super) since: Instant,
    pub(super) logged_in: Instant,
    state: State,
}

enum State {
    /// The server was sent the reset behind the request; its answer is read when the session is needed.
    Sent(Box<Session>),
    InBackground(JoinHandle<Option<Session>>),
}

impl Idle {
    /// Takes a session whose request has ended, and sees to it that it is reset.
    pub(super) fn new(session: Session, logged_in: Instant) -> Self {
        let state = if reset::is_sent(&session) {
            State::Sent(Box::new(session))
        } else {
            State::InBackground(tokio::spawn(reset(session)))
        };
        Self { since: Instant::now(), logged_in, state }
    }

    /// Waits until the session is reset, which is bounded in time; `None` where that failed.
    pub(super) async fn into_session(self) -> Option<Session> {
        match self.state {
            State::Sent(session) => reset(*session).await,
            State::InBackground(task) => task.await.ok()?,
        }
    }

    /// Closes the session, and returns when it is closed.
    pub(super) async fn close(self) {
        let session = match self.state {
            State::Sent(session) => Some(*session),
            State::InBackground(task) => task.await.ok().flatten(),
        };
        if let Some(session) = session {
            close(session).await;
        }
    }

    /// Closes the session in the background, where there is still a runtime for that.
    pub(super) fn close_later(self) -> Option<Closing> {
        Handle::try_current().ok().map(|runtime| Closing(runtime.spawn(self.close())))
    }
}

/// A session that is being closed, and that the server counts until then.
pub(super) struct Closing(JoinHandle<()>);

impl Closing {
    pub(super) fn is_over(&self) -> bool {
        self.0.is_finished()
    }

    /// Waits until it is closed, which is bounded in time.
    pub(super) async fn wait(self) {
        // Where closing it failed, it is closed too.
        let _ = self.0.await;
    }
}

async fn reset(mut session: Session) -> Option<Session> {
    reset::finish(&mut session).await.then_some(session)
}
