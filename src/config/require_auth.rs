use std::{fmt, ops::BitOr, str::FromStr};

use crate::error::{Error, Result};

/// Which ways of proving oneself may be answered, as libpq's `require_auth` (PostgreSQL manual, 34.1.2).
///
/// It is written as a list (`scram-sha-256,password`), or as a list of what is not allowed (`!password,!md5`). `none`
/// stands for a server that asks for no proof.
///
/// # Example
///
/// ```
/// use pgferry::config::RequireAuth;
///
/// let no_cleartext: RequireAuth = "!password,!md5".parse()?;
/// assert!(no_cleartext.allows_scram_sha_256() && no_cleartext.allows_none());
/// assert!(!no_cleartext.allows_password());
/// assert_eq!(no_cleartext.to_string(), "scram-sha-256,none");
///
/// assert!("password,!md5".parse::<RequireAuth>().is_err());
/// # Ok::<(), pgferry::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RequireAuth {
    methods: u8,
}

/// In the order in which they are listed.
const NAMES: [(&str, RequireAuth); 4] = [
    ("password", RequireAuth::PASSWORD),
    ("md5", RequireAuth::MD5),
    ("scram-sha-256", RequireAuth::SCRAM_SHA_256),
    ("none", RequireAuth::NONE),
];

/// Those of libpq that pgferry never answers, and so never allows.
const UNANSWERED: [&str; 3] = ["gss", "sspi", "oauth"];

impl RequireAuth {
    /// A cleartext password.
    pub const PASSWORD: Self = Self { methods: 1 };
    /// A password hashed with MD5.
    pub const MD5: Self = Self { methods: 2 };
    /// SCRAM-SHA-256, which never shows the password to the server.
    pub const SCRAM_SHA_256: Self = Self { methods: 4 };
    /// No proof at all.
    pub const NONE: Self = Self { methods: 8 };
    /// Whatever the server asks for.
    pub const ANY: Self = Self { methods: 15 };

    /// Returns whether a request for a cleartext password may be answered.
    #[must_use]
    pub fn allows_password(self) -> bool {
        self.allows(Self::PASSWORD)
    }

    /// Returns whether a request for an MD5 hash may be answered.
    #[must_use]
    pub fn allows_md5(self) -> bool {
        self.allows(Self::MD5)
    }

    /// Returns whether a request for SCRAM-SHA-256 may be answered.
    #[must_use]
    pub fn allows_scram_sha_256(self) -> bool {
        self.allows(Self::SCRAM_SHA_256)
    }

    /// Returns whether a server may ask for no proof.
    #[must_use]
    pub fn allows_none(self) -> bool {
        self.allows(Self::NONE)
    }

    /// Returns the list as it is written in a URL, for messages.
    #[must_use]
    pub fn describe(self) -> String {
        self.to_string()
    }

    fn allows(self, method: Self) -> bool {
        self.methods & method.methods != 0
    }
}

/// Allows what either allows.
impl BitOr for RequireAuth {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self { methods: self.methods | other.methods }
    }
}

impl fmt::Display for RequireAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let allowed: Vec<_> = NAMES.iter().filter(|(_, method)| self.allows(*method)).map(|(name, _)| *name).collect();
        f.write_str(&allowed.join(","))
    }
}

impl FromStr for RequireAuth {
    type Err = Error;

    fn from_str(list: &str) -> Result<Self> {
        let mut named = Self { methods: 0 };
        let mut negated = None;
        for item in list.split(',').map(str::trim) {
            let (not, name) = item.strip_prefix('!').map_or((false, item), |name| (true, name));
            if negated.is_some_and(|before| before != not) {
                return Err(Error::config(
                    "require_auth lists either what is allowed or, each with \"!\", what is not",
                ));
            }
            negated = Some(not);
            match NAMES.iter().find(|(known, _)| *known == name) {
                Some((_, method)) => named = named | *method,
                None if UNANSWERED.contains(&name) => {}
                None => {
                    return Err(Error::config(format!(
                        "{name:?} is no method of require_auth: there are password, md5, scram-sha-256 and none"
                    )));
                }
            }
        }
        let allowed = match negated {
            Some(true) => Self { methods: Self::ANY.methods & !named.methods },
            _ => named,
        };
        if allowed.methods == 0 {
            return Err(Error::config(
                "require_auth allows nothing that pgferry can answer: allow password, md5, scram-sha-256 or none",
            ));
        }
        Ok(allowed)
    }
}
