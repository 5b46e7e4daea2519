use std::fmt;

use bytes::{Buf, Bytes, BytesMut};

use crate::{
    Oid,
    error::{Error, Outcome, Result},
    wire::{Format, reader::Reader},
};

/// A message from a client after its startup.
#[derive(Clone, PartialEq, Eq)]
pub enum Frontend {
    /// A simple query of any number of statements.
    Query(String),
    /// Prepares a statement.
    Parse {
        /// The statement's name, empty for the unnamed one.
        name: String,
        /// Its text.
        text: String,
        /// The types of its first parameters, 0 each where the server shall infer.
        param_types: Vec<Oid>,
    },
    /// Makes a portal of a prepared statement and parameters.
    Bind {
        /// The portal's name, empty for the unnamed one.
        portal: String,
        /// The statement's name.
        statement: String,
        /// The parameters' formats: none for text, one for all, or one each.
        param_formats: Vec<Format>,
        /// The parameters, `None` for null.
        params: Vec<Option<Bytes>>,
        /// The columns' formats: none for text, one for all, or one each.
        result_formats: Vec<Format>,
    },
    /// Asks what a prepared statement takes and gives.
    DescribeStatement(String),
    /// Asks what a portal gives.
    DescribePortal(String),
    /// Runs a portal.
    Execute {
        /// The portal's name.
        portal: String,
        /// The most rows to give, 0 for all.
        max_rows: i32,
    },
    /// Forgets a prepared statement.
    CloseStatement(String),
    /// Forgets a portal.
    ClosePortal(String),
    /// Asks for what is ready to be sent.
    Flush,
    /// Ends a series of messages.
    Sync,
    /// Ends the session.
    Terminate,
    /// A password or a step of SASL, as it came: a password ends with a zero byte.
    Password(Bytes),
    /// A piece of a COPY.
    CopyData(Bytes),
    /// The end of a COPY.
    CopyDone,
    /// The client gives a COPY up, for this reason.
    CopyFail(String),
    /// A call of a function by its OID, which nothing has used for decades; its contents are not read.
    FunctionCall,
}

/// Takes one message off the buffer; `None` where it is not yet whole. `max` bounds its length in bytes.
///
/// # Errors
///
/// - A protocol error when the message is malformed or unknown; the connection cannot go on then.
/// - A limit when it is longer than `max`, which is noticed from its header.
pub fn read(buf: &mut BytesMut, max: usize) -> Result<Option<Frontend>> {
    match message_length(buf, max)? {
        Some(length) if length <= buf.len() => parse(buf.split_to(length).freeze()).map(Some),
        _ => Ok(None),
    }
}

/// Reads messages that have all come, so that their bytes can be kept beside what they mean.
///
/// # Errors
///
/// As [`read`]; a message that is cut short is malformed here.
#[cfg(feature = "client")]
pub(crate) fn read_all(mut bytes: Bytes) -> Result<Vec<Frontend>> {
    let mut messages = Vec::new();
    while !bytes.is_empty() {
        match message_length(&bytes, usize::MAX)? {
            Some(length) if length <= bytes.len() => messages.push(parse(bytes.split_to(length))?),
            _ => return Err(Error::protocol("a client's message is cut short", Outcome::NotExecuted)),
        }
    }
    Ok(messages)
}

/// Returns how many bytes the message at the beginning takes, its type included, once its header has come.
///
/// # Errors
///
/// As [`read`], for lengths that cannot be or are longer than `max`.
pub(crate) fn message_length(bytes: &[u8], max: usize) -> Result<Option<usize>> {
    let Some(&[_, a, b, c, d]) = bytes.first_chunk() else { return Ok(None) };
    let length = u32::from_be_bytes([a, b, c, d]) as usize;
    if length < 4 {
        return Err(Error::protocol(format!("a message of {length} bytes cannot be"), Outcome::NotExecuted));
    }
    if length > max {
        return Err(Error::limit(
            format!("a message of {length} bytes came and at most {max} are taken: send less at once"),
            Outcome::NotExecuted,
        ));
    }
    Ok(length.checked_add(1))
}

