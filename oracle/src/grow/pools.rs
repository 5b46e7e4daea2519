use std::collections::BTreeMap;

use fastrand::Rng;
use pgferry::Oid;

/// Longer texts would grow without end from type to type.
const LONGEST: usize = 400;
const SIZE: usize = 400;

/// Texts of each type that the server has printed, for other types to be made of.
#[derive(Debug, Default)]
pub(crate) struct Pools(BTreeMap<Oid, Vec<String>>);

impl Pools {
    pub(crate) fn add(&mut self, oid: Oid, texts: impl IntoIterator<Item = String>) {
        let pool = self.0.entry(oid).or_default();
        for text in texts {
            if pool.len() < SIZE && text.len() <= LONGEST {
                pool.push(text);
            }
        }
    }

    /// Returns one of a type's texts; `None` where there is none.
    pub(crate) fn pick(&self, oid: Oid, random: &mut Rng) -> Option<&str> {
        let pool = self.0.get(&oid)?;
        random.choice(pool).map(String::as_str)
    }

    pub(crate) fn has(&self, oid: Oid) -> bool {
        self.0.get(&oid).is_some_and(|pool| !pool.is_empty())
    }
}
