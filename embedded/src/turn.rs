use std::{
    io,
    sync::{Arc, PoisonError},
};

use pgferry::error::DbError;
use tokio::{
    sync::OwnedMutexGuard,
    task::spawn_blocking,
    time::{Instant, timeout_at},
};

use crate::{
    backend::{Backend, Failure},
    database,
    engine::Engine,
    message,
    session::{Cancelled, Identity, state},
    shared::{Occupant, Seat, Shared},
};

/// A session's turn at the backend, with its own state in it.
pub(crate) struct Turn {
    pub(crate) seat: OwnedMutexGuard<Seat>,
    /// Whether another session, or none, had it before.
    pub(crate) is_switch: bool,
}

/// Waits for a session's turn.
///
/// Not cancel safe.
///
/// # Errors
///
/// 55P03 when it does not come in time, with what keeps it, and 57014 when the client waits no longer; the session can go on. FATAL when the backend cannot be had, and what the
/// backend says against the session's database, role or settings.
pub(crate) async fn take(shared: &Arc<Shared>, me: &Identity, cancelled: &mut Cancelled) -> Result<Turn, Box<DbError>> {
    let deadline = Instant::now() + shared.queue_timeout;
    loop {
        let mut freed = std::pin::pin!(shared.freed.notified());
        freed.as_mut().enable();
        let mut seat = tokio::select! {
            () = cancelled.requested() => return Err(refused()),
            seat = timeout_at(deadline, Arc::clone(&shared.seat).lock_owned()) => {
                seat.map_err(|_| waited(shared, shared.said()))?
            }
        };
        if let Some(Occupant { session, .. }) = &seat.occupant
            && *session == me.number
            && seat.backend.is_some()
        {
            return Ok(Turn { seat, is_switch: false });
        }
        let pinned = match seat.occupant.as_ref().is_some_and(|occupant| occupant.unasked) {
            true => ask(&mut seat).await?,
            false => seat.occupant.as_ref().and_then(|occupant| occupant.pinned),
        };
        if let Some(reason) = pinned {
            drop(seat);
            tokio::select! {
                () = cancelled.requested() => return Err(refused()),
                freed = timeout_at(deadline, freed) => freed.map_err(|_| waited(shared, reason))?,
            }
            continue;
        }
        sit_down(shared, &mut seat, me).await?;
        return Ok(Turn { seat, is_switch: true });
    }
}

/// Asks what the session in the backend has left there, keeps it, and returns what cannot be kept.
///
/// Not cancel safe.
pub(crate) async fn ask(seat: &mut Seat) -> Result<Option<&'static str>, Box<DbError>> {
    let Seat { backend, occupant, .. } = seat;
    let (Some(backend), Some(occupant)) = (backend.as_mut(), occupant.as_mut()) else { return Ok(None) };
    let names = occupant.kept.lock().unwrap_or_else(PoisonError::into_inner).custom.clone();
    match state::ask(backend, &names).await {
        Ok(found) => {
            occupant.unasked = false;
            occupant.pinned = found.pinned;
            let mut kept = occupant.kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.state = found.state;
            // Few are kept whatever they are: a statement or function that was made with them may set them later.
            if kept.custom.are_many() {
                kept.custom.retain(&found.custom);
            }
            Ok(occupant.pinned)
        }
        Err(Failure::Refused(error)) => {
            tracing::warn!("a session's state cannot be read and is lost: {error}");
            occupant.unasked = false;
            Ok(None)
        }
        Err(Failure::Gone(_)) => {
            seat.backend = None;
            seat.occupant = None;
            Ok(None)
        }
    }
}

