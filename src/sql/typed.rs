use std::{borrow::Cow, fmt};

use super::{
    lexer::{Kind, Lexer},
    placement::{Placement, placement},
};
use crate::{Oid, codec};

/// A `SELECT` can have this many columns; so can the prologue's.
const MAX_COLUMNS: usize = 1664;

/// OID of `unknown`, the type of a literal before Postgres has found a better one.
const UNKNOWN: Oid = 705;

/// A statement whose text fixes the types of its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Typed<'a> {
    /// The text to send.
    pub text: Cow<'a, str>,
    /// What was put in: where, in characters of `text` from 0, and how many. In order.
    insertions: Vec<(usize, usize)>,
    prologue: bool,
}

impl<'a> Typed<'a> {
    fn untouched(text: &'a str) -> Self {
        Self { text: Cow::Borrowed(text), insertions: Vec::new(), prologue: false }
    }

    /// Returns whether the types stand in a WITH, which Postgres refuses with 0A000 for a table whose rules make several
    /// queries of one; [`typed_in_place`] then does.
    pub fn has_prologue(&self) -> bool {
        self.prologue
    }

    /// Maps the position of an error, in characters of [`text`](Self::text) from 1 as Postgres counts, to the user's own text.
    ///
    /// `None` for a position in what was put in.
    pub fn position(&self, position: u32) -> Option<u32> {
        let at = usize::try_from(position).ok()?.checked_sub(1)?;
        let mut shift = 0;
        for &(start, length) in &self.insertions {
            if at < start {
                break;
            }
            if at < start + length {
                return None;
            }
            shift += length;
        }
        u32::try_from(at - shift + 1).ok()
    }
}

/// Why the parameters of a statement could not be typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    parameter: usize,
    oid: Oid,
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { parameter, oid } = self;
        write!(
            formatter,
            "the type of parameter ${parameter} has the OID {oid}, whose name pgferry does not know: cast the parameter in the statement and leave \
             its type undeclared, or use transport=websocket"
        )
    }
}

impl std::error::Error for Error {}

/// Fixes the types of a statement's parameters where the protocol cannot tell them, by a prologue:
/// `WITH "_pgferry" AS (SELECT $1::pg_catalog.int8, …)` and then the text, which stays as it is.
///
/// Postgres analyses WITH before the rest, which fixes the types, and never executes a SELECT there that nothing refers to.
/// The prologue merges into a WITH that is there; it goes behind EXPLAIN and CREATE TABLE … AS. CALL, DECLARE and the like,
/// where no WITH can stand, are cast [in place](typed_in_place). Types 0 and 705 (`unknown`) stay undeclared, and
/// a statement that takes no parameters stays untouched.
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
    typed_with(text, types, |oid| codec::builtin_name(oid).map(Cow::Borrowed))
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
    let casts = casts(types, name_of)?;
    if casts.is_empty() {
        return Ok(Typed::untouched(text));
    }
    match placement(text) {
        Placement::New(at) => Ok(with_prologue(text, at, &casts, "WITH ", " ")),
        Placement::Merge(at) => Ok(with_prologue(text, at, &casts, " ", ",")),
        Placement::InPlace => Ok(in_place(text, &casts)),
        Placement::None => Ok(Typed::untouched(text)),
    }
}

/// Fixes the types of a statement's parameters by casting each where it stands.
///
/// The fallback for statements where no WITH may stand: a bare parameter in a SELECT list changes its column's name by it, and a
/// parameter that the text does not use stays untyped.
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
    typed_in_place_with(text, types, |oid| codec::builtin_name(oid).map(Cow::Borrowed))
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
    let casts = casts(types, name_of)?;
    Ok(if casts.is_empty() { Typed::untouched(text) } else { in_place(text, &casts) })
}

/// A parameter's number, from 1, and its type's name.
type Cast<'n> = (usize, Cow<'n, str>);