/// Reads a whole message, whose header says its length.
fn parse(mut message: Bytes) -> Result<Frontend> {
    let tag = message.first().copied().unwrap_or_default();
    message.advance(message.len().min(5));
    let mut reader = Reader::new(message, name(tag));
    let message = match tag {
        b'Q' => Frontend::Query(reader.text()?),
        b'P' => {
            Frontend::Parse { name: reader.text()?, text: reader.text()?, param_types: reader.list(4, Reader::u32)? }
        }
        b'B' => Frontend::Bind {
            portal: reader.text()?,
            statement: reader.text()?,
            param_formats: reader.list(2, format)?,
            params: reader.list(4, param)?,
            result_formats: reader.list(2, format)?,
        },
        b'D' => match reader.u8()? {
            b'S' => Frontend::DescribeStatement(reader.text()?),
            b'P' => Frontend::DescribePortal(reader.text()?),
            _ => return Err(reader.broken("it is about neither a statement nor a portal")),
        },
        b'E' => Frontend::Execute { portal: reader.text()?, max_rows: reader.i32()? },
        b'C' => match reader.u8()? {
            b'S' => Frontend::CloseStatement(reader.text()?),
            b'P' => Frontend::ClosePortal(reader.text()?),
            _ => return Err(reader.broken("it is about neither a statement nor a portal")),
        },
        b'H' => Frontend::Flush,
        b'S' => Frontend::Sync,
        b'X' => Frontend::Terminate,
        b'p' => return Ok(Frontend::Password(reader.rest())),
        b'd' => return Ok(Frontend::CopyData(reader.rest())),
        b'c' => Frontend::CopyDone,
        b'f' => Frontend::CopyFail(reader.text()?),
        b'F' => return Ok(Frontend::FunctionCall),
        _ => {
            return Err(Error::protocol(
                format!("a client's message cannot be of type {}", tag.escape_ascii()),
                Outcome::NotExecuted,
            ));
        }
    };
    reader.end()?;
    Ok(message)
}

fn format(reader: &mut Reader) -> Result<Format> {
    let code = reader.i16()?;
    Format::from_code(code).ok_or_else(|| reader.broken("a format is neither text nor binary"))
}

fn param(reader: &mut Reader) -> Result<Option<Bytes>> {
    match reader.i32()? {
        -1 => Ok(None),
        length => {
            let length = usize::try_from(length).map_err(|_| reader.broken("a length is negative"))?;
            reader.bytes(length).map(Some)
        }
    }
}

fn name(tag: u8) -> &'static str {
    match tag {
        b'Q' => "Query",
        b'P' => "Parse",
        b'B' => "Bind",
        b'D' => "Describe",
        b'E' => "Execute",
        b'C' => "Close",
        b'f' => "CopyFail",
        _ => "message",
    }
}

/// Shows no password and no value.
impl fmt::Debug for Frontend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Query(text) => f.debug_tuple("Query").field(text).finish(),
            Self::Parse { name, text, param_types } => f
                .debug_struct("Parse")
                .field("name", name)
                .field("text", text)
                .field("param_types", param_types)
                .finish(),
            Self::Bind { portal, statement, param_formats, params, result_formats } => f
                .debug_struct("Bind")
                .field("portal", portal)
                .field("statement", statement)
                .field("param_formats", param_formats)
                .field("params", &params.len())
                .field("result_formats", result_formats)
                .finish(),
            Self::DescribeStatement(name) => f.debug_tuple("DescribeStatement").field(name).finish(),
            Self::DescribePortal(name) => f.debug_tuple("DescribePortal").field(name).finish(),
            Self::Execute { portal, max_rows } => {
                f.debug_struct("Execute").field("portal", portal).field("max_rows", max_rows).finish()
            }
            Self::CloseStatement(name) => f.debug_tuple("CloseStatement").field(name).finish(),
            Self::ClosePortal(name) => f.debug_tuple("ClosePortal").field(name).finish(),
            Self::Flush => f.write_str("Flush"),
            Self::Sync => f.write_str("Sync"),
            Self::Terminate => f.write_str("Terminate"),
            Self::Password(_) => f.write_str("Password(…)"),
            Self::CopyData(data) => f.debug_tuple("CopyData").field(&data.len()).finish(),
            Self::CopyDone => f.write_str("CopyDone"),
            Self::CopyFail(reason) => f.debug_tuple("CopyFail").field(reason).finish(),
            Self::FunctionCall => f.write_str("FunctionCall"),
        }
    }
}

#[cfg(test)]
mod tests {
    use postgres_protocol::{IsNull, message::frontend};

    use super::*;

