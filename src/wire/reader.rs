use bytes::{Buf, Bytes, TryGetError};

use crate::error::{Error, Outcome, Result};

/// Reads a message's body piece by piece; whatever is missing is an error and never a panic.
pub(super) struct Reader {
    body: Bytes,
    /// What is being read, for messages of errors.
    what: &'static str,
}

impl Reader {
    pub(super) fn new(body: Bytes, what: &'static str) -> Self {
        Self { body, what }
    }

    pub(super) fn u8(&mut self) -> Result<u8> {
        self.body.try_get_u8().map_err(|short| self.short(&short))
    }

    pub(super) fn u16(&mut self) -> Result<u16> {
        self.body.try_get_u16().map_err(|short| self.short(&short))
    }

    pub(super) fn i16(&mut self) -> Result<i16> {
        self.body.try_get_i16().map_err(|short| self.short(&short))
    }

    pub(super) fn u32(&mut self) -> Result<u32> {
        self.body.try_get_u32().map_err(|short| self.short(&short))
    }

    pub(super) fn i32(&mut self) -> Result<i32> {
        self.body.try_get_i32().map_err(|short| self.short(&short))
    }

    pub(super) fn bytes(&mut self, length: usize) -> Result<Bytes> {
        if length > self.body.len() {
            return Err(self.broken("a value is longer than the message"));
        }
        Ok(self.body.split_to(length))
    }

    /// A string up to its closing zero byte.
    pub(super) fn text(&mut self) -> Result<String> {
        let end = memchr::memchr(0, &self.body).ok_or_else(|| self.broken("a string does not end"))?;
        let text = self.body.split_to(end);
        self.body.advance(1);
        let text =
            std::str::from_utf8(&text).map_err(|error| self.broken("a string is not UTF-8").with_source(error))?;
        Ok(text.to_owned())
    }

    /// Whatever is left.
    pub(super) fn rest(self) -> Bytes {
        self.body
    }

    /// A list with its length before it, as a 16-bit number; `size` is the least that an item takes.
    pub(super) fn list<T>(&mut self, size: usize, mut item: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let count = usize::from(self.u16()?);
        if count * size > self.body.len() {
            return Err(self.broken("a list is longer than the message"));
        }
        (0..count).map(|_| item(self)).collect()
    }

    /// Checks that nothing is left.
    pub(super) fn end(&self) -> Result<()> {
        if self.body.is_empty() {
            return Ok(());
        }
        Err(self.broken("there is more than belongs to it"))
    }

    pub(super) fn broken(&self, how: &str) -> Error {
        broken(self.what, how)
    }

    fn short(&self, _: &TryGetError) -> Error {
        self.broken("it is too short")
    }
}

/// The error of a message that is not as the protocol has it.
pub(super) fn broken(what: &str, how: &str) -> Error {
    Error::protocol(format!("the {what} that came is malformed: {how}"), Outcome::NotExecuted)
}
