//! A client whose statements are requests over HTTP until one of them needs a session, and again once the session is of no more use.
//!
//! It is a group of messages that goes one way or the other: all up to what the client waits for. Most are judged by their texts
//! before anything is sent; what HTTP cannot carry after all goes to a session too, if it can have changed nothing before.

mod failures;
mod group;
mod judge;

use std::{io, time::Duration};

use tokio::io::{AsyncRead, AsyncWrite};

use self::{
    group::{Group, Next},
    judge::Judge,
};
use super::{
    cancels::Registration,
    session::{self, Client, Ended, How},
    shared::Shared,
    stateless::{self, Connection},
};
use crate::{
    error::{Error, Result, SqlState},
    execute::{HttpSession, Opening},
};
pub(super) use failures::Failures;

/// How long a session that nothing is kept in waits for the next statement: longer than a program pauses within one piece of work,
/// shorter than servers keep idle sessions open, which are few and may be paid for.
const LEAVES_AFTER: Duration = Duration::from_secs(5);

/// Serves a client until it goes.
pub(super) async fn serve<S>(
    client: Client<S>,
    opening: &Opening,
    http: &HttpSession,
    shared: &Shared,
    registration: &Registration<'_>,
) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let Some(mut connection) = stateless::open(client, opening, http, shared, registration).await? else {
        return Ok(());
    };
    loop {
        let Some(departure) = over_http(&mut connection, shared, registration).await? else { return Ok(()) };
        let (http, types) = connection.means();
        let how = How { is_welcomed: true, leaves_after: Some(LEAVES_AFTER), http: Some(http.clone()) };
        let ended = session::serve(connection.into_client(), opening, shared, registration, how).await?;
        connection = match ended {
            Ended::Gone => return Ok(()),
            Ended::Idle(client) => Connection::new(client, http, registration, types),
            Ended::Unopened(client, error) => {
                let mut connection = Connection::new(client, http, registration, types);
                if !refuse(&mut connection, departure.error(error), shared).await? {
                    return Ok(());
                }
                connection
            }
        };
    }
}

/// Why a client leaves HTTP; its messages are where they were read, as if they had not been looked at.
#[derive(Debug)]
enum Departure {
    /// By what was seen of them.
    Judged,
    /// HTTP has failed at them.
    Failed(Error),
}

impl Departure {
    /// What the client is told where there is no session either.
    fn error(self, unopened: Error) -> Error {
        match self {
            _ if unopened.code() == Some(&SqlState::QUERY_CANCELED) => unopened,
            Self::Judged => unopened.within("the statement needs a session"),
            Self::Failed(error) => error.with_source(unopened),
        }
    }
}

/// Serves a client by requests as long as they will do; `None` when it is gone.
async fn over_http<S>(
    connection: &mut Connection<'_, S>,
    shared: &Shared,
    registration: &Registration<'_>,
) -> io::Result<Option<Departure>>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    loop {
        let next = next(connection, shared).await?;
        registration.forget_cancel();
        let group = match next {
            Ok(Next::Group(group)) => group,
            Ok(Next::Large) => return Ok(Some(Departure::Judged)),
            Ok(Next::End) => return Ok(None),
            Err(error) => return connection.client.local.send_fatal(&error).await.map(|()| None),
        };
        let judge = Judge {
            statements: &connection.client.statements,
            dialect: connection.dialect(),
            failures: shared.failures(),
            describes_always: connection.client.describes_always,
        };
        if !connection.is_skipping() && judge.needs_session(&group.messages) {
            group.put_back(&mut connection.client.local.read);
            return Ok(Some(Departure::Judged));
        }
        let Group { bytes, messages } = group;
        let served = connection.serve_group(messages).await?;
        served.failures.iter().for_each(|text| shared.failures().note(text));
        if let Some(cause) = served.unserved {
            group::put_back(bytes, &mut connection.client.local.read);
            return Ok(Some(Departure::Failed(cause)));
        }
    }
}

/// Answers a client's next messages with the reason why there is no session for them; false if that ends the connection.
async fn refuse<S>(connection: &mut Connection<'_, S>, error: Error, shared: &Shared) -> io::Result<bool>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    match next(connection, shared).await? {
        Ok(Next::Group(group)) => connection.refuse_group(group.messages, error).await.map(|()| true),
        // What is too large is not all there to be skipped.
        Ok(Next::Large | Next::End) => connection.client.local.send_fatal(&error).await.map(|()| false),
        Err(error) => connection.client.local.send_fatal(&error).await.map(|()| false),
    }
}

async fn next<S>(connection: &mut Connection<'_, S>, shared: &Shared) -> io::Result<Result<Next>>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    group::next(&mut connection.client.local, shared.config().get_max_request_size()).await
}
