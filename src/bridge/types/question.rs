use std::collections::BTreeSet;

use super::client;
use crate::{Oid, sql};

/// The row types of how many tables are read; of a database with more, only those that may be met.
const MOST_TABLES: u32 = 500;

/// The first OID of what is not PostgreSQL's own.
const FIRST_OF_USERS: u32 = 16_384;

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
pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(t.typname),
pg_catalog.quote_ident(t.typname),
(select pg_catalog.count(*) from tables) <= ";

/// What a question asks for in any case.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    pub(super) types: BTreeSet<Oid>,
    /// The row types of tables, by their names without a schema.
    pub(super) tables: BTreeSet<String>,
}

/// Asks for the types of a database that sqlx does not know by itself, visible ones first. Row types of tables that a text need not name
/// to give them, since a function or another table has values of them, are not said to be any table's.
pub(super) fn question(wanted: &Wanted) -> String {
    let known: Vec<_> = client::KNOWN.iter().map(Oid::to_string).collect();
    let types: Vec<_> = wanted.types.iter().map(Oid::to_string).collect();
    let tables: Vec<_> = wanted.tables.iter().map(|name| sql::literal(name)).collect();
    let is_used = "(t.oid in (select type from used) or t.typarray in (select type from used) or e.oid in (select type from used))";
    format!(
        "with tables as (
            select c.oid, c.relname, c.reltype from pg_catalog.pg_class as c join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
            where c.relkind in ('r', 'v', 'm', 'f', 'p') and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
        ), used as (
            select prorettype as type from pg_catalog.pg_proc where prorettype >= {FIRST_OF_USERS}
            union select u from pg_catalog.pg_proc, pg_catalog.unnest(proallargtypes) as u where u >= {FIRST_OF_USERS}
            union select atttypid from pg_catalog.pg_attribute join tables on tables.oid = attrelid
                where attnum > 0 and atttypid >= {FIRST_OF_USERS}
            union select reltype from tables where relname = any (array[{tables}]::pg_catalog.name[])
            union select pg_catalog.unnest('{{{types}}}'::pg_catalog.oid[])
        )
        select {COLUMNS}{MOST_TABLES}, case when {is_used} then null else c.relname end
        from pg_catalog.pg_type as t
        join pg_catalog.pg_namespace as n on n.oid = t.typnamespace
        left join pg_catalog.pg_range as r on r.rngtypid = t.oid
        left join pg_catalog.pg_type as e on e.oid = t.typelem and t.typcategory = 'A'
        left join pg_catalog.pg_class as c on c.oid = coalesce(nullif(t.typrelid, 0), e.typrelid) and c.relkind <> 'c'
        where t.oid <> all ('{{{known}}}') and (t.typtype in ('b', 'c', 'd', 'e', 'r', 'm') or t.oid in (select type from used))
            and (c.oid is null or {is_used}
                or c.oid in (select oid from tables) and (select pg_catalog.count(*) from tables) <= {MOST_TABLES})
        order by pg_catalog.pg_type_is_visible(t.oid) desc, t.oid",
        known = known.join(","),
        types = types.join(","),
        tables = tables.join(","),
    )
}
