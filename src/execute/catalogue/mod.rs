//! The types of the database that a handle speaks to, read when first needed.

mod definitions;
mod reg_names;

use std::{
    collections::BTreeSet,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::Mutex;

pub(super) use reg_names::{kinds_in, read_names};

use crate::{
    Oid,
    codec::{Catalogue, RegNames, Type, Unconvertible},
    error::Result,
    http,
    wire::DataRow,
};

/// How long a composite type is taken for what it was: its attributes can change under the same OID. What was not there is asked
/// for anew after the same time.
const LIFETIME: Duration = Duration::from_secs(60);

/// What all sessions of a handle know of their database's types.
#[derive(Debug, Default)]
pub(super) struct SharedCatalogue {
    loaded: RwLock<Option<Arc<Loaded>>>,
    /// How often statements went through that may have changed types.
    changes: AtomicU64,
    /// Held while a request is under way, so that those who come meanwhile wait for its answer.
    loading: Mutex<()>,
}

/// What one request brought.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) catalogue: Arc<Catalogue>,
    /// What was asked for beyond what is always read; what of it the catalogue lacks does not exist.
    wanted: BTreeSet<Oid>,
    at: Instant,
    changes: u64,
}

/// A question for the types of a database.
#[derive(Debug)]
pub(super) struct Question {
    /// What it needs to be set, and itself.
    pub(super) statements: [http::Statement<'static>; 2],
    at: Instant,
    changes: u64,
}

impl SharedCatalogue {
    /// Notes that a statement may have made, altered or dropped types.
    pub(super) fn note_change(&self) {
        self.changes.fetch_add(1, Ordering::AcqRel);
    }

    /// Returns how many such statements were noted.
    pub(super) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// Returns a catalogue that holds these types, unless the database does not have them; sends a request where it must.
    pub(super) async fn holding(&self, client: &http::Client, oids: &[Oid]) -> Result<Arc<Loaded>> {
        let current = || self.current().filter(|loaded| self.is_current(loaded) && loaded.covers(oids));
        if let Some(loaded) = current() {
            return Ok(loaded);
        }
        let _loading = self.loading.lock().await;
        if let Some(loaded) = current() {
            return Ok(loaded);
        }
        self.load(client, oids).await
    }

    /// Returns a catalogue that was read later than one that turned out to be wrong.
    pub(super) async fn after(&self, client: &http::Client, wrong: &Loaded, oids: &[Oid]) -> Result<Arc<Loaded>> {
        let _loading = self.loading.lock().await;
        match self.current() {
            Some(loaded) if loaded.at > wrong.at && self.is_current(&loaded) && loaded.covers(oids) => Ok(loaded),
            _ => self.load(client, oids).await,
        }
    }

    fn current(&self) -> Option<Arc<Loaded>> {
        self.loaded.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn is_current(&self, loaded: &Loaded) -> bool {
        loaded.changes == self.changes()
    }

    /// Whether the types were read once.
    pub(super) fn is_known(&self) -> bool {
        self.current().is_some()
    }

    /// What asks for the types in a request of another's, in which it changes the search path.
    pub(super) fn question(&self) -> Question {
        let (name, value) = definitions::SETTING;
        let setting = format!("select pg_catalog.set_config('{name}', '{value}', true)");
        Question {
            statements: [http::Statement::new(setting), definitions::question(&BTreeSet::new())],
            at: Instant::now(),
            changes: self.changes(),
        }
    }

    /// Takes the rows that answer the question; what makes no sense is asked for once more when it is needed.
    pub(super) fn learn(&self, question: &Question, rows: &[DataRow]) {
        let texts: Option<Vec<_>> = rows.iter().map(|row| std::str::from_utf8(row.values().next()??).ok()).collect();
        let Some(Ok(definitions)) = texts.map(|texts| definitions::parse(texts.into_iter())) else { return };
        let Question { at, changes, .. } = *question;
        let catalogue = Arc::new(Catalogue::new(definitions));
        let loaded = Arc::new(Loaded { catalogue, wanted: BTreeSet::new(), at, changes });
        self.loaded.write().unwrap_or_else(PoisonError::into_inner).get_or_insert(loaded);
    }

    async fn load(&self, client: &http::Client, oids: &[Oid]) -> Result<Arc<Loaded>> {
        let (at, changes) = (Instant::now(), self.changes());
        // Row types stay once they were asked for; what does not exist is not asked for again and again.
        let mut wanted: BTreeSet<Oid> = oids.iter().copied().collect();
        if let Some(known) = self.current() {
            wanted.extend(known.wanted.iter().filter(|&&oid| known.catalogue.by_oid(oid).is_some()));
        }
        let catalogue = Arc::new(Catalogue::new(definitions::read(client, &wanted).await?));
        let loaded = Arc::new(Loaded { catalogue, wanted, at, changes });
        *self.loaded.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&loaded));
        Ok(loaded)
    }
}

impl Loaded {
    /// Whether what is known of these types can be relied on.
    fn covers(&self, oids: &[Oid]) -> bool {
        let is_young = self.at.elapsed() < LIFETIME;
        oids.iter().all(|&oid| match self.conversion(oid) {
            Ok(type_) => is_young || !type_.can_change(),
            Err(error) if error.is_unknown() => is_young && self.wanted.contains(&oid),
            Err(_) => true,
        })
    }

    /// Whether it was asked for after this time.
    pub(super) fn is_younger_than(&self, time: Instant) -> bool {
        self.at >= time
    }

    /// The conversion of a type whose binary form is at hand, or that needs no names.
    pub(super) fn conversion(&self, oid: Oid) -> Result<Type, Unconvertible> {
        self.catalogue.conversion(oid, Some(&Arc::new(RegNames::default())))
    }
}
