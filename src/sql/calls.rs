//! Which functions a statement calls by its words.

use std::borrow::Cow;

use super::{
    Dialect,
    token::{Kind, Token},
};

/// The names before opening parentheses, lower-case where they are not quoted, whatever schema is before them; some of them are
/// keywords. What views, operators and casts call is not seen.
pub(super) fn called(dialect: Dialect, text: &str) -> Vec<String> {
    before_parentheses(dialect, text).map(|named| named.name.into_owned()).collect()
}

/// Whether a text calls something by its words that is not known to change nothing.
pub(super) fn may_write(dialect: Dialect, text: &str) -> bool {
    before_parentheses(dialect, text).any(|named| match (named.schema, named.is_quoted) {
        (None, true) => HARMLESS.binary_search(&&*named.name).is_err(),
        (None, false) => !is_harmless(&named.name),
        (Some(schema), _) => schema != "pg_catalog" || !is_harmless(&named.name),
    })
}

/// What stands before an opening parenthesis.
struct Named<'a> {
    schema: Option<Cow<'a, str>>,
    name: Cow<'a, str>,
    is_quoted: bool,
}

fn before_parentheses(dialect: Dialect, text: &str) -> impl Iterator<Item = Named<'_>> {
    let mut before: [Option<Token<'_>>; 3] = [None; 3];
    dialect.tokens(text).filter_map(move |token| {
        let [schema, dot, last] = before;
        before = [dot, last, Some(token)];
        let last = last.filter(|_| token.is_symbol("("))?;
        let is_qualified = dot.is_some_and(|dot| dot.is_symbol("."));
        Some(Named {
            schema: schema.filter(|_| is_qualified).and_then(|schema| schema.identifier()),
            name: last.identifier()?,
            is_quoted: last.kind == Kind::Quoted,
        })
    })
}

fn is_harmless(name: &str) -> bool {
    HARMLESS.binary_search(&name).is_ok() || KEYWORDS.binary_search(&name).is_ok()
}

/// Functions of Postgres's own that change nothing, those that queries call most.
const HARMLESS: &[&str] = &[
    "abs",
    "age",
    "array_agg",
    "array_append",
    "array_cat",
    "array_length",
    "array_position",
    "array_prepend",
    "array_remove",
    "array_to_json",
    "array_to_string",
    "array_upper",
    "avg",
    "bool_and",
    "bool_or",
    "btrim",
    "cardinality",
    "ceil",
    "ceiling",
    "char_length",
    "character_length",
    "clock_timestamp",
    "concat",
    "concat_ws",
    "count",
    "cume_dist",
    "current_database",
    "current_schema",
    "current_schemas",
    "current_setting",
    "date_part",
    "date_trunc",
    "decode",
    "dense_rank",
    "encode",
    "every",
    "exp",
    "first_value",
    "floor",
    "format",
    "format_type",
    "gen_random_uuid",
    "generate_series",
    "generate_subscripts",
    "inet_client_addr",
    "inet_client_port",
    "inet_server_addr",
    "initcap",
    "json_agg",
    "json_array_elements",
    "json_build_array",
    "json_build_object",
    "json_each",
    "json_each_text",
    "json_object_agg",
    "json_populate_record",
    "json_populate_recordset",
    "json_to_record",
    "json_to_recordset",
    "jsonb_agg",
    "jsonb_array_elements",
    "jsonb_array_elements_text",
    "jsonb_build_array",
    "jsonb_build_object",
    "jsonb_each",
    "jsonb_each_text",
    "jsonb_object_agg",
    "jsonb_populate_record",
    "jsonb_populate_recordset",
    "jsonb_set",
    "jsonb_to_record",
    "jsonb_to_recordset",
    "lag",
    "last_value",
    "lead",
    "left",
    "length",
    "ln",
    "log",
    "lower",
    "lpad",
    "ltrim",
    "make_date",
    "make_interval",
    "make_timestamptz",
    "max",
    "md5",
    "min",
    "mod",
    "now",
    "nth_value",
    "ntile",
    "num_nonnulls",
    "num_nulls",
    "octet_length",
    "percent_rank",
    "percentile_cont",
    "percentile_disc",
    "pg_backend_pid",
    "pg_column_size",
    "pg_get_constraintdef",
    "pg_get_expr",
    "pg_get_functiondef",
    "pg_get_indexdef",
    "pg_get_viewdef",
    "pg_is_in_recovery",
    "pg_sleep",
    "pg_table_is_visible",
    "pg_type_is_visible",
    "pg_typeof",
    "pi",
    "power",
    "quote_ident",
    "quote_literal",
    "quote_nullable",
    "random",
    "rank",
    "regexp_match",
    "regexp_matches",
    "regexp_replace",
    "regexp_split_to_array",
    "regexp_split_to_table",
    "repeat",
    "replace",
    "reverse",
    "right",
    "round",
    "row_number",
    "row_to_json",
    "rpad",
    "rtrim",
    "sign",
    "split_part",
    "sqrt",
    "starts_with",
    "statement_timestamp",
    "string_agg",
    "string_to_array",
    "strpos",
    "substr",
    "sum",
    "timeofday",
    "to_char",
    "to_date",
    "to_json",
    "to_jsonb",
    "to_number",
    "to_regclass",
    "to_regtype",
    "to_timestamp",
    "to_tsquery",
    "to_tsvector",
    "transaction_timestamp",
    "translate",
    "trunc",
    "txid_current_snapshot",
    "unnest",
    "upper",
    "version",
];

