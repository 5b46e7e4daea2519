use std::{collections::BTreeSet, sync::Arc, time::Instant};

use super::catalogue::{Loaded, SharedCatalogue, kinds_in, read_names};
use crate::{
    Oid,
    codec::{self, Catalogue, RegNames, Type, Unconvertible},
    error::Result,
    http,
};

/// Finds out how values are converted, with as few requests as it takes: for built-in types none.
#[derive(Clone, Debug)]
pub(super) struct Lookup {
    /// The client with the session's settings, which decide what objects' names look like.
    client: http::Client,
    catalogue: Arc<SharedCatalogue>,
}

/// Whether a catalogue that was read before may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Freshness {
    Known,
    /// Only what is asked for from now on: what was known proved wrong.
    New,
}

impl Lookup {
    pub(super) fn new(client: http::Client, catalogue: Arc<SharedCatalogue>) -> Self {
        Self { client, catalogue }
    }

    pub(super) fn shared(&self) -> &SharedCatalogue {
        &self.catalogue
    }

    /// Returns the database's types.
    pub(super) async fn catalogue(&self) -> Result<Arc<Catalogue>> {
        Ok(Arc::clone(&self.catalogue.holding(&self.client, &[]).await?.catalogue))
    }

    /// Returns a catalogue that holds the types that are not built in; `None` where there are none among them.
    pub(super) async fn holding(&self, oids: &[Oid]) -> Result<Option<Arc<Loaded>>> {
        let own = own(oids);
        if own.is_empty() {
            return Ok(None);
        }
        self.catalogue.holding(&self.client, &own).await.map(Some)
    }

    /// Returns a catalogue read later than one that proved wrong.
    pub(super) async fn after(&self, wrong: &Loaded, oids: &[Oid]) -> Result<Arc<Loaded>> {
        self.catalogue.after(&self.client, wrong, &own(oids)).await
    }

    /// Returns the conversions of a result's columns, each from text to binary. Objects' names are those of now, so it is to be
    /// called once the statement has run.
    pub(super) async fn columns(&self, oids: &[Oid], freshness: Freshness) -> Result<Vec<Result<Type, Unconvertible>>> {
        let begun = Instant::now();
        let loaded = match (self.holding(oids).await?, freshness) {
            (Some(loaded), Freshness::New) if !loaded.is_younger_than(begun) => Some(self.after(&loaded, oids).await?),
            (loaded, _) => loaded,
        };
        let catalogue = loaded.map(|loaded| Arc::clone(&loaded.catalogue)).unwrap_or_default();
        let convert = |names: Option<&Arc<RegNames>>| {
            let conversion = |&oid| Type::builtin(oid).map_or_else(|| catalogue.conversion(oid, names), Ok);
            oids.iter().map(conversion).collect::<Vec<_>>()
        };
        let types = convert(None);
        if !types.iter().any(|type_| type_.as_ref().is_err_and(Unconvertible::needs_names)) {
            return Ok(types);
        }
        let kinds: BTreeSet<Oid> = oids.iter().flat_map(|&oid| kinds_in(&catalogue, oid)).collect();
        let names = read_names(&self.client, &kinds).await?;
        Ok(convert(Some(&Arc::new(names))))
    }
}

/// Those types that are not built in, each once.
fn own(oids: &[Oid]) -> Vec<Oid> {
    let own: BTreeSet<Oid> =
        oids.iter().copied().filter(|&oid| oid != 0 && codec::builtin_name(oid).is_none()).collect();
    own.into_iter().collect()
}
