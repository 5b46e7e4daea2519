use super::{MigrateError, Migration, Version};

/// A migration as the database has it recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// Its version.
    pub version: Version,
    /// The checksum of what was applied; diesel records none.
    pub checksum: Option<Vec<u8>>,
    /// Whether it ended; only one that runs outside a transaction can have begun without.
    pub ended: bool,
    /// It has not ended, and began so lately that another runner may be at it.
    pub(super) begun_just_now: bool,
}

/// A migration and how it stands in the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Its version.
    pub version: Version,
    /// Its description, where it is among those given.
    pub description: Option<String>,
    /// How it stands.
    pub state: State,
}

/// How a migration stands in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// It is applied.
    Applied,
    /// It is to be applied.
    Pending,
    /// It was applied, and changed since.
    Changed,
    /// It was applied, and is not among those given.
    Missing,
    /// It was begun outside a transaction, and not recorded as ended.
    Dirty,
}

/// What a database has applied, beside what it is to have.
#[derive(Debug)]
pub(super) struct History<'a> {
    /// Sorted by version.
    migrations: Vec<&'a Migration>,
    applied: Vec<Applied>,
    allows_missing: bool,
}

impl<'a> History<'a> {
    pub(super) fn new(migrations: &'a [Migration], mut applied: Vec<Applied>, allows_missing: bool) -> Self {
        let mut migrations: Vec<&Migration> = migrations.iter().collect();
        migrations.sort_by(|a, b| a.version.cmp(&b.version));
        applied.sort_by(|a, b| a.version.cmp(&b.version));
        Self { migrations, applied, allows_missing }
    }

    pub(super) fn status(&self) -> Vec<Status> {
        let mut all: Vec<Status> =
            self.migrations
                .iter()
                .map(|migration| Status {
                    version: migration.version.clone(),
                    description: Some(migration.description.to_string()),
                    state: self.applied(&migration.version).map_or(State::Pending, |applied| self.state(applied)),
                })
                .chain(self.applied.iter().filter(|applied| self.given(&applied.version).is_none()).map(|applied| {
                    Status { version: applied.version.clone(), description: None, state: self.state(applied) }
                }))
                .collect();
        all.sort_by(|a, b| a.version.cmp(&b.version));
        all
    }

