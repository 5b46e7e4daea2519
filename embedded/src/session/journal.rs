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
    parsing: VecDeque<(Bytes, Frame)>,
    closing: VecDeque<Option<Bytes>>,
}

impl Journal {
    /// Notes what is sent.
    pub(crate) fn sent(&mut self, frame: &Frame) {
        let mut body = frame.body();
        match frame.tag {
            b'P' => self.parsing.push_back((frame::text(&mut body), frame.clone())),
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

    /// Notes what is answered.
    pub(crate) fn answered(&mut self, tag: u8) {
        match tag {
            b'1' => {
                if let Some((name, frame)) = self.parsing.pop_front() {
                    self.live.insert(name.clone());
                    self.statements.insert(name, frame);
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
    }

    /// Notes that another session has had its turn, before which the backend had these statements.
    pub(crate) fn lost(&mut self, parsed: Option<&BTreeSet<String>>) {
        self.retain(parsed);
        self.live.clear();
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

    /// Returns the Parse message of a statement, where the session has it and the backend does not.
    pub(crate) fn missing(&self, name: &Bytes) -> Option<Bytes> {
        (!self.live.contains(name)).then(|| self.statements.get(name).map(|frame| frame.bytes.clone())).flatten()
    }

    /// Returns the names of all that are missing.
    pub(crate) fn all_missing(&self) -> Vec<Bytes> {
        self.statements.keys().filter(|name| !self.live.contains(*name)).cloned().collect()
    }

    /// Notes that a statement has been parsed again.
    pub(crate) fn revived(&mut self, name: Bytes) {
        self.live.insert(name);
    }

    /// Returns the text of a statement, also of one whose Parse is under way.
    pub(crate) fn text(&self, name: &Bytes) -> Option<String> {
        let frame = self.parsing.iter().rev().find(|(other, _)| other == name).map(|(_, frame)| frame);
        let mut body = frame.or_else(|| self.statements.get(name))?.body();
        frame::text(&mut body);
        Some(String::from_utf8_lossy(&frame::text(&mut body)).into_owned())
    }
}
