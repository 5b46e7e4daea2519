use std::borrow::Cow;

use super::{
    Dialect, Error, Typed, in_place, parameters,
    placement::{Placement, placement},
    prologue,
};
use crate::{Oid, codec};

/// OID of `unknown`, the type of a literal before Postgres has found a better one.
const UNKNOWN: Oid = 705;

/// Fixes the types of a statement's parameters where the protocol cannot tell them, by a prologue:
/// `WITH "_pgferry" AS (SELECT $1::pg_catalog.int8, …)` and then the text, which stays as it is.
///
/// Postgres analyses WITH before the rest, which fixes the types, and never executes a SELECT there that nothing refers to.
/// The prologue merges into a WITH that is there; it goes behind EXPLAIN, DECLARE … FOR and CREATE TABLE … AS. CALL, where no
/// WITH can stand, is cast [in place](typed_in_place). Types 0 and 705 (`unknown`) stay undeclared, and a statement that takes no
/// parameters stays untouched; [`Typed::sends`] says which parameters go with the text.
///
/// # Limits
///
/// - `current_query()`, the server's log, `pg_stat_activity`, `pg_stat_statements` and query identifiers know the text as it was
///   sent.
/// - A type's name is looked up, which takes the privilege USAGE on its schema, where a declaration takes none.
/// - A table with rules that make several queries of one takes [another form](Typed::has_prologue).
/// - What is not sent is not checked either: a surplus value of SET or CREATE VIEW may break a domain's constraint.
///
/// # Errors
///
/// A type that is not built into Postgres; [`typed_with`] takes the names of others.
///
/// # Example
///
/// ```
/// let typed = pgferry::sql::typed("select $1 + $2", &[23, 20])?;
/// assert_eq!(typed.text, r#"WITH "_pgferry" AS (SELECT $1::pg_catalog.int4, $2::pg_catalog.int8) select $1 + $2"#);
/// // Of `+`, had it failed.
/// assert_eq!(typed.position(80), Some(11));
///
/// assert!(pgferry::sql::typed("select $1", &[123_456]).is_err());
/// # Ok::<(), pgferry::sql::Error>(())
/// ```
pub fn typed<'a>(text: &'a str, types: &[Oid]) -> Result<Typed<'a>, Error> {
    Dialect::new().typed(text, types)
}

/// Fixes the types of a statement's parameters as [`typed`] does, with the types' names, qualified and quoted, from `name_of`.
///
/// # Errors
///
/// A type for which there is no name.
pub fn typed_with<'a, 'n>(
    text: &'a str,
    types: &[Oid],
    name_of: impl Fn(Oid) -> Option<Cow<'n, str>>,
) -> Result<Typed<'a>, Error> {
    Dialect::new().typed_with(text, types, name_of)
}

/// Fixes the types of a statement's parameters by casting each where it stands.
///
/// The fallback for statements where no WITH may stand, with these limits: a bare parameter in a list of results changes its
/// column's name by it; a declared parameter that the text does not use is [not sent](Typed::sends), and those behind it take
/// other numbers in messages.
///
/// # Errors
///
/// A type that is not built into Postgres.
///
/// # Example
///
/// ```
/// let typed = pgferry::sql::typed_in_place("insert into t values ($1, ($2)[1])", &[25, 1007])?;
/// assert_eq!(typed.text, "insert into t values ($1::pg_catalog.text, ($2::pg_catalog._int4)[1])");
/// # Ok::<(), pgferry::sql::Error>(())
/// ```
pub fn typed_in_place<'a>(text: &'a str, types: &[Oid]) -> Result<Typed<'a>, Error> {
    Dialect::new().typed_in_place(text, types)
}

/// Casts parameters where they stand, as [`typed_in_place`] does, with the types' names from `name_of`.
///
/// # Errors
///
/// A type for which there is no name.
pub fn typed_in_place_with<'a, 'n>(
    text: &'a str,
    types: &[Oid],
    name_of: impl Fn(Oid) -> Option<Cow<'n, str>>,
) -> Result<Typed<'a>, Error> {
    Dialect::new().typed_in_place_with(text, types, name_of)
}

