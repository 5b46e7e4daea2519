use std::io;

use bytes::BytesMut;

/// Messages up to this many bytes are passed on whole, larger ones as they come.
const WHOLE: usize = 256 * 1024;

/// The largest message that Postgres sends or takes, in bytes.
const MAX_MESSAGE: usize = 1 << 30;

/// Where the messages in one direction of a relayed connection begin and end.
#[derive(Debug, Default)]
pub(super) struct Frames {
    /// How many bytes of a large message are still to pass.
    rest: usize,
}

/// A message's type byte and as much of its body as has come.
pub(super) struct Frame<'a> {
    pub(super) tag: u8,
    pub(super) body: &'a [u8],
}

impl Frames {
    /// Says how many bytes at the buffer's beginning can be passed on, and shows each message that begins there.
    ///
    /// A message that is neither whole nor large stays, so that whoever is told the connection's end in a message of its own
    /// is told between two messages.
    pub(super) fn pass(&mut self, buffer: &BytesMut, mut see: impl FnMut(Frame<'_>)) -> io::Result<usize> {
        let mut passed = self.rest.min(buffer.len());
        self.rest -= passed;
        while let Some(header) = buffer.get(passed..passed + 5) {
            let length = u32::from_be_bytes([header[1], header[2], header[3], header[4]]) as usize;
            if !(4..=MAX_MESSAGE).contains(&length) {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!("a message of {length} bytes is none of Postgres's"),
                ));
            }
            let (tag, end) = (header[0], passed + 1 + length);
            if let Some(body) = buffer.get(passed + 5..end) {
                see(Frame { tag, body });
                passed = end;
            } else if length > WHOLE {
                see(Frame { tag, body: &buffer[passed + 5..] });
                self.rest = end - buffer.len();
                passed = buffer.len();
            } else {
                break;
            }
        }
        Ok(passed)
    }

    /// Whether everything passed on so far ends with a message.
    pub(super) fn at_boundary(&self) -> bool {
        self.rest == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(tag: u8, body: &[u8]) -> Vec<u8> {
        let mut message = vec![tag];
        message.extend_from_slice(&(body.len() as u32 + 4).to_be_bytes());
        message.extend_from_slice(body);
        message
    }

    /// Feeds the bytes in pieces of a size and gives what was passed on, by piece, and the messages seen.
    fn relay(bytes: &[u8], piece: usize) -> (Vec<u8>, Vec<(u8, usize)>) {
        let (mut frames, mut buffer) = (Frames::default(), BytesMut::new());
        let (mut passed, mut seen) = (Vec::new(), Vec::new());
        for piece in bytes.chunks(piece) {
            buffer.extend_from_slice(piece);
            let count = frames.pass(&buffer, |frame| seen.push((frame.tag, frame.body.len()))).unwrap();
            passed.extend_from_slice(&buffer.split_to(count));
        }
        (passed, seen)
    }

    #[test]
    fn small_messages_pass_whole_however_they_are_cut() {
        let bytes = [message(b'1', b""), message(b'D', b"abc"), message(b'Z', b"I")].concat();
        for piece in 1..=bytes.len() {
            let (passed, seen) = relay(&bytes, piece);
            assert_eq!(passed, bytes);
            assert_eq!(seen, [(b'1', 0), (b'D', 3), (b'Z', 1)]);
        }
    }

    #[test]
    fn a_partial_message_waits() {
        let bytes = message(b'D', b"abc");
        let (passed, seen) = relay(&bytes[..bytes.len() - 1], 2);
        assert!(passed.is_empty() && seen.is_empty());
    }

    #[test]
    fn a_large_message_passes_as_it_comes() {
        let bytes = [message(b'D', &vec![7; WHOLE + 10]), message(b'Z', b"I")].concat();
        let (passed, seen) = relay(&bytes, 1000);
        assert_eq!(passed, bytes);
        assert_eq!(seen.iter().map(|(tag, _)| *tag).collect::<Vec<_>>(), b"DZ");
    }

    #[test]
    fn a_length_that_cannot_be_is_an_error() {
        for length in [0_u32, 3, u32::MAX] {
            let mut buffer = BytesMut::from(&b"D"[..]);
            buffer.extend_from_slice(&length.to_be_bytes());
            assert!(Frames::default().pass(&buffer, |_| {}).is_err());
        }
    }
}
