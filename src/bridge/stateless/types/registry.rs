use std::{
    collections::{BTreeSet, HashMap},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{directory::Directory, question::question};
use crate::{
    Oid,
    error::{Error, Result},
    execute::{HttpSession, Opening, Statement},
    wire::Format,
};

/// The directories that a bridge's connections share.
#[derive(Debug, Default)]
pub(in crate::bridge) struct Registry {
    /// By what decides which types there are and which of them a name means.
    types: Mutex<HashMap<Key, Arc<Types>>>,
    changes: Arc<AtomicU64>,
}

type Key = (Option<String>, Vec<(String, String)>);

/// How many kinds of connections are remembered; clients that ask for ever other settings pay with a request each.
const MOST: usize = 32;

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
            Arc::new(Types { changes, known: tokio::sync::Mutex::default(), wanted: Mutex::default() })
        };
        Arc::clone(types.entry((opening.database.clone(), settings)).or_insert_with(new))
    }
}

/// The types of one database under one set of settings.
#[derive(Debug)]
pub(in crate::bridge) struct Types {
    /// Counts what the bridge's clients did to types.
    changes: Arc<AtomicU64>,
    known: tokio::sync::Mutex<Option<Known>>,
    wanted: Mutex<BTreeSet<Oid>>,
}

#[derive(Debug)]
struct Known {
    directory: Arc<Directory>,
    /// The count of changes before it was asked for.
    as_of: u64,
}

/// How many row types are asked for one by one.
const MOST_WANTED: usize = 1000;

impl Types {
    /// Returns the types, asking the server if that was not done since they last changed.
    ///
    /// # Errors
    ///
    /// Those of [`HttpSession::execute`], but for a refusal of the server's: types that it does not tell are told to no client.
    pub(in crate::bridge::stateless) async fn directory(&self, session: &HttpSession) -> Result<Arc<Directory>> {
        // Whoever comes while the server is asked waits for the same answer.
        let mut known = self.known.lock().await;
        let as_of = self.changes.load(Ordering::Acquire);
        if let Some(known) = known.as_ref().filter(|known| known.as_of == as_of) {
            return Ok(Arc::clone(&known.directory));
        }
        let directory = Arc::new(match self.ask(session).await {
            Err(error) if is_refusal(&error) => Directory::default(),
            asked => asked?,
        });
        *known = Some(Known { directory: Arc::clone(&directory), as_of });
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

    /// Notes what a statement with this command tag did.
    pub(in crate::bridge) fn note(&self, tag: &str) {
        let mut words = tag.split(' ');
        let changes = match words.next() {
            Some("CREATE" | "ALTER" | "DROP") => matches!(
                words.next(),
                Some("TYPE" | "DOMAIN" | "TABLE" | "VIEW" | "MATERIALIZED" | "FOREIGN" | "EXTENSION" | "SCHEMA") | None
            ),
            Some("DO" | "CALL" | "IMPORT") => true,
            _ => false,
        };
        if changes {
            self.note_change();
        }
    }

    fn note_change(&self) {
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
