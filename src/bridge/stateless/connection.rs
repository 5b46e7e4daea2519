use std::{collections::HashMap, io, mem, sync::Arc};

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{hand_over::HandOver, portal::Portal, step::Step};
use crate::{
    bridge::{attend::send_attending, cancels::Registration, session::Client, types::Types},
    error::Error,
    execute::HttpSession,
    sql::{self, Dialect},
    wire::{
        TransactionStatus,
        server::{self, Frontend},
    },
};

/// The largest message that a client may send, in bytes: Postgres's own bound.
const MAX_MESSAGE: usize = 1 << 30;

/// A logged-in client whose statements are requests.
pub(in crate::bridge) struct Connection<'a, S> {
    pub(in crate::bridge) client: Client<S>,
    pub(super) session: HttpSession,
    pub(super) registration: &'a Registration<'a>,
    pub(super) types: Arc<Types>,
    pub(super) portals: HashMap<String, Portal>,
    /// The portal that the client had described and has not executed yet.
    pub(super) described: Option<String>,
    /// The statement whose columns the client was told to hear of later, while nothing was bound since.
    pub(super) described_late: Option<String>,
    pub(super) steps: Vec<Step>,
    /// Something was executed since the last Sync, by a Flush.
    pub(super) flushed: bool,
    /// What was started last.
    pub(super) started: Vec<Arc<str>>,
    /// It may have written.
    pub(super) may_have_written: bool,
    /// What was started may change types, which is noted when it has ended.
    pub(super) may_change_types: bool,
    /// A step failed: everything up to the next Sync is skipped.
    pub(super) failed: bool,
    pub(super) out: BytesMut,
    pub(super) hand_over: HandOver,
}

impl<'a, S: AsyncRead + AsyncWrite + Unpin + Send> Connection<'a, S> {
    pub(in crate::bridge) fn new(
        client: Client<S>,
        session: HttpSession,
        registration: &'a Registration<'a>,
        types: Arc<Types>,
    ) -> Self {
        Self {
            client,
            session,
            registration,
            types,
            portals: HashMap::new(),
            described: None,
            described_late: None,
            steps: Vec::new(),
            flushed: false,
            started: Vec::new(),
            may_have_written: false,
            may_change_types: false,
            failed: false,
            out: BytesMut::new(),
            hand_over: HandOver::default(),
        }
    }

    /// Gives the client to somebody else to serve; between two groups of messages nothing is left behind.
    pub(in crate::bridge) fn into_client(self) -> Client<S> {
        self.client
    }

    /// What statements are executed with and described by.
    pub(in crate::bridge) fn means(&self) -> (HttpSession, Arc<Types>) {
        (self.session.clone(), Arc::clone(&self.types))
    }

    /// How the server reads texts, as far as that is known.
    pub(in crate::bridge) fn dialect(&self) -> Dialect {
        self.session.dialect()
    }

    /// Whether all messages up to the next Sync are skipped, since one before them failed.
    pub(in crate::bridge) fn is_skipping(&self) -> bool {
        self.failed
    }

    /// Serves the client until it goes.
    pub(super) async fn serve(mut self) -> io::Result<()> {
        loop {
            match server::read(&mut self.client.local.read, MAX_MESSAGE) {
                Ok(Some(Frontend::Terminate)) => return Ok(()),
                Ok(Some(message)) => self.take(message).await?,
                Ok(None) => {
                    if !self.client.local.fill().await? {
                        return Ok(());
                    }
                    self.registration.forget_cancel();
                }
                Err(error) => return self.client.local.send_fatal(&error).await,
            }
        }
    }

    pub(super) async fn take(&mut self, message: Frontend) -> io::Result<()> {
        match message {
            Frontend::Sync => self.sync().await,
            Frontend::Flush => self.flush().await,
            _ if self.failed => Ok(()),
            Frontend::Query(script) if self.ends_for(&script) => {
                self.end_for_copy_out(&Error::refused(sql::Effect::Copy.remedy().unwrap_or_default())).await
            }
            Frontend::Query(script) => self.simple_query(&script).await,
            // It is answered like a simple query, without waiting for a Sync.
            Frontend::FunctionCall => {
                let refused = Error::refused("function calls by OID are not carried over HTTP: select the function");
                self.give_up(refused).await?;
                self.ready().await
            }
            Frontend::DescribeStatement(name) => {
                let described = match self.check_described(&Frontend::DescribeStatement(name.clone())) {
                    Ok(()) => self.describe(&name).await?,
                    refused => refused,
                };
                match described {
                    Ok(()) => Ok(()),
                    Err(error) => self.give_up(error).await,
                }
            }
            message => match self.prepare(message) {
                Ok(()) => Ok(()),
                Err(error) => self.give_up(error).await,
            },
        }
    }

    async fn sync(&mut self) -> io::Result<()> {
        if self.steps.is_empty() && !self.failed && !self.flushed && self.client.types.is_behind() {
            // A pool asks whether the connection lives, and opens another if it does not.
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        if let Err(error) = self.check_described(&Frontend::Sync) {
            self.give_up(error).await?;
        }
        self.run_steps().await?;
        // The transaction ends here, and every portal with it.
        self.portals.clear();
        self.described = None;
        self.flushed = false;
        self.ready().await
    }

    async fn flush(&mut self) -> io::Result<()> {
        if let Err(error) = self.check_described(&Frontend::Flush) {
            self.give_up(error).await?;
        }
        self.run_steps().await?;
        self.note_change_of_types();
        self.write().await
    }

    /// Not before all that was sent has ended: until then, others are told of types as they were.
    pub(super) fn note_change_of_types(&mut self) {
        if mem::take(&mut self.may_change_types) {
            self.types.note_change();
        }
    }

    pub(super) async fn ready(&mut self) -> io::Result<()> {
        self.failed = false;
        self.note_change_of_types();
        if self.hand_over.is_decided() {
            self.out.clear();
            return Ok(());
        }
        server::ready_for_query(&mut self.out, TransactionStatus::Idle);
        self.write().await
    }

    /// Writes while something runs; false if that is to be cancelled.
    pub(super) async fn write_attending(&mut self) -> io::Result<bool> {
        self.hand_over.answer_begins();
        send_attending(&mut self.client.local, self.registration, &mut self.out).await
    }

    pub(super) async fn write(&mut self) -> io::Result<()> {
        self.hand_over.answer_begins();
        let out = self.out.split();
        self.client.local.send(&out).await
    }
}
