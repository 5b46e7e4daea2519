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
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinHandle,
    time::{Instant, timeout},
};

use crate::{
    sql::{Credentials, Fault, ValueKinds},
    upstream::{SharedUpstream, UpstreamStream},
};

/// How long a connection may have been idle before it is asked whether it is still there.
const TRUSTED: Duration = Duration::from_secs(1);

/// How long a request waits for a connection of its credentials to come free.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a connection may take to forget what a request did to it.
const RESET_TIMEOUT: Duration = Duration::from_secs(10);

type Session = Client<UpstreamStream>;

/// Sessions that are logged in, one list for each combination of user, password and database.
///
/// A session is given only to a request whose credentials logged it in. It is reset in the background after each request,
/// and closed when that fails, when it was abandoned in mid-query or when it stays idle.
pub(crate) struct Pool {
    upstream: SharedUpstream,
    /// Sessions in use at the same time for the same credentials.
    size: usize,
    idle_timeout: Duration,
    /// The lists are found by a keyed hash, so that no password stays in memory for their sake and none can be guessed
    /// from the time that a comparison takes.
    secret: [u8; 64],
    lists: Mutex<HashMap<Key, Arc<List>>>,
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
    reset: JoinHandle<Option<Session>>,
}

impl Pool {
    pub(crate) fn new(upstream: SharedUpstream, size: usize, idle_timeout: Duration) -> Result<Self> {
        let mut secret = [0; 64];
        getrandom::fill(&mut secret)
            .map_err(|error| pgferry::Error::connect(format!("the system gives no random bytes: {error}")))?;
        Ok(Self { upstream, size: size.max(1), idle_timeout, secret, lists: Mutex::default() })
    }

    /// Takes a session of these credentials, or logs in. Cancel safe.
    pub(crate) async fn lease(&self, credentials: &Credentials) -> Result<Lease, Fault> {
        let list = self.list(credentials);
        let permit = timeout(ACQUIRE_TIMEOUT, Arc::clone(&list.permits).acquire_owned())
            .await
            .ok()
            .and_then(std::result::Result::ok)
            .ok_or_else(Fault::too_many_connections)?;
        let session = match list.take().await {
            Some(session) => session,
            None => self.log_in(credentials).await?,
        };
        let key = session.backend_key();
        Ok(Lease { session: Some(session), key, upstream: Arc::clone(&self.upstream), list, _permit: permit })
    }

    async fn log_in(&self, credentials: &Credentials) -> Result<Session, Fault> {
        let Credentials { user, password, database } = credentials;
        let mut startup = Startup::new(user, RequireAuth::ANY)
            .password(password.clone())
            // The text of values goes into JSON, which is UTF-8.
            .parameter("client_encoding", "UTF8");
        startup.database = Some(database.clone()).filter(|database| !database.is_empty());
        let session = self.upstream.log_in(&startup).await.map_err(|error| Fault::from_login(&error, user))?;
        tracing::debug!("logged in at Postgres");
        Ok(session)
    }

    /// Closes the sessions that have been idle for too long. Runs until it is dropped.
    pub(crate) async fn keep_tidy(&self) {
        let mut interval = tokio::time::interval((self.idle_timeout / 2).max(Duration::from_millis(100)));
        loop {
            interval.tick().await;
            self.close_idle(self.idle_timeout);
        }
    }

    /// Closes the sessions that have been idle for so long.
    pub(crate) fn close_idle(&self, idle: Duration) {
        let mut expired = Vec::new();
        lock(&self.lists).retain(|_, list| {
            let mut waiting = lock(&list.idle);
            let (old, young) = waiting.drain(..).partition(|entry| entry.since.elapsed() >= idle);
            *waiting = young;
            expired.extend::<Vec<_>>(old);
            // Credentials that nobody uses, wrong ones among them, leave nothing behind.
            !waiting.is_empty() || Arc::strong_count(list) > 1
        });
        for Idle { since: _, reset } in expired {
            spawn(async move {
                if let Ok(Some(session)) = reset.await {
                    // The server notices the closed socket where the farewell is lost.
                    let _ = session.close().await;
                }
            });
        }
    }

    fn list(&self, credentials: &Credentials) -> Arc<List> {
        let list = || {
            Arc::new(List {
                permits: Arc::new(Semaphore::new(self.size)),
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
        let Self { upstream, size, idle_timeout, secret: _, lists } = self;
        f.debug_struct("Pool")
            .field("upstream", upstream)
            .field("size", size)
            .field("idle_timeout", idle_timeout)
            .field("lists", &lock(lists).len())
            .finish_non_exhaustive()
    }
}

impl List {
    /// Takes the session that was used last and is still good.
    async fn take(&self) -> Option<Session> {
        loop {
            let Idle { since, reset } = lock(&self.idle).pop()?;
            // What resets a session is bounded in time.
            let Ok(Some(mut session)) = reset.await else { continue };
            if since.elapsed() < TRUSTED || session.ping().await.is_ok() {
                return Some(session);
            }
        }
    }
}

/// A session while one request uses it.
///
/// Dropping it without [`finish`](Self::finish) means that the request was given up in mid-query: the query is cancelled and
/// the session closed.
pub(crate) struct Lease {
    session: Option<Session>,
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

    /// Gives the session back after its last query has ended.
    pub(crate) fn finish(mut self) {
        let Some(session) = self.session.take().filter(Client::is_usable) else { return };
        let reset = tokio::spawn(reset(session));
        lock(&self.list.idle).push(Idle { since: Instant::now(), reset });
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

/// Starts a task where there is still a runtime to start it on.
fn spawn(task: impl Future<Output = ()> + Send + 'static) {
    if let Ok(runtime) = Handle::try_current() {
        runtime.spawn(task);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
