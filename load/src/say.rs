use std::io::{self, Write};

/// Prints a line.
pub(crate) fn say(line: &str) {
    // A reader that is gone does not stop the measurement.
    let _ = writeln!(io::stdout(), "{line}");
}

/// Prints a line about a failure.
pub(crate) fn complain(line: &str) {
    let _ = writeln!(io::stderr(), "error: {line}");
}
