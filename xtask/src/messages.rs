use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Result, ensure};

use crate::Check;

pub(crate) const CHECKS: &[Check] = &[("messages quoted in documentation", quoted)];

const PAGE: &str = "docs/troubleshooting.md";

/// Where messages come from.
const SOURCES: [&str; 5] = ["src", "adapters", "gateway/src", "cli/src", "embedded/src"];

/// Those of others.
const FOREIGN: [&str; 2] =
    ["pool timed out while waiting for an open connection", "could not determine data type of parameter $…"];

/// Whoever meets a message looks for it on that page, so each that it quotes must still be one.
fn quoted() -> Result<()> {
    let page = fs::read_to_string(PAGE)?;
    let messages: Vec<&str> = page.lines().filter_map(message).collect();
    ensure!(!messages.is_empty(), "{PAGE} quotes no message");
    let mut files = Vec::new();
    for source in SOURCES {
        collect(Path::new(source), &mut files)?;
    }
    let sources: Vec<String> =
        files.iter().map(|file| Ok(joined(&fs::read_to_string(file)?))).collect::<Result<_>>()?;
    let unknown: Vec<&str> = messages
        .into_iter()
        .filter(|message| !FOREIGN.contains(message) && !sources.iter().any(|source| says(source, message)))
        .collect();
    ensure!(unknown.is_empty(), "{PAGE} quotes messages that no source has: {unknown:#?}");
    Ok(())
}

/// The message that a row of a table begins with: the first text between backquotes.
fn message(line: &str) -> Option<&str> {
    let cell = line.strip_prefix("| ")?;
    let (before, rest) = cell.split_once('`')?;
    if before.contains('|') {
        return None;
    }
    rest.split('`').next()
}

/// Whether a source has all parts of a message, in their order and near to each other.
fn says(source: &str, message: &str) -> bool {
    const NEAR: usize = 400;
    let mut parts = message.split('…').map(str::trim).filter(|part| !part.is_empty());
    let Some(first) = parts.next() else { return false };
    let rest: Vec<&str> = parts.collect();
    source.match_indices(first).any(|(at, _)| {
        let mut after = at + first.len();
        rest.iter().all(|part| {
            let near: String = source[after..].chars().take(NEAR).collect();
            let found = near.find(part);
            after += found.unwrap_or(0) + part.len();
            found.is_some()
        })
    })
}

/// A source with the literals joined that go on behind a backslash at the end of a line.
fn joined(source: &str) -> String {
    let mut parts = source.split("\\\n");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text.push_str(part.trim_start());
    }
    text
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_found_across_its_literal_and_what_varies() {
        let source = joined("Err(format!(\"no endpoint for {host}, which speaks \\\n    neither: run {it}\"))");
        assert!(says(&source, "no endpoint for …, which speaks neither"));
        assert!(!says(&source, "no endpoint for …, which speaks both"));
        assert!(!says(&source, "which speaks neither … no endpoint"));
        assert_eq!(message("| `no endpoint` | it `is` | do |"), Some("no endpoint"));
        assert_eq!(message("| … | `is` |"), None);
        assert_eq!(message("text with `code`"), None);
    }
}
