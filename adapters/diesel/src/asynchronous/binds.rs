//! A query's parameters, with the types that only the database knows.
//!
//! diesel serialises a query in one go and asks for types meanwhile, while a look-up has to wait. So types that are not known yet get
//! stand-ins, and the query is serialised twice with two sets of them: where the two differ, stand the stand-ins.

use std::collections::HashMap;

use diesel::{
    QueryResult,
    pg::{Pg, PgTypeMetadata},
    query_builder::{QueryFragment, bind_collector::RawBytesBindCollector},
    result::Error::SerializationError,
};
use pgferry::{Oid, execute::Session};

use super::types::{Name, Oids, StandIns, Types, oids};

type Collector = RawBytesBindCollector<Pg>;

/// The parameters of a query in Postgres's binary form, and their types.
pub struct Binds {
    pub(super) values: Vec<Option<Vec<u8>>>,
    pub(super) types: Vec<PgTypeMetadata>,
    unknown: Vec<Name>,
    /// Where stand-ins are in the values: which value, at which byte, and the stand-in's number.
    places: Vec<(usize, usize, u32)>,
}

impl Binds {
    /// Serialises a query's parameters.
    pub(super) fn collect(query: &dyn QueryFragment<Pg>, types: &Types) -> QueryResult<Self> {
        let (first, unknown) = collect(query, types, stand_in)?;
        let places = if unknown.is_empty() {
            Vec::new()
        } else {
            let (second, _) = collect(query, types, other_stand_in)?;
            places(&first.binds, &second.binds, 2 * unknown.len()).ok_or_else(unequal)?
        };
        Ok(Self { values: first.binds, types: first.metadata, unknown, places })
    }

    /// Puts the types in the place of their stand-ins, looking them up where there are any.
    pub(super) async fn resolve(&mut self, types: &Types, session: &Session) -> QueryResult<()> {
        if self.unknown.is_empty() {
            return Ok(());
        }
        let found = types.look_up(session, &self.unknown).await?;
        let real: HashMap<Oid, Oid> =
            self.unknown.iter().zip(0_u32..).flat_map(|(name, index)| real(&found, name, index)).collect();
        for type_ in &mut self.types {
            if let Some((oid, array_oid)) = oids(type_) {
                let of = |oid: Oid| real.get(&oid).copied().unwrap_or(oid);
                *type_ = PgTypeMetadata::new(of(oid), of(array_oid));
            }
        }
        for &(value, start, number) in &self.places {
            let bytes = self.values.get_mut(value).and_then(Option::as_mut);
            let place = bytes.and_then(|bytes| bytes.get_mut(start..)?.first_chunk_mut::<4>());
            let (Some(place), Some(oid)) = (place, real.get(&stand_in(number))) else { return Err(unequal()) };
            *place = oid.to_be_bytes();
        }
        Ok(())
    }
}

fn collect(query: &dyn QueryFragment<Pg>, types: &Types, oid: fn(u32) -> Oid) -> QueryResult<(Collector, Vec<Name>)> {
    let mut collector = Collector::new();
    let mut lookup = StandIns::new(types.clone(), oid);
    query.collect_binds(&mut collector, &mut lookup, &Pg)?;
    Ok((collector, lookup.into_unknown()))
}

/// The OIDs that stand-ins of a type stand for.
fn real(found: &HashMap<Name, Oids>, name: &Name, index: u32) -> Vec<(Oid, Oid)> {
    let Some(&(oid, array_oid)) = found.get(name) else { return Vec::new() };
    vec![(stand_in(2 * index), oid), (stand_in(2 * index + 1), array_oid)]
}

/// A stand-in, by its number of 24 bits.
fn stand_in(number: u32) -> Oid {
    0x8100_0000 | (number & 0x00ff_ffff)
}

/// One of the other set, which differs from the first set's in every byte.
fn other_stand_in(number: u32) -> Oid {
    !stand_in(number)
}

/// Where the first set's stand-ins are; `None` if the values differ in another way.
fn places(first: &[Option<Vec<u8>>], second: &[Option<Vec<u8>>], stand_ins: usize) -> Option<Vec<(usize, usize, u32)>> {
    if first.len() != second.len() {
        return None;
    }
    let mut places = Vec::new();
    for (value, (first, second)) in first.iter().zip(second).enumerate() {
        let (first, second) = match (first, second) {
            (Some(first), Some(second)) if first.len() == second.len() => (first, second),
            (None, None) => continue,
            _ => return None,
        };
        let mut at = 0;
        while let Some(offset) = first.iter().skip(at).zip(second.iter().skip(at)).position(|(a, b)| a != b) {
            at += offset;
            let one = u32::from_be_bytes(*first.get(at..)?.first_chunk()?);
            let other = u32::from_be_bytes(*second.get(at..)?.first_chunk()?);
            let number = one & 0x00ff_ffff;
            if one != stand_in(number) || other != other_stand_in(number) || usize::try_from(number).ok()? >= stand_ins
            {
                return None;
            }
            places.push((value, at, number));
            at += size_of::<Oid>();
        }
    }
    Some(places)
}

fn unequal() -> diesel::result::Error {
    SerializationError("a parameter is serialised differently each time, so the types in it cannot be told".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stand_ins_are_found_where_they_stand() {
        let value = |oid: fn(u32) -> Oid| {
            let oids = [oid(0), oid(1)].map(Oid::to_be_bytes);
            Some([&[0x81, 0, 0, 0][..], &oids[1], &[7], &oids[0], &oids[1], &[0x81]].concat())
        };
        let (first, second) = ([None, value(stand_in)], [None, value(other_stand_in)]);
        assert_eq!(places(&first, &second, 2).unwrap(), [(1, 4, 1), (1, 9, 0), (1, 13, 1)]);
        assert!(places(&first, &second, 1).is_none());
    }

    #[test]
    fn values_that_differ_otherwise_are_told() {
        let some = |bytes: &[u8]| Some(bytes.to_vec());
        for (first, second) in [(some(&[1]), some(&[2])), (some(&[1]), some(&[1, 1])), (some(&[1]), None)] {
            assert!(places(&[first], &[second], 2).is_none());
        }
        assert_eq!(places(&[some(&[1])], &[some(&[1])], 0), Some(vec![]));
    }
}
