use std::{io, mem};

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::{
    bridge::handshake::Local,
    error::Result,
    wire::server::{self, Frontend},
};

/// The largest message that a client may send, in bytes: Postgres's own bound.
const MAX_MESSAGE: usize = 1 << 30;

/// How much is read at once of a group that is not whole yet, in bytes.
const READ: usize = 64 * 1024;

/// What a client sent up to and with a Sync, a Flush or a simple query: what it then waits for an answer to.
#[derive(Debug)]
pub(super) struct Group {
    /// As it came, for the case that a session must take it.
    pub(super) bytes: Bytes,
    pub(super) messages: Vec<Frontend>,
}

impl Group {
    /// Gives the bytes back to those that were read, at their beginning, as if they had not been taken.
    pub(super) fn put_back(self, read: &mut BytesMut) {
        drop(self.messages);
        put_back(self.bytes, read);
    }
}

/// Gives a group's bytes back as [`Group::put_back`] does; costs nothing once its messages are gone.
pub(super) fn put_back(bytes: Bytes, read: &mut BytesMut) {
    let behind = mem::replace(read, BytesMut::from(bytes));
    read.unsplit(behind);
}

/// What comes next from a client.
#[derive(Debug)]
pub(super) enum Next {
    Group(Group),
    /// A group that is too large for HTTP; its beginning stays where it was read.
    Large,
    /// Nothing more: the client said goodbye or went away.
    End,
}

/// Waits for a client's next group; one of more than `largest` bytes is not waited for to its end.
///
/// The outer error means that the client is gone, the inner one that it makes no sense.
pub(super) async fn next<S>(local: &mut Local<S>, largest: usize) -> io::Result<Result<Next>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut seen = 0;
    loop {
        match scan(&local.read, &mut seen, largest) {
            Ok(Scanned::Whole) => {
                let bytes = local.read.split_to(seen).freeze();
                return Ok(server::read_all(bytes.clone()).map(|messages| Next::Group(Group { bytes, messages })));
            }
            Ok(Scanned::Large) => return Ok(Ok(Next::Large)),
            Ok(Scanned::Goodbye) => return Ok(Ok(Next::End)),
            Ok(Scanned::Part) => {
                local.read.reserve(READ);
                if !local.fill().await? {
                    return Ok(Ok(Next::End));
                }
            }
            Err(error) => return Ok(Err(error)),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scanned {
    /// `seen` is where the group ends.
    Whole,
    Part,
    Large,
    Goodbye,
}

/// Goes on looking for a group's end behind the messages that were seen before.
fn scan(read: &[u8], seen: &mut usize, largest: usize) -> Result<Scanned> {
    loop {
        let rest = read.get(*seen..).unwrap_or_default();
        let Some(length) = server::message_length(rest, MAX_MESSAGE)? else { return Ok(Scanned::Part) };
        let tag = rest.first().copied().unwrap_or_default();
        if tag == b'X' {
            return Ok(Scanned::Goodbye);
        }
        let end = seen.saturating_add(length);
        if end > largest {
            return Ok(Scanned::Large);
        }
        if length > rest.len() {
            return Ok(Scanned::Part);
        }
        *seen = end;
        if matches!(tag, b'S' | b'H' | b'Q' | b'F') {
            return Ok(Scanned::Whole);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARSE: &[u8] = b"P\0\0\0\x10\0select 1\0\0\0";
    const SYNC: &[u8] = b"S\0\0\0\x04";
    const FLUSH: &[u8] = b"H\0\0\0\x04";
    const QUERY: &[u8] = b"Q\0\0\0\x0dselect 1\0";
    const GOODBYE: &[u8] = b"X\0\0\0\x04";

    /// A client that has sent these and says nothing more.
    fn local(pieces: &[&[u8]]) -> Local<io::Cursor<Vec<u8>>> {
        Local { stream: io::Cursor::default(), read: BytesMut::from(&pieces.concat()[..]) }
    }

    #[tokio::test]
    async fn a_group_ends_with_what_is_answered() {
        for end in [SYNC, FLUSH, QUERY] {
            let mut local = local(&[PARSE, end, SYNC]);
            let Next::Group(group) = next(&mut local, 1000).await.unwrap().unwrap() else { panic!("no group") };
            assert_eq!(group.messages.len(), 2);
            assert_eq!(&local.read[..], SYNC);
            group.put_back(&mut local.read);
            assert_eq!(&local.read[..], [PARSE, end, SYNC].concat());
        }
    }

    #[test]
    fn what_is_cut_short_is_waited_for_and_seen_once() {
        let whole = [PARSE, QUERY].concat();
        let mut seen = 0;
        for length in 0..whole.len() {
            assert_eq!(scan(&whole[..length], &mut seen, 1000).unwrap(), Scanned::Part);
            assert_eq!(seen, if length < PARSE.len() { 0 } else { PARSE.len() });
        }
        assert_eq!(scan(&whole, &mut seen, 1000).unwrap(), Scanned::Whole);
        assert_eq!(seen, whole.len());
    }

    #[test]
    fn a_large_group_is_known_by_its_header() {
        let header = [PARSE, b"B\0\0\x10\0"].concat();
        assert_eq!(scan(&header, &mut 0, 1000).unwrap(), Scanned::Large);
        assert_eq!(scan(&header, &mut 0, 10_000).unwrap(), Scanned::Part);
        assert_eq!(scan(&[PARSE, PARSE, SYNC].concat(), &mut 0, PARSE.len() + 3).unwrap(), Scanned::Large);
    }

    #[tokio::test]
    async fn a_client_that_goes_says_nothing_more() {
        for pieces in [&[GOODBYE][..], &[PARSE, GOODBYE], &[PARSE], &[]] {
            assert!(matches!(next(&mut local(pieces), 1000).await.unwrap().unwrap(), Next::End));
        }
    }

    #[tokio::test]
    async fn what_makes_no_sense_is_an_error() {
        for bytes in [&b"Q\0\0\0\x03"[..], b"S\0\0\0\x05\0", b"P\0\0\0\x05\0S\0\0\0\x04", b"?\0\0\0\x04S\0\0\0\x04"] {
            assert!(next(&mut local(&[bytes]), 1000).await.unwrap().is_err(), "{bytes:?}");
        }
    }
}
