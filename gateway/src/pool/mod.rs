mod idle;
mod lease;
mod list;

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use hmac::{Hmac, KeyInit, Mac};
use pgferry::{
    Result,
    config::RequireAuth,
    wire::{Client, Startup},
};
use sha2::Sha256;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::task::TaskTracker;

pub(crate) use lease::Lease;

use crate::{
    metrics::Metrics,
    slots::{Purpose, Slot, Slots, Surplus},
    sql::{Credentials, Fault},
    upstream::{SharedUpstream, UpstreamStream},
};
use idle::{Closing, Idle};
use list::List;

/// How much longer than a response a single message from Postgres may be, in bytes: for what becomes no part of it.
const MESSAGE_SLACK: usize = 1024 * 1024;

/// How long the server may take to end a session that was told goodbye.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

type Session = Client<UpstreamStream>;

/// Sessions that are logged in, one list for each combination of user, password and database.
///
/// A session is given only to a request whose credentials logged it in. It is reset in the background after each request,
/// and closed when that fails, when it was abandoned in mid-query, when it stays idle, when its connection is wanted for another
/// role or session, or when its log-in is so long ago that the credentials may have changed.
pub(crate) struct Pool {
    upstream: SharedUpstream,
    slots: Arc<Slots>,
    cancels: TaskTracker,
    metrics: Arc<Metrics>,
    settings: Settings,
    /// The lists are found by a keyed hash, so that no password stays in memory for their sake and none can be guessed
    /// from the time that a comparison takes.
    secret: [u8; 64],
    lists: Mutex<HashMap<Key, Arc<List>>>,
}

/// What a gateway's configuration says of its pool.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// Sessions in use at the same time for the same credentials.
    pub(crate) size: usize,
    pub(crate) idle_timeout: Duration,
    /// How long after its log-in a session is given to a request.
    pub(crate) max_lifetime: Duration,
    /// The largest response, in bytes.
    pub(crate) max_response: usize,
}

type Key = [u8; 32];

impl Pool {
    pub(crate) fn new(
        upstream: SharedUpstream,
        slots: Arc<Slots>,
        cancels: TaskTracker,
        metrics: Arc<Metrics>,
        settings: Settings,
    ) -> Result<Self> {
        let mut secret = [0; 64];
        getrandom::fill(&mut secret)
            .map_err(|error| pgferry::Error::connect(format!("the system gives no random bytes: {error}")))?;
        Ok(Self { upstream, slots, cancels, metrics, settings, secret, lists: Mutex::default() })
    }

    /// Takes a session of these credentials, or logs in. Cancel safe.
    pub(crate) async fn lease(&self, credentials: &Credentials) -> Result<Lease, Fault> {
        let list = self.list(credentials);
        let deadline = self.slots.deadline();
        let permit = timeout_at(deadline, Arc::clone(&list.permits).acquire_owned())
            .await
            .ok()
            .and_then(std::result::Result::ok)
            .ok_or_else(Fault::too_many_connections)?;
        let slot = self
            .slots
            .take(&credentials.user, Purpose::Request, deadline)
            .await
            .map_err(|_| Fault::too_many_connections())?;
        let (session, logged_in) = match list.take(self.settings.max_lifetime).await {
            Some(taken) => taken,
            None => {
                self.make_room(&slot, &credentials.user).await;
                (self.log_in(credentials).await?, Instant::now())
            }
        };
        let key = session.backend_key();
        Ok(Lease {
            session: Some(session),
            logged_in,
            max_lifetime: self.settings.max_lifetime,
            key,
            upstream: Arc::clone(&self.upstream),
            cancels: self.cancels.clone(),
            metrics: Arc::clone(&self.metrics),
            list,
            place: Some((permit, slot)),
        })
    }

    /// Closes as many idle sessions, the oldest first, as have to give way before the holder of a slot opens a connection, and waits
    /// for those that are being closed anyway. Cancel safe.
    pub(crate) async fn make_room(&self, slot: &Slot, role: &str) {
        while let Some(surplus) = self.surplus(slot, role) {
            surplus.wait().await;
        }
    }

