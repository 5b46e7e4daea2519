//! A session that several tasks use at once.
//!
//! Each statement is handed to a task that owns what carries the session; results come back through a channel. So futures that are
//! polled together send their statements together, and dropping one disturbs no other.

mod answers;
mod cancel_token;
mod clean;
mod command;
mod driver;
mod exclusive;
mod http_road;
mod inbox;
mod noted;
mod wire_road;

use std::sync::Arc;

use tokio::sync::{Mutex, mpsc};

use self::{
    answers::answers,
    command::{Command, Work},
    driver::Driver,
    noted::Noted,
};
use super::Statement;
use crate::{
    config::{Config, Transport},
    error::Result,
    runtime::Runtime,
    wire::{Notification, TransactionStatus},
};

pub use answers::Answers;
pub use cancel_token::CancelToken;
pub use exclusive::{Carrier, Demands};

/// A session over WebSocket, or the lack of one over HTTP, whose statements may be given before those before them are answered.
///
/// Over WebSocket statements that are given together travel together: each is a flight of its own, and all of them cost one round
/// trip. Over HTTP each is a request, and the next one is sent when the last has ended. Under [`Transport::Auto`] statements ride
/// HTTP until one needs a session, by its text or by what HTTP says of it; a session that is idle and to which nothing clings is left again
/// after 5 s. What a text does not show, as a function that calls `set_config`, needs [`Transport::WebSocket`].
///
/// It has a thread of its own, so it depends on no runtime of its user's. Dropping it ends the session in the background, and
/// cancels what is still running.
///
/// # Example
///
/// ```no_run
/// # async fn example() -> pgferry::Result<()> {
/// use pgferry::{Config, execute::{Session, Statement}};
///
/// let config: Config = "postgresql://app:secret@db.example.com/app".parse()?;
/// let session = Session::connect(&config).await?;
/// let (one, two) = (session.execute(Statement::new("select 1")), session.execute(Statement::new("select 2")));
/// assert_eq!(one.collect().await?.rows.len() + two.collect().await?.rows.len(), 2);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Session {
    commands: mpsc::UnboundedSender<Command>,
    notifications: Mutex<mpsc::UnboundedReceiver<Notification>>,
    noted: Arc<Noted>,
    config: Config,
    /// Dropped behind the sender, whose end is what the task waits for.
    runtime: Runtime,
}

impl Session {
    /// Opens a session on a thread of its own; over HTTP it sends one request, so that a wrong password is reported here.
    ///
    /// Cancel safe: nothing is left behind.
    ///
    /// # Errors
    ///
    /// Those of [`HttpSession::server`](super::HttpSession::server) or [`open`](super::open); nothing was executed.
    pub async fn connect(config: &Config) -> Result<Self> {
        Self::connect_on(config, Runtime::start()?).await
    }

    /// Opens a session as [`connect`](Self::connect) does, on a thread that is there.
    ///
    /// # Errors
    ///
    /// As of [`connect`](Self::connect).
    pub async fn connect_on(config: &Config, runtime: Runtime) -> Result<Self> {
        let noted = Arc::new(Noted::default());
        let (commands, received) = mpsc::unbounded_channel();
        let (notify, notifications) = mpsc::unbounded_channel();
        let driver = Driver::new(config.clone(), runtime.clone(), Arc::clone(&noted), received, notify);
        let (opened, result) = tokio::sync::oneshot::channel();
        runtime.spawn(driver.run(opened));
        result.await.unwrap_or_else(|_| Err(command::lost()))?;
        Ok(Self { commands, notifications: Mutex::new(notifications), noted, config: config.clone(), runtime })
    }

    /// Hands a statement over; its results are read from what is returned.
    ///
    /// It is sent whether or not they are read. Dropping them unread leaves it to end by itself, as on TCP; a statement that was not
    /// sent by then never is.
    pub fn execute(&self, statement: Statement) -> Answers {
        self.hand_over(Work::Statement(statement))
    }

    /// Hands a script without parameters over, several statements of which are one transaction unless they say otherwise; no rows
    /// come back.
    pub fn batch_execute(&self, script: impl Into<String>) -> Answers {
        self.hand_over(Work::Script(script.into()))
    }

    /// Lets the server forget a named statement.
    pub fn forget(&self, name: u64) {
        // A session that was lost has none.
        let _ = self.commands.send(Command::Forget(name));
    }

    /// Waits for the next notification.
    ///
    /// They are kept from the first LISTEN on until they are taken. Cancel safe.
    ///
    /// Returns `None` when the session was lost and all have been given.
    pub async fn notification(&self) -> Option<Notification> {
        self.notifications.lock().await.recv().await
    }

    /// Takes the next of the notifications that have arrived, without waiting for one.
    ///
    /// Those that came before a statement's end are there when it has ended. Returns `None` where there are none, and while another task
    /// [waits](Self::notification) for them.
    pub fn take_notification(&self) -> Option<Notification> {
        self.notifications.try_lock().ok()?.try_recv().ok()
    }

    /// Returns what cancels the statement that is running then.
    #[must_use]
    pub fn cancel_token(&self) -> CancelToken {
        CancelToken::new(self.config.clone(), self.runtime.clone(), Arc::clone(&self.noted))
    }

    /// Returns the configuration that it was opened with.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Returns the thread that it runs on.
    #[must_use]
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Returns the transaction status of the last answer.
    #[must_use]
    pub fn transaction_status(&self) -> TransactionStatus {
        self.noted.status()
    }

    /// Returns whether the session can go on.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.noted.is_usable()
    }

    /// Returns what carries the session at the moment, never [`Transport::Auto`].
    #[must_use]
    pub fn transport(&self) -> Transport {
        self.noted.transport()
    }

    fn hand_over(&self, work: Work) -> Answers {
        let (replies, answers) = answers();
        if let Err(mpsc::error::SendError(command)) = self.commands.send(Command::Run(work, replies)) {
            command.refuse();
        }
        answers
    }
}
