use bytes::{Buf, Bytes};

use crate::frame::{self, Frame};

/// What a client sent up to a point where it awaits an answer.
pub(crate) struct Batch {
    pub(crate) frames: Vec<Frame>,
    pub(crate) end: End,
}

/// What makes the server answer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// A Sync.
    Sync,
    /// A simple query or a function call, which has its own ReadyForQuery.
    Query,
    /// A Flush: more is to come before a ReadyForQuery.
    Flush,
}

impl End {
    /// Returns what a message ends a batch with, if it does.
    pub(crate) fn of(tag: u8) -> Option<Self> {
        match tag {
            b'S' => Some(Self::Sync),
            b'Q' | b'F' => Some(Self::Query),
            b'H' => Some(Self::Flush),
            _ => None,
        }
    }
}

/// Returns the statement that a message uses, or would make.
pub(crate) fn statement(frame: &Frame) -> Option<Bytes> {
    let mut body = frame.body();
    match frame.tag {
        b'P' => Some(frame::text(&mut body)).filter(|name| !name.is_empty()),
        b'B' => {
            frame::text(&mut body);
            Some(frame::text(&mut body))
        }
        b'D' if body.first() == Some(&b'S') => {
            body.advance(1);
            Some(frame::text(&mut body))
        }
        _ => None,
    }
}

/// Returns the text that a message has the server read.
pub(crate) fn text(frame: &Frame) -> Option<String> {
    let mut body = frame.body();
    match frame.tag {
        b'Q' => {}
        b'P' => drop(frame::text(&mut body)),
        _ => return None,
    }
    Some(String::from_utf8_lossy(&frame::text(&mut body)).into_owned())
}
