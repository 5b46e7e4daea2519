use std::{collections::HashSet, io, sync::Arc};

use bytes::BytesMut;
use postgres_protocol::message::frontend;

use super::{
    expected::{Expected, Reply, Whose},
    held::{Change, Held},
    patience::Patience,
};
use crate::{
    bridge::{
        effects::Effects,
        statement::Statements,
        types::{self, Question, Types},
    },
    error::DbError,
    execute::HttpSession,
    wire::{DataRow, TransactionStatus},
};

/// How much may wait to be written in one direction before more of it is taken, in bytes.
pub(super) const ROOM: usize = 256 * 1024;

/// The messages between a client and the server: what of them passes, what is added and what is answered here. Does no I/O.
///
/// Messages keep their order in both directions. The server's replies are counted against the messages that they are to, so that
/// those to the bridge's own are kept from the client.
pub(super) struct Exchange {
    pub(super) statements: Statements,
    /// What the client has been told of types.
    pub(super) told: types::Client,
    pub(super) types: Arc<Types>,
    /// What else is to hear that types have changed.
    pub(super) http: Option<HttpSession>,
    /// Columns may be described with the rows.
    pub(super) is_late: bool,
    /// The server reads strings and characters as they are read here, so that texts mean the same.
    pub(super) reads_strings: bool,
    pub(super) reads_encoding: bool,
    /// The statements that the server has, by name.
    pub(super) parsed: HashSet<String>,
    /// Those that it may have or not, since the bridge's own `Parse` of them was skipped.
    pub(super) doubtful: HashSet<String>,
    pub(super) expected: Expected,
    pub(super) status: TransactionStatus,
    /// The server was sent messages whose Sync has not come.
    pub(super) is_open: bool,
    /// The server skips what comes until a Sync that has not come, since an error was before it.
    pub(super) skips: bool,
    /// The server takes data until the client ends it.
    pub(super) copying: bool,
    /// What was sent may change types, and it is not over.
    pub(super) changes_types: bool,
    /// Names may mean other types than the search path of the session's start says.
    pub(super) names_moved: bool,
    /// Something in the session outlives its transactions.
    pub(super) keeps_something: bool,
    /// The statement that was described here last, while nothing else was asked.
    pub(super) described: Option<String>,
    /// The server does not take the statement that it was shown.
    pub(super) check_failed: bool,
    pub(super) question: Option<Asking>,
    /// A result that waits until its types are known.
    pub(super) held: Option<Held>,
    /// What is to be changed of the server's message that is looked at.
    pub(super) change: Option<Change>,
    /// The types may be asked for on this session.
    pub(super) may_ask: bool,
    /// Messages that close statements, to travel with the next flight, and how many.
    pub(super) closing: BytesMut,
    pub(super) closes: usize,
    pub(super) patience: Patience,
    /// What is left of a large message of the client's, and what is to be sent behind it.
    pub(super) rest_up: usize,
    pub(super) behind: BytesMut,
    /// What is left of a large message of the server's, and whether it passes.
    pub(super) rest_down: usize,
    pub(super) rest_passes: bool,
    /// The server said that it ends the connection.
    pub(super) is_fatal: bool,
    /// The client said goodbye, or is to connect anew.
    pub(super) goodbye: bool,
    /// The client's messages up to its next Sync are dropped, since one of them was refused.
    pub(super) refused: bool,
    pub(super) to_server: BytesMut,
    pub(super) to_client: BytesMut,
}

/// A question for types under way.
pub(super) struct Asking {
    pub(super) question: Question,
    pub(super) rows: Vec<DataRow>,
    pub(super) error: Option<DbError>,
}

impl Exchange {
    pub(super) fn new(
        statements: Statements,
        told: types::Client,
        types: Arc<Types>,
        http: Option<HttpSession>,
        is_late: bool,
        patience: Patience,
    ) -> Self {
        Self {
            statements,
            told,
            types,
            http,
            is_late,
            reads_strings: true,
            reads_encoding: true,
            parsed: HashSet::new(),
            doubtful: HashSet::new(),
            expected: Expected::default(),
            status: TransactionStatus::Idle,
            is_open: false,
            skips: false,
            copying: false,
            changes_types: false,
            names_moved: false,
            keeps_something: false,
            described: None,
            check_failed: false,
            question: None,
            held: None,
            change: None,
            may_ask: true,
            closing: BytesMut::new(),
            closes: 0,
            patience,
            rest_up: 0,
            behind: BytesMut::new(),
            rest_down: 0,
            rest_passes: true,
            is_fatal: false,
            goodbye: false,
            refused: false,
            to_server: BytesMut::new(),
            to_client: BytesMut::new(),
        }
    }

    /// Whether the server has answered everything, and is in the middle of nothing.
    pub(super) fn is_quiet(&self) -> bool {
        self.expected.is_empty() && !self.copying && !self.is_open
    }

