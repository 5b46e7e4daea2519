use bytes::BytesMut;

/// The longest message of a client, in bytes.
pub(super) const MAX_MESSAGE: usize = 64 * 1024 * 1024;

/// The most that a client's messages may take before their Sync, in bytes, for a fault still to strike them.
pub(super) const MAX_HELD: usize = 16 * 1024 * 1024;

/// Takes a whole message of either side off what was received: a byte for its type, then its length (manual, section 55.7).
///
/// Errors are lengths that no message has, or that are over the limit.
pub(super) fn next(received: &mut BytesMut, limit: usize) -> std::io::Result<Option<BytesMut>> {
    let Some((head, _)) = received.split_first_chunk::<5>() else { return Ok(None) };
    let [_, length @ ..] = head;
    let length = usize::try_from(i32::from_be_bytes(*length)).ok().filter(|length| (4..=limit).contains(length));
    let length = length.and_then(|length| length.checked_add(1)).ok_or(std::io::ErrorKind::InvalidData)?;
    Ok((received.len() >= length).then(|| received.split_to(length)))
}

pub(super) fn kind(message: &[u8]) -> u8 {
    message.first().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_messages_are_taken() {
        let mut received = BytesMut::from(&b"Q\0\0\0\x06x\0S\0\0\0\x04H\0\0"[..]);
        let mut take = || next(&mut received, 6).ok().flatten().map(|message| message.to_vec());
        assert_eq!(take().as_deref(), Some(&b"Q\0\0\0\x06x\0"[..]));
        assert_eq!(take().as_deref(), Some(&b"S\0\0\0\x04"[..]));
        assert_eq!(take(), None);
        for nonsense in [&b"Q\0\0\0\x03"[..], b"Q\xff\xff\xff\xff", b"Q\0\0\0\x07"] {
            assert!(next(&mut BytesMut::from(nonsense), 6).is_err());
        }
    }
}
