//! The types that every PostgreSQL 15 has under the same OID; from its `pg_type`, in order. What later versions add comes
//! with a [`Catalogue`](super::Catalogue) read from the server.

use self::Kind::{Array, Base, Multirange, Pseudo, Range};
use super::{Definition, DefinitionKind};
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
    match entry(oid)?.1 {
        Array(element) => Some(element),
        _ => None,
    }
}

/// All of them as the catalogue's rows.
pub(super) fn definitions() -> impl Iterator<Item = Definition> {
    BUILTIN.iter().map(|&(oid, name, kind)| Definition {
        oid,
        schema: "pg_catalog".to_owned(),
        name: name.trim_start_matches("pg_catalog.").trim_matches('"').to_owned(),
        array: BUILTIN.iter().find(|entry| entry.2 == Array(oid)).map_or(0, |entry| entry.0),
        kind: match kind {
            Base(send) => DefinitionKind::Base { send: send.to_owned() },
            Array(element) => DefinitionKind::Array { element, delimiter: if element == BOX { b';' } else { b',' } },
            Range(subtype) => DefinitionKind::Range { subtype },
            Multirange(range) => DefinitionKind::Multirange { range },
            Pseudo => DefinitionKind::Pseudo,
        },
    })
}

/// The one built-in type whose arrays have a delimiter of their own.
const BOX: Oid = 603;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// With the function that sends it.
    Base(&'static str),
    /// With the elements' type.
    Array(Oid),
    /// With the bounds' type.
    Range(Oid),
    /// With the ranges' type.
    Multirange(Oid),
    Pseudo,
}

fn entry(oid: Oid) -> Option<(&'static str, Kind)> {
    let found = BUILTIN.binary_search_by_key(&oid, |&(oid, ..)| oid).ok()?;
    BUILTIN.get(found).map(|&(_, name, kind)| (name, kind))
}

