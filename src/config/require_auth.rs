/// Which ways of proving oneself may be answered, as libpq's `require_auth`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequireAuth {
    // stub: a set of methods
    methods: u8,
}

impl RequireAuth {
    /// a cleartext password may be answered
    pub fn allows_password(&self) -> bool {
        todo!()
    }
    pub fn allows_md5(&self) -> bool {
        todo!()
    }
    pub fn allows_scram_sha_256(&self) -> bool {
        todo!()
    }
    /// no authentication at all is fine
    pub fn allows_none(&self) -> bool {
        todo!()
    }
    /// as written in a URL, for messages
    pub fn describe(&self) -> String {
        todo!()
    }
}
