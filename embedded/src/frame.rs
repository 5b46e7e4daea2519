use bytes::{Buf, Bytes, BytesMut};

/// A message as it came: its type, and its bytes with type and length in front.
#[derive(Clone)]
pub(crate) struct Frame {
    pub(crate) tag: u8,
    pub(crate) bytes: Bytes,
}

/// What came is longer than what is taken, or is no message.
#[derive(Debug)]
pub(crate) struct Unframeable;

impl Frame {
    /// Takes a message off the buffer; `None` where it is not yet whole.
    pub(crate) fn take(buf: &mut BytesMut, max: usize) -> Result<Option<Self>, Unframeable> {
        let Some(&[tag, a, b, c, d]) = buf.first_chunk() else { return Ok(None) };
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        if length < 4 || length > max {
            return Err(Unframeable);
        }
        if buf.len() <= length {
            return Ok(None);
        }
        Ok(Some(Self { tag, bytes: buf.split_to(length + 1).freeze() }))
    }

    /// Returns what follows type and length.
    pub(crate) fn body(&self) -> Bytes {
        self.bytes.slice(5.min(self.bytes.len())..)
    }
}

/// Takes the bytes up to a zero byte, which is taken too; everything where there is none.
pub(crate) fn text(body: &mut Bytes) -> Bytes {
    let length = body.iter().position(|byte| *byte == 0).unwrap_or(body.len());
    let text = body.split_to(length);
    body.advance(usize::from(!body.is_empty()));
    text
}

/// Returns the first column of a `DataRow` and those after it, `None` for null and for what is cut short.
pub(crate) fn columns(mut body: Bytes) -> Vec<Option<String>> {
    let mut columns = Vec::new();
    let Ok(count) = body.try_get_u16() else { return columns };
    for _ in 0..count {
        let Ok(length) = body.try_get_i32() else { break };
        columns.push(match usize::try_from(length) {
            Ok(length) if length <= body.len() => Some(String::from_utf8_lossy(&body.split_to(length)).into_owned()),
            _ => None,
        });
    }
    columns
}
