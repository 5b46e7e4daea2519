use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

use bytes::{Buf, Bytes};

use crate::frame::{self, Frame};

/// The prepared statements that a session made through the protocol, and which of them the backend has.
///
/// Another session's turn takes them away there, and they are parsed again when they are next used.
#[derive(Default)]
pub(crate) struct Journal {
    /// Each Parse message by its statement's name.
    statements: HashMap<Bytes, Frame>,
    live: HashSet<Bytes>,
    parsing: VecDeque<Parsing>,
    closing: VecDeque<Option<Bytes>>,
}

/// A Parse message that is under way.
struct Parsing {
    name: Bytes,
    frame: Frame,
    /// Whether the client did not send it now, and is not to hear of it.
    is_again: bool,
}

impl Journal {
    /// Notes what is sent.
    pub(crate) fn sent(&mut self, frame: &Frame) {
        let mut body = frame.body();
        match frame.tag {
            b'P' => {
                let name = frame::text(&mut body);
                self.parsing.push_back(Parsing { name, frame: frame.clone(), is_again: false });
            }
            b'C' => {
                let is_statement = body.first() == Some(&b'S');
                body.advance(usize::from(!body.is_empty()));
                self.closing.push_back(is_statement.then(|| frame::text(&mut body)));
            }
            // Which drops the unnamed one.
            b'Q' => {
                self.statements.remove(&b""[..]);
            }
            _ => {}
        }
    }

    /// Notes what is answered, and returns whether the client is to hear it.
    pub(crate) fn answered(&mut self, tag: u8) -> bool {
        match tag {
            b'1' => {
                if let Some(Parsing { name, frame, is_again }) = self.parsing.pop_front() {
                    self.live.insert(name.clone());
                    self.statements.insert(name, frame);
                    return !is_again;
                }
            }
            b'3' => {
                if let Some(Some(name)) = self.closing.pop_front() {
                    self.statements.remove(&name);
                    self.live.remove(&name);
                }
            }
            b'Z' => {
                self.parsing.clear();
                self.closing.clear();
            }
            _ => {}
        }
        true
    }

    /// Notes that another session has had its turn, before which the backend had these statements.
    pub(crate) fn lost(&mut self, parsed: Option<&BTreeSet<String>>) {
        self.retain(parsed);
        self.live.clear();
        self.parsing.clear();
        self.closing.clear();
    }

    /// Notes that the backend has these statements, of those that it had.
    pub(crate) fn retain(&mut self, parsed: Option<&BTreeSet<String>>) {
        if let Some(parsed) = parsed {
            let live = &self.live;
            self.statements.retain(|name, _| {
                // The unnamed one is in no list.
                name.is_empty()
                    || !live.contains(name)
                    || std::str::from_utf8(name).is_ok_and(|name| parsed.contains(name))
            });
        }
    }

    /// Notes that the backend was asked something of our own, which has dropped the unnamed statement there.
    pub(crate) fn asked(&mut self) {
        self.live.remove(&b""[..]);
    }

    /// Returns the Parse message that has to be sent again before a statement is used, and notes it as sent.
    pub(crate) fn again(&mut self, name: Bytes) -> Option<Frame> {
        let is_there = self.live.contains(&name)
            || self.parsing.iter().any(|parsing| parsing.name == name)
            || self.closing.iter().flatten().any(|closing| *closing == name);
        let frame = self.statements.get(&name).filter(|_| !is_there)?.clone();
        self.parsing.push_back(Parsing { name, frame: frame.clone(), is_again: true });
        Some(frame)
    }

    /// Returns the text of a statement, also of one whose Parse is under way.
    pub(crate) fn text(&self, name: &Bytes) -> Option<String> {
        let frame = self.parsing.iter().rev().find(|parsing| parsing.name == *name).map(|parsing| &parsing.frame);
        let mut body = frame.or_else(|| self.statements.get(name))?.body();
        frame::text(&mut body);
        Some(String::from_utf8_lossy(&frame::text(&mut body)).into_owned())
    }
}
