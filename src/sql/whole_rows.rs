use super::Dialect;

/// What may come behind a source that has no alias.
const BEHIND_SOURCES: &[&str] = &[
    "cross",
    "default",
    "except",
    "fetch",
    "for",
    "full",
    "group",
    "having",
    "inner",
    "intersect",
    "join",
    "left",
    "limit",
    "natural",
    "offset",
    "on",
    "order",
    "overriding",
    "returning",
    "right",
    "select",
    "set",
    "tablesample",
    "union",
    "using",
    "values",
    "where",
    "window",
    "with",
];

/// Finds the tables whose rows a text may give as single values, as `select t from t` does, by their names without a schema: those whose
/// name or alias stands by itself anywhere else. A column of that name is taken for it, too.
pub(crate) fn whole_rows(text: &str) -> Vec<String> {
    let mut tokens = Dialect::new().tokens(text).peekable();
    let mut sources = Vec::new();
    let mut alone = Vec::new();
    while let Some(token) = tokens.next() {
        if token.is_any(&["from", "join", "into", "update"]) {
            while tokens.next_if(|next| next.is_any(&["only", "lateral", "table"])).is_some() {}
            let Some(first) = tokens.next_if(|next| next.identifier().is_some()) else { continue };
            let mut name = first.identifier();
            while tokens.next_if(|next| next.is_symbol(".")).is_some() {
                name = tokens.next_if(|next| next.identifier().is_some()).and_then(|part| part.identifier());
            }
            tokens.next_if(|next| next.is("as"));
            let alias = tokens.next_if(|next| !next.is_any(BEHIND_SOURCES) && next.identifier().is_some());
            sources.extend(name.map(|name| (name, alias.and_then(|alias| alias.identifier()))));
            continue;
        }
        let Some(name) = token.identifier() else { continue };
        // What stands before a dot qualifies what is behind it.
        if tokens.next_if(|next| next.is_symbol(".")).is_some() {
            tokens.next_if(|next| next.identifier().is_some());
        } else {
            alone.push(name);
        }
    }
    sources.retain(|(name, alias)| alone.contains(alias.as_ref().unwrap_or(name)));
    sources.into_iter().map(|(name, _)| name.into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_alone_by_their_sources_names() {
        for (text, tables) in [
            ("select t from t", &["t"][..]),
            ("select T from app.t", &["t"]),
            ("select p from people as p, q", &["people"]),
            ("select array_agg(p) from people p where p.id = 1", &["people"]),
            ("insert into people values (1) returning people", &["people"]),
            ("update people set a = 1 returning people", &["people"]),
            ("select (\"P\").a, x.\"P\" from x join \"P\" on true", &["P"]),
            ("select id, p.name, p.* from people p", &[]),
            ("select a from t where b = 'from t'", &[]),
            ("select count(*) from a.t join t2 on t2.a = t.a where t.b > $1 order by t.c", &[]),
            ("insert into people (id) values ($1) returning id", &[]),
            ("delete from people where id = 1", &[]),
            ("select 1 from (select 2)", &[]),
            ("select from", &[]),
        ] {
            assert_eq!(whole_rows(text), tables, "{text}");
        }
    }
}
