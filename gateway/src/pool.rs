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
    wire::{BackendKey, Client, Startup, TransactionStatus},
};
use sha2::Sha256;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinHandle,
    time::{Instant, timeout},
};

use crate::{
    spawn::spawn,
    sql::{Credentials, Fault, ValueKinds},
    upstream::{SharedUpstream, UpstreamStream},
};

/// How long a connection may have been idle before it is asked whether it is still there.
const TRUSTED: Duration = Duration::from_secs(1);

/// How long a request waits for a connection of its credentials to come free.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(30);

/// How much longer than a response a single message from Postgres may be, in bytes: for what becomes no part of it.
const MESSAGE_SLACK: usize = 1024 * 1024;

/// How long a connection may take to forget what a request did to it.
const RESET_TIMEOUT: Duration = Duration::from_secs(10);

type Session = Client<UpstreamStream>;

/// Sessions that are logged in, one list for each combination of user, password and database.
///
/// A session is given only to a request whose credentials logged it in. It is reset in the background after each request,
/// and closed when that fails, when it was abandoned in mid-query, when it stays idle, or when its log-in is so long ago that the
/// credentials may have changed.
pub(crate) struct Pool {
    upstream: SharedUpstream,
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

struct List {
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<Idle>>,
    kinds: ValueKinds,
}

/// A session that is being reset or has been.
struct Idle {
    since: Instant,
    logged_in: Instant,
    reset: JoinHandle<Option<Session>>,
}

impl Pool {
    pub(crate) fn new(upstream: SharedUpstream, settings: Settings) -> Result<Self> {
        let mut secret = [0; 64];
        getrandom::fill(&mut secret)
            .map_err(|error| pgferry::Error::connect(format!("the system gives no random bytes: {error}")))?;
        Ok(Self { upstream, settings, secret, lists: Mutex::default() })
    }

    /// Takes a session of these credentials, or logs in. Cancel safe.
    pub(crate) async fn lease(&self, credentials: &Credentials) -> Result<Lease, Fault> {
        let list = self.list(credentials);
        let permit = timeout(ACQUIRE_TIMEOUT, Arc::clone(&list.permits).acquire_owned())
            .await
            .ok()
            .and_then(std::result::Result::ok)
            .ok_or_else(Fault::too_many_connections)?;
        let (session, logged_in) = match list.take(self.settings.max_lifetime).await {
            Some(taken) => taken,
            None => (self.log_in(credentials).await?, Instant::now()),
        };
        let key = session.backend_key();
        Ok(Lease {
            session: Some(session),
            logged_in,
            max_lifetime: self.settings.max_lifetime,
            key,
            upstream: Arc::clone(&self.upstream),
            list,
            _permit: permit,
        })
    }

    async fn log_in(&self, credentials: &Credentials) -> Result<Session, Fault> {
        let Credentials { user, password, database } = credentials;
        let mut startup = Startup::new(user, RequireAuth::ANY)
            .password(password.clone())
            // The text of values goes into JSON, which is UTF-8.
            .parameter("client_encoding", "UTF8");
        startup.database = Some(database.clone()).filter(|database| !database.is_empty());
        let mut session = self.upstream.log_in(&startup).await.map_err(|error| Fault::from_login(&error, user))?;
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
        }
    }

    /// Closes the sessions that have been idle for so long, or may not be used any more.
    pub(crate) fn close_idle(&self, idle: Duration) {
        let mut expired = Vec::new();
        lock(&self.lists).retain(|_, list| {
            let mut waiting = lock(&list.idle);
            let (old, young) = waiting.drain(..).partition(|entry| {
                entry.since.elapsed() >= idle || entry.logged_in.elapsed() >= self.settings.max_lifetime
            });
            *waiting = young;
            expired.extend::<Vec<_>>(old);
            // Credentials that nobody uses, wrong ones among them, leave nothing behind.
            !waiting.is_empty() || Arc::strong_count(list) > 1
        });
        expired.into_iter().for_each(Idle::close);
    }

    fn list(&self, credentials: &Credentials) -> Arc<List> {
        let list = || {
            Arc::new(List {
                permits: Arc::new(Semaphore::new(self.settings.size.max(1))),
                idle: Mutex::default(),
                kinds: ValueKinds::default(),
            })
        };
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
        let Self { upstream, settings, secret: _, lists } = self;
        f.debug_struct("Pool")
            .field("upstream", upstream)
            .field("settings", settings)
            .field("lists", &lock(lists).len())
            .finish_non_exhaustive()
    }
}

impl List {
    /// Takes the session that was used last and is still good, with the time of its log-in.
    async fn take(&self, max_lifetime: Duration) -> Option<(Session, Instant)> {
        loop {
            let idle = lock(&self.idle).pop()?;
            if idle.logged_in.elapsed() >= max_lifetime {
                idle.close();
                continue;
            }
            let Idle { since, logged_in, reset } = idle;
            // What resets a session is bounded in time.
            let Ok(Some(mut session)) = reset.await else { continue };
            if since.elapsed() < TRUSTED || session.ping().await.is_ok() {
                return Some((session, logged_in));
            }
        }
    }
}

impl Idle {
    /// Closes the session in the background.
    fn close(self) {
        spawn(async move {
            if let Ok(Some(session)) = self.reset.await {
                close(session).await;
            }
        });
    }
}

async fn close(session: Session) {
    // The server notices the closed socket where the farewell is lost.
    let _ = session.close().await;
}

/// A session while one request uses it.
///
/// Dropping it without [`finish`](Self::finish) means that the request was given up in mid-query: the query is cancelled and
/// the session closed.
pub(crate) struct Lease {
    session: Option<Session>,
    logged_in: Instant,
    max_lifetime: Duration,
    key: Option<BackendKey>,
    upstream: SharedUpstream,
    list: Arc<List>,
    _permit: OwnedSemaphorePermit,
}

impl Lease {
    /// Returns the session, and what is known of its database's types.
    pub(crate) fn parts(&mut self) -> Option<(&mut Session, &ValueKinds)> {
        Some((self.session.as_mut()?, &self.list.kinds))
    }

    /// Gives the session back after its last query has ended, unless its time is over.
    pub(crate) fn finish(mut self) {
        let Some(session) = self.session.take().filter(Client::is_usable) else { return };
        if self.logged_in.elapsed() >= self.max_lifetime {
            return spawn(close(session));
        }
        let reset = tokio::spawn(reset(session));
        lock(&self.list.idle).push(Idle { since: Instant::now(), logged_in: self.logged_in, reset });
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(session) = self.session.take() else { return };
        let Some(key) = self.key else { return };
        let upstream = Arc::clone(&self.upstream);
        spawn(async move {
            if let Err(error) = upstream.cancel(key).await {
                tracing::warn!(%error, "an abandoned query could not be cancelled");
            }
            drop(session);
        });
    }
}

/// Makes a session as if it had just been opened; `None` where that fails.
async fn reset(mut session: Session) -> Option<Session> {
    let forget = async {
        if session.transaction_status() != TransactionStatus::Idle {
            run(&mut session, "ROLLBACK").await?;
        }
        // Everything else that a session can hold, advisory locks, LISTEN and the role included.
        run(&mut session, "DISCARD ALL").await
    };
    let done = timeout(RESET_TIMEOUT, forget).await;
    (matches!(done, Ok(Ok(()))) && session.transaction_status() == TransactionStatus::Idle).then_some(session)
}

async fn run(session: &mut Session, text: &str) -> Result<()> {
    session.simple_query(text).await?.finish().await?;
    session.take_notices();
    Ok(())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
