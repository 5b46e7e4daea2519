//! What whoever passes a connection's bytes on must know of them: where messages begin and end, and of which kind they are.

use super::TransactionStatus;
use crate::error::{Error, Outcome, Result};

/// Follows the messages of one direction of a connection after its startup, without holding or copying them.
///
/// # Example
///
/// A relay that counts what the server still owes:
///
/// ```
/// use pgferry::wire::{TransactionStatus, relay::Scanner};
///
/// let mut scanner = Scanner::new();
/// let mut status = None;
/// // A CommandComplete and a ReadyForQuery, cut in the middle of both.
/// for chunk in [&b"C\0\0\0\x0dSEL"[..], b"ECT 1\0Z\0\0\0", b"\x05T"] {
///     scanner.scan(chunk, |message| {
///         if message.tag == b'Z' {
///             status = message.status();
///         }
///     })?;
/// }
/// assert_eq!(status, Some(TransactionStatus::Transaction));
/// assert!(scanner.at_boundary());
/// # Ok::<_, pgferry::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Scanner {
    header: [u8; 5],
    /// How many bytes of the header have come.
    known: usize,
    /// How many bytes of the body are still to come.
    rest: usize,
    /// The header is whole and not yet reported, since the body's first byte is to be reported with it.
    unreported: bool,
    max: usize,
}

/// A message that passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passing {
    /// The message's type byte.
    pub tag: u8,
    /// The body's length in bytes, without the header's five.
    pub length: usize,
    /// The body's first byte, where it has one: a `ReadyForQuery`'s status, `S` or `P` of a Describe or a Close.
    pub first: Option<u8>,
}

impl Passing {
    /// Returns the transaction status, of a `ReadyForQuery`.
    #[must_use]
    pub fn status(&self) -> Option<TransactionStatus> {
        if self.tag != b'Z' {
            return None;
        }
        self.first.and_then(TransactionStatus::from_byte)
    }
}

impl Scanner {
    /// Begins between two messages, with Postgres's own bound on a message's length.
    #[must_use]
    pub fn new() -> Self {
        Self::with_max(super::MAX_MESSAGE)
    }

    /// Begins between two messages, of at most this many bytes each.
    #[must_use]
    pub fn with_max(max: usize) -> Self {
        Self { header: [0; 5], known: 0, rest: 0, unreported: false, max }
    }

    /// Looks at the next bytes and shows each message as its header, and its body's first byte, pass.
    ///
    /// # Errors
    ///
    /// When a length cannot be; nothing after it can be understood, so that the connection has to end.
    pub fn scan(&mut self, mut chunk: &[u8], mut see: impl FnMut(Passing)) -> Result<()> {
        while let Some(first) = chunk.first().copied() {
            if self.known < self.header.len() {
                if let Some(next) = self.header.get_mut(self.known) {
                    *next = first;
                }
                self.known += 1;
                chunk = chunk.get(1..).unwrap_or_default();
                if self.known == self.header.len() {
                    self.begin()?;
                    if self.rest == 0 {
                        see(self.passing(None));
                        self.known = 0;
                    }
                }
                continue;
            }
            if self.unreported {
                see(self.passing(Some(first)));
                self.unreported = false;
            }
            let passed = self.rest.min(chunk.len());
            self.rest -= passed;
            chunk = chunk.get(passed..).unwrap_or_default();
            if self.rest == 0 {
                self.known = 0;
            }
        }
        Ok(())
    }

    /// Returns whether everything seen so far ends with a message.
    #[must_use]
    pub fn at_boundary(&self) -> bool {
        self.known == 0
    }

    fn begin(&mut self) -> Result<()> {
        let length = self.length();
        if length < 4 || length > self.max {
            return Err(Error::protocol(format!("a message of {length} bytes cannot be passed on"), Outcome::Unknown));
        }
        self.rest = length - 4;
        self.unreported = self.rest > 0;
        Ok(())
    }

    /// The length as the header has it, its own four bytes included.
    fn length(&self) -> usize {
        let [_, a, b, c, d] = self.header;
        u32::from_be_bytes([a, b, c, d]) as usize
    }

    fn passing(&self, first: Option<u8>) -> Passing {
        Passing { tag: self.header[0], length: self.length() - 4, first }
    }
}

impl Default for Scanner {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(tag: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).unwrap();
        [&[tag][..], &length.to_be_bytes(), body].concat()
    }

    #[test]
    fn messages_are_seen_however_they_are_cut() {
        let bytes = [message(b'1', b""), message(b'D', b"abc"), message(b'S', b""), message(b'Z', b"E")].concat();
        for piece in 1..=bytes.len() {
            let (mut scanner, mut seen) = (Scanner::new(), Vec::new());
            for chunk in bytes.chunks(piece) {
                scanner.scan(chunk, |passing| seen.push(passing)).unwrap();
            }
            assert!(scanner.at_boundary());
            let seen: Vec<_> = seen.iter().map(|message| (message.tag, message.length, message.first)).collect();
            assert_eq!(seen, [(b'1', 0, None), (b'D', 3, Some(b'a')), (b'S', 0, None), (b'Z', 1, Some(b'E'))]);
        }
    }

    #[test]
    fn a_message_under_way_is_no_boundary() {
        let bytes = message(b'D', b"abc");
        for length in 1..bytes.len() {
            let mut scanner = Scanner::new();
            scanner.scan(&bytes[..length], |_| {}).unwrap();
            assert!(!scanner.at_boundary(), "{length}");
        }
    }

    #[test]
    fn lengths_that_cannot_be_are_errors() {
        for length in [0_u32, 3, 101, u32::MAX] {
            let bytes = [&b"D"[..], &length.to_be_bytes()].concat();
            assert!(Scanner::with_max(100).scan(&bytes, |_| {}).is_err(), "{length}");
        }
    }
}
