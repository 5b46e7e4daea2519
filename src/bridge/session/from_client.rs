use std::{io, sync::Arc};

use bytes::BytesMut;
use postgres_protocol::message::frontend;

use super::{
    exchange::{Exchange, ROOM},
    expected::{Reply, Whose},
    message::{self, Parse},
};
use crate::bridge::{
    effects::Effects,
    frames::{self, Frame, WHOLE},
    statement::Prepared,
    types::Lookup,
};

/// Texts of statements up to this many bytes are looked at, larger ones pass unseen.
const WHOLE_TEXT: usize = 1024 * 1024;

/// What became of the client's next message.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// Nothing yet: more must come first, from the client or the server.
    Nothing,
    /// So many bytes were answered here.
    Here(usize),
    /// A message of so many bytes passes.
    Passes(usize),
}

impl Exchange {
    /// Takes of the client's messages what can be taken now.
    ///
    /// # Errors
    ///
    /// When a message cannot be one.
    pub(super) fn take_from_client(&mut self, buffer: &mut BytesMut) -> io::Result<()> {
        while self.to_server.len() < ROOM && self.to_client.len() < ROOM && !self.goodbye {
            if self.rest_up > 0 {
                if buffer.is_empty() {
                    return Ok(());
                }
                let part = buffer.split_to(self.rest_up.min(buffer.len()));
                self.rest_up -= part.len();
                Self::append(&mut self.to_server, part);
                self.end_of_message();
                continue;
            }
            let whole = if matches!(buffer.first(), Some(b'P' | b'Q')) { WHOLE_TEXT } else { WHOLE };
            let Some(frame) = frames::first(buffer, whole)? else { return Ok(()) };
            match self.client_message(&frame, buffer.get(frame.size..).unwrap_or_default())? {
                Taken::Nothing => return Ok(()),
                Taken::Here(bytes) => drop(buffer.split_to(bytes.min(buffer.len()))),
                Taken::Passes(size) => {
                    let part = buffer.split_to(size.min(buffer.len()));
                    self.rest_up = size - part.len();
                    Self::append(&mut self.to_server, part);
                    self.end_of_message();
                }
            }
        }
        Ok(())
    }

    /// Sends what was to follow the message that has passed.
    fn end_of_message(&mut self) {
        if self.rest_up == 0 && !self.behind.is_empty() {
            let behind = self.behind.split();
            self.to_server.extend_from_slice(&behind);
        }
    }

    fn client_message(&mut self, frame: &Frame<'_>, behind: &[u8]) -> io::Result<Taken> {
        let passes = Taken::Passes(frame.size);
        if self.refused && frame.tag != b'X' {
            return Ok(self.skip_refused(frame));
        }
        match frame.tag {
            b'P' => return self.client_parses(frame, behind),
            b'B' => return self.client_binds(frame),
            b'D' => self.client_describes(frame)?,
            b'E' => {
                self.open_flight();
                self.owes(Reply::Execute);
            }
            b'C' => match self.answer_closes(frame, behind)? {
                Some(taken) => return Ok(taken),
                None => self.client_closes(frame),
            },
            // A pool asks whether the connection lives, and opens another if it does not.
            b'S' if self.is_quiet() && self.is_to_be_replaced() => {
                self.goodbye = true;
                return Ok(Taken::Here(frame.size));
            }
            b'S' if self.is_quiet() && self.patience.is_fresh() => {
                self.answer_ready();
                return Ok(Taken::Here(frame.size));
            }
            // What the server says first decides whether it must be asked again.
            b'S' if self.awaits_own_answer() => return Ok(Taken::Nothing),
            b'S' => self.client_syncs(),
            b'H' => self.patience.restarts(),
            b'Q' => return self.client_queries(frame),
            b'F' => {
                self.open_flight();
                self.note_effects(Effects::UNKNOWN);
                self.starts(Reply::Query { is_lookup: false });
            }
            b'c' | b'f' => {
                if !self.copying && !self.expected.is_empty() {
                    self.expected.push(Reply::CopyEnd);
                }
                self.copying = false;
            }
            b'X' => {
                self.goodbye = true;
                return Ok(Taken::Here(frame.size));
            }
            // Data, and what the server will refuse by itself.
            _ => {}
        }
        Ok(passes)
    }

