use std::{collections::VecDeque, io, sync::Arc};

use bytes::BytesMut;

use super::{end::End, exchange::Exchange, expected::Reply, from_server::unexpected, message};
use crate::{
    Oid,
    bridge::{
        frames::{self, Frame, WHOLE},
        types::{Directory, StandIns},
    },
    wire::server,
};

/// How much of a result may be held back, in bytes.
const MOST_HELD: usize = 16 * 1024 * 1024;

/// A result with a type that nobody has heard of, held back until the server has told what that is.
#[derive(Debug, Default)]
pub(super) struct Held {
    pub(super) messages: BytesMut,
    /// Of each `RowDescription` among them, whether it is one that the client did not ask for, and with which text.
    descriptions: VecDeque<Option<Late>>,
}

/// A description that comes with the rows.
#[derive(Clone, Debug)]
struct Late {
    text: Option<Arc<str>>,
}

/// What is to be changed of a message from the server before it passes.
#[derive(Debug, Default)]
pub(super) struct Change {
    /// Places in the message's body, and the types that are to stand there.
    types: Vec<(usize, Oid)>,
    /// What the client is told before it.
    notice: BytesMut,
}

impl Change {
    pub(super) fn apply(&self, to_client: &mut BytesMut, body: &mut [u8]) {
        to_client.extend_from_slice(&self.notice);
        for (place, oid) in &self.types {
            if let Some(bytes) = body.get_mut(*place..).and_then(<[u8]>::first_chunk_mut) {
                *bytes = oid.to_be_bytes();
            }
        }
    }
}

impl Exchange {
    /// Looks at the types of columns that come with the rows: a composite one, an array or a range that sqlx has not asked about makes it
    /// panic in its caller's task. Where nobody knows a type, the server is asked behind the statement what it is.
    pub(super) fn check_columns(&mut self, text: Option<Arc<str>>, frame: &Frame<'_>) -> Result<(), End> {
        let late = Late { text };
        if let Some(held) = &mut self.held {
            held.descriptions.push_back(Some(late));
            return Ok(());
        }
        let columns = message::column_types(frame.body).ok_or_else(|| unexpected(frame))?;
        if self.told.knows(columns.iter().map(|(_, oid)| *oid)) {
            return Ok(());
        }
        let directory = self.types.known().unwrap_or_default();
        let unknown = || columns.iter().map(|(_, oid)| *oid).filter(|oid| !self.told.is_known(&directory, *oid));
        if self.may_ask_behind() && unknown().next().is_some() {
            self.types.want(unknown());
            self.ask_behind()?;
            self.held = Some(Held { descriptions: [Some(late)].into(), ..Held::default() });
            return Ok(());
        }
        self.change = Some(self.change_of(&late, &directory, &columns));
        Ok(())
    }

    /// Notes a description that the client asked for.
    pub(super) fn note_asked_description(&mut self) {
        if let Some(held) = &mut self.held {
            held.descriptions.push_back(None);
        }
    }

    /// Whether the client has sent all of the statement, so that a question can follow it.
    fn may_ask_behind(&self) -> bool {
        self.may_ask
            && self.question.is_none()
            && !self.is_open
            && !self.copying
            && self.rest_up == 0
            && self.behind.is_empty()
    }

    fn ask_behind(&mut self) -> io::Result<()> {
        let mut out = std::mem::take(&mut self.to_server);
        self.question(&mut out)?;
        self.to_server = out;
        self.starts(Reply::Question);
        Ok(())
    }

    fn change_of(&mut self, late: &Late, directory: &Directory, columns: &[(usize, Oid)]) -> Change {
        let StandIns { columns: replaced, notice } =
            self.told.stand_ins(&self.types, directory, columns.iter().map(|(_, oid)| *oid));
        let mut change = Change::default();
        for (index, oid) in replaced {
            change.types.extend(columns.get(index).map(|(place, _)| (*place, oid)));
        }
        if let Some(notice) = notice {
            server::notice_response(&mut change.notice, &notice);
            if let Some(text) = &late.text {
                // Whoever connects anew is to understand it.
                self.types.must_describe(text);
            }
        }
        change
    }

    /// Passes on what is held back by what is known now, when it is more than should be.
    pub(super) fn check_held(&mut self) {
        if self.held.as_ref().is_some_and(|held| held.messages.len() > MOST_HELD) {
            let directory = self.types.known().unwrap_or_default();
            self.release_held(&directory);
        }
    }

    /// Passes on what was held back.
    pub(super) fn release_held(&mut self, directory: &Directory) {
        let Some(Held { mut messages, mut descriptions }) = self.held.take() else { return };
        while let Ok(Some(frame)) = frames::first(&messages, WHOLE) {
            let size = frame.size.min(messages.len());
            let late = if frame.tag == b'T' { descriptions.pop_front().flatten() } else { None };
            let columns = late.as_ref().and_then(|_| message::column_types(frame.body));
            let mut part = messages.split_to(size);
            if let Some((late, columns)) = late.zip(columns)
                && let Some(body) = part.get_mut(5..)
            {
                self.change_of(&late, directory, &columns).apply(&mut self.to_client, body);
            }
            Self::append(&mut self.to_client, part);
        }
        Self::append(&mut self.to_client, messages);
    }
}