    /// Every message as postgres-protocol writes it, and what it is to be read as.
    fn samples() -> Vec<(BytesMut, Frontend)> {
        let mut samples = Vec::new();
        let mut add = |write: &dyn Fn(&mut BytesMut), message| {
            let mut buf = BytesMut::new();
            write(&mut buf);
            samples.push((buf, message));
        };
        add(&|buf| frontend::query("select 'é'", buf).unwrap(), Frontend::Query("select 'é'".into()));
        add(
            &|buf| frontend::parse("s", "select $1", [23, 0], buf).unwrap(),
            Frontend::Parse { name: "s".into(), text: "select $1".into(), param_types: vec![23, 0] },
        );
        add(
            &|buf| {
                let values = [Some(&b"\0\x01"[..]), None, Some(b"")];
                let write = |value: Option<&[u8]>, buf: &mut BytesMut| {
                    Ok(match value {
                        Some(value) => {
                            buf.extend_from_slice(value);
                            IsNull::No
                        }
                        None => IsNull::Yes,
                    })
                };
                assert!(frontend::bind("p", "s", [1, 0, 1], values, write, [1], buf).is_ok());
            },
            Frontend::Bind {
                portal: "p".into(),
                statement: "s".into(),
                param_formats: vec![Format::Binary, Format::Text, Format::Binary],
                params: vec![Some(Bytes::from_static(b"\0\x01")), None, Some(Bytes::new())],
                result_formats: vec![Format::Binary],
            },
        );
        add(&|buf| frontend::describe(b'S', "s", buf).unwrap(), Frontend::DescribeStatement("s".into()));
        add(&|buf| frontend::describe(b'P', "", buf).unwrap(), Frontend::DescribePortal(String::new()));
        add(&|buf| frontend::execute("p", 5, buf).unwrap(), Frontend::Execute { portal: "p".into(), max_rows: 5 });
        add(&|buf| frontend::close(b'S', "s", buf).unwrap(), Frontend::CloseStatement("s".into()));
        add(&|buf| frontend::close(b'P', "p", buf).unwrap(), Frontend::ClosePortal("p".into()));
        add(&|buf| frontend::flush(buf), Frontend::Flush);
        add(&|buf| frontend::sync(buf), Frontend::Sync);
        add(&|buf| frontend::terminate(buf), Frontend::Terminate);
        add(&|buf| frontend::password_message(b"pw", buf).unwrap(), Frontend::Password(Bytes::from_static(b"pw\0")));
        add(
            &|buf| frontend::CopyData::new(&b"1\n"[..]).unwrap().write(buf),
            Frontend::CopyData(Bytes::from_static(b"1\n")),
        );
        add(&|buf| frontend::copy_done(buf), Frontend::CopyDone);
        add(&|buf| frontend::copy_fail("no", buf).unwrap(), Frontend::CopyFail("no".into()));
        samples
    }

    #[test]
    fn every_message_is_read_and_its_truncations_wait() {
        for (whole, expected) in samples() {
            for length in 0..whole.len() {
                let mut part = BytesMut::from(&whole[..length]);
                assert_eq!(read(&mut part, 1000).unwrap(), None);
                assert_eq!(part, whole[..length], "nothing is taken");
            }
            let mut more = whole.clone();
            more.extend_from_slice(b"X");
            assert_eq!(read(&mut more, 1000).unwrap(), Some(expected));
            assert_eq!(&more[..], b"X");
        }
    }

    #[test]
    fn what_is_cut_short_or_goes_on_inside_is_an_error() {
        for (whole, expected) in samples() {
            let with_body = |body: &[u8]| {
                let length = u32::try_from(body.len() + 4).unwrap();
                BytesMut::from(&[&whole[..1], &length.to_be_bytes(), body].concat()[..])
            };
            if matches!(expected, Frontend::Password(_) | Frontend::CopyData(_)) {
                continue;
            }
            for length in 5..whole.len() {
                assert!(read(&mut with_body(&whole[5..length]), 1000).is_err(), "{expected:?} cut at {length}");
            }
            let longer = [&whole[5..], b"\0"].concat();
            assert!(read(&mut with_body(&longer), 1000).is_err(), "{expected:?} with more");
        }
    }

    #[test]
    fn lengths_and_counts_are_checked_before_anything_is_kept() {
        for length in [0_u32, 3, 1001, u32::MAX] {
            let bytes = [&b"Q"[..], &length.to_be_bytes()].concat();
            assert!(read(&mut BytesMut::from(&bytes[..]), 1000).is_err(), "{length}");
        }
        // A Parse that announces 65535 types, and a Bind with a parameter of -2 bytes.
        assert!(read(&mut BytesMut::from(&b"P\0\0\0\x08\0\0\xff\xff"[..]), 1000).is_err());
        assert!(read(&mut BytesMut::from(&b"B\0\0\0\x10\0\0\0\0\0\x01\xff\xff\xff\xfe\0\0"[..]), 1000).is_err());
        assert!(read(&mut BytesMut::from(&b"?\0\0\0\x04"[..]), 1000).is_err());
    }

    #[test]
    fn debug_shows_no_secret() {
        let password = Frontend::Password(Bytes::from_static(b"hunter2\0"));
        let bind = Frontend::Bind {
            portal: String::new(),
            statement: String::new(),
            param_formats: vec![],
            params: vec![Some(Bytes::from_static(b"hunter2"))],
            result_formats: vec![],
        };
        let shown = format!("{password:?} {bind:?} {:?}", Frontend::CopyData(Bytes::from_static(b"hunter2")));
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