    fn client_parses(&mut self, frame: &Frame<'_>, behind: &[u8]) -> io::Result<Taken> {
        let parse = if frame.is_whole() { Parse::read(frame.body) } else { None };
        if let Some(parse) = &parse {
            self.told.parsed(parse.name, &parse.param_types);
        }
        if let Some(parse) = &parse
            && let Some(taken) = self.answer_parse(parse, frame.size, behind)?
        {
            return Ok(taken);
        }
        let name = message::name(frame.body).map_or("", |(name, _)| name);
        self.ask_for_types()?;
        self.open_flight();
        let mut again = None;
        if name.is_empty() || !self.statements.contains(name) {
            self.parsed.remove(name);
            self.statements.remove(name);
            match parse {
                Some(parse) => {
                    self.statements.insert(name.to_owned(), Prepared::new(parse.text, parse.param_types));
                }
                // Whoever goes on without this session would miss it.
                None => self.keeps_something = true,
            }
        } else {
            // The server is to say that there is one of this name, unless it has dropped that.
            self.ensure_parsed(name)?;
            match parse {
                Some(parse) => again = Some(Prepared::new(parse.text, parse.param_types)),
                None => {
                    self.statements.remove(name);
                    self.keeps_something = true;
                }
            }
        }
        self.owes(Reply::Parse { name: name.to_owned(), whose: Whose::Clients, again });
        Ok(Taken::Passes(frame.size))
    }

    fn client_binds(&mut self, frame: &Frame<'_>) -> io::Result<Taken> {
        let names = message::name(frame.body).and_then(|(portal, rest)| Some((portal, message::name(rest)?.0)));
        let Some((portal, statement)) = names else {
            self.note_effects(Effects::UNKNOWN);
            self.owes(Reply::Bind);
            return Ok(Taken::Passes(frame.size));
        };
        self.told.bound(statement);
        let prepared = self.statements.get(statement);
        let effects = prepared.map_or(Effects::UNKNOWN, Prepared::effects);
        let text = prepared.map(|prepared| Arc::clone(&prepared.text));
        let is_described = prepared.is_some_and(|prepared| prepared.is_described);
        if let Some(text) = &text
            && self.refuse_nullability(text, frame)
        {
            return Ok(Taken::Here(frame.size));
        }
        self.open_flight();
        self.ensure_parsed(statement)?;
        self.note_effects(effects);
        self.owes(Reply::Bind);
        if self.is_late && !is_described {
            frontend::describe(b'P', portal, &mut self.behind)?;
            self.expected.push(Reply::DescribeLate(text));
        }
        Ok(Taken::Passes(frame.size))
    }

    fn client_describes(&mut self, frame: &Frame<'_>) -> io::Result<()> {
        self.open_flight();
        let reply = match message::target(frame.body) {
            Some((b'S', name)) => {
                self.ensure_parsed(name)?;
                Reply::DescribeStatement(name.to_owned())
            }
            _ => Reply::DescribePortal,
        };
        self.owes(reply);
        Ok(())
    }

    fn client_closes(&mut self, frame: &Frame<'_>) {
        self.open_flight();
        if let Some((b'S', name)) = message::target(frame.body) {
            self.note_closed(name);
        }
        self.owes(Reply::Close(Whose::Clients));
    }

    fn client_syncs(&mut self) {
        // The server overlooks what comes while it takes a COPY's data.
        if self.copying {
            return;
        }
        if self.expected.is_empty() {
            self.patience.pings();
        }
        self.starts(Reply::Sync);
    }

    fn client_queries(&mut self, frame: &Frame<'_>) -> io::Result<Taken> {
        let text = if frame.is_whole() { message::query(frame.body) } else { None };
        let lookup = text.filter(|_| self.is_late).and_then(Lookup::recognise);
        self.told.queried(text.unwrap_or_default());
        if let Some(lookup) = &lookup
            && let Some(taken) = self.answer_lookup(lookup, frame.size)?
        {
            return Ok(taken);
        }
        self.ask_for_types()?;
        self.open_flight();
        // A simple query ends the unnamed statement (manual, section 55.2.3); but sqlx asks between parsing one and binding to it.
        self.parsed.remove("");
        if lookup.is_none() {
            self.statements.remove("");
        }
        self.note_effects(text.map_or(Effects::UNKNOWN, Effects::of));
        self.starts(Reply::Query { is_lookup: lookup.is_some() });
        Ok(Taken::Passes(frame.size))
    }

    /// Notes the reply to a message that a Sync is to follow.
    fn owes(&mut self, reply: Reply) {
        self.is_open = true;
        self.expected.push(reply);
    }

    pub(super) fn starts(&mut self, reply: Reply) {
        if self.expected.flights() == 0 {
            self.patience.restarts();
        }
        // What ends a flight ends what was begun before it, too.
        self.is_open = false;
        self.expected.push(reply);
    }

    /// Whether only answers to the bridge's own questions are awaited.
    pub(super) fn awaits_own_answer(&self) -> bool {
        !self.expected.is_empty() && self.expected.is_only_questions()
    }
}
