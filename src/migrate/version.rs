use std::{cmp::Ordering, fmt};

/// What a migration is called by: the digits before its description, as a rule the time at which it was written.
///
/// Versions of digits alone are ordered as numbers, as sqlx orders them; others as text, and behind those of digits.
///
/// # Example
///
/// ```
/// use pgferry::migrate::Version;
///
/// assert!(Version::new("2") < Version::new("10"));
/// assert_eq!(Version::new("0001"), Version::new("1"));
/// assert!(Version::new("10") < Version::new("2024a"));
/// ```
#[derive(Clone, Debug)]
pub struct Version(String);

impl Version {
    /// Takes a version as it is written.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns it as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns it as sqlx records it, if it is such a number.
    #[must_use]
    pub fn as_number(&self) -> Option<i64> {
        self.is_digits().then(|| self.0.parse().ok())?
    }

    fn is_digits(&self) -> bool {
        !self.0.is_empty() && self.0.bytes().all(|byte| byte.is_ascii_digit())
    }
}

impl From<i64> for Version {
    fn from(number: i64) -> Self {
        Self(number.to_string())
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.is_digits(), other.is_digits()) {
            (true, true) => {
                let [ours, theirs] = [self, other].map(|version| version.0.trim_start_matches('0'));
                ours.len().cmp(&theirs.len()).then_with(|| ours.cmp(theirs))
            }
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => self.0.cmp(&other.0),
        }
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Version {}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
