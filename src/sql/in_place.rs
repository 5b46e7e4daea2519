//! The types as casts where the parameters stand.

use super::{
    Dialect, Typed,
    token::{Kind, Token},
    typed::Edit,
    typing::Cast,
};

pub(super) fn in_place<'a>(dialect: Dialect, text: &'a str, casts: &[Cast<'_>]) -> Typed<'a> {
    let unused = unused(dialect, text, casts);
    let mut out = Output { text: String::with_capacity(text.len() * 2), ..Output::default() };
    let mut copied = 0;
    let mut before: [Option<Token<'_>>; 2] = [None, None];
    let mut tokens = dialect.tokens(text);
    while let Some(token) = tokens.next() {
        let context = before;
        before = [before[1], Some(token)];
        let Kind::Param(Some(number)) = token.kind else { continue };
        let number = usize::from(number);
        let next = tokens.peek();
        // Of `$1a` Postgres says itself what is wrong with it.
        if next.is_some_and(|next| next.kind == Kind::Word && next.start == token.end()) {
            continue;
        }
        let name = casts.binary_search_by_key(&number, |(parameter, _)| *parameter).ok().and_then(|at| casts.get(at));
        // What is not sent leaves no gap.
        let sent = number - unused.partition_point(|&unsent| unsent < number);
        if name.is_none() && sent == number {
            continue;
        }
        // A subscript or a field would otherwise bind to the type's name.
        let binds = next.is_some_and(|next| next.is_symbol("[") || next.is_symbol(".")) || takes_no_cast(context, next);
        let (open, close) = if binds { ("(", ")") } else { ("", "") };
        let sent = sent.to_string();
        out.copy(text.get(copied..token.start));
        out.replace(
            token.text,
            &match name {
                Some((_, name)) => [open, "$", &sent, "::", name, close].concat(),
                None => ["$", &sent].concat(),
            },
        );
        copied = token.end();
    }
    out.copy(text.get(copied..));
    Typed::in_place(out.text, out.edits, unused.iter().map(|parameter| parameter - 1).collect())
}

/// Whether only a parenthesis can hold a cast there: in FETCH FIRST, OFFSET … ROWS, and in what XML functions read.
fn takes_no_cast([first, second]: [Option<Token<'_>>; 2], next: Option<&Token<'_>>) -> bool {
    let (Some(first), Some(second)) = (first, second) else { return false };
    second.is("offset") && next.is_some_and(|next| next.is_any(&["row", "rows"]))
        || first.is("fetch") && second.is_any(&["first", "next"])
        || second.is("passing")
        || first.is("by") && second.is_any(&["ref", "value"])
        || first.is_any(&["xmltable", "xmlexists"]) && second.is_symbol("(")
}

/// The numbers of the casts whose parameters the text does not use, in order.
fn unused(dialect: Dialect, text: &str, casts: &[Cast<'_>]) -> Vec<usize> {
    let mut used = vec![false; casts.len()];
    for token in dialect.tokens(text) {
        let Kind::Param(Some(number)) = token.kind else { continue };
        let found = casts.binary_search_by_key(&usize::from(number), |(parameter, _)| *parameter).ok();
        if let Some(used) = found.and_then(|at| used.get_mut(at)) {
            *used = true;
        }
    }
    casts.iter().zip(used).filter(|(_, used)| !used).map(|((parameter, _), _)| *parameter).collect()
}

#[derive(Default)]
struct Output {
    text: String,
    characters: usize,
    edits: Vec<Edit>,
}

impl Output {
    fn copy(&mut self, part: Option<&str>) {
        let part = part.unwrap_or_default();
        self.characters += part.chars().count();
        self.text.push_str(part);
    }

    fn replace(&mut self, old: &str, new: &str) {
        let length = new.chars().count();
        self.edits.push(Edit { at: self.characters, length, replaced: old.len() });
        self.characters += length;
        self.text.push_str(new);
    }
}
