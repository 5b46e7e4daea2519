use std::io;

use bytes::{Bytes, BytesMut};
use http::Response;
use pgferry::DbError;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, split},
    select,
    time::timeout,
};

use super::{
    cold_start::Running,
    drain::drain,
    http::IN_FLIGHT,
    injector::{End, Injector},
    kind::{Event, Manner},
    pace::Pace,
    traffic::{Done, Traffic},
};
use crate::sql::Body;

/// What a session's log-in met.
pub(crate) struct LogIn {
    rate: Option<u64>,
    running: Option<Running>,
}

/// A session to be carried both ways, with what goes wrong in it.
pub(crate) struct Relay<'a, C, U> {
    pub(crate) faults: &'a Injector,
    pub(crate) log_in: LogIn,
    pub(crate) client: C,
    pub(crate) upstream: U,
    /// What Postgres is told first: the startup message, where the log-in is relayed.
    pub(crate) startup: BytesMut,
    /// What was read behind it.
    pub(crate) unread: BytesMut,
    /// What the client is told first.
    pub(crate) greeting: Bytes,
}

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Nothing runs any more, and the WebSocket is closed as usual.
    Quietly,
    /// Something may be running.
    Abandoned,
    /// Something may be running, and the connection is closed without a word.
    Cut,
}

impl Injector {
    /// Refuses to open a WebSocket, where it does.
    pub(crate) fn refuse_upgrade(&self) -> Option<Response<Body>> {
        let strike = self.strike(Event::Upgrade);
        match strike.end {
            Some(End::Refused(refusal)) => Some(strike.mark(refusal.answer())),
            _ => None,
        }
    }

    /// Delays a session's log-in, or refuses it. Cancel safe.
    pub(crate) async fn log_in(&self) -> Result<LogIn, DbError> {
        let strike = self.strike(Event::LogIn);
        strike.delay().await;
        let running = match &self.cold_start {
            Some(cold_start) => Some(cold_start.wake().await.0),
            None => None,
        };
        strike.error().map_or(Ok(LogIn { rate: strike.rate, running }), Err)
    }
}

impl<C, U> Relay<'_, C, U>
where
    C: AsyncRead + AsyncWrite + Unpin,
    U: AsyncRead + AsyncWrite + Unpin,
{
    /// Carries messages until one side ends, or a fault ends them.
    pub(crate) async fn run(self) -> io::Result<Ended> {
        let Self { faults, log_in: LogIn { rate, running }, client, upstream, startup, unread, greeting } = self;
        let (mut from_client, mut to_client) = split(client);
        let (mut from_upstream, mut to_upstream) = split(upstream);
        to_client.write_all(&greeting).await?;
        to_client.flush().await?;
        to_upstream.write_all(&startup).await?;
        to_upstream.flush().await?;
        let relays_log_in = !startup.is_empty();
        // Its log-in keeps a compute awake.
        let running = running.filter(|_| relays_log_in);
        let traffic = Traffic::new(faults, to_client, rate.map(Pace::new), relays_log_in, running);
        let done = select! {
            done = traffic.carry_up(&mut from_client, &mut to_upstream, unread) => done?,
            done = traffic.carry_down(&mut from_upstream) => done?,
            done = traffic.fall_asleep() => done?,
        };
        match done {
            Done::Ended => Ok(Ended::Quietly),
            Done::ClientLeft => {
                // A client that has said goodbye leaves nothing running.
                let farewell = async {
                    to_upstream.shutdown().await?;
                    drain(&mut from_upstream).await
                };
                let ended = timeout(IN_FLIGHT, farewell).await.is_ok_and(|ended| ended.is_ok());
                Ok(if ended { Ended::Quietly } else { Ended::Abandoned })
            }
            Done::Lost(Manner::Drop) => Ok(Ended::Cut),
            Done::Lost(Manner::Hang) => {
                select! {
                    _ = drain(&mut from_client) => {}
                    () = faults.draining.cancelled() => {}
                }
                Ok(Ended::Cut)
            }
        }
    }
}