    /// The migrations to be applied, up to a version where there is one, once all that is applied is found as it was.
    pub(super) fn pending(&self, target: Option<&Version>) -> Result<Vec<&'a Migration>, MigrateError> {
        self.check(target)?;
        let wanted = |migration: &&&Migration| {
            self.applied(&migration.version).is_none() && target.is_none_or(|target| migration.version <= *target)
        };
        Ok(self.migrations.iter().filter(wanted).copied().collect())
    }

    /// The migrations to be reverted, the last one first: those after a version, or the last one alone.
    pub(super) fn revertible(&self, target: Option<&Version>) -> Result<Vec<&'a Migration>, MigrateError> {
        // A version that is misspelt or cut short would stand for others; only 0 is before all of them.
        self.check(target.filter(|target| **target != Version::from(0)))?;
        let applied = self.migrations.iter().rev().filter(|migration| self.applied(&migration.version).is_some());
        let chosen: Vec<&Migration> = match target {
            Some(target) => applied.filter(|migration| migration.version > *target).copied().collect(),
            None => applied.take(1).copied().collect(),
        };
        match chosen.iter().find(|migration| migration.down.is_none()) {
            Some(migration) => Err(MigrateError::Irreversible(migration.version.clone())),
            None => Ok(chosen),
        }
    }

    fn check(&self, target: Option<&Version>) -> Result<(), MigrateError> {
        if let Some(target) = target.filter(|target| self.given(target).is_none()) {
            return Err(MigrateError::NoSuchTarget(target.clone()));
        }
        for applied in &self.applied {
            let version = applied.version.clone();
            match self.state(applied) {
                State::Dirty => return Err(MigrateError::Dirty(version)),
                State::Missing if !self.allows_missing => return Err(MigrateError::Missing(version)),
                State::Changed => return Err(MigrateError::Changed(version)),
                State::Missing | State::Applied | State::Pending => {}
            }
        }
        Ok(())
    }

    fn state(&self, applied: &Applied) -> State {
        if !applied.ended {
            return State::Dirty;
        }
        let Some(migration) = self.given(&applied.version) else { return State::Missing };
        let same = applied.checksum.as_ref().is_none_or(|checksum| **checksum == *migration.checksum);
        if same { State::Applied } else { State::Changed }
    }

    fn applied(&self, version: &Version) -> Option<&Applied> {
        self.applied.iter().find(|applied| applied.version == *version)
    }

    fn given(&self, version: &Version) -> Option<&'a Migration> {
        self.migrations.iter().find(|migration| migration.version == *version).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn migrations(versions: &[i64]) -> Vec<Migration> {
        versions.iter().map(|version| Migration::new((*version).into(), "", format!("select {version}"))).collect()
    }

    fn applied(migrations: &[Migration], versions: &[i64]) -> Vec<Applied> {
        let of = |version: &i64| migrations.iter().find(|migration| migration.version == (*version).into());
        versions
            .iter()
            .map(|version| Applied {
                version: (*version).into(),
                checksum: of(version).map(|migration| migration.checksum.to_vec()),
                ended: true,
                begun_just_now: false,
            })
            .collect()
    }

    fn versions(migrations: &[&Migration]) -> Vec<String> {
        migrations.iter().map(|migration| migration.version.to_string()).collect()
    }

    #[test]
    fn what_is_not_applied_is_pending_in_order_and_up_to_the_target() {
        let given = migrations(&[10, 2, 1, 3]);
        let history = History::new(&given, applied(&given, &[2]), false);
        assert_eq!(versions(&history.pending(None).unwrap()), ["1", "3", "10"]);
        assert_eq!(versions(&history.pending(Some(&3.into())).unwrap()), ["1", "3"]);
        assert!(matches!(history.pending(Some(&4.into())), Err(MigrateError::NoSuchTarget(_))));
    }

    #[test]
    fn what_does_not_fit_stops_everything() {
        let given = migrations(&[1, 2]);
        let missing = || applied(&given, &[1, 7]);
        assert!(matches!(History::new(&given, missing(), false).pending(None), Err(MigrateError::Missing(_))));
        assert_eq!(versions(&History::new(&given, missing(), true).pending(None).unwrap()), ["2"]);

        let mut changed = applied(&given, &[1]);
        changed[0].checksum = Some(vec![0]);
        assert!(matches!(History::new(&given, changed, true).pending(None), Err(MigrateError::Changed(_))));

        let mut dirty = applied(&given, &[1]);
        dirty[0].ended = false;
        let history = History::new(&given, dirty, true);
        assert!(matches!(history.pending(None), Err(MigrateError::Dirty(_))));
        assert!(matches!(history.revertible(None), Err(MigrateError::Dirty(_))));
        let states: Vec<State> = history.status().into_iter().map(|status| status.state).collect();
        assert_eq!(states, [State::Dirty, State::Pending]);
    }

    #[test]
    fn the_last_is_reverted_first() {
        let mut given = migrations(&[1, 2, 3]);
        let history = History::new(&given, applied(&given, &[1, 2]), false);
        assert!(matches!(history.revertible(None), Err(MigrateError::Irreversible(version)) if version == 2.into()));
        for migration in &mut given {
            migration.down = Some(migration.up.clone());
        }
        let history = History::new(&given, applied(&given, &[1, 2]), false);
        assert_eq!(versions(&history.revertible(None).unwrap()), ["2"]);
        assert_eq!(versions(&history.revertible(Some(&0.into())).unwrap()), ["2", "1"]);
        assert!(history.revertible(Some(&2.into())).unwrap().is_empty());
        assert!(matches!(history.revertible(Some(&99.into())), Err(MigrateError::NoSuchTarget(_))));
    }
}
