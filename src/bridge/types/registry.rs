use std::{
    collections::{HashMap, HashSet},
    fmt,
    hash::{BuildHasher, RandomState},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use super::{
    ask::Ask,
    client::is_built_in,
    directory::Directory,
    question::{Wanted, question},
};
use crate::{
    Oid,
    error::{Error, Result},
    execute::{Opening, Output, Statement},
    sql,
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

/// How long other clients' changes to types may go unnoticed.
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
            Arc::new(Types {
                changes,
                asking: tokio::sync::Mutex::default(),
                state: Mutex::default(),
                wanted: Mutex::default(),
            })
        };
        Arc::clone(types.entry((opening.database.clone(), settings)).or_insert_with(new))
    }

    /// Notes that types may have changed, whoever shares them.
    pub(in crate::bridge) fn note_change(&self) {
        self.changes.fetch_add(1, Ordering::AcqRel);
    }
}

/// The types of one database under one set of settings.
#[derive(Debug)]
pub(in crate::bridge) struct Types {
    /// Counts what the bridge's clients did to types.
    changes: Arc<AtomicU64>,
    /// Held while the server is asked: whoever comes meanwhile waits for the same answer.
    asking: tokio::sync::Mutex<()>,
    state: Mutex<State>,
    wanted: Mutex<Wanted>,
}

#[derive(Debug, Default)]
struct State {
    known: Option<Known>,
    /// The texts of statements that were described after a look at the server, by their hashes.
    checked: HashSet<u64>,
    /// The texts of statements that only the server can describe, by their hashes.
    undescribed: HashSet<u64>,
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
    /// Whether a statement that came now can be described by it; one that is not checked names what was not known.
    fn is_new_enough(&self, now: Instant, is_checked: bool) -> bool {
        now.saturating_duration_since(self.asked_at) < LIFETIME && (is_checked || self.came_at >= now)
    }
}

/// How many texts are remembered.
const MOST_CHECKED: usize = 10_000;

/// How many row types are asked for one by one.
const MOST_WANTED: usize = 1000;

impl Types {
    /// Returns the types, asking the server if that was not done since they last changed.
    ///
    /// # Errors
    ///
    /// Those of the question, but for a refusal of the server's: types that it does not tell are told to no client.
    pub(in crate::bridge) async fn directory(&self, server: &impl Ask) -> Result<Arc<Directory>> {
        self.known_where(server, |_| true).await
    }

    /// Returns the types, of which what other clients did to them is missing for a minute at most.
    ///
    /// # Errors
    ///
    /// As for [`directory`](Self::directory).
    pub(in crate::bridge) async fn recent_directory(&self, server: &impl Ask) -> Result<Arc<Directory>> {
        let now = Instant::now();
        self.known_where(server, |known| known.is_new_enough(now, true)).await
    }

    /// Returns the types as known, where they did not change since and this says yes to them, else as the server tells them.
    async fn known_where(
        &self,
        server: &impl Ask,
        is_new_enough: impl FnOnce(&Known) -> bool,
    ) -> Result<Arc<Directory>> {
        let _asking = self.asking.lock().await;
        if let Some(directory) = self.known_if(is_new_enough) {
            return Ok(directory);
        }
        let question = self.question();
        let answer = server.ask(&question.statement()).await;
        self.learn(&question, answer)
    }

    fn known_if(&self, is_new_enough: impl FnOnce(&Known) -> bool) -> Option<Arc<Directory>> {
        let as_of = self.changes.load(Ordering::Acquire);
        let state = self.state();
        let known = state.known.as_ref().filter(|known| known.as_of == as_of && is_new_enough(known))?;
        Some(Arc::clone(&known.directory))
    }

    /// Whether a statement is one that [`must_describe`](Self::must_describe) was said of.
    pub(in crate::bridge) fn must_be_described(&self, text: &str) -> bool {
        let state = self.state();
        state.undescribed.contains(&state.hasher.hash_one(text))
    }

    /// Returns the types as known, if they did not change since and are not old.
    pub(in crate::bridge) fn known(&self) -> Option<Arc<Directory>> {
        let now = Instant::now();
        self.known_if(|known| known.is_new_enough(now, true))
    }

    /// Notes that the server described a statement to a client, with columns of these types.
    pub(in crate::bridge) fn note_described(&self, text: &str, columns: &[Oid]) {
        let mut state = self.state();
        let directory = state.known.as_ref().map(|known| Arc::clone(&known.directory)).unwrap_or_default();
        let unknown = columns.iter().filter(|oid| !is_built_in(**oid) && !directory.has(**oid));
        if state.known.is_some() && self.want(unknown.copied()) {
            // Others made one since: nobody is to be described this by what was known before.
            return self.note_change();
        }
        let text = state.hasher.hash_one(text);
        state.note_checked(text);
    }

