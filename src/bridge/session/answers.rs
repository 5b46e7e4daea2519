use std::io;

use bytes::BytesMut;
use postgres_protocol::message::frontend;

use super::{
    exchange::Exchange,
    expected::Reply,
    from_client::Taken,
    message::{self, Parse},
};
use crate::{
    Oid,
    bridge::{
        frames::{self, Frame, WHOLE},
        statement::Prepared,
        types::{Directory, Lookup, Named, asks_nullability, nullability_of_placeholder, placeholder},
    },
    error::Error,
    sql,
    wire::{
        Format, TransactionStatus,
        server::{self, Frontend},
    },
};

/// A type that every client knows.
const TEXT: Oid = 25;

/// How much of what closes statements may wait for the next flight, in bytes.
const MOST_CLOSING: usize = 16 * 1024;

/// What stands behind a message in the client's flight.
enum Behind {
    /// Not all of it has come.
    More,
    /// The Describe of a statement and a Sync, of so many bytes.
    Description(usize),
    /// A Sync, of so many bytes.
    Sync(usize),
    Other,
}

/// What is answered without the server.
///
/// Only in silence: an answer given here would overtake those that the server owes.
impl Exchange {
    /// Answers the first use of a statement as sqlx makes it: Parse, Describe and Sync, or Parse and Sync where it knows the columns
    /// from elsewhere. The server gets the statement with its first Bind. `None` where the server is to be asked.
    pub(super) fn answer_parse(&mut self, parse: &Parse<'_>, size: usize, behind: &[u8]) -> io::Result<Option<Taken>> {
        if !self.may_answer() || self.status == TransactionStatus::Failed {
            return Ok(None);
        }
        if !parse.name.is_empty() && self.statements.contains(parse.name) {
            return Ok(None);
        }
        let (is_described, behind) = match behind_parse(parse.name, behind)? {
            Behind::More => return Ok(Some(Taken::Nothing)),
            Behind::Other => return Ok(None),
            Behind::Description(bytes) => (true, bytes),
            Behind::Sync(bytes) => (false, bytes),
        };
        if self.awaits_own_answer() {
            return Ok(Some(Taken::Nothing));
        }
        let prepared = Prepared::new(parse.text, parse.param_types.clone());
        if is_described {
            // What is no command fails, and should where it is prepared.
            if self.changes_types || !prepared.is_declared() || !sql::is_command(parse.text) {
                return Ok(None);
            }
            let columns = if sql::gives_rows(parse.text) {
                let Some(type_oid) = self.type_to_tell(parse) else { return Ok(None) };
                self.told.described([type_oid]);
                Some([placeholder(type_oid)])
            } else {
                None
            };
            server::parse_complete(&mut self.to_client);
            server::parameter_description(&mut self.to_client, &prepared.param_types);
            match columns {
                Some(columns) => server::row_description(&mut self.to_client, &columns, Format::Text),
                None => server::no_data(&mut self.to_client),
            }
        } else {
            server::parse_complete(&mut self.to_client);
        }
        self.answer_ready();
        self.described = is_described.then(|| parse.name.to_owned());
        self.parsed.remove(parse.name);
        self.statements.insert(parse.name.to_owned(), prepared);
        Ok(Some(Taken::Here(size + behind)))
    }

    /// The type of the column that stands for a statement's: one that makes the client ask for types where it is to be told of some.
    /// `None` where the types are not known well enough.
    fn type_to_tell(&self, parse: &Parse<'_>) -> Option<Oid> {
        if self.types.must_be_described(parse.text) {
            return None;
        }
        match self.types.known() {
            Some(directory) if directory.names(parse.text) != Named::Known => None,
            Some(directory) => match self.told.unknown(&directory, parse.text) {
                // The server alone knows by which names the types are to be told.
                Some(_) if self.names_moved => None,
                unknown => Some(unknown.unwrap_or(TEXT)),
            },
            // A parameter may be all there is of a column.
            None if sql::gives_builtin_types(parse.text) && self.told.knows(parse.param_types.iter().copied()) => {
                Some(TEXT)
            }
            None => None,
        }
    }

    /// Answers closes of statements that a Sync follows; the server hears of them with the next flight.
    pub(super) fn answer_closes(&mut self, frame: &Frame<'_>, behind: &[u8]) -> io::Result<Option<Taken>> {
        if !self.may_answer() || self.closing.len() > MOST_CLOSING {
            return Ok(None);
        }
        let Some((b'S', name)) = message::target(frame.body) else { return Ok(None) };
        let mut names = vec![name];
        let (mut size, mut rest) = (frame.size, behind);
        loop {
            let Some(next) = frames::first(rest, WHOLE)? else { return Ok(Some(Taken::Nothing)) };
            size += next.size;
            match (next.tag, message::target(next.body)) {
                (b'C', Some((b'S', name))) => names.push(name),
                (b'S', _) => break,
                _ => return Ok(None),
            }
            rest = rest.get(next.size..).unwrap_or_default();
        }
        if self.awaits_own_answer() {
            return Ok(Some(Taken::Nothing));
        }
        for name in names {
            if self.may_have(name) {
                frontend::close(b'S', name, &mut self.closing)?;
                self.closes += 1;
            }
            self.note_closed(name);
            server::close_complete(&mut self.to_client);
        }
        self.answer_ready();
        Ok(Some(Taken::Here(size)))
    }