/// A parameter's number, from 1, and its type's name.
pub(super) type Cast<'n> = (usize, Cow<'n, str>);

pub(super) fn fix<'a, 'n>(
    dialect: Dialect,
    text: &'a str,
    types: &[Oid],
    name_of: impl Fn(Oid) -> Option<Cow<'n, str>>,
) -> Result<Typed<'a>, Error> {
    if types.is_empty() {
        return Ok(Typed::untouched(text));
    }
    let place = placement(dialect, text);
    if place == Placement::None {
        return Ok(Typed::without(text, declared(types).map(|(parameter, _)| parameter - 1).collect()));
    }
    let casts = casts(types, name_of)?;
    if place == Placement::InPlace {
        return Ok(in_place::in_place(dialect, text, &casts));
    }
    // A last parameter with neither a type nor a use is an error in Postgres, and so it stays.
    let untyped =
        types.last().is_some_and(|&oid| is_undeclared(oid)) && parameters::highest(dialect, text) < types.len();
    let untyped = untyped.then_some(types.len());
    if casts.is_empty() && untyped.is_none() {
        return Ok(Typed::untouched(text));
    }
    Ok(prologue::prologue(dialect, text, place, &casts, untyped))
}

pub(super) fn fix_in_place<'a, 'n>(
    dialect: Dialect,
    text: &'a str,
    types: &[Oid],
    name_of: impl Fn(Oid) -> Option<Cow<'n, str>>,
) -> Result<Typed<'a>, Error> {
    if types.is_empty() || placement(dialect, text) == Placement::None {
        return fix(dialect, text, types, name_of);
    }
    Ok(in_place::in_place(dialect, text, &casts(types, name_of)?))
}

pub(super) fn builtin_name(oid: Oid) -> Option<Cow<'static, str>> {
    codec::builtin_name(oid).map(Cow::Borrowed)
}

fn casts<'n>(types: &[Oid], name_of: impl Fn(Oid) -> Option<Cow<'n, str>>) -> Result<Vec<Cast<'n>>, Error> {
    declared(types).map(|(parameter, oid)| Ok((parameter, name_of(oid).ok_or(Error { parameter, oid })?))).collect()
}

/// The parameters' numbers, from 1, whose types are declared.
fn declared(types: &[Oid]) -> impl Iterator<Item = (usize, Oid)> {
    (1..).zip(types.iter().copied()).filter(|&(_, oid)| !is_undeclared(oid))
}

/// Returns whether a parameter's declared type leaves it to the server to infer one.
pub(crate) fn is_undeclared(oid: Oid) -> bool {
    oid == 0 || oid == UNKNOWN
}

#[cfg(test)]
mod tests {
    use super::{typed, typed_in_place};

    const INT4: u32 = 23;
    const TEXT: u32 = 25;
    const PROLOGUE: &str = "\"_pgferry\" AS (SELECT $1::pg_catalog.int4)";

    fn sent(text: &str) -> String {
        typed(text, &[INT4]).unwrap().text.into_owned()
    }

    #[test]
    fn a_prologue_stands_before_queries() {
        for text in [
            "select $1",
            "insert into t values ($1)",
            "update t set a = $1",
            "delete from t where a = $1",
            "merge into t using s on t.a = s.a when matched then update set a = $1",
            "values ($1)",
            "table t",
            "(select $1) union select 2",
            "((select $1))",
        ] {
            assert_eq!(sent(text), format!("WITH {PROLOGUE} {text}"));
        }
        assert_eq!(sent("-- a\n /* b */ select $1"), format!("-- a\n /* b */ WITH {PROLOGUE} select $1"));
    }

    #[test]
    fn it_merges_into_a_with() {
        assert_eq!(sent("with a as (select 1) select $1"), format!("with {PROLOGUE}, a as (select 1) select $1"));
        assert_eq!(
            sent("WITH/**/RECURSIVE a AS (select $1) select 1"),
            format!("WITH/**/RECURSIVE {PROLOGUE}, a AS (select $1) select 1")
        );
        assert_eq!(
            sent("with recursive as (select 1) select $1"),
            format!("with {PROLOGUE}, recursive as (select 1) select $1")
        );
        assert_eq!(
            sent("(with a as (select 1) select $1) limit 1"),
            format!("(with {PROLOGUE}, a as (select 1) select $1) limit 1")
        );
    }

