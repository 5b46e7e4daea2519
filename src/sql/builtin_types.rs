//! Which statements have columns of built-in types whatever the database holds.

use super::{
    Dialect,
    token::{Kind, Token},
};

/// Tells whether every column of a statement has a built-in type whatever the database holds, erring on the side of no.
///
/// Built in are those types that clients know without asking, `xml` not among them. So it is for SHOW, for EXPLAIN, and for a SELECT without FROM that is made of literals, parameters, casts to built-in types, their
/// operators and a few functions without arguments. Nothing of the user's may be named in it but a column's label.
///
/// Three things are not in the text, and the caller's to know: a parameter alone is a column of the type that it is declared with; a
/// search path that names `pg_catalog` behind another schema lets that one's types and functions go first; and so does a temporary
/// table with a type's name. A text with a backslash is no such statement, so it does not matter how the server reads strings.
///
/// # Example
///
/// ```
/// use pgferry::sql::gives_builtin_types;
///
/// assert!(gives_builtin_types("select $1::int8 + 1 as next, now()"));
/// assert!(gives_builtin_types("SHOW server_version"));
/// assert!(!gives_builtin_types("select mood from people"));
/// assert!(!gives_builtin_types("select 'happy'::mood"));
/// assert!(!gives_builtin_types("select price(1)"));
/// ```
#[must_use]
pub fn gives_builtin_types(text: &str) -> bool {
    if text.contains('\\') {
        return false;
    }
    let mut tokens = Dialect::new().tokens(text);
    let Some(first) = tokens.next() else { return false };
    if first.is_any(&["show", "explain"]) {
        if first.is("explain") && tokens.clone().any(|token| token.is("xml")) {
            return false;
        }
        return tokens.skip_while(|token| !token.is_symbol(";")).all(|token| token.is_symbol(";"));
    }
    first.is("select") && Expressions::default().are_builtin(tokens.collect())
}

/// The words that mean the same in every database where they stand in an expression or behind it.
const WORDS: &[&str] = &[
    "all",
    "and",
    "asc",
    "at",
    "between",
    "by",
    "case",
    "current_catalog",
    "current_date",
    "current_role",
    "current_time",
    "current_timestamp",
    "current_user",
    "desc",
    "distinct",
    "else",
    "end",
    "except",
    "exists",
    "false",
    "in",
    "intersect",
    "is",
    "isnull",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "not",
    "notnull",
    "null",
    "offset",
    "or",
    "order",
    "select",
    "session_user",
    "symmetric",
    "then",
    "true",
    "union",
    "unknown",
    "user",
    "when",
    "where",
    "zone",
];

/// The words whose parentheses hold a list, of values or of a type's modifiers. As keywords they name no function of the user's.
const BEFORE_LISTS: &[&str] = &[
    "bit",
    "char",
    "character",
    "coalesce",
    "dec",
    "decimal",
    "float",
    "greatest",
    "interval",
    "least",
    "nullif",
    "numeric",
    "time",
    "timestamp",
    "varchar",
    "varying",
];

/// The other words that types are named with.
const TYPES: &[&str] = &[
    "bigint",
    "bool",
    "boolean",
    "bpchar",
    "bytea",
    "cidr",
    "date",
    "double",
    "float4",
    "float8",
    "inet",
    "int",
    "int2",
    "int4",
    "int8",
    "integer",
    "json",
    "jsonb",
    "jsonpath",
    "macaddr",
    "name",
    "oid",
    "precision",
    "real",
    "smallint",
    "text",
    "timestamptz",
    "timetz",
    "uuid",
    "varbit",
    "with",
    "without",
];

/// Whether a word begins the name of a built-in type.
#[cfg(feature = "client")]
pub(super) fn names_type(word: &str) -> bool {
    TYPES.contains(&word) || BEFORE_LISTS.contains(&word)
}

/// Functions that are called without arguments: no other fits such a call better.
const FUNCTIONS: &[&str] = &[
    "clock_timestamp",
    "current_database",
    "current_schema",
    "gen_random_uuid",
    "now",
    "pg_backend_pid",
    "pg_is_in_recovery",
    "pg_postmaster_start_time",
    "pi",
    "random",
    "statement_timestamp",
    "timeofday",
    "transaction_timestamp",
    "version",
];

const OPERATORS: &[&str] = &["+", "-", "*", "/", "%", "<", ">", "<=", ">=", "=", "<>", "!=", "||", "::"];

/// What may stand behind a column's label.
const BEHIND_LABELS: &[&str] = &["except", "intersect", "limit", "offset", "order", "union", "where"];

/// What is open.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    /// A parenthesis around one value: with a comma in it, it would be a record.
    Value,
    /// A parenthesis around several, or a bracket.
    List,
    /// `cast(`: behind its AS comes a type.
    Cast,
}

/// What stands behind SELECT.
#[derive(Default)]
struct Expressions {
    open: Vec<Open>,
    /// Whether a value has just ended, so that a label may follow.
    is_behind_value: bool,
}

impl Expressions {
    fn are_builtin(mut self, tokens: Vec<Token<'_>>) -> bool {
        let mut rest = tokens.as_slice();
        while let Some((token, behind)) = rest.split_first() {
            let Some(taken) = self.take(token, behind) else { return false };
            rest = behind.get(taken..).unwrap_or_default();
        }
        true
    }

