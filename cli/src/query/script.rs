use std::{
    fs,
    io::{self, IsTerminal, Read},
    ops::Range,
    path::Path,
};

use pgferry::sql;

use crate::problem::Usage;

/// The statements to run, and where they come from.
pub(super) struct Script {
    text: String,
    /// The file's name, for whoever looks for the statement that failed.
    name: Option<String>,
    statements: Vec<Range<usize>>,
}

impl Script {
    /// Takes the statement given, or reads the file, or else standard input.
    pub(super) fn read(statement: Option<&str>, file: Option<&Path>) -> Result<Self, Usage> {
        let (name, bytes) = match (statement, file) {
            (Some(statement), _) => return Ok(Self::new(statement.to_owned(), None)),
            (None, Some(path)) if path != Path::new("-") => (path.display().to_string(), fs::read(path)),
            (None, file) => ("standard input".to_owned(), read_standard_input(file.is_some())?),
        };
        let bytes = bytes.map_err(|error| Usage(format!("{name} cannot be read: {error}")))?;
        let text = String::from_utf8(bytes).map_err(|_| Usage(format!("{name} is not UTF-8")))?;
        Ok(Self::new(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text), Some(name)))
    }

    fn new(text: String, name: Option<String>) -> Self {
        Self { statements: sql::split_ranges(&text), text, name }
    }

    /// Returns the statements.
    pub(super) fn statements(&self) -> Vec<&str> {
        self.statements.iter().filter_map(|range| self.text.get(range.clone())).collect()
    }

    /// Returns the file and the line where a statement stands, with a colon behind each; nothing for one of the command line.
    pub(super) fn place(&self, statement: usize) -> String {
        let place = || {
            let before = self.text.get(..self.statements.get(statement)?.start)?;
            Some(format!("{}:{}: ", self.name.as_ref()?, before.matches('\n').count() + 1))
        };
        place().unwrap_or_default()
    }
}

fn read_standard_input(asked_for: bool) -> Result<io::Result<Vec<u8>>, Usage> {
    if !asked_for && io::stdin().is_terminal() {
        return Err(Usage(
            "there is no statement: give one as an argument, in a file with --file, or on standard input".into(),
        ));
    }
    let mut bytes = Vec::new();
    Ok(io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes))
}

#[cfg(test)]
mod tests {
    use super::Script;

    #[test]
    fn statements_know_their_lines() {
        let script = Script::new("select 1;\n\nselect\n2; ;\n".into(), Some("a.sql".into()));
        assert_eq!(script.statements(), ["select 1", "select\n2"]);
        assert_eq!(script.place(0), "a.sql:1: ");
        assert_eq!(script.place(1), "a.sql:3: ");
        assert_eq!(Script::new("select 1".into(), None).place(0), "");
    }
}
