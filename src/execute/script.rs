use super::Statement;
use crate::{error::Error, sql::Dialect, wire::Format};

/// The statements of a text as psql sends it: without parameters, their results wanted as text.
#[derive(Debug)]
pub(crate) struct Script {
    statements: Vec<Statement>,
    /// How many characters stand before the only statement; `None` where there are several.
    before: Option<u32>,
}

impl Script {
    pub(crate) fn new(dialect: Dialect, text: &str) -> Self {
        let places = dialect.split_ranges(text);
        let before = match &places[..] {
            [only] => text.get(..only.start).and_then(|before| u32::try_from(before.chars().count()).ok()),
            _ => None,
        };
        let statements = places.into_iter().filter_map(|place| text.get(place)).map(as_text).collect();
        Self { statements, before }
    }

    pub(crate) fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// Turns the place that an error names in a statement into one in the script. Of several statements nothing tells which
    /// one an error is of, so it loses its place.
    pub(crate) fn place(&self, error: Error) -> Error {
        error.map_position(|position| position.checked_add(self.before?))
    }
}

fn as_text(text: &str) -> Statement {
    Statement { results: Format::Text, ..Statement::new(text) }
}