    /// Takes a token and returns how many of those behind it went with it; `None` where it may be anything.
    fn take(&mut self, token: &Token<'_>, behind: &[Token<'_>]) -> Option<usize> {
        let next = behind.first();
        let next_is = |symbol| next.is_some_and(|next| next.is_symbol(symbol));
        let was_behind_value = std::mem::take(&mut self.is_behind_value);
        match token.kind {
            Kind::String | Kind::Number | Kind::Param(_) => self.is_behind_value = true,
            Kind::Symbol => self.symbol(token, behind)?,
            Kind::Word if token.is("as") => return self.behind_as(behind),
            Kind::Word if token.is("cast") && next_is("(") => {
                self.open.push(Open::Cast);
                return Some(1);
            }
            Kind::Word if token.is("array") && (next_is("[") || next_is("(")) => {}
            Kind::Word if token.is("pg_catalog") && next_is(".") => {
                let names = |name: &Token<'_>| name.is_any(TYPES) || name.is_any(FUNCTIONS);
                return behind.get(1).is_some_and(names).then_some(1);
            }
            Kind::Word if token.is_any(BEFORE_LISTS) => {
                self.is_behind_value = true;
                if next_is("(") {
                    self.open.push(Open::List);
                    return Some(1);
                }
            }
            Kind::Word if token.is_any(TYPES) && !next_is("(") => self.is_behind_value = true,
            Kind::Word if token.is_any(WORDS) => {
                let ends_value = ["case", "when", "then", "else", "and", "or", "not", "is", "in", "select", "by"];
                self.is_behind_value = !token.is_any(&ends_value);
            }
            Kind::Word if token.is_any(FUNCTIONS) && next_is("(") => {
                self.is_behind_value = true;
                return behind.get(1).is_some_and(|token| token.is_symbol(")")).then_some(2);
            }
            Kind::Word | Kind::Quoted if was_behind_value && ends_label(next) => {}
            Kind::Word | Kind::Quoted => return None,
        }
        Some(0)
    }

    fn symbol(&mut self, token: &Token<'_>, behind: &[Token<'_>]) -> Option<()> {
        match token.text {
            "(" => self.open.push(Open::Value),
            "[" => self.open.push(Open::List),
            ")" | "]" => {
                self.open.pop()?;
                self.is_behind_value = true;
            }
            "," => return matches!(self.open.last(), None | Some(Open::List)).then_some(()),
            ";" => return behind.iter().all(|token| token.is_symbol(";")).then_some(()),
            operator => return OPERATORS.contains(&operator).then_some(()),
        }
        Some(())
    }

    /// A type follows in a cast, elsewhere a label, which may have any name.
    fn behind_as(&mut self, behind: &[Token<'_>]) -> Option<usize> {
        if self.open.last() == Some(&Open::Cast) {
            return Some(0);
        }
        let is_name = matches!(behind.first()?.kind, Kind::Word | Kind::Quoted);
        (is_name && ends_label(behind.get(1))).then_some(1)
    }
}

fn ends_label(next: Option<&Token<'_>>) -> bool {
    next.is_none_or(|next| [",", ")", ";"].iter().any(|symbol| next.is_symbol(symbol)) || next.is_any(BEHIND_LABELS))
}

#[cfg(test)]
mod tests {
    use super::gives_builtin_types;

    #[test]
    fn what_names_nothing_of_the_users_gives_builtin_types() {
        for text in [
            "select 1",
            "SELECT $1::int8;",
            "/* ping */ select 1 as \"Mood\", 'x' two",
            "select now(), pg_catalog.now ( ), version()",
            "select ($1 + 1) * 2 - -3, not true and $2 is null",
            "select cast($1 as numeric(10, 2)), $2::varchar(3)[], '{}'::pg_catalog.int4[]",
            "select array[1, 2] as a, (array[1, 2])[1], array(select 1)",
            "select case when $1 > 0 then 'a' else 'b' end as sign",
            "select case when $1 > 0 then 'a' else 'b' end sign",
            "select coalesce($1, nullif('a', 'b')), greatest(1, 2) limit 1",
            "select date '2020-01-01', interval '1 day', timestamp with time zone 'now', $1::double precision d",
            "select current_date, current_user, localtime(3)",
            "select exists(select 1), 1 in (1), (select $1)",
            "select 1 union all select 2 order by 1 desc",
            "select 1 where false",
            "select $$from t$$, 'from t'",
            "show search_path",
            "Show all;",
            "explain (format json) select * from t",
        ] {
            assert!(gives_builtin_types(text), "{text}");
        }
    }

    #[test]
    fn what_may_name_something_of_the_users_does_not() {
        for text in [
            "",
            ";",
            "select a",
            "select 1 from t",
            "select 1 as a from t",
            "select 1 a from t",
            "select a from t",
            "select 'happy'::mood",
            "select cast('happy' as mood)",
            "select cast((select 1 as a) as mood)",
            "select mood 'happy'",
            "select 1::app.int4",
            "select '{}'::mood[]",
            "select price()",
            "select now(1)",
            "select app.now()",
            "select text('a')",
            "select int4(1)",
            "select \"now\"()",
            "select \"int4\" '1'",
            "select 1 #> 2",
            "select 1 operator(app.+) 2",
            "select row(1, 2)",
            "select (1, 2)",
            "select 1 into t",
            "select 1; select mood from people",
            "show a; select mood from people",
            "explain select 1; select mood from people",
            "explain (format xml) select 1",
            "select '<a/>'::xml",
            r"select 'a\', mood, '' from people --'",
            "select 1)",
            "insert into t values (1)",
            "insert into t values (1) returning mood",
            "with a as (select 1) select * from a",
            "values (1)",
            "table t",
            "select * from t",
            "select count(*)",
            "select extract(year from now())",
            "select 1 over (order by mood)",
            "select 'a' collate \"de\"",
        ] {
            assert!(!gives_builtin_types(text), "{text}");
        }
    }
}
