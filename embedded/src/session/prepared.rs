use pgferry::sql;

/// Returns the PREPARE of one statement out of the text that it came with, which may do more; `None` where the text does not tell
/// which it is.
pub(crate) fn own<'a>(name: &str, text: &'a str) -> Option<&'a str> {
    let prepares = || sql::split(text).into_iter().filter_map(|statement| Some((statement, prepared(statement)?)));
    let mut own = prepares().filter(|(_, other)| other.is_empty() || other == name).map(|(statement, _)| statement);
    own.next().filter(|_| own.next().is_none())
}

/// Returns the name that a PREPARE gives, which is empty where it is not told; `None` where the statement is no PREPARE.
fn prepared(statement: &str) -> Option<String> {
    let rest = skip(statement);
    let word = rest.find(|character: char| !character.is_ascii_alphabetic()).unwrap_or(rest.len());
    let (word, rest) = rest.split_at_checked(word)?;
    if !word.eq_ignore_ascii_case("prepare") {
        return None;
    }
    let rest = skip(rest);
    if let Some(rest) = rest.strip_prefix('"') {
        return Some(quoted(rest));
    }
    let name = rest.split(|character: char| !is_of_name(character)).next().unwrap_or_default();
    match rest.get(name.len()..) {
        // A name of escapes, as U&"a".
        Some(rest) if rest.starts_with('&') => Some(String::new()),
        _ => Some(cut(name.to_ascii_lowercase())),
    }
}

/// Returns a name in quotation marks, of which the first is gone.
fn quoted(text: &str) -> String {
    let mut name = String::new();
    let mut parts = text.split('"');
    name.push_str(parts.next().unwrap_or_default());
    while let (Some(""), Some(more)) = (parts.next(), parts.next()) {
        name.push('"');
        name.push_str(more);
    }
    cut(name)
}

/// Cuts a name to the length that Postgres keeps.
fn cut(mut name: String) -> String {
    while name.len() > 63 {
        name.pop();
    }
    name
}

/// Skips white space and comments.
fn skip(mut text: &str) -> &str {
    loop {
        text = text.trim_ascii_start();
        text = if text.starts_with("--") {
            text.split_once('\n').map_or("", |(_, rest)| rest)
        } else if text.starts_with("/*") {
            comment(text)
        } else {
            return text;
        };
    }
}

/// Returns what follows a comment, in which there may be others.
fn comment(text: &str) -> &str {
    let (mut depth, mut rest) = (0_usize, text);
    loop {
        let mut characters = rest.chars();
        rest = if let Some(rest) = rest.strip_prefix("/*") {
            depth += 1;
            rest
        } else if let Some(rest) = rest.strip_prefix("*/") {
            depth -= 1;
            if depth == 0 {
                return rest;
            }
            rest
        } else if characters.next().is_some() {
            characters.as_str()
        } else {
            return "";
        };
    }
}

fn is_of_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '$') || !character.is_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_found_among_others() {
        let text = "insert into t values (';'); /* a /* b */ */ prepare -- it\n Mine (int) as select 1; prepare \"a \"\"b\" as select 2";
        assert!(own("mine", text).is_some_and(|own| own.ends_with("Mine (int) as select 1")));
        assert_eq!(own("a \"b", text), Some("prepare \"a \"\"b\" as select 2"));
        assert_eq!(own("other", text), None);
        assert_eq!(own("a", "prepare a as select 1; deallocate a; prepare A as select 2"), None);
        assert_eq!(own("a", "prepare U&\"\\0061\" as select 1"), Some("prepare U&\"\\0061\" as select 1"));
    }
}
