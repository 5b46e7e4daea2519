/// The transaction status in a `ReadyForQuery` (manual, section 55.7).
///
/// # Example
///
/// ```
/// use pgferry::wire::TransactionStatus;
///
/// assert_eq!(TransactionStatus::from_byte(b'T'), Some(TransactionStatus::Transaction));
/// assert_eq!(TransactionStatus::Failed.as_byte(), b'E');
/// assert_eq!(TransactionStatus::from_byte(b'x'), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TransactionStatus {
    /// `I`: not in a transaction block.
    Idle,
    /// `T`: in a transaction block.
    Transaction,
    /// `E`: in a failed transaction block, which only a rollback ends.
    Failed,
}

impl TransactionStatus {
    /// Returns the status of a byte, `None` for a byte that the protocol does not have.
    #[must_use]
    pub fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            b'I' => Some(Self::Idle),
            b'T' => Some(Self::Transaction),
            b'E' => Some(Self::Failed),
            _ => None,
        }
    }

    /// Returns the protocol's byte for the status.
    #[must_use]
    pub fn as_byte(self) -> u8 {
        match self {
            Self::Idle => b'I',
            Self::Transaction => b'T',
            Self::Failed => b'E',
        }
    }
}