    /// How many sessions are idle.
    pub(crate) fn idle(&self) -> usize {
        lock(&self.lists).values().map(|list| lock(&list.idle).len()).sum()
    }

    /// Begins to close a session, or takes one that is being closed, where there are too many.
    fn surplus(&self, slot: &Slot, role: &str) -> Option<Closing> {
        let lists = lock(&self.lists);
        let of_role = |list: &&Arc<List>| list.role == role;
        let surplus = self.slots.surplus(
            slot,
            lists.values().map(|list| list.unused()).sum(),
            lists.values().filter(of_role).map(|list| list.unused()).sum(),
        )?;
        let concerned = || lists.values().filter(|list| surplus == Surplus::OfAnyRole || of_role(list));
        if let Some(closing) = concerned().find_map(|list| list.take_closing()) {
            return Some(closing);
        }
        let oldest = concerned().filter_map(|list| Some((list.oldest()?, list))).min_by_key(|(since, _)| *since);
        oldest.and_then(|(_, list)| list.take_oldest()).and_then(Idle::close_later)
    }

    async fn log_in(&self, credentials: &Credentials) -> Result<Session, Fault> {
        let Credentials { user, password, database } = credentials;
        let mut startup = Startup::new(user, RequireAuth::ANY)
            .password(password.clone())
            // The text of values goes into JSON, which is UTF-8.
            .parameter("client_encoding", "UTF8");
        startup.database = Some(database.clone()).filter(|database| !database.is_empty());
        let mut session = self.upstream.log_in(&startup).await.map_err(|error| {
            if error.as_db_error().is_some() {
                self.metrics.log_in_failed();
            } else {
                tracing::warn!("{error}");
            }
            Fault::from_login(&error, user)
        })?;
        session.set_max_message(self.settings.max_response.saturating_add(MESSAGE_SLACK));
        tracing::debug!("logged in at Postgres");
        Ok(session)
    }

    /// Closes the sessions that have been idle or logged in for too long. Runs until it is dropped.
    pub(crate) async fn keep_tidy(&self) {
        let Settings { idle_timeout, max_lifetime, .. } = self.settings;
        let mut interval = tokio::time::interval((idle_timeout.min(max_lifetime) / 2).max(Duration::from_millis(100)));
        loop {
            interval.tick().await;
            self.close_idle(idle_timeout);
            self.slots.tidy();
        }
    }

    /// Closes the sessions that have been idle for so long, or may not be used any more.
    pub(crate) fn close_idle(&self, idle: Duration) {
        lock(&self.lists).retain(|_, list| {
            list.close_idle(|entry| {
                entry.since.elapsed() >= idle || entry.logged_in.elapsed() >= self.settings.max_lifetime
            });
            // Credentials that nobody uses, wrong ones among them, leave nothing behind.
            list.unused() > 0 || Arc::strong_count(list) > 1
        });
    }

    fn list(&self, credentials: &Credentials) -> Arc<List> {
        let list = || Arc::new(List::new(&credentials.user, self.settings.size));
        Arc::clone(lock(&self.lists).entry(self.key(credentials)).or_insert_with(list))
    }

    fn key(&self, credentials: &Credentials) -> Key {
        let Credentials { user, password, database } = credentials;
        let mut mac = Hmac::<Sha256>::new(&self.secret.into());
        for part in [user.as_str(), password.reveal(), database] {
            // The length keeps two parts from being taken for two others.
            mac.update(&part.len().to_be_bytes());
            mac.update(part.as_bytes());
        }
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { upstream, slots, cancels: _, metrics: _, settings, secret: _, lists } = self;
        f.debug_struct("Pool")
            .field("upstream", upstream)
            .field("slots", slots)
            .field("settings", settings)
            .field("lists", &lock(lists).len())
            .finish_non_exhaustive()
    }
}

/// Closes a session, and returns when the server counts it no longer, or gives no sign of that.
async fn close(session: Session) {
    // The server notices the closed socket where the farewell is lost.
    let _ = timeout(CLOSE_TIMEOUT, session.close_completely()).await;
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