    /// Answers sqlx's question for types as the server would. `None` where the server is to be asked.
    pub(super) fn answer_lookup(&mut self, lookup: &Lookup<'_>, size: usize) -> io::Result<Option<Taken>> {
        if !self.may_answer() || self.status == TransactionStatus::Failed {
            return Ok(None);
        }
        if self.awaits_own_answer() {
            return Ok(Some(Taken::Nothing));
        }
        let directory = match lookup {
            Lookup::Placeholder => {
                self.check_described()?;
                return Ok(Some(Taken::Here(size)));
            }
            // What is told brings names with it.
            Lookup::Types(_) if self.changes_types || self.names_moved => None,
            Lookup::Types(_) => self.types.known(),
        };
        let is_answered = directory.is_some_and(|directory| self.answer_from(&directory, lookup));
        if is_answered {
            self.answer_ready();
        }
        Ok(is_answered.then_some(Taken::Here(size)))
    }

    /// Takes sqlx's question for the placeholder's table for what it tells: that a statement is only being prepared. So the server is shown
    /// it, and its error is the answer; and from now on it is the server that describes it.
    fn check_described(&mut self) -> io::Result<()> {
        let name = self.described.take();
        let unseen = name.filter(|name| !self.parsed.contains(name) && self.statements.contains(name));
        let Some(name) = unseen else {
            self.answer_placeholder();
            self.answer_ready();
            return Ok(());
        };
        if let Some(prepared) = self.statements.get(&name) {
            self.types.must_describe(&prepared.text);
        }
        self.open_flight();
        self.ensure_parsed(&name)?;
        frontend::sync(&mut self.to_server);
        self.starts(Reply::Check);
        Ok(())
    }

    /// Says that no table is behind the placeholder.
    pub(super) fn answer_placeholder(&mut self) {
        self.answer_from(&Directory::default(), &Lookup::Placeholder);
    }

    fn answer_from(&mut self, directory: &Directory, lookup: &Lookup<'_>) -> bool {
        let prepared = self.told.preparing().and_then(|name| self.statements.get(name));
        let text = prepared.map(|prepared| prepared.text.as_ref()).unwrap_or_default();
        let Some(Ok(answer)) = lookup.answer(directory, &mut self.told, text) else { return false };
        server::row_description(&mut self.to_client, &answer.columns, Format::Text);
        for row in &answer.rows {
            server::data_row(&mut self.to_client, row);
        }
        server::command_complete(&mut self.to_client, &format!("SELECT {}", answer.rows.len()));
        true
    }

    /// Refuses sqlx's question whether the columns of a statement can be null that it knows only the placeholder of.
    pub(super) fn refuse_nullability(&mut self, text: &str, frame: &Frame<'_>) -> bool {
        if !self.is_late || !self.is_quiet() || !frame.is_whole() || !asks_nullability(text) {
            return false;
        }
        let mut message = BytesMut::with_capacity(frame.size);
        message.extend_from_slice(&[frame.tag]);
        message.extend_from_slice(&u32::try_from(frame.size - 1).unwrap_or(u32::MAX).to_be_bytes());
        message.extend_from_slice(frame.body);
        let Ok(Some(Frontend::Bind { params, .. })) = server::read(&mut message, frame.size) else { return false };
        if !nullability_of_placeholder(text, &params) {
            return false;
        }
        let error = Error::refused(
            "the columns of a statement without parameters are not known before it is executed: add describe=always to the URL",
        );
        server::error_response(&mut self.to_client, &error.to_db_error());
        self.refused = true;
        true
    }

    /// Drops what follows a refused message, up to the Sync.
    pub(super) fn skip_refused(&mut self, frame: &Frame<'_>) -> Taken {
        if frame.tag == b'S' {
            self.refused = false;
            self.answer_ready();
        }
        Taken::Here(frame.size)
    }

    pub(super) fn answer_ready(&mut self) {
        server::ready_for_query(&mut self.to_client, self.status);
    }

    /// Whether something may be answered here, now or once the server has answered the bridge's own questions.
    fn may_answer(&self) -> bool {
        let is_silent = !self.copying && !self.is_open && (self.expected.is_empty() || self.awaits_own_answer());
        is_silent && self.is_late && self.reads_strings && self.reads_encoding
    }
}

fn behind_parse(name: &str, behind: &[u8]) -> io::Result<Behind> {
    let Some(next) = frames::first(behind, WHOLE)? else {
        // A client that waits for a part of its flight says so with a Flush.
        return Ok(if matches!(behind.first(), None | Some(b'D' | b'S')) { Behind::More } else { Behind::Other });
    };
    match next.tag {
        b'S' => Ok(Behind::Sync(next.size)),
        b'D' if message::target(next.body) == Some((b'S', name)) => {
            let rest = behind.get(next.size..).unwrap_or_default();
            Ok(match rest.first() {
                None => Behind::More,
                Some(b'S') => match frames::first(rest, WHOLE)? {
                    None => Behind::More,
                    Some(sync) => Behind::Description(next.size + sync.size),
                },
                Some(_) => Behind::Other,
            })
        }
        _ => Ok(Behind::Other),
    }
}
