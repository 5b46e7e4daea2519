use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use diesel::{
    QueryResult,
    pg::{PgMetadataCache, PgMetadataCacheKey, PgMetadataLookup, PgTypeMetadata},
};
use pgferry::{
    Oid,
    execute::{Output, Session, Statement},
    wire::Format,
};

use super::error;
use crate::metadata;

/// The database's own types, as far as they were looked up.
///
/// Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Types {
    known: Arc<Mutex<Known>>,
}

#[derive(Default)]
struct Known {
    cache: PgMetadataCache,
    /// Whether all types that there were at some time are in the cache.
    has_all: bool,
}

/// A type as diesel asks for it: schema and name.
pub(super) type Name = (Option<String>, String);

/// The OIDs of a type and of arrays of it.
pub(super) type Oids = (Oid, Oid);

impl Types {
    fn lock(&self) -> MutexGuard<'_, Known> {
        // Types are added whole.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn get(&self, name: &str, schema: Option<&str>) -> Option<PgTypeMetadata> {
        self.lock().cache.lookup_type(&PgMetadataCacheKey::new(schema.map(Into::into), name.into()))
    }

    /// Looks types up, in one round trip where the first are asked for.
    pub(super) async fn look_up(&self, session: &Session, names: &[Name]) -> QueryResult<HashMap<Name, Oids>> {
        if !self.lock().has_all {
            let all = ask(session, Statement::new(metadata::TYPES)).await?;
            let mut known = self.lock();
            for row in &all.rows {
                let values: Vec<_> =
                    row.values().map(|value| value.and_then(|value| str::from_utf8(value).ok())).collect();
                let [Some(schema), Some(name), Some(oid), Some(array_oid), Some(is_visible)] = values[..] else {
                    continue;
                };
                let (Ok(oid), Ok(array_oid)) = (oid.parse(), array_oid.parse()) else { continue };
                metadata::store(&mut known.cache, (schema, name), (oid, array_oid), is_visible == "t");
            }
            known.has_all = true;
        }
        let mut found = HashMap::with_capacity(names.len());
        for (schema, name) in names {
            let known = self.get(name, schema.as_deref()).and_then(|type_| oids(&type_));
            let oids = match known {
                Some(oids) => oids,
                None => self.look_up_one(session, schema.as_deref(), name).await?,
            };
            found.insert((schema.clone(), name.clone()), oids);
        }
        Ok(found)
    }

    /// Looks up one that was made since, or a table's row type.
    async fn look_up_one(&self, session: &Session, schema: Option<&str>, name: &str) -> QueryResult<Oids> {
        const TEXT: Oid = 25;
        let param = |value: &str| Some(value.as_bytes().to_vec().into());
        let question = Statement::new(metadata::ONE_TYPE).param(TEXT, param(name)).param(TEXT, schema.and_then(param));
        let answer = ask(session, question).await?;
        let mut values = answer.rows.first().into_iter().flat_map(|row| row.values());
        let mut next = || str::from_utf8(values.next()??).ok()?.parse().ok();
        match (next(), next()) {
            (Some(oid), Some(array_oid)) => {
                let key =
                    PgMetadataCacheKey::new(schema.map(|schema| schema.to_owned().into()), name.to_owned().into());
                self.lock().cache.store_type(key, (oid, array_oid));
                Ok((oid, array_oid))
            }
            _ => Err(error::no_such_type(schema, name)),
        }
    }
}

pub(super) fn oids(type_: &PgTypeMetadata) -> Option<Oids> {
    Some((type_.oid().ok()?, type_.array_oid().ok()?))
}

async fn ask(session: &Session, question: Statement) -> QueryResult<Output> {
    let question = Statement { results: Format::Text, ..question };
    let answer = session.execute(question).collect().await;
    answer.map_err(|error| error::query_error(error, session.is_usable()))
}

/// What serialisation finds: types that are known, and stand-ins for the others.
pub(super) struct StandIns {
    types: Types,
    /// Turns a number into a stand-in's OID.
    oid: fn(u32) -> Oid,
    unknown: Vec<Name>,
}

impl StandIns {
    pub(super) fn new(types: Types, oid: fn(u32) -> Oid) -> Self {
        Self { types, oid, unknown: Vec::new() }
    }

    /// The types that stand-ins stand for, by their numbers.
    pub(super) fn into_unknown(self) -> Vec<Name> {
        self.unknown
    }
}

impl PgMetadataLookup for StandIns {
    fn lookup_type(&mut self, type_name: &str, schema: Option<&str>) -> PgTypeMetadata {
        if let Some(known) = self.types.get(type_name, schema) {
            return known;
        }
        let name = (schema.map(str::to_owned), type_name.to_owned());
        let number = self.unknown.iter().position(|known| *known == name).unwrap_or_else(|| {
            self.unknown.push(name);
            self.unknown.len() - 1
        });
        // A query has no more types than fit a number of 23 bits, of which two stand-ins are made.
        let number = u32::try_from(number).unwrap_or(u32::MAX) & 0x007f_ffff;
        PgTypeMetadata::new((self.oid)(2 * number), (self.oid)(2 * number + 1))
    }
}