/// Makes the backend the session's own: the right database, role and settings, and nothing of another's.
///
/// Not cancel safe.
pub(crate) async fn sit_down(shared: &Arc<Shared>, seat: &mut Seat, me: &Identity) -> Result<(), Box<DbError>> {
    seat.occupant = None;
    // A backend that has ended is noticed when it is spoken to, and started again once.
    for _ in 0..2 {
        let failure = match try_to_sit_down(shared, seat, me).await {
            Ok(()) => {
                seat.occupant =
                    Some(Occupant { session: me.number, kept: Arc::clone(&me.kept), unasked: false, pinned: None });
                return Ok(());
            }
            Err(failure) => failure,
        };
        match failure {
            Failure::Refused(error) => return Err(error),
            Failure::Gone(error) => tracing::debug!("the embedded PostgreSQL's backend is gone: {error}"),
        }
        seat.backend = None;
        // Its backend may still be busy with what nobody waits for.
        let engine = seat.engine.take();
        let _ = spawn_blocking(|| drop(engine)).await;
    }
    Err(message::error(
        "FATAL",
        "57P03",
        "the embedded PostgreSQL does not start again",
        "Start pgferry anew, or install PostgreSQL and name it with --upstream.",
    ))
}

async fn try_to_sit_down(shared: &Arc<Shared>, seat: &mut Seat, me: &Identity) -> Result<(), Failure> {
    let backend = match seat.backend.take() {
        Some(mut backend) => {
            backend.ask("discard all").await?;
            if backend.database == me.database {
                backend
            } else if database::has_database(&mut backend, &me.database).await? {
                drop(backend);
                connect(shared, seat, &me.database).await?
            } else {
                seat.backend = Some(backend);
                return Err(Failure::Refused(no_database(&me.database)));
            }
        }
        None => connect(shared, seat, &me.database).await?,
    };
    let backend = seat.backend.insert(backend);
    if !me.has_logged_in && !database::has_role(backend, &me.user).await? {
        return Err(Failure::Refused(no_role(&me.user)));
    }
    let state = me.kept.lock().unwrap_or_else(PoisonError::into_inner).state.clone();
    state.restore(backend, me).await
}

/// Connects to the engine, which is started again where it has ended.
async fn connect(shared: &Shared, seat: &mut Seat, database: &str) -> Result<Backend, Failure> {
    if seat.engine.is_some() {
        match Backend::connect(&shared.launch.socket, database).await {
            Err(Failure::Gone(error)) => tracing::warn!("the embedded PostgreSQL ended and is started again: {error}"),
            other => return other,
        }
    }
    let (old, launch) = (seat.engine.take(), shared.launch.clone());
    let restart = move || {
        drop(old);
        Engine::start(&launch)
    };
    match spawn_blocking(restart).await {
        Ok(Ok(engine)) => seat.engine = Some(engine),
        Ok(Err(error)) => return Err(Failure::Gone(io::Error::other(format!("{error:#}")))),
        Err(error) => return Err(Failure::Gone(io::Error::other(error))),
    }
    Backend::connect(&shared.launch.socket, database).await
}

fn refused() -> Box<DbError> {
    message::error("ERROR", "57014", "canceling statement due to user request", "")
}

fn waited(shared: &Shared, reason: &str) -> Box<DbError> {
    let mut error = message::error(
        "ERROR",
        "55P03",
        format!(
            "the embedded PostgreSQL has one session at a time, and another kept it for {} s",
            shared.queue_timeout.as_secs_f32()
        ),
        "End what the other session holds, or cancel its statement. For sessions that run side by side, install PostgreSQL.",
    );
    error.detail = (!reason.is_empty()).then(|| format!("The other session {reason}."));
    error
}

fn no_database(name: &str) -> Box<DbError> {
    message::error(
        "FATAL",
        "3D000",
        format!("database \"{name}\" does not exist"),
        format!("The embedded PostgreSQL has the database {}; make others with CREATE DATABASE.", database::DATABASE),
    )
}

fn no_role(name: &str) -> Box<DbError> {
    message::error(
        "FATAL",
        "28000",
        format!("role \"{name}\" does not exist or may not log in"),
        format!("The embedded PostgreSQL has the role {}; make others with CREATE ROLE … LOGIN.", database::ROLE),
    )
}
