use super::Reason;

const SHORT: Reason = "it ends too early";

pub(super) const HOLDS_NUL: Reason = "it holds a NUL, which Postgres's text cannot";

/// Reads a binary value from its beginning; nothing beyond its end.
#[derive(Clone)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn remaining(&self) -> usize {
        self.0.len()
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], Reason> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(SHORT)?;
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Reason> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(SHORT)?;
        self.0 = rest;
        Ok(*taken)
    }

    pub(super) fn u8(&mut self) -> Result<u8, Reason> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(super) fn i16(&mut self) -> Result<i16, Reason> {
        self.array().map(i16::from_be_bytes)
    }

    pub(super) fn u16(&mut self) -> Result<u16, Reason> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn i32(&mut self) -> Result<i32, Reason> {
        self.array().map(i32::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, Reason> {
        self.array().map(u32::from_be_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, Reason> {
        self.array().map(u64::from_be_bytes)
    }

    pub(super) fn i64(&mut self) -> Result<i64, Reason> {
        self.array().map(i64::from_be_bytes)
    }

    pub(super) fn f64(&mut self) -> Result<f64, Reason> {
        self.array().map(f64::from_be_bytes)
    }

    pub(super) fn f32(&mut self) -> Result<f32, Reason> {
        self.array().map(f32::from_be_bytes)
    }

    /// A count of parts that take at least so many bytes each; no more than can follow.
    pub(super) fn count(&mut self, least: usize) -> Result<usize, Reason> {
        let count = usize::try_from(self.i32()?).map_err(|_| "a negative count")?;
        if count > self.remaining() / least.max(1) { Err("a count of more than it holds") } else { Ok(count) }
    }

    /// Text that a NUL ends.
    pub(super) fn terminated(&mut self) -> Result<&'a str, Reason> {
        let end = memchr::memchr(0, self.0).ok_or(SHORT)?;
        let text = self.take(end)?;
        self.u8()?;
        std::str::from_utf8(text).map_err(|_| "it is not UTF-8")
    }

    /// Text of so many bytes.
    pub(super) fn text(&mut self, length: usize) -> Result<&'a str, Reason> {
        let text = std::str::from_utf8(self.take(length)?).map_err(|_| "it is not UTF-8")?;
        if text.contains('\0') { Err(HOLDS_NUL) } else { Ok(text) }
    }

    /// Ends the reading; something left over is an error.
    pub(super) fn finish(self) -> Result<(), Reason> {
        if self.0.is_empty() { Ok(()) } else { Err("it is too long") }
    }
}

/// The whole of a value of a fixed size.
pub(super) fn whole<const N: usize>(binary: &[u8]) -> Result<[u8; N], Reason> {
    binary.try_into().map_err(|_| "it has the wrong size")
}
