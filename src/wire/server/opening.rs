use bytes::{Buf, BytesMut};

use crate::{
    error::{Error, Outcome, Result},
    wire::{BackendKey, reader::Reader},
};

/// The largest opening message that is taken, in bytes: Postgres's own bound.
pub const MAX_OPENING: usize = 10_000;

/// The first message of a connection, which has no type byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opening {
    /// Asks for TLS; to be answered with `S` or `N`, after which another opening comes.
    Ssl,
    /// Asks for GSSAPI encryption; to be answered with `G` or `N`, after which another opening comes.
    GssEnc,
    /// Asks to cancel what another session runs; nothing is answered.
    Cancel(BackendKey),
    /// Asks for a session.
    Startup(StartupMessage),
}

/// What a client opens a session with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartupMessage {
    /// The minor version of protocol 3 that the client speaks at most; anything above 0 is to be answered with a
    /// `NegotiateProtocolVersion`.
    pub minor: u16,
    /// The parameters in order: `user`, `database`, `options`, `application_name`, …
    pub parameters: Vec<(String, String)>,
}

impl StartupMessage {
    /// Returns a parameter's value, the last where it is given several times.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().rev().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}

/// Takes one opening message off the buffer; `None` where it is not yet whole.
///
/// # Errors
///
/// A protocol error when it is malformed, longer than [`MAX_OPENING`] or of another protocol than version 3.
pub fn read_opening(buf: &mut BytesMut) -> Result<Option<Opening>> {
    let Some(length) = buf.first_chunk().map(|length| u32::from_be_bytes(*length) as usize) else { return Ok(None) };
    if !(8..=MAX_OPENING).contains(&length) {
        return Err(Error::protocol(
            format!("the connection begins with a message of {length} bytes, so what came is not Postgres's protocol"),
            Outcome::NotExecuted,
        ));
    }
    if buf.len() < length {
        return Ok(None);
    }
    let mut body = buf.split_to(length).freeze();
    body.advance(4);
    let mut reader = Reader::new(body, "opening message");
    let (major, minor) = (reader.u16()?, reader.u16()?);
    let opening = match (major, minor) {
        (1234, 5678) => Opening::Cancel(BackendKey { process_id: reader.i32()?, secret_key: reader.i32()? }),
        (1234, 5679) => Opening::Ssl,
        (1234, 5680) => Opening::GssEnc,
        (3, minor) => Opening::Startup(StartupMessage { minor, parameters: parameters(&mut reader)? }),
        _ => {
            return Err(Error::protocol(
                format!("the client speaks version {major}.{minor} of the protocol: use one that speaks version 3"),
                Outcome::NotExecuted,
            ));
        }
    };
    reader.end()?;
    Ok(Some(opening))
}

fn parameters(reader: &mut Reader) -> Result<Vec<(String, String)>> {
    let mut parameters = Vec::new();
    loop {
        let name = reader.text()?;
        if name.is_empty() {
            return Ok(parameters);
        }
        parameters.push((name, reader.text()?));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opening(body: &[u8]) -> BytesMut {
        let length = u32::try_from(body.len() + 4).unwrap();
        BytesMut::from(&[&length.to_be_bytes()[..], body].concat()[..])
    }

    #[test]
    fn each_kind_is_told_apart() {
        let cases = [
            (&b"\x04\xd2\x16\x2f"[..], Opening::Ssl),
            (b"\x04\xd2\x16\x30", Opening::GssEnc),
            (
                b"\x04\xd2\x16\x2e\0\0\0\x07\xff\xff\xff\xfe",
                Opening::Cancel(BackendKey { process_id: 7, secret_key: -2 }),
            ),
            (
                b"\0\x03\0\x02user\0app\0options\0\0\0",
                Opening::Startup(StartupMessage {
                    minor: 2,
                    parameters: vec![("user".into(), "app".into()), ("options".into(), String::new())],
                }),
            ),
        ];
        for (body, expected) in cases {
            let whole = opening(body);
            for length in 0..whole.len() {
                let mut part = BytesMut::from(&whole[..length]);
                assert!(read_opening(&mut part).unwrap().is_none());
                assert_eq!(part, whole[..length], "nothing is taken");
            }
            let mut more = whole.clone();
            more.extend_from_slice(b"next");
            assert_eq!(read_opening(&mut more).unwrap(), Some(expected));
            assert_eq!(&more[..], b"next");
        }
    }

    #[test]
    fn what_is_cut_short_inside_is_an_error() {
        for body in [&b"\0\x03\0\0user\0app\0\0"[..], b"\x04\xd2\x16\x2e\0\0\0\x07\xff\xff\xff\xfe"] {
            for length in 4..body.len() {
                assert!(read_opening(&mut opening(&body[..length])).is_err(), "{length}");
            }
        }
    }

    #[test]
    fn what_is_not_the_protocol_is_an_error() {
        for bytes in [&b"GET / HTTP/1.1\r\n"[..], b"\x16\x03\x01\x02\0\x01", b"\0\0\0\0", b"\0\0\0\x08\0\x02\0\0"] {
            assert!(read_opening(&mut BytesMut::from(bytes)).is_err());
        }
        assert!(read_opening(&mut opening(b"\x04\xd2\x16\x2fmore")).is_err());
        assert!(read_opening(&mut opening(b"\0\x03\0\0user\0\xff\0\0")).is_err());
    }
}