    #[test]
    fn it_goes_behind_explain_and_create_table_as() {
        for (before, after) in [
            ("explain ", "select $1"),
            ("explain analyze verbose ", "select $1"),
            ("explain (format json, costs off) ", "select $1"),
            ("explain ", "(select $1) limit 1"),
            ("explain ", "((select $1))"),
            ("create table t as ", "select $1"),
            ("create temp table if not exists \"as\" (a, b) with (fillfactor = 50) as ", "values ($1, 2) with no data"),
            ("create unlogged table t as ", "(select $1)"),
            ("declare \"for\" cursor with hold for ", "select $1"),
            ("explain declare c cursor for ", "values ($1)"),
            ("explain create table t as ", "select $1"),
        ] {
            assert_eq!(sent(&format!("{before}{after}")), format!("{before}WITH {PROLOGUE} {after}"));
        }
    }

    #[test]
    fn what_cannot_have_a_with_is_cast_in_place() {
        assert_eq!(sent("call p($1)"), "call p($1::pg_catalog.int4)");
        assert_eq!(
            sent("create materialized view v as select $1"),
            "create materialized view v as select $1::pg_catalog.int4"
        );
    }

    #[test]
    fn what_takes_no_parameters_stays() {
        for text in [
            "create table t (a int)",
            "set a = 1",
            "vacuum",
            "",
            "-- select",
            "create view v as select 1",
            "show x",
            "(",
            "with",
        ] {
            let typed = typed(text, &[]).unwrap();
            assert_eq!(typed.text, text);
            assert!(!typed.has_prologue());
        }
        for text in [
            "create table t (a int)",
            "set a = 1",
            "vacuum",
            "",
            "-- select",
            "create view v as select 1",
            "show x",
            "(",
            "execute p($1)",
            "create view v as select $1",
            "create table t as execute p($1)",
            "prepare p as select $1",
            "copy (select $1) to stdout",
            "create function f(int) returns int begin atomic select $1; end",
        ] {
            let typed = typed(text, &[INT4, 99_999, 0]).unwrap();
            assert_eq!(typed.text, text);
            assert_eq!([0, 1, 2].map(|index| typed.sends(index)), [false, false, true], "{text}");
        }
    }

    #[test]
    fn what_nothing_declares_is_not_sent() {
        let call = typed("call p($3, $1, $11)", &[INT4; 12]).unwrap();
        assert_eq!(call.text, "call p($2::pg_catalog.int4, $1::pg_catalog.int4, $3::pg_catalog.int4)");
        let sent: Vec<_> = (0..13).filter(|&index| call.sends(index)).collect();
        assert_eq!(sent, [0, 2, 10, 12]);
        assert_eq!(call.position(8), Some(8));
        assert_eq!(call.position(10), Some(8));
        assert_eq!(call.position(30), Some(12));
        assert_eq!(call.position(69), Some(19));
        // Its type is for Postgres to find, or to miss.
        let gap = typed("call p($2)", &[0, INT4]).unwrap();
        assert_eq!(gap.text, "call p($2::pg_catalog.int4)");
        assert!(gap.sends(0));
    }

    #[test]
    fn a_parameter_without_type_and_use_is_named() {
        assert_eq!(
            typed("select $1", &[INT4, 0]).unwrap().text,
            "WITH \"_pgferry\" AS (SELECT $1::pg_catalog.int4, $2 IS NULL) select $1"
        );
        assert_eq!(typed("select 1", &[705]).unwrap().text, "WITH \"_pgferry\" AS (SELECT $1 IS NULL) select 1");
        assert_eq!(typed("select $1", &[705]).unwrap().text, "select $1");
    }

    #[test]
    fn undeclared_types_stay_so() {
        assert_eq!(typed("select $1, $2", &[0, 705]).unwrap().text, "select $1, $2");
        let one = typed("select $1, $2, $3", &[0, TEXT, 705]).unwrap();
        assert_eq!(one.text, "WITH \"_pgferry\" AS (SELECT $2::pg_catalog.text) select $1, $2, $3");
    }

