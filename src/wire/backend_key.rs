use std::fmt;

/// What a session is named by when another connection asks to cancel what it runs (manual, section 55.2.8).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct BackendKey {
    /// The number of the server's process, or what a proxy gives in its place.
    pub process_id: i32,
    /// The secret that shows that the request comes from the session's owner.
    pub secret_key: i32,
}

impl fmt::Debug for BackendKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { process_id, secret_key: _ } = self;
        f.debug_struct("BackendKey").field("process_id", process_id).field("secret_key", &"…").finish()
    }
}

#[cfg(test)]
mod tests {
    use super::BackendKey;

    #[test]
    fn debug_hides_the_secret() {
        let shown = format!("{:?}", BackendKey { process_id: 7, secret_key: 123_456 });
        assert!(shown.contains('7') && !shown.contains("123456"), "{shown}");
    }
}