    /// Whether the session can be given up without losing anything of the client's.
    pub(super) fn is_clean(&self) -> bool {
        self.is_quiet()
            && self.status == TransactionStatus::Idle
            && !self.keeps_something
            && !self.goodbye
            && !self.refused
            && (self.rest_up, self.rest_down) == (0, 0)
            && self.to_client.is_empty()
            && self.to_server.is_empty()
    }

    /// Whether the client is better off with another connection, and loses nothing with this one.
    pub(super) fn is_to_be_replaced(&self) -> bool {
        self.told.is_behind() && !self.keeps_something && self.status == TransactionStatus::Idle
    }

    /// Whether a message of the bridge's own would be understood by the client, and is not made needless by the server's.
    pub(super) fn can_speak(&self) -> bool {
        self.rest_down == 0 && !self.is_fatal
    }

    /// Whether something of the client's runs, as far as is known.
    pub(super) fn is_running(&self) -> bool {
        self.held.is_some() || !self.expected.is_only_questions()
    }

    /// Begins what is sent after silence with what waited for it.
    pub(super) fn open_flight(&mut self) {
        if self.is_quiet() && self.closes > 0 {
            let closing = self.closing.split();
            self.to_server.extend_from_slice(&closing);
            for _ in 0..std::mem::take(&mut self.closes) {
                self.expected.push(Reply::Close(Whose::Bridges));
            }
        }
    }

    /// Asks for the types if they are not known, before a flight in which somebody may want them.
    pub(super) fn ask_for_types(&mut self) -> io::Result<()> {
        // In a transaction of the client's it would fix the snapshot, and might fail what the client has done.
        if self.is_quiet() && self.status == TransactionStatus::Idle && self.wants_types() {
            // What is closed may be the namesake of what comes behind the question.
            self.open_flight();
            let mut out = std::mem::take(&mut self.to_server);
            self.question(&mut out)?;
            self.to_server = out;
            // The client may come to wait for it.
            self.starts(Reply::Question);
        }
        Ok(())
    }

    /// Returns the first flight of a session that is not open yet: before what the client sent, its settings and the question for
    /// types.
    pub(super) fn first_flight(&mut self, settings: Option<&str>) -> io::Result<BytesMut> {
        let mut out = BytesMut::new();
        if let Some(settings) = settings {
            frontend::query(settings, &mut out)?;
        }
        if self.wants_types() {
            self.question(&mut out)?;
            self.expected.push_first(Reply::Question);
        }
        if settings.is_some() {
            self.expected.push_first(Reply::Settings);
        }
        out.unsplit(self.to_server.split());
        Ok(out)
    }

    fn wants_types(&self) -> bool {
        self.is_late && self.may_ask && self.question.is_none() && self.types.known().is_none()
    }

    pub(super) fn question(&mut self, out: &mut BytesMut) -> io::Result<()> {
        /// A name of the bridge's own leaves the client's unnamed statement and portal alone.
        const NAME: &str = "pgferry_types";
        let question = self.types.question();
        frontend::parse(NAME, question.text(), [], out)?;
        bind_without_parameters(NAME, NAME, out)?;
        frontend::execute(NAME, 0, out)?;
        frontend::close(b'P', NAME, out)?;
        frontend::close(b'S', NAME, out)?;
        frontend::sync(out);
        self.question = Some(Asking { question, rows: Vec::new(), error: None });
        Ok(())
    }

    /// Notes that something with these effects is sent.
    pub(super) fn note_effects(&mut self, effects: Effects) {
        self.changes_types |= effects.change_types;
        self.names_moved |= effects.move_names;
        self.keeps_something |= effects.outlive_transaction;
        if effects.discard_all {
            // It fails inside a transaction, and then discards nothing.
            self.keeps_something &= self.status != TransactionStatus::Idle;
        }
    }

    /// Notes that something that the server was sent is over.
    pub(super) fn note_end(&mut self) {
        if self.changes_types && self.expected.is_empty() && self.status == TransactionStatus::Idle {
            self.changes_types = false;
            self.types.note_change();
            if let Some(http) = &self.http {
                http.note_changed_types();
            }
        }
    }

    /// Passes on what waits in one direction.
    pub(super) fn append(to: &mut BytesMut, bytes: BytesMut) {
        if to.is_empty() {
            *to = bytes;
        } else {
            to.unsplit(bytes);
        }
    }
}

fn bind_without_parameters(portal: &str, statement: &str, out: &mut BytesMut) -> io::Result<()> {
    let nothing = |(): (), _: &mut BytesMut| Ok(postgres_protocol::IsNull::Yes);
    let bound = frontend::bind(portal, statement, [], std::iter::empty::<()>(), nothing, [], out);
    bound.map_err(|error| match error {
        frontend::BindError::Conversion(error) => io::Error::other(error),
        frontend::BindError::Serialization(error) => error,
    })
}
