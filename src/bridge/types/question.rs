use std::fmt::Write;

use super::client;
use crate::Oid;

/// How many row types of tables are read; of a database with more, only those that a statement turned out to need.
const MOST_TABLES: u32 = 500;

/// The columns that [`Row`](super::row::Row) reads. The first are what sqlx asks for, by its own expressions.
const COLUMNS: &str = "\
t.oid,
t.oid::pg_catalog.regtype::pg_catalog.text,
t.typname,
t.typtype,
t.typcategory,
nullif(t.typelem, 0::pg_catalog.oid),
nullif(t.typbasetype, 0::pg_catalog.oid),
r.rngsubtype,
coalesce((select pg_catalog.array_agg(enumlabel) from (select enumlabel from pg_catalog.pg_enum
    where enumtypid = t.oid order by enumsortorder) as labels), '{}'),
coalesce((select pg_catalog.array_agg((attname, atttypid)) from (select attname, atttypid from pg_catalog.pg_attribute
    where attrelid = t.typrelid and not attisdropped and attnum > 0 order by attnum) as attributes), '{}'),
(select pg_catalog.array_agg(atttypid) from pg_catalog.pg_attribute
    where attrelid = t.typrelid and not attisdropped and attnum > 0),
pg_catalog.pg_type_is_visible(t.oid),
c.relname,
pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(t.typname),
pg_catalog.quote_ident(t.typname),
(select pg_catalog.count(*) from tables) <= ";

/// Asks for the types of a database that sqlx does not know by itself, visible ones first, and for these row types of tables in
/// any case.
pub(super) fn question(wanted: impl IntoIterator<Item = Oid>) -> String {
    let known: Vec<_> = client::KNOWN.iter().map(Oid::to_string).collect();
    let mut rows = String::new();
    for oid in wanted {
        // Writing to a String does not fail.
        let _ = write!(rows, ", {oid}");
    }
    format!(
        "with tables as (
            select c.oid, c.relname, c.reltype from pg_catalog.pg_class as c join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
            where c.relkind in ('r', 'v', 'm', 'f', 'p') and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
        )
        select {COLUMNS}{MOST_TABLES}
        from pg_catalog.pg_type as t
        join pg_catalog.pg_namespace as n on n.oid = t.typnamespace
        left join pg_catalog.pg_range as r on r.rngtypid = t.oid
        left join pg_catalog.pg_type as e on e.oid = t.typelem and t.typcategory = 'A'
        left join pg_catalog.pg_class as c on c.oid = coalesce(nullif(t.typrelid, 0), e.typrelid) and c.relkind <> 'c'
        where t.typtype in ('b', 'c', 'd', 'e', 'r', 'm') and t.oid <> all ('{{{}}}')
            and (c.oid is null or c.oid in (select oid from tables)
                and ((select pg_catalog.count(*) from tables) <= {MOST_TABLES} or t.oid in (0{rows}) or t.typarray in (0{rows}) or e.oid in (0{rows})))
        order by pg_catalog.pg_type_is_visible(t.oid) desc, t.oid",
        known.join(",")
    )
}