    /// Notes that only the server can describe a statement well enough: its columns were not what was known, or somebody wants to know them
    /// without executing it.
    pub(in crate::bridge) fn must_describe(&self, text: &str) {
        let mut state = self.state();
        let text = state.hasher.hash_one(text);
        if state.undescribed.len() >= MOST_CHECKED {
            state.undescribed.clear();
        }
        state.undescribed.insert(text);
    }

    /// What the server is to be asked now; its answer is for [`learn`](Self::learn).
    pub(in crate::bridge) fn question(&self) -> Question {
        let as_of = self.changes.load(Ordering::Acquire);
        let text = question(&self.wanted());
        Question { text, as_of, asked_at: Instant::now() }
    }

    /// Takes the answer to a question; a server that refuses to tell leaves nothing to be told.
    ///
    /// # Errors
    ///
    /// The question's, and when its answer makes no sense.
    pub(in crate::bridge) fn learn(&self, question: &Question, answer: Result<Output>) -> Result<Arc<Directory>> {
        let directory = Arc::new(match answer {
            Err(error) if is_refusal(&error) => Directory::default(),
            answer => Directory::read(&answer?)?,
        });
        let Question { as_of, asked_at, .. } = *question;
        let mut state = self.state();
        // Several sessions may ask at once, and the first to ask be answered last.
        if state.known.as_ref().is_none_or(|known| known.asked_at <= asked_at) {
            state.known = Some(Known { directory: Arc::clone(&directory), as_of, asked_at, came_at: Instant::now() });
        }
        Ok(directory)
    }

    /// Returns the types to describe a statement by that names what was not among them: asked for anew, once for each text, since it
    /// may be there by now.
    ///
    /// # Errors
    ///
    /// As for [`directory`](Self::directory).
    pub(in crate::bridge) async fn directory_naming(&self, server: &impl Ask, text: &str) -> Result<Arc<Directory>> {
        let now = Instant::now();
        let (is_checked, knows_tables) = {
            let state = self.state();
            let knows_tables = state.known.as_ref().is_some_and(|known| known.directory.knows_tables());
            (state.checked.contains(&state.hasher.hash_one(text)), knows_tables)
        };
        if !knows_tables {
            let mut wanted = self.wanted();
            let room = MOST_WANTED.saturating_sub(wanted.tables.len());
            wanted.tables.extend(sql::whole_rows(text).into_iter().take(room));
        }
        let directory = self.known_where(server, |known| known.is_new_enough(now, is_checked)).await?;
        self.note_described(text, &[]);
        Ok(directory)
    }

    /// Notes that results have types: they are asked for the next time, whatever they are of. Whether that is news of one.
    pub(in crate::bridge) fn want(&self, oids: impl IntoIterator<Item = Oid>) -> bool {
        let mut wanted = self.wanted();
        let before = wanted.types.len();
        let room = MOST_WANTED.saturating_sub(before);
        wanted.types.extend(oids.into_iter().take(room));
        wanted.types.len() > before
    }

    /// Returns the types as they are now, with those that a result had.
    ///
    /// # Errors
    ///
    /// As for [`directory`](Self::directory).
    pub(in crate::bridge) async fn directory_with(
        &self,
        server: &impl Ask,
        oids: impl IntoIterator<Item = Oid>,
    ) -> Result<Arc<Directory>> {
        self.want(oids);
        self.note_change();
        self.directory(server).await
    }

    /// Notes that types may have changed: they are asked for anew when next needed.
    pub(in crate::bridge) fn note_change(&self) {
        self.changes.fetch_add(1, Ordering::AcqRel);
    }

    fn wanted(&self) -> MutexGuard<'_, Wanted> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Each change is one assignment.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn note_checked(&mut self, text: u64) {
        if self.checked.len() >= MOST_CHECKED {
            self.checked.clear();
        }
        self.checked.insert(text);
    }
}

/// A question for the types of a database.
#[derive(Debug)]
pub(in crate::bridge) struct Question {
    text: String,
    /// The count of changes before it was asked.
    as_of: u64,
    asked_at: Instant,
}

impl Question {
    pub(in crate::bridge) fn text(&self) -> &str {
        &self.text
    }

    fn statement(&self) -> Statement {
        Statement { results: Format::Text, ..Statement::new(self.text.as_str()) }
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
    fn an_answer_that_comes_late_does_not_replace_a_newer_one() {
        let types = Registry::default().of(&Opening::default());
        let (older, mut newer) = (types.question(), types.question());
        newer.asked_at += Duration::from_secs(1);
        let learnt = types.learn(&newer, Ok(Output::default())).unwrap();
        types.learn(&older, Ok(Output::default())).unwrap();
        assert!(Arc::ptr_eq(&types.known().unwrap(), &learnt));
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
