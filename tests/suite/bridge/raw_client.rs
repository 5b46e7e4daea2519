use std::{
    io::{Read, Write},
    os::unix::net::UnixStream,
    path::Path,
    time::Duration,
};

/// A message's type and its body.
pub(super) type Message = (u8, Vec<u8>);

/// A client that says what it is told to.
pub(super) struct RawClient {
    stream: UnixStream,
}

impl RawClient {
    pub(super) fn connect(socket: &Path, user: &str, database: &str, password: Option<&str>) -> Self {
        Self::connect_with(socket, &["user", user, "database", database], password)
    }

    /// Connects with settings: names, each with its value behind it.
    pub(super) fn connect_with(socket: &Path, settings: &[&str], password: Option<&str>) -> Self {
        let mut stream = UnixStream::connect(socket).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let startup = [&196_608_u32.to_be_bytes()[..], &text(settings), b"\0"].concat();
        let length = u32::try_from(startup.len() + 4).unwrap().to_be_bytes();
        stream.write_all(&[&length[..], &startup].concat()).unwrap();
        let mut client = Self { stream };
        if let Some(password) = password {
            client.send(&[(b'p', [password.as_bytes(), b"\0"].concat())]);
        }
        client.answer();
        client
    }

    pub(super) fn send(&mut self, messages: &[Message]) {
        let mut bytes = Vec::new();
        for (tag, body) in messages {
            bytes.push(*tag);
            bytes.extend_from_slice(&u32::try_from(body.len() + 4).unwrap().to_be_bytes());
            bytes.extend_from_slice(body);
        }
        self.stream.write_all(&bytes).unwrap();
    }

    /// Reads up to and with the next ReadyForQuery.
    pub(super) fn answer(&mut self) -> Vec<Message> {
        let mut messages = Vec::new();
        loop {
            let message = self.read();
            let is_end = message.0 == b'Z';
            messages.push(message);
            if is_end {
                return messages;
            }
        }
    }

    pub(super) fn read(&mut self) -> Message {
        let mut head = [0; 5];
        self.stream.read_exact(&mut head).unwrap();
        let mut body = vec![0; u32::from_be_bytes(head[1..].try_into().unwrap()) as usize - 4];
        self.stream.read_exact(&mut body).unwrap();
        (head[0], body)
    }
}

fn text(words: &[&str]) -> Vec<u8> {
    words.iter().flat_map(|word| [word.as_bytes(), b"\0"].concat()).collect()
}

fn list<T>(items: &[T], write: impl Fn(&T) -> Vec<u8>) -> Vec<u8> {
    let mut bytes = u16::try_from(items.len()).unwrap().to_be_bytes().to_vec();
    bytes.extend(items.iter().flat_map(write));
    bytes
}

pub(super) fn query(script: &str) -> Message {
    (b'Q', text(&[script]))
}

pub(super) fn parse(name: &str, statement: &str, types: &[u32]) -> Message {
    (b'P', [text(&[name, statement]), list(types, |oid| oid.to_be_bytes().to_vec())].concat())
}

/// Binds parameters in text; the formats are the columns'.
pub(super) fn bind(portal: &str, statement: &str, params: &[&str], formats: &[i16]) -> Message {
    let values =
        list(params, |param| [&u32::try_from(param.len()).unwrap().to_be_bytes()[..], param.as_bytes()].concat());
    let formats = list(formats, |format| format.to_be_bytes().to_vec());
    (b'B', [text(&[portal, statement]), vec![0, 0], values, formats].concat())
}

pub(super) fn describe(kind: u8, name: &str) -> Message {
    (b'D', [vec![kind], text(&[name])].concat())
}

pub(super) fn execute(portal: &str, rows: i32) -> Message {
    (b'E', [text(&[portal]), rows.to_be_bytes().to_vec()].concat())
}

pub(super) fn close(kind: u8, name: &str) -> Message {
    (b'C', [vec![kind], text(&[name])].concat())
}

pub(super) fn sync() -> Message {
    (b'S', Vec::new())
}

pub(super) fn flush() -> Message {
    (b'H', Vec::new())
}

/// Calls `int4pl(1, 2)` by its OID, with arguments and result in text.
pub(super) fn call_int4pl() -> Message {
    const INT4PL: u32 = 177;
    let arguments = list(&["1", "2"], |value| [&1_u32.to_be_bytes()[..], value.as_bytes()].concat());
    (b'F', [&INT4PL.to_be_bytes()[..], &[0, 0], &arguments, &[0, 0]].concat())
}