/// Keywords that stand before parentheses; as such they name no function of the user's.
const KEYWORDS: &[&str] = &[
    "all",
    "and",
    "any",
    "array",
    "as",
    "between",
    "bit",
    "by",
    "case",
    "cast",
    "char",
    "character",
    "coalesce",
    "cube",
    "current_time",
    "current_timestamp",
    "dec",
    "decimal",
    "distinct",
    "else",
    "except",
    "exists",
    "extract",
    "filter",
    "float",
    "from",
    "greatest",
    "group",
    "grouping",
    "having",
    "in",
    "intersect",
    "interval",
    "is",
    "join",
    "lateral",
    "least",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "materialized",
    "normalize",
    "not",
    "nullif",
    "numeric",
    "offset",
    "on",
    "or",
    "over",
    "overlay",
    "position",
    "rollup",
    "row",
    "select",
    "sets",
    "some",
    "substring",
    "then",
    "time",
    "timestamp",
    "trim",
    "union",
    "using",
    "values",
    "varchar",
    "varying",
    "when",
    "where",
    "with",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_before_parentheses_are_calls() {
        for (text, expected) in [
            ("select 'f(1)', /* g(2) */ (1, 2), 3", &[][..]),
            ("select F(1), s.\"G\" (2) from h(3) -- i(4)", &["f", "G", "h"]),
            ("select 1 where 1 in (1) and f ()", &["in", "f"]),
            (r"select 'a\', f(1), '", &["f"]),
        ] {
            assert_eq!(called(Dialect::new(), text), expected, "{text}");
        }
    }

    #[test]
    fn only_what_is_known_changes_nothing() {
        for text in [
            "select (1, 'f(2)'), row(1, 2)",
            "select COUNT(*) filter (where a in (1)) over (partition by b) from t",
            "select pg_catalog.lower(a), \"lower\"(b), a::numeric(10, 2) from t where exists (select 1)",
            "select coalesce(a, (b)), cast(c as varchar(3)) from (values (1)) as _ where d = any($1) and (e or not (f))",
        ] {
            assert!(!may_write(Dialect::new(), text), "{text}");
        }
        for text in [
            "select f()",
            "select * from jobs.lower('a')",
            "select \"coalesce\"(1)",
            "select count(next_job())",
            "select pg_catalog.setval('s', 1)",
        ] {
            assert!(may_write(Dialect::new(), text), "{text}");
        }
    }

    #[test]
    fn names_are_found_in_order() {
        for names in [HARMLESS, KEYWORDS] {
            assert!(names.is_sorted(), "{names:?}");
        }
    }
}
