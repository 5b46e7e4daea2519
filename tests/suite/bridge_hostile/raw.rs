use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpStream},
    os::unix::net::UnixStream,
    path::Path,
    time::Duration,
};

/// Against hanging.
const AT_MOST: Duration = Duration::from_secs(30);

/// A client that sends what it likes.
pub(super) struct Raw {
    stream: Stream,
}

enum Stream {
    Unix(UnixStream),
    Tcp(TcpStream),
}

/// A message from the server.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) tag: char,
    pub(super) body: Vec<u8>,
}

impl Raw {
    pub(super) fn unix(directory: &Path, port: u16) -> Self {
        let stream = UnixStream::connect(directory.join(format!(".s.PGSQL.{port}"))).unwrap();
        stream.set_read_timeout(Some(AT_MOST)).unwrap();
        stream.set_write_timeout(Some(AT_MOST)).unwrap();
        Self { stream: Stream::Unix(stream) }
    }

    pub(super) fn tcp(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(AT_MOST)).unwrap();
        stream.set_write_timeout(Some(AT_MOST)).unwrap();
        Self { stream: Stream::Tcp(stream) }
    }

    /// Logs in, with a password where one is asked for.
    pub(super) fn log_in(mut self, database: &str, password: &str) -> Self {
        let mut body = 196_608_u32.to_be_bytes().to_vec();
        body.extend(format!("user\0app\0database\0{database}\0\0").into_bytes());
        let mut startup = (body.len() as u32 + 4).to_be_bytes().to_vec();
        startup.extend(body);
        self.send(&startup);
        loop {
            let answer = self.next().expect("a log-in is answered");
            match (answer.tag, answer.body.as_slice()) {
                ('R', [0, 0, 0, 3]) => self.send(&message(b'p', format!("{password}\0").as_bytes())),
                ('Z', _) => return self,
                ('E', body) => panic!("the log-in fails: {}", String::from_utf8_lossy(body)),
                _ => {}
            }
        }
    }

    /// Sends, to a peer that may be gone by now.
    pub(super) fn send(&mut self, bytes: &[u8]) {
        let sent = match &mut self.stream {
            Stream::Unix(stream) => stream.write_all(bytes),
            Stream::Tcp(stream) => stream.write_all(bytes),
        };
        match sent {
            Err(error) if matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset) => {}
            sent => sent.expect("it goes on reading"),
        }
    }

    /// Says that nothing more comes.
    pub(super) fn end(&mut self) {
        // The peer may be gone.
        let _ = match &self.stream {
            Stream::Unix(stream) => stream.shutdown(Shutdown::Write),
            Stream::Tcp(stream) => stream.shutdown(Shutdown::Write),
        };
    }

    /// Another handle to the same connection.
    pub(super) fn another(&self) -> Self {
        let stream = match &self.stream {
            Stream::Unix(stream) => Stream::Unix(stream.try_clone().unwrap()),
            Stream::Tcp(stream) => Stream::Tcp(stream.try_clone().unwrap()),
        };
        Self { stream }
    }

    /// The next message; none at the end.
    pub(super) fn next(&mut self) -> Option<Answer> {
        let header: [u8; 5] = self.take(5)?.try_into().unwrap();
        let length = u32::from_be_bytes([header[1], header[2], header[3], header[4]]) as usize;
        let body = self.take(length.checked_sub(4).expect("a length")).expect("a whole message");
        Some(Answer { tag: header[0].into(), body })
    }

    /// The messages up to a count of ReadyForQuery, or to the end.
    pub(super) fn until_ready(&mut self, mut count: usize) -> Vec<Answer> {
        let mut answers = Vec::new();
        while count > 0 {
            let Some(answer) = self.next() else { break };
            count -= usize::from(answer.tag == 'Z');
            answers.push(answer);
        }
        answers
    }

    /// The next byte, where what comes need not be messages; none at the end.
    pub(super) fn raw_byte(&mut self) -> Option<u8> {
        self.take(1)?.pop()
    }

    fn take(&mut self, count: usize) -> Option<Vec<u8>> {
        let mut bytes = vec![0; count];
        let read = match &mut self.stream {
            Stream::Unix(stream) => stream.read_exact(&mut bytes),
            Stream::Tcp(stream) => stream.read_exact(&mut bytes),
        };
        match read {
            Ok(()) => Some(bytes),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                panic!("nothing comes for {AT_MOST:?}")
            }
            Err(_) => None,
        }
    }
}

