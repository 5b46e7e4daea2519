use std::{
    collections::{BTreeSet, HashMap, HashSet},
    fmt,
    hash::{BuildHasher, RandomState},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use super::{directory::Directory, question::question};
use crate::{
    Oid,
    error::{Error, Result},
    execute::{HttpSession, Opening, Statement},
    wire::Format,
};

/// The directories that a bridge's connections share.
#[derive(Default)]
pub(in crate::bridge) struct Registry {
    /// By what decides which types there are and which of them a name means.
    types: Mutex<HashMap<Key, Arc<Types>>>,
    changes: Arc<AtomicU64>,
}

type Key = (Option<String>, Vec<(String, String)>);

/// How many kinds of connections are remembered; clients that ask for ever other settings pay with a request each.
const MOST: usize = 32;

/// How long other clients' changes to types may go unnoticed by statements that only read.
const LIFETIME: Duration = Duration::from_secs(60);

impl fmt::Debug for Registry {
    /// The keys are left out: `options` may hold what is nobody's business.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let types = self.types.lock().unwrap_or_else(PoisonError::into_inner).len();
        out.debug_struct("Registry").field("types", &types).field("changes", &self.changes).finish()
    }
}

impl Registry {
    /// Returns what connections of the same database and settings share.
    pub(in crate::bridge) fn of(&self, opening: &Opening) -> Arc<Types> {
        let decides = |name: &str| ["options", "search_path"].iter().any(|other| other.eq_ignore_ascii_case(name));
        let settings = opening.parameters.iter().filter(|(name, _)| decides(name)).cloned().collect();
        let mut types = self.types.lock().unwrap_or_else(PoisonError::into_inner);
        if types.len() >= MOST {
            types.clear();
        }
        let new = || {
            let changes = Arc::clone(&self.changes);
            Arc::new(Types { changes, state: tokio::sync::Mutex::default(), wanted: Mutex::default() })
        };
        Arc::clone(types.entry((opening.database.clone(), settings)).or_insert_with(new))
    }
}

/// The types of one database under one set of settings.
#[derive(Debug)]
pub(in crate::bridge) struct Types {
    /// Counts what the bridge's clients did to types.
    changes: Arc<AtomicU64>,
    state: tokio::sync::Mutex<State>,
    wanted: Mutex<BTreeSet<Oid>>,
}

#[derive(Debug, Default)]
struct State {
    known: Option<Known>,
    /// The texts of statements that write and were described after a look at the server, by their hashes.
    checked: HashSet<u64>,
    hasher: RandomState,
}

#[derive(Debug)]
struct Known {
    directory: Arc<Directory>,
    /// The count of changes before it was asked for.
    as_of: u64,
    asked_at: Instant,
    came_at: Instant,
}

impl Known {
    /// Whether a statement that came now can be described by it; one that is not checked writes, and was not seen before.
    fn is_new_enough(&self, now: Instant, is_checked: bool) -> bool {
        now.saturating_duration_since(self.asked_at) < LIFETIME && (is_checked || self.came_at >= now)
    }
}

/// How many texts of statements that write are remembered.
const MOST_CHECKED: usize = 10_000;

/// How many row types are asked for one by one.
const MOST_WANTED: usize = 1000;

impl Types {
    /// Returns the types, asking the server if that was not done since they last changed.
    ///
    /// # Errors
    ///
    /// Those of [`HttpSession::execute`], but for a refusal of the server's: types that it does not tell are told to no client.
    pub(in crate::bridge::stateless) async fn directory(&self, session: &HttpSession) -> Result<Arc<Directory>> {
        let mut state = self.state.lock().await;
        self.known_where(&mut state, session, |_| true).await
    }

    /// Returns the types to describe a statement by.
    ///
    /// What other clients did to types is noticed after a minute; where the statement may write and is new to the bridge, it is
    /// noticed at once: a result that cannot be passed on would come too late there, with the change made.
    ///
    /// # Errors
    ///
    /// As for [`directory`](Self::directory).
    pub(in crate::bridge::stateless) async fn directory_for(
        &self,
        session: &HttpSession,
        text: &str,
    ) -> Result<Arc<Directory>> {
        let now = Instant::now();
        let mut state = self.state.lock().await;
        let text = session.dialect().may_write(text).then(|| state.hasher.hash_one(text));
        let is_checked = text.is_none_or(|text| state.checked.contains(&text));
        let directory = self.known_where(&mut state, session, |known| known.is_new_enough(now, is_checked)).await?;
        if let Some(text) = text {
            if state.checked.len() >= MOST_CHECKED {
                state.checked.clear();
            }
            state.checked.insert(text);
        }
        Ok(directory)
    }

    /// Returns the types as known, where they did not change since and this says yes to them, else as the server tells them.
    ///
    /// The state stays locked while the server is asked: whoever comes meanwhile waits for the same answer.
    async fn known_where(
        &self,
        state: &mut State,
        session: &HttpSession,
        is_new_enough: impl FnOnce(&Known) -> bool,
    ) -> Result<Arc<Directory>> {
        let as_of = self.changes.load(Ordering::Acquire);
        let current = state.known.as_ref().filter(|known| known.as_of == as_of);
        if let Some(known) = current.filter(|known| is_new_enough(known)) {
            return Ok(Arc::clone(&known.directory));
        }
        let asked_at = Instant::now();
        let directory = Arc::new(match self.ask(session).await {
            Err(error) if is_refusal(&error) => Directory::default(),
            asked => asked?,
        });
        state.known = Some(Known { directory: Arc::clone(&directory), as_of, asked_at, came_at: Instant::now() });
        Ok(directory)
    }

    /// Returns the types as they are now, with a type that a result had.
    ///
    /// # Errors
    ///
    /// As for [`directory`](Self::directory).
    pub(in crate::bridge::stateless) async fn directory_with(
        &self,
        session: &HttpSession,
        oid: Oid,
    ) -> Result<Arc<Directory>> {
        {
            let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
            if wanted.len() < MOST_WANTED {
                wanted.insert(oid);
            }
        }
        self.note_change();
        self.directory(session).await
    }

    /// Notes that types may have changed: they are asked for anew when next needed.
    pub(in crate::bridge::stateless) fn note_change(&self) {
        self.changes.fetch_add(1, Ordering::AcqRel);
    }

    async fn ask(&self, session: &HttpSession) -> Result<Directory> {
        let wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let statement = Statement { results: Format::Text, ..Statement::new(question(wanted)) };
        Directory::read(&session.execute(&statement).await?.collect().await?)
    }
}

/// Whether the server has no such catalogue, or shows it to nobody.
fn is_refusal(error: &Error) -> bool {
    error.code().is_some_and(|code| ["42", "0A"].iter().any(|class| code.as_str().starts_with(class)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_ages() {
        let at = Instant::now();
        let came_at = at + Duration::from_secs(1);
        let known = Known { directory: Arc::default(), as_of: 0, asked_at: at, came_at };
        for (age, checked, new) in [(1, true, true), (2, true, false), (59, true, false), (60, false, false)] {
            let now = at + Duration::from_secs(age);
            assert_eq!(known.is_new_enough(now, true), checked, "{age} s");
            assert_eq!(known.is_new_enough(now, false), new, "{age} s");
        }
    }

    #[test]
    fn debug_does_not_show_settings() {
        let registry = Registry::default();
        let parameters = vec![("options".to_owned(), "-c app.token=hush".to_owned())];
        registry.of(&Opening { parameters, ..Opening::default() });
        let shown = format!("{registry:?}");
        assert!(shown.contains("types: 1") && !shown.contains("hush"), "{shown}");
    }
}
