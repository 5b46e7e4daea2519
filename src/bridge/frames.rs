use std::io;

/// Messages up to this many bytes are looked at whole, larger ones pass as they come.
pub(super) const WHOLE: usize = 256 * 1024;

/// The largest message that Postgres sends or takes, in bytes.
const MAX_MESSAGE: usize = 1 << 30;

/// How much of a large message is looked at before it passes, in bytes: the names that it begins with.
const HEAD: usize = 4096;

/// A message in a buffer, or as much of it as has come of a large one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frame<'a> {
    pub(super) tag: u8,
    pub(super) body: &'a [u8],
    /// How many bytes it takes, its tag and length included.
    pub(super) size: usize,
}

impl Frame<'_> {
    pub(super) fn is_whole(&self) -> bool {
        self.body.len() + 5 == self.size
    }
}

/// Reads the message at a buffer's beginning; `None` while too little of it is there.
///
/// # Errors
///
/// When its length is none that a message can have.
pub(super) fn first(buffer: &[u8], whole: usize) -> io::Result<Option<Frame<'_>>> {
    let Some(&[tag, a, b, c, d]) = buffer.first_chunk() else { return Ok(None) };
    let length = u32::from_be_bytes([a, b, c, d]) as usize;
    if !(4..=MAX_MESSAGE).contains(&length) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("a message of {length} bytes is none of Postgres's"),
        ));
    }
    let size = length + 1;
    let body = match buffer.get(5..size) {
        Some(body) => body,
        None if length > whole && buffer.len() >= HEAD => &buffer[5..],
        None => return Ok(None),
    };
    Ok(Some(Frame { tag, body, size }))
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

    #[test]
    fn a_small_message_is_awaited_whole() {
        let bytes = [message(b'D', b"abc"), message(b'Z', b"I")].concat();
        for length in 0..8 {
            assert_eq!(first(&bytes[..length], WHOLE).unwrap(), None);
        }
        let frame = first(&bytes, WHOLE).unwrap().unwrap();
        assert_eq!(frame, Frame { tag: b'D', body: b"abc", size: 8 });
        assert!(frame.is_whole());
    }

    #[test]
    fn a_large_message_is_seen_by_its_head() {
        let bytes = message(b'D', &vec![7; WHOLE + 10]);
        assert_eq!(first(&bytes[..HEAD - 1], WHOLE).unwrap(), None);
        let frame = first(&bytes[..HEAD], WHOLE).unwrap().unwrap();
        assert_eq!((frame.tag, frame.size, frame.is_whole()), (b'D', bytes.len(), false));
        assert!(first(&bytes, WHOLE).unwrap().unwrap().is_whole());
    }

    #[test]
    fn a_length_that_cannot_be_is_an_error() {
        for length in [0_u32, 3, u32::MAX] {
            assert!(first(&[&b"D"[..], &length.to_be_bytes()].concat(), WHOLE).is_err());
        }
    }
}