impl Answer {
    /// The SQLSTATE of an error or a notice.
    pub(super) fn code(&self) -> Option<&str> {
        let field = self.body.split(|byte| *byte == 0).find(|field| field.first() == Some(&b'C'))?;
        std::str::from_utf8(field.get(1..)?).ok()
    }

    /// The text values of a row.
    pub(super) fn values(&self) -> Vec<String> {
        let mut rest = self.body.get(2..).unwrap_or_default();
        let mut values = Vec::new();
        while let Some((length, behind)) = rest.split_first_chunk::<4>() {
            let (value, behind) = behind.split_at(u32::from_be_bytes(*length) as usize);
            values.push(String::from_utf8_lossy(value).into_owned());
            rest = behind;
        }
        values
    }
}

/// What was answered, as short as it can be compared: tags, SQLSTATEs, values, the transaction's state. Without the columns that
/// a bridge tells before every execution.
pub(super) fn told(answers: &[Answer]) -> String {
    let one = |answer: &Answer| match answer.tag {
        'E' => format!("E({})", answer.code().unwrap_or("?")),
        'Z' => format!("Z({})", String::from_utf8_lossy(&answer.body)),
        'C' => format!("C({})", String::from_utf8_lossy(&answer.body).trim_end_matches('\0')),
        'D' => format!("D({})", answer.values().join(",")),
        tag => tag.to_string(),
    };
    let told = answers.iter().filter(|answer| !matches!(answer.tag, 'N' | 'S')).map(one).collect::<Vec<_>>();
    told.join(" ").replace("2 T ", "2 ")
}

pub(super) fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut message = vec![tag];
    message.extend((body.len() as u32 + 4).to_be_bytes());
    message.extend(body);
    message
}

pub(super) fn parse(name: &str, text: &str, types: &[u32]) -> Vec<u8> {
    let mut body = format!("{name}\0{text}\0").into_bytes();
    body.extend((types.len() as u16).to_be_bytes());
    body.extend(types.iter().flat_map(|type_| type_.to_be_bytes()));
    message(b'P', &body)
}

/// Binds text parameters; results come as text.
pub(super) fn bind(portal: &str, statement: &str, params: &[&str]) -> Vec<u8> {
    let mut body = format!("{portal}\0{statement}\0").into_bytes();
    body.extend([0, 0]);
    body.extend((params.len() as u16).to_be_bytes());
    for param in params {
        body.extend((param.len() as u32).to_be_bytes());
        body.extend(param.as_bytes());
    }
    body.extend([0, 0]);
    message(b'B', &body)
}

pub(super) fn describe(what: u8, name: &str) -> Vec<u8> {
    message(b'D', &[&[what], name.as_bytes(), b"\0"].concat())
}

pub(super) fn close(what: u8, name: &str) -> Vec<u8> {
    message(b'C', &[&[what], name.as_bytes(), b"\0"].concat())
}

pub(super) fn execute(portal: &str, max_rows: u32) -> Vec<u8> {
    message(b'E', &[portal.as_bytes(), b"\0", &max_rows.to_be_bytes()].concat())
}

pub(super) fn query(text: &str) -> Vec<u8> {
    message(b'Q', format!("{text}\0").as_bytes())
}

pub(super) fn sync() -> Vec<u8> {
    message(b'S', b"")
}

pub(super) fn flush() -> Vec<u8> {
    message(b'H', b"")
}
