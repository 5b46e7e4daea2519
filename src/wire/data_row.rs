use bytes::Bytes;

/// stub. A row as in the body of a `DataRow` message: an i16 count, then for each value an i32 length (-1 for null) and its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataRow {
    body: Bytes,
}

impl DataRow {
    /// Checks that counts and lengths fit the bytes.
    pub fn parse(body: Bytes) -> crate::error::Result<Self> {
        todo!()
    }
    pub fn len(&self) -> usize {
        todo!()
    }
    pub fn values(&self) -> impl Iterator<Item = Option<&[u8]>> {
        std::iter::empty()
    }
    pub fn as_bytes(&self) -> &Bytes {
        &self.body
    }
}
