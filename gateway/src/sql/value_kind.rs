use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use pgferry::Oid;

/// How values of a type are written in the parsed output mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ValueKind {
    Scalar(Scalar),
    Array { element: Scalar, delimiter: u8 },
}

/// What becomes of a value's text in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scalar {
    /// `t` and `f` become `true` and `false`.
    Bool,
    /// A number as it stands: int2 and int4; int8 would lose digits in JavaScript.
    Int,
    /// A number where it is finite, else a string.
    Float,
    /// Spliced in as it is.
    Json,
    /// A string.
    Text,
}

impl Scalar {
    fn of(oid: Oid) -> Self {
        match oid {
            16 => Self::Bool,
            21 | 23 => Self::Int,
            700 | 701 => Self::Float,
            114 | 3802 => Self::Json,
            _ => Self::Text,
        }
    }
}

/// The first OID that is not assigned by hand in Postgres's sources (`FirstGenbkiObjectId`): types from here on have to be
/// looked up.
const FIRST_UNKNOWN: Oid = 10_000;

/// Arrays of PostgreSQL 18 and before whose elements are strings in JSON, ordered; `box[]` is separated by semicolons.
const TEXT_ARRAYS: [Oid; 80] = [
    143, 199, 210, 270, 271, 272, 273, 629, 651, 719, 775, 791, 1000, 1001, 1002, 1003, 1005, 1006, 1007, 1008, 1009,
    1010, 1011, 1012, 1013, 1014, 1015, 1016, 1017, 1018, 1019, 1021, 1022, 1027, 1028, 1034, 1040, 1041, 1115, 1182,
    1183, 1185, 1187, 1231, 1263, 1270, 1561, 1563, 2201, 2207, 2208, 2209, 2210, 2211, 2949, 2951, 3221, 3643, 3644,
    3645, 3735, 3770, 3807, 3905, 3907, 3909, 3911, 3913, 3927, 4073, 4090, 4097, 4192, 5039, 6150, 6151, 6152, 6153,
    6155, 6157,
];
const BOX_ARRAY: Oid = 1020;

impl ValueKind {
    /// The kind of a type that every Postgres has; `None` for one that has to be looked up.
    pub(super) fn builtin(oid: Oid) -> Option<Self> {
        if oid >= FIRST_UNKNOWN {
            return None;
        }
        let element = match oid {
            1000 => Scalar::Bool,
            1005 | 1007 => Scalar::Int,
            1021 | 1022 => Scalar::Float,
            199 | 3807 => Scalar::Json,
            BOX_ARRAY => return Some(Self::Array { element: Scalar::Text, delimiter: b';' }),
            _ if TEXT_ARRAYS.binary_search(&oid).is_ok() => Scalar::Text,
            _ => return Some(Self::Scalar(Scalar::of(oid))),
        };
        Some(Self::Array { element, delimiter: b',' })
    }

    /// The kind of an array type by what `pg_type` tells of it.
    pub(super) fn array(element: Oid, delimiter: u8) -> Self {
        Self::Array { element: Scalar::of(element), delimiter }
    }
}

/// The kinds of types that were looked up in one database.
///
/// An OID is not given to another type while a gateway runs, for all that the counter wraps around after four thousand
/// million objects; so entries are kept.
#[derive(Default)]
pub(crate) struct ValueKinds(Mutex<HashMap<Oid, ValueKind>>);

impl ValueKinds {
    /// Returns the kind of a type, if it is known already.
    pub(super) fn get(&self, oid: Oid) -> Option<ValueKind> {
        ValueKind::builtin(oid).or_else(|| self.lock().get(&oid).copied())
    }

    pub(super) fn insert(&self, oid: Oid, kind: ValueKind) {
        self.lock().insert(oid, kind);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Oid, ValueKind>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_builtin_types() {
        assert!(TEXT_ARRAYS.is_sorted());
        assert_eq!(ValueKind::builtin(16), Some(ValueKind::Scalar(Scalar::Bool)));
        assert_eq!(ValueKind::builtin(20), Some(ValueKind::Scalar(Scalar::Text)));
        assert_eq!(ValueKind::builtin(1007), Some(ValueKind::array(23, b',')));
        assert_eq!(ValueKind::builtin(1020), Some(ValueKind::array(603, b';')));
        assert_eq!(ValueKind::builtin(1009), Some(ValueKind::array(25, b',')));
        // record[] cannot be taken apart.
        assert_eq!(ValueKind::builtin(2287), Some(ValueKind::Scalar(Scalar::Text)));
        assert_eq!(ValueKind::builtin(16_384), None);
    }
}
