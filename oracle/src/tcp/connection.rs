use std::{
    io::{Read, Write},
    net::{Ipv4Addr, TcpStream},
};

use anyhow::{Context, Result, bail, ensure};
use bytes::{Bytes, BytesMut};
use pgferry::Oid;
use postgres_protocol::{
    IsNull,
    message::{backend::Message, frontend},
};

use super::answer::{self, Answer, Failure};

/// The form of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Text = 0,
    Binary = 1,
}

/// A statement by the extended protocol, with everything that goes on the wire.
#[derive(Debug)]
pub(crate) struct Question<'a> {
    pub(crate) text: &'a str,
    pub(crate) types: &'a [Oid],
    pub(crate) params: &'a [Option<Bytes>],
    pub(crate) param_format: Format,
    /// One for all columns, or one each.
    pub(crate) results: &'a [Format],
}

/// A connection that the server asks for no password.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    received: BytesMut,
}

impl Connection {
    /// Logs in with the settings under which the codec's text is the server's.
    pub(crate) fn open(port: u16, user: &str, database: &str) -> Result<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_nodelay(true)?;
        let mut connection = Self { stream, received: BytesMut::with_capacity(1 << 16) };
        let parameters = [
            ("user", user),
            ("database", database),
            ("client_encoding", "UTF8"),
            ("DateStyle", "ISO, MDY"),
            ("TimeZone", "UTC"),
            ("IntervalStyle", "postgres"),
            ("bytea_output", "hex"),
            ("extra_float_digits", "1"),
            ("lc_monetary", "C"),
        ];
        let mut message = BytesMut::new();
        frontend::startup_message(parameters, &mut message)?;
        connection.stream.write_all(&message)?;
        let answer = connection.answer()?;
        answer.context("the log-in failed")?;
        Ok(connection)
    }

    /// Executes one statement by the extended protocol.
    pub(crate) fn ask(&mut self, question: &Question<'_>) -> Result<Result<Answer, Failure>> {
        let mut message = BytesMut::new();
        frontend::parse("", question.text, question.types.iter().copied(), &mut message)?;
        let bound = frontend::bind(
            "",
            "",
            [question.param_format as i16],
            question.params,
            |value, out| {
                Ok(match value {
                    Some(value) => {
                        out.extend_from_slice(value);
                        IsNull::No
                    }
                    None => IsNull::Yes,
                })
            },
            question.results.iter().map(|&format| format as i16),
            &mut message,
        );
        ensure!(bound.is_ok(), "the parameters do not fit a message");
        frontend::describe(b'P', "", &mut message)?;
        frontend::execute("", 0, &mut message)?;
        frontend::sync(&mut message);
        self.stream.write_all(&message)?;
        self.answer()
    }

    /// Executes a script by the simple protocol and returns the rows of its last statement, in text.
    pub(crate) fn script(&mut self, script: &str) -> Result<Vec<Vec<Option<String>>>> {
        let mut message = BytesMut::new();
        frontend::query(script, &mut message)?;
        self.stream.write_all(&message)?;
        let answer = self.answer()??;
        let text = |value: Option<Bytes>| value.map(|value| String::from_utf8(value.into())).transpose();
        answer.rows.into_iter().map(|row| Ok(row.into_iter().map(text).collect::<Result<_, _>>()?)).collect()
    }

    /// Reads all up to ReadyForQuery. Of several statements' results the last stays.
    fn answer(&mut self) -> Result<Result<Answer, Failure>> {
        let (mut answer, mut failure) = (Answer::default(), None);
        loop {
            match self.receive()? {
                Message::RowDescription(body) => {
                    answer = Answer { columns: answer::columns(&body)?, ..Answer::default() };
                }
                Message::DataRow(body) => answer.rows.push(answer::row(&body)?),
                Message::CommandComplete(body) => body.tag()?.clone_into(&mut answer.tag),
                Message::NoData => answer = Answer::default(),
                Message::ErrorResponse(body) => failure = Some(answer::failure(&body)?),
                Message::ReadyForQuery(_) => return Ok(failure.map_or(Ok(answer), Err)),
                Message::CopyInResponse(_) => {
                    let mut message = BytesMut::new();
                    frontend::copy_fail("no COPY here", &mut message)?;
                    frontend::sync(&mut message);
                    self.stream.write_all(&message)?;
                }
                _ => {}
            }
        }
    }

    fn receive(&mut self) -> Result<Message> {
        loop {
            if let Some(message) = Message::parse(&mut self.received)? {
                return Ok(message);
            }
            let mut chunk = [0; 1 << 16];
            match self.stream.read(&mut chunk)? {
                0 => bail!("the server ended the connection"),
                count => self.received.extend_from_slice(chunk.get(..count).unwrap_or_default()),
            }
        }
    }
}