    #[test]
    fn more_parameters_than_columns_take_another_form() {
        let many = typed("select 1", &[INT4; 1664]).unwrap().text.into_owned();
        assert!(many.starts_with("WITH \"_pgferry\" AS (SELECT $1::pg_catalog.int4, $2"), "{many}");
        let more = typed("select 1", &[INT4; 1665]).unwrap().text.into_owned();
        assert!(more.starts_with("WITH \"_pgferry\" AS (SELECT WHERE $1::pg_catalog.int4 IS NULL AND $2"), "{more}");
        assert!(more.ends_with("AND $1665::pg_catalog.int4 IS NULL) select 1"), "{more}");
    }

    #[test]
    fn its_name_is_not_the_users() {
        assert_eq!(
            sent("with \"_pgferry\" as (select 1) select $1 from _pgferry1"),
            "with \"_pgferry2\" AS (SELECT $1::pg_catalog.int4), \"_pgferry\" as (select 1) select $1 from _pgferry1"
        );
    }

    #[test]
    fn its_name_is_not_the_users_in_any_spelling() {
        let name = |text: &str| sent(text).split_whitespace().nth(1).unwrap().to_owned();
        assert_eq!(name("select $1 from _PGFERRY"), "\"_pgferry1\"");
        assert_eq!(name("select $1 from \"_PGFERRY\""), "\"_pgferry\"");
        assert_eq!(name("select $1 from U&\"\\005fpgferry\", U&\"!005fpgferry1\" uescape '!'"), "\"_pgferry2\"");
        assert_eq!(name("select $1, '_pgferry'"), "\"_pgferry\"");
    }

    #[test]
    fn an_unknown_type_is_named() {
        let error = typed("select $2", &[INT4, 99_999]).unwrap_err();
        assert!(error.to_string().contains("parameter $2 has the OID 99999"), "{error}");
    }

    #[test]
    fn casts_in_place_leave_literals_alone() {
        let cast =
            typed_in_place("select '$1', $$ $1 $$, \"$1\", /* $1 */ $1[2], $12, $2 -- $1", &[1007, TEXT]).unwrap();
        assert_eq!(
            cast.text,
            "select '$1', $$ $1 $$, \"$1\", /* $1 */ ($1::pg_catalog._int4)[2], $12, $2::pg_catalog.text -- $1"
        );
        assert!(!cast.has_prologue());
        for (text, cast) in [
            ("select 1 fetch first $1 rows only", "select 1 fetch first ($1::pg_catalog.int4) rows only"),
            ("select lower $1", "select lower $1::pg_catalog.int4"),
            (
                "select xmlexists($1 passing by ref $1)",
                "select xmlexists(($1::pg_catalog.int4) passing by ref ($1::pg_catalog.int4))",
            ),
            ("select $1a, ($1).a", "select $1a, ($1::pg_catalog.int4).a"),
        ] {
            assert_eq!(typed_in_place(text, &[INT4]).unwrap().text, cast);
        }
    }

    #[test]
    fn positions_are_mapped_back_in_characters() {
        let text = "/* é */ select 'ü', $1, nope";
        let prologue = typed(text, &[INT4]).unwrap();
        let cast = typed_in_place(text, &[INT4]).unwrap();
        for typed in [prologue, cast] {
            for (at, word) in [("nope", "nope"), ("select", "select"), ("$1,", "$1"), ("/*", "/*")] {
                let count = |text: &str| {
                    u32::try_from(text[..text.rfind(at).or(text.rfind(word)).unwrap()].chars().count()).unwrap() + 1
                };
                if at == "$1," && !typed.has_prologue() {
                    continue;
                }
                assert_eq!(typed.position(count(&typed.text)), Some(count(text)), "{word} in {}", typed.text);
            }
            assert_eq!(typed.position(0), None);
        }
        let typed = typed("select $1", &[INT4]).unwrap();
        assert_eq!(typed.position(1), None);
        assert_eq!(typed.position(10), None);
    }
}
