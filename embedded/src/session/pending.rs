/// The answers that the backend still owes to the messages up to a Sync.
#[derive(Default)]
pub(crate) struct Pending {
    owed: usize,
    has_failed: bool,
}

impl Pending {
    /// Notes a message that is sent.
    pub(crate) fn sent(&mut self, tag: u8) {
        if matches!(tag, b'P' | b'B' | b'C' | b'D' | b'E') {
            self.owed = self.owed.saturating_add(1);
        }
    }

    /// Notes what is answered.
    pub(crate) fn answered(&mut self, tag: u8) {
        match tag {
            b'1' | b'2' | b'3' | b'T' | b'n' | b'C' | b'I' | b's' => self.owed = self.owed.saturating_sub(1),
            b'E' => self.has_failed = true,
            _ => {}
        }
    }

    /// Returns whether what follows runs, `None` where that is not known yet: after an error all up to a Sync is passed over.
    pub(crate) fn goes_on(&self) -> Option<bool> {
        match (self.has_failed, self.owed) {
            (true, _) => Some(false),
            (false, 0) => Some(true),
            (false, _) => None,
        }
    }
}
