//! The types that every PostgreSQL 15 has under the same OID; from its `pg_type`, in order.

use crate::Oid;

/// Returns the qualified and quoted name of a built-in type, as a cast takes it; also of types that the codec cannot convert.
///
/// # Example
///
/// ```
/// use pgferry::codec::builtin_name;
///
/// assert_eq!(builtin_name(20), Some("pg_catalog.int8"));
/// assert_eq!(builtin_name(18), Some("pg_catalog.\"char\""));
/// assert_eq!(builtin_name(1007), Some("pg_catalog._int4"));
/// assert_eq!(builtin_name(100_000), None);
/// ```
pub fn builtin_name(oid: Oid) -> Option<&'static str> {
    entry(oid).map(|(name, _)| name)
}

/// Returns the type of the elements of a built-in array type.
pub fn builtin_element(oid: Oid) -> Option<Oid> {
    entry(oid).map(|(_, element)| element).filter(|&element| element != 0)
}

fn entry(oid: Oid) -> Option<(&'static str, Oid)> {
    let found = BUILTIN.binary_search_by_key(&oid, |&(oid, ..)| oid).ok()?;
    BUILTIN.get(found).map(|&(_, name, element)| (name, element))
}

/// OID, name, and for array types the elements' OID, else 0.
#[rustfmt::skip]
const BUILTIN: &[(Oid, &str, Oid)] = &[
    (16, "pg_catalog.bool", 0),
    (17, "pg_catalog.bytea", 0),
    (18, "pg_catalog.\"char\"", 0),
    (19, "pg_catalog.name", 0),
    (20, "pg_catalog.int8", 0),
    (21, "pg_catalog.int2", 0),
    (22, "pg_catalog.int2vector", 21),
    (23, "pg_catalog.int4", 0),
    (24, "pg_catalog.regproc", 0),
    (25, "pg_catalog.text", 0),
    (26, "pg_catalog.oid", 0),
    (27, "pg_catalog.tid", 0),
    (28, "pg_catalog.xid", 0),
    (29, "pg_catalog.cid", 0),
    (30, "pg_catalog.oidvector", 26),
    (32, "pg_catalog.pg_ddl_command", 0),
    (114, "pg_catalog.json", 0),
    (142, "pg_catalog.xml", 0),
    (143, "pg_catalog._xml", 142),
    (194, "pg_catalog.pg_node_tree", 0),
    (199, "pg_catalog._json", 114),
    (269, "pg_catalog.table_am_handler", 0),
    (271, "pg_catalog._xid8", 5069),
    (325, "pg_catalog.index_am_handler", 0),
    (600, "pg_catalog.point", 0),
    (601, "pg_catalog.lseg", 0),
    (602, "pg_catalog.path", 0),
    (603, "pg_catalog.box", 0),
    (604, "pg_catalog.polygon", 0),
    (628, "pg_catalog.line", 0),
    (629, "pg_catalog._line", 628),
    (650, "pg_catalog.cidr", 0),
    (651, "pg_catalog._cidr", 650),
    (700, "pg_catalog.float4", 0),
    (701, "pg_catalog.float8", 0),
    (705, "pg_catalog.unknown", 0),
    (718, "pg_catalog.circle", 0),
    (719, "pg_catalog._circle", 718),
    (774, "pg_catalog.macaddr8", 0),
    (775, "pg_catalog._macaddr8", 774),
    (790, "pg_catalog.money", 0),
    (791, "pg_catalog._money", 790),
    (829, "pg_catalog.macaddr", 0),
    (869, "pg_catalog.inet", 0),
    (1000, "pg_catalog._bool", 16),
    (1001, "pg_catalog._bytea", 17),
    (1002, "pg_catalog._char", 18),
    (1003, "pg_catalog._name", 19),
    (1005, "pg_catalog._int2", 21),
    (1006, "pg_catalog._int2vector", 22),
    (1007, "pg_catalog._int4", 23),
    (1008, "pg_catalog._regproc", 24),
    (1009, "pg_catalog._text", 25),
    (1010, "pg_catalog._tid", 27),
    (1011, "pg_catalog._xid", 28),
    (1012, "pg_catalog._cid", 29),
    (1013, "pg_catalog._oidvector", 30),
    (1014, "pg_catalog._bpchar", 1042),
    (1015, "pg_catalog._varchar", 1043),
    (1016, "pg_catalog._int8", 20),
    (1017, "pg_catalog._point", 600),
    (1018, "pg_catalog._lseg", 601),
    (1019, "pg_catalog._path", 602),
    (1020, "pg_catalog._box", 603),
    (1021, "pg_catalog._float4", 700),
    (1022, "pg_catalog._float8", 701),
    (1027, "pg_catalog._polygon", 604),
    (1028, "pg_catalog._oid", 26),
    (1033, "pg_catalog.aclitem", 0),
    (1034, "pg_catalog._aclitem", 1033),
    (1040, "pg_catalog._macaddr", 829),
    (1041, "pg_catalog._inet", 869),
    (1042, "pg_catalog.bpchar", 0),
    (1043, "pg_catalog.varchar", 0),
    (1082, "pg_catalog.date", 0),
    (1083, "pg_catalog.time", 0),
    (1114, "pg_catalog.timestamp", 0),
    (1115, "pg_catalog._timestamp", 1114),
    (1182, "pg_catalog._date", 1082),
    (1183, "pg_catalog._time", 1083),
    (1184, "pg_catalog.timestamptz", 0),
    (1185, "pg_catalog._timestamptz", 1184),
    (1186, "pg_catalog.interval", 0),
    (1187, "pg_catalog._interval", 1186),
    (1231, "pg_catalog._numeric", 1700),
    (1263, "pg_catalog._cstring", 2275),
    (1266, "pg_catalog.timetz", 0),
    (1270, "pg_catalog._timetz", 1266),
    (1560, "pg_catalog.bit", 0),
    (1561, "pg_catalog._bit", 1560),
    (1562, "pg_catalog.varbit", 0),
    (1563, "pg_catalog._varbit", 1562),
    (1700, "pg_catalog.numeric", 0),
    (1790, "pg_catalog.refcursor", 0),
    (2201, "pg_catalog._refcursor", 1790),
    (2202, "pg_catalog.regprocedure", 0),
    (2203, "pg_catalog.regoper", 0),
    (2204, "pg_catalog.regoperator", 0),
    (2205, "pg_catalog.regclass", 0),
    (2206, "pg_catalog.regtype", 0),
    (2207, "pg_catalog._regprocedure", 2202),
    (2208, "pg_catalog._regoper", 2203),
    (2209, "pg_catalog._regoperator", 2204),
    (2210, "pg_catalog._regclass", 2205),
    (2211, "pg_catalog._regtype", 2206),
    (2249, "pg_catalog.record", 0),
    (2275, "pg_catalog.cstring", 0),
    (2276, "pg_catalog.any", 0),
    (2277, "pg_catalog.anyarray", 0),
    (2278, "pg_catalog.void", 0),
    (2279, "pg_catalog.trigger", 0),
    (2280, "pg_catalog.language_handler", 0),
    (2281, "pg_catalog.internal", 0),
    (2283, "pg_catalog.anyelement", 0),
    (2287, "pg_catalog._record", 2249),
    (2776, "pg_catalog.anynonarray", 0),
    (2949, "pg_catalog._txid_snapshot", 2970),
    (2950, "pg_catalog.uuid", 0),
    (2951, "pg_catalog._uuid", 2950),
    (2970, "pg_catalog.txid_snapshot", 0),
    (3115, "pg_catalog.fdw_handler", 0),
    (3220, "pg_catalog.pg_lsn", 0),
    (3221, "pg_catalog._pg_lsn", 3220),
    (3310, "pg_catalog.tsm_handler", 0),
    (3361, "pg_catalog.pg_ndistinct", 0),
    (3402, "pg_catalog.pg_dependencies", 0),
    (3500, "pg_catalog.anyenum", 0),
    (3614, "pg_catalog.tsvector", 0),
    (3615, "pg_catalog.tsquery", 0),
    (3642, "pg_catalog.gtsvector", 0),
    (3643, "pg_catalog._tsvector", 3614),
    (3644, "pg_catalog._gtsvector", 3642),
    (3645, "pg_catalog._tsquery", 3615),
    (3734, "pg_catalog.regconfig", 0),
    (3735, "pg_catalog._regconfig", 3734),
    (3769, "pg_catalog.regdictionary", 0),
    (3770, "pg_catalog._regdictionary", 3769),
    (3802, "pg_catalog.jsonb", 0),
    (3807, "pg_catalog._jsonb", 3802),
    (3831, "pg_catalog.anyrange", 0),
    (3838, "pg_catalog.event_trigger", 0),
    (3904, "pg_catalog.int4range", 0),
    (3905, "pg_catalog._int4range", 3904),
    (3906, "pg_catalog.numrange", 0),
    (3907, "pg_catalog._numrange", 3906),
    (3908, "pg_catalog.tsrange", 0),
    (3909, "pg_catalog._tsrange", 3908),
    (3910, "pg_catalog.tstzrange", 0),
    (3911, "pg_catalog._tstzrange", 3910),
    (3912, "pg_catalog.daterange", 0),
    (3913, "pg_catalog._daterange", 3912),
    (3926, "pg_catalog.int8range", 0),
    (3927, "pg_catalog._int8range", 3926),
    (4072, "pg_catalog.jsonpath", 0),
    (4073, "pg_catalog._jsonpath", 4072),
    (4089, "pg_catalog.regnamespace", 0),
    (4090, "pg_catalog._regnamespace", 4089),
    (4096, "pg_catalog.regrole", 0),
    (4097, "pg_catalog._regrole", 4096),
    (4191, "pg_catalog.regcollation", 0),
    (4192, "pg_catalog._regcollation", 4191),
    (4451, "pg_catalog.int4multirange", 0),
    (4532, "pg_catalog.nummultirange", 0),
    (4533, "pg_catalog.tsmultirange", 0),
    (4534, "pg_catalog.tstzmultirange", 0),
    (4535, "pg_catalog.datemultirange", 0),
    (4536, "pg_catalog.int8multirange", 0),
    (4537, "pg_catalog.anymultirange", 0),
    (4538, "pg_catalog.anycompatiblemultirange", 0),
    (4600, "pg_catalog.pg_brin_bloom_summary", 0),
    (4601, "pg_catalog.pg_brin_minmax_multi_summary", 0),
    (5017, "pg_catalog.pg_mcv_list", 0),
    (5038, "pg_catalog.pg_snapshot", 0),
    (5039, "pg_catalog._pg_snapshot", 5038),
    (5069, "pg_catalog.xid8", 0),
    (5077, "pg_catalog.anycompatible", 0),
    (5078, "pg_catalog.anycompatiblearray", 0),
    (5079, "pg_catalog.anycompatiblenonarray", 0),
    (5080, "pg_catalog.anycompatiblerange", 0),
    (6150, "pg_catalog._int4multirange", 4451),
    (6151, "pg_catalog._nummultirange", 4532),
    (6152, "pg_catalog._tsmultirange", 4533),
    (6153, "pg_catalog._tstzmultirange", 4534),
    (6155, "pg_catalog._datemultirange", 4535),
    (6157, "pg_catalog._int8multirange", 4536),
];

#[cfg(test)]
mod tests {
    use super::{BUILTIN, builtin_element};

    #[test]
    fn the_table_is_in_order() {
        assert!(BUILTIN.is_sorted_by(|a, b| a.0 < b.0));
    }

    #[test]
    fn elements_are_in_it_too() {
        for &(oid, name, element) in BUILTIN {
            assert!(element == 0 || BUILTIN.iter().any(|entry| entry.0 == element), "{name}");
            assert_eq!(builtin_element(oid).is_some(), element != 0);
        }
        assert_eq!(builtin_element(1007), Some(23));
    }
}
