use crate::types::{TypeEntry, TypeKind};

/// Queries of one column `v` that give values which no text stands for, or which the database has: rows of its tables, names of
/// its objects, records.
pub(crate) fn expressions(entry: &TypeEntry, limit: usize) -> Vec<String> {
    if let TypeKind::Composite { relation, .. } = &entry.kind
        && !relation.is_empty()
    {
        return vec![format!("select r as v from {relation} as r limit {limit}")];
    }
    match entry.name.as_str() {
        "void" => vec!["select pg_sleep(0) as v".into()],
        "record" => [
            "row()",
            "row(1)",
            "row(null)",
            "row(1, 'a'::text, null, row(2, 'b, \"c\"'::text), array[1, 2])",
            "row(row(row(row('\\'::text))))",
            "row(1::oracle.positive, 'ok'::oracle.mood, (1, 'x')::oracle.pair)",
            "row(array[(1, 'x')::oracle.pair], '[1,2)'::int4range)",
        ]
        .iter()
        .map(|row| format!("select {row} as v"))
        .collect(),
        "earth" => vec!["select extensions.ll_to_earth(x, -x) as v from generate_series(0, 90, 9) as x".into()],
        "_record" => vec![
            "select array[row(1, 'a'::text), row(null, 'b, c'::text)] as v".into(),
            "select array[row(1), null] as v".into(),
        ],
        "regproc" => named("pg_proc", "oid", "regproc", limit, "true"),
        "regprocedure" => named("pg_proc", "oid", "regprocedure", limit, "true"),
        "regoper" => named("pg_operator", "oid", "regoper", limit, "true"),
        "regoperator" => named("pg_operator", "oid", "regoperator", limit, "true"),
        "regclass" => named("pg_class", "oid", "regclass", limit, "true"),
        "regtype" => named("pg_type", "oid", "regtype", limit, "true"),
        "regcollation" => named("pg_collation", "oid", "regcollation", limit, "collencoding in (-1, 6)"),
        "regconfig" => named("pg_ts_config", "oid", "regconfig", limit, "true"),
        "regdictionary" => named("pg_ts_dict", "oid", "regdictionary", limit, "true"),
        "regnamespace" => named("pg_namespace", "oid", "regnamespace", limit, "true"),
        "regrole" => named("pg_roles", "oid", "regrole", limit, "true"),
        "regdatabase" => named("pg_database", "oid", "regdatabase", limit, "true"),
        _ => Vec::new(),
    }
}

/// The objects of a catalogue, with a number that stands for none and the null object, which is printed as `-`.
fn named(catalogue: &str, column: &str, kind: &str, limit: usize, condition: &str) -> Vec<String> {
    vec![
        format!(
            "select {column}::{kind} as v from pg_catalog.{catalogue} where {condition} order by md5({column}::text) limit {limit}"
        ),
        format!("select o::{kind} as v from unnest(array[0, 4294967294]::oid[]) as o"),
    ]
}