fn casts<'n>(types: &[Oid], name_of: impl Fn(Oid) -> Option<Cow<'n, str>>) -> Result<Vec<Cast<'n>>, Error> {
    (1..)
        .zip(types)
        .filter(|&(_, &oid)| oid != 0 && oid != UNKNOWN)
        .map(|(parameter, &oid)| Ok((parameter, name_of(oid).ok_or(Error { parameter, oid })?)))
        .collect()
}

fn with_prologue<'a>(text: &'a str, at: usize, casts: &[Cast<'_>], before: &str, after: &str) -> Typed<'a> {
    let (head, tail) = text.split_at_checked(at).unwrap_or(("", text));
    let (start, separator, test) =
        if casts.len() <= MAX_COLUMNS { ("SELECT ", ", ", "") } else { ("SELECT WHERE ", " AND ", " IS NULL") };
    let mut entry = format!("{before}{} AS (", unused_name(text));
    for (index, (parameter, name)) in casts.iter().enumerate() {
        let lead = if index == 0 { start } else { separator };
        entry.extend([lead, "$", &parameter.to_string(), "::", name, test]);
    }
    entry.push(')');
    entry.push_str(after);
    let insertion = (head.chars().count(), entry.chars().count());
    Typed { text: Cow::Owned([head, &entry, tail].concat()), insertions: vec![insertion], prologue: true }
}

/// A name for the prologue that the text does not use.
fn unused_name(text: &str) -> Cow<'static, str> {
    if !text.contains("_pgferry") {
        return Cow::Borrowed("\"_pgferry\"");
    }
    // A text of n characters cannot hold them all.
    let free = (1..=text.len()).map(|number| format!("_pgferry{number}")).find(|name| !text.contains(name.as_str()));
    Cow::Owned(format!("\"{}\"", free.unwrap_or_else(|| "_pgferry0".to_owned())))
}

fn in_place<'a>(text: &'a str, casts: &[Cast<'_>]) -> Typed<'a> {
    let mut out = Output { text: String::with_capacity(text.len() * 2), characters: 0, insertions: Vec::new() };
    let mut copied = 0;
    let mut tokens = Lexer::new(text).peekable();
    while let Some(token) = tokens.next() {
        let Kind::Param(Some(number)) = token.kind else { continue };
        let Ok(found) = casts.binary_search_by_key(&usize::from(number), |(parameter, _)| *parameter) else { continue };
        let Some((_, name)) = casts.get(found) else { continue };
        out.copy(text.get(copied..token.start));
        // A subscript or a field would otherwise bind to the type's name.
        let binds = tokens.peek().is_some_and(|next| next.is_symbol("[") || next.is_symbol("."));
        if binds {
            out.insert("(");
        }
        out.copy(Some(token.text));
        out.insert("::");
        out.insert(name);
        if binds {
            out.insert(")");
        }
        copied = token.end();
    }
    out.copy(text.get(copied..));
    Typed { text: Cow::Owned(out.text), insertions: out.insertions, prologue: false }
}

struct Output {
    text: String,
    characters: usize,
    insertions: Vec<(usize, usize)>,
}

impl Output {
    fn copy(&mut self, part: Option<&str>) {
        let part = part.unwrap_or_default();
        self.characters += part.chars().count();
        self.text.push_str(part);
    }

    fn insert(&mut self, part: &str) {
        let length = part.chars().count();
        self.insertions.push((self.characters, length));
        self.characters += length;
        self.text.push_str(part);
    }
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
            ("create materialized view v as ", "select $1"),
            ("explain create table t as ", "select $1"),
        ] {
            assert_eq!(sent(&format!("{before}{after}")), format!("{before}WITH {PROLOGUE} {after}"));
        }
    }

    #[test]
    fn what_cannot_have_a_with_is_cast_in_place() {
        assert_eq!(sent("call p($1)"), "call p($1::pg_catalog.int4)");
        assert_eq!(sent("declare c cursor for select $1"), "declare c cursor for select $1::pg_catalog.int4");
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
        ] {
            assert_eq!(sent(text), text);
        }
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
