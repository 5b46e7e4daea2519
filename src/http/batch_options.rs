use super::IsolationLevel;

/// What the transaction of a batch is like; each part that is not set is as the role's settings say.
///
/// # Example
///
/// ```
/// use pgferry::http::{BatchOptions, IsolationLevel};
///
/// let options = BatchOptions::new().isolation_level(IsolationLevel::Serializable).read_only(true).deferrable(true);
/// # let _ = options;
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BatchOptions {
    pub(super) isolation_level: Option<IsolationLevel>,
    pub(super) read_only: bool,
    pub(super) deferrable: bool,
}

impl BatchOptions {
    /// Makes options of which none is set.
    #[must_use]
    pub const fn new() -> Self {
        Self { isolation_level: None, read_only: false, deferrable: false }
    }

    /// Sets the isolation level. Defaults to the role's `default_transaction_isolation`.
    #[must_use]
    pub const fn isolation_level(mut self, level: IsolationLevel) -> Self {
        self.isolation_level = Some(level);
        self
    }

    /// Sets whether writing is an error. Defaults to false, which leaves it to the role's `default_transaction_read_only`.
    #[must_use]
    pub const fn read_only(mut self, read_only: bool) -> Self {
        self.read_only = read_only;
        self
    }

    /// The statement that begins such a transaction in a session (manual, BEGIN).
    #[cfg(feature = "client")]
    pub(crate) fn begin(self) -> String {
        let Self { isolation_level, read_only, deferrable } = self;
        let mut text = "begin".to_owned();
        if let Some(level) = isolation_level {
            text.push_str(" isolation level ");
            text.push_str(level.as_sql());
        }
        if read_only {
            text.push_str(" read only");
        }
        if deferrable {
            text.push_str(" deferrable");
        }
        text
    }

    /// Sets whether a serializable, read-only batch waits until it can neither fail nor make others fail. Defaults to false.
    #[must_use]
    pub const fn deferrable(mut self, deferrable: bool) -> Self {
        self.deferrable = deferrable;
        self
    }
}