#[rustfmt::skip]
const BUILTIN: &[(Oid, &str, Kind)] = &[
    (16, "pg_catalog.bool", Base("boolsend")),
    (17, "pg_catalog.bytea", Base("byteasend")),
    (18, "pg_catalog.\"char\"", Base("charsend")),
    (19, "pg_catalog.name", Base("namesend")),
    (20, "pg_catalog.int8", Base("int8send")),
    (21, "pg_catalog.int2", Base("int2send")),
    (22, "pg_catalog.int2vector", Base("int2vectorsend")),
    (23, "pg_catalog.int4", Base("int4send")),
    (24, "pg_catalog.regproc", Base("regprocsend")),
    (25, "pg_catalog.text", Base("textsend")),
    (26, "pg_catalog.oid", Base("oidsend")),
    (27, "pg_catalog.tid", Base("tidsend")),
    (28, "pg_catalog.xid", Base("xidsend")),
    (29, "pg_catalog.cid", Base("cidsend")),
    (30, "pg_catalog.oidvector", Base("oidvectorsend")),
    (32, "pg_catalog.pg_ddl_command", Pseudo),
    (114, "pg_catalog.json", Base("json_send")),
    (142, "pg_catalog.xml", Base("xml_send")),
    (143, "pg_catalog._xml", Array(142)),
    (194, "pg_catalog.pg_node_tree", Base("pg_node_tree_send")),
    (199, "pg_catalog._json", Array(114)),
    (269, "pg_catalog.table_am_handler", Pseudo),
    (271, "pg_catalog._xid8", Array(5069)),
    (325, "pg_catalog.index_am_handler", Pseudo),
    (600, "pg_catalog.point", Base("point_send")),
    (601, "pg_catalog.lseg", Base("lseg_send")),
    (602, "pg_catalog.path", Base("path_send")),
    (603, "pg_catalog.box", Base("box_send")),
    (604, "pg_catalog.polygon", Base("poly_send")),
    (628, "pg_catalog.line", Base("line_send")),
    (629, "pg_catalog._line", Array(628)),
    (650, "pg_catalog.cidr", Base("cidr_send")),
    (651, "pg_catalog._cidr", Array(650)),
    (700, "pg_catalog.float4", Base("float4send")),
    (701, "pg_catalog.float8", Base("float8send")),
    (705, "pg_catalog.unknown", Pseudo),
    (718, "pg_catalog.circle", Base("circle_send")),
    (719, "pg_catalog._circle", Array(718)),
    (774, "pg_catalog.macaddr8", Base("macaddr8_send")),
    (775, "pg_catalog._macaddr8", Array(774)),
    (790, "pg_catalog.money", Base("cash_send")),
    (791, "pg_catalog._money", Array(790)),
    (829, "pg_catalog.macaddr", Base("macaddr_send")),
    (869, "pg_catalog.inet", Base("inet_send")),
    (1000, "pg_catalog._bool", Array(16)),
    (1001, "pg_catalog._bytea", Array(17)),
    (1002, "pg_catalog._char", Array(18)),
    (1003, "pg_catalog._name", Array(19)),
    (1005, "pg_catalog._int2", Array(21)),
    (1006, "pg_catalog._int2vector", Array(22)),
    (1007, "pg_catalog._int4", Array(23)),
    (1008, "pg_catalog._regproc", Array(24)),
    (1009, "pg_catalog._text", Array(25)),
    (1010, "pg_catalog._tid", Array(27)),
    (1011, "pg_catalog._xid", Array(28)),
    (1012, "pg_catalog._cid", Array(29)),
    (1013, "pg_catalog._oidvector", Array(30)),
    (1014, "pg_catalog._bpchar", Array(1042)),
    (1015, "pg_catalog._varchar", Array(1043)),
    (1016, "pg_catalog._int8", Array(20)),
    (1017, "pg_catalog._point", Array(600)),
    (1018, "pg_catalog._lseg", Array(601)),
    (1019, "pg_catalog._path", Array(602)),
    (1020, "pg_catalog._box", Array(603)),
    (1021, "pg_catalog._float4", Array(700)),
    (1022, "pg_catalog._float8", Array(701)),
    (1027, "pg_catalog._polygon", Array(604)),
    (1028, "pg_catalog._oid", Array(26)),
    (1033, "pg_catalog.aclitem", Base("")),
    (1034, "pg_catalog._aclitem", Array(1033)),
    (1040, "pg_catalog._macaddr", Array(829)),
    (1041, "pg_catalog._inet", Array(869)),
    (1042, "pg_catalog.bpchar", Base("bpcharsend")),
    (1043, "pg_catalog.varchar", Base("varcharsend")),
    (1082, "pg_catalog.date", Base("date_send")),
    (1083, "pg_catalog.time", Base("time_send")),
    (1114, "pg_catalog.timestamp", Base("timestamp_send")),
    (1115, "pg_catalog._timestamp", Array(1114)),
    (1182, "pg_catalog._date", Array(1082)),
    (1183, "pg_catalog._time", Array(1083)),
    (1184, "pg_catalog.timestamptz", Base("timestamptz_send")),
    (1185, "pg_catalog._timestamptz", Array(1184)),
    (1186, "pg_catalog.interval", Base("interval_send")),
    (1187, "pg_catalog._interval", Array(1186)),
    (1231, "pg_catalog._numeric", Array(1700)),
    (1263, "pg_catalog._cstring", Array(2275)),
    (1266, "pg_catalog.timetz", Base("timetz_send")),
    (1270, "pg_catalog._timetz", Array(1266)),
    (1560, "pg_catalog.bit", Base("bit_send")),
    (1561, "pg_catalog._bit", Array(1560)),
    (1562, "pg_catalog.varbit", Base("varbit_send")),
    (1563, "pg_catalog._varbit", Array(1562)),
    (1700, "pg_catalog.numeric", Base("numeric_send")),
    (1790, "pg_catalog.refcursor", Base("textsend")),
    (2201, "pg_catalog._refcursor", Array(1790)),
    (2202, "pg_catalog.regprocedure", Base("regproceduresend")),
    (2203, "pg_catalog.regoper", Base("regopersend")),
    (2204, "pg_catalog.regoperator", Base("regoperatorsend")),
    (2205, "pg_catalog.regclass", Base("regclasssend")),
    (2206, "pg_catalog.regtype", Base("regtypesend")),
    (2207, "pg_catalog._regprocedure", Array(2202)),
    (2208, "pg_catalog._regoper", Array(2203)),
    (2209, "pg_catalog._regoperator", Array(2204)),
    (2210, "pg_catalog._regclass", Array(2205)),
    (2211, "pg_catalog._regtype", Array(2206)),
    (2249, "pg_catalog.record", Pseudo),
    (2275, "pg_catalog.cstring", Pseudo),
    (2276, "pg_catalog.any", Pseudo),
    (2277, "pg_catalog.anyarray", Pseudo),
    (2278, "pg_catalog.void", Pseudo),
    (2279, "pg_catalog.trigger", Pseudo),
    (2280, "pg_catalog.language_handler", Pseudo),
    (2281, "pg_catalog.internal", Pseudo),
    (2283, "pg_catalog.anyelement", Pseudo),
    (2287, "pg_catalog._record", Array(2249)),
    (2776, "pg_catalog.anynonarray", Pseudo),
    (2949, "pg_catalog._txid_snapshot", Array(2970)),
    (2950, "pg_catalog.uuid", Base("uuid_send")),
    (2951, "pg_catalog._uuid", Array(2950)),
    (2970, "pg_catalog.txid_snapshot", Base("txid_snapshot_send")),
    (3115, "pg_catalog.fdw_handler", Pseudo),
    (3220, "pg_catalog.pg_lsn", Base("pg_lsn_send")),
    (3221, "pg_catalog._pg_lsn", Array(3220)),
    (3310, "pg_catalog.tsm_handler", Pseudo),
    (3361, "pg_catalog.pg_ndistinct", Base("pg_ndistinct_send")),
    (3402, "pg_catalog.pg_dependencies", Base("pg_dependencies_send")),
    (3500, "pg_catalog.anyenum", Pseudo),
    (3614, "pg_catalog.tsvector", Base("tsvectorsend")),
    (3615, "pg_catalog.tsquery", Base("tsquerysend")),
    (3642, "pg_catalog.gtsvector", Base("")),
    (3643, "pg_catalog._tsvector", Array(3614)),
    (3644, "pg_catalog._gtsvector", Array(3642)),
    (3645, "pg_catalog._tsquery", Array(3615)),
    (3734, "pg_catalog.regconfig", Base("regconfigsend")),
    (3735, "pg_catalog._regconfig", Array(3734)),
    (3769, "pg_catalog.regdictionary", Base("regdictionarysend")),
    (3770, "pg_catalog._regdictionary", Array(3769)),
    (3802, "pg_catalog.jsonb", Base("jsonb_send")),
    (3807, "pg_catalog._jsonb", Array(3802)),
    (3831, "pg_catalog.anyrange", Pseudo),
    (3838, "pg_catalog.event_trigger", Pseudo),
    (3904, "pg_catalog.int4range", Range(23)),
    (3905, "pg_catalog._int4range", Array(3904)),
    (3906, "pg_catalog.numrange", Range(1700)),
    (3907, "pg_catalog._numrange", Array(3906)),
    (3908, "pg_catalog.tsrange", Range(1114)),
    (3909, "pg_catalog._tsrange", Array(3908)),
    (3910, "pg_catalog.tstzrange", Range(1184)),
    (3911, "pg_catalog._tstzrange", Array(3910)),
    (3912, "pg_catalog.daterange", Range(1082)),
    (3913, "pg_catalog._daterange", Array(3912)),
    (3926, "pg_catalog.int8range", Range(20)),
    (3927, "pg_catalog._int8range", Array(3926)),
    (4072, "pg_catalog.jsonpath", Base("jsonpath_send")),
    (4073, "pg_catalog._jsonpath", Array(4072)),
    (4089, "pg_catalog.regnamespace", Base("regnamespacesend")),
    (4090, "pg_catalog._regnamespace", Array(4089)),
    (4096, "pg_catalog.regrole", Base("regrolesend")),
    (4097, "pg_catalog._regrole", Array(4096)),
    (4191, "pg_catalog.regcollation", Base("regcollationsend")),
    (4192, "pg_catalog._regcollation", Array(4191)),
    (4451, "pg_catalog.int4multirange", Multirange(3904)),
    (4532, "pg_catalog.nummultirange", Multirange(3906)),
    (4533, "pg_catalog.tsmultirange", Multirange(3908)),
    (4534, "pg_catalog.tstzmultirange", Multirange(3910)),
    (4535, "pg_catalog.datemultirange", Multirange(3912)),
    (4536, "pg_catalog.int8multirange", Multirange(3926)),
    (4537, "pg_catalog.anymultirange", Pseudo),
    (4538, "pg_catalog.anycompatiblemultirange", Pseudo),
    (4600, "pg_catalog.pg_brin_bloom_summary", Base("brin_bloom_summary_send")),
    (4601, "pg_catalog.pg_brin_minmax_multi_summary", Base("brin_minmax_multi_summary_send")),
    (5017, "pg_catalog.pg_mcv_list", Base("pg_mcv_list_send")),
    (5038, "pg_catalog.pg_snapshot", Base("pg_snapshot_send")),
    (5039, "pg_catalog._pg_snapshot", Array(5038)),
    (5069, "pg_catalog.xid8", Base("xid8send")),
    (5077, "pg_catalog.anycompatible", Pseudo),
    (5078, "pg_catalog.anycompatiblearray", Pseudo),
    (5079, "pg_catalog.anycompatiblenonarray", Pseudo),
    (5080, "pg_catalog.anycompatiblerange", Pseudo),
    (6150, "pg_catalog._int4multirange", Array(4451)),
    (6151, "pg_catalog._nummultirange", Array(4532)),
    (6152, "pg_catalog._tsmultirange", Array(4533)),
    (6153, "pg_catalog._tstzmultirange", Array(4534)),
    (6155, "pg_catalog._datemultirange", Array(4535)),
    (6157, "pg_catalog._int8multirange", Array(4536)),
];

#[cfg(test)]
mod tests {
    use super::{BUILTIN, Kind, builtin_element, definitions};

    #[test]
    fn the_table_is_in_order() {
        assert!(BUILTIN.is_sorted_by(|a, b| a.0 < b.0));
    }

    #[test]
    fn what_a_type_is_made_of_is_in_it_too() {
        for &(_, name, kind) in BUILTIN {
            let (Kind::Array(part) | Kind::Range(part) | Kind::Multirange(part)) = kind else { continue };
            assert!(BUILTIN.iter().any(|entry| entry.0 == part), "{name}");
        }
        assert_eq!(builtin_element(1007), Some(23));
        assert_eq!(builtin_element(23), None);
    }

    #[test]
    fn definitions_are_named_plainly() {
        let char = definitions().find(|definition| definition.oid == 18).unwrap();
        assert_eq!((char.schema.as_str(), char.name.as_str(), char.array), ("pg_catalog", "char", 1002));
    }
}
