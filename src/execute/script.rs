use super::{Statement, culprit};
use crate::{error::Error, sql::Dialect, wire::Format};

/// The statements of a text as psql sends it: without parameters, their results wanted as text.
#[derive(Debug)]
pub(crate) struct Script {
    statements: Vec<Statement>,
    /// How many characters stand before each.
    starts: Vec<u32>,
}

impl Script {
    pub(crate) fn new(dialect: Dialect, text: &str) -> Self {
        let places = dialect.split_ranges(text);
        let (mut counted, mut characters) = (0, 0);
        let (mut statements, mut starts) = (Vec::with_capacity(places.len()), Vec::with_capacity(places.len()));
        for place in places {
            let (Some(between), Some(statement)) = (text.get(counted..place.start), text.get(place.clone())) else {
                continue;
            };
            characters += between.chars().count();
            counted = place.start;
            // No script is as long as to have more characters.
            starts.push(u32::try_from(characters).unwrap_or(u32::MAX));
            statements.push(as_text(statement));
        }
        Self { statements, starts }
    }

    pub(crate) fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// Turns the place that an error names in a statement into one in the script. Of several statements it keeps it where only one can
    /// be meant.
    pub(crate) fn place(&self, error: Error) -> Error {
        let index = match &self.statements[..] {
            [_] => Some(0),
            several => {
                let texts: Vec<&str> = several.iter().map(|statement| &*statement.text).collect();
                culprit(&texts, &error).map(|(index, _)| index)
            }
        };
        error.map_position(|position| position.checked_add(*self.starts.get(index?)?))
    }
}

fn as_text(text: &str) -> Statement {
    Statement { results: Format::Text, ..Statement::new(text) }
}
