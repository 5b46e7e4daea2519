use std::{collections::BTreeMap, io::Write};

/// How many mismatches of one type or family are printed.
const SHOWN: usize = 5;

/// Prints a line to who called the command.
pub(crate) fn say(line: &str) {
    // A reader that is gone does not make a comparison fail.
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// What two roads gave differently.
#[derive(Debug, Default)]
pub(crate) struct Mismatches {
    count: usize,
    shown: BTreeMap<String, Vec<String>>,
}

impl Mismatches {
    pub(crate) fn add(&mut self, subject: &str, difference: String) {
        self.count += 1;
        let shown = self.shown.entry(subject.to_owned()).or_default();
        if shown.len() < SHOWN {
            shown.push(difference);
        }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.count += other.count;
        for (subject, differences) in other.shown {
            let shown = self.shown.entry(subject).or_default();
            shown.extend(differences);
            shown.truncate(SHOWN);
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Prints the first of each subject.
    pub(crate) fn say(&self) {
        for (subject, differences) in &self.shown {
            for difference in differences {
                say(&format!("MISMATCH {subject}: {difference}"));
            }
        }
    }
}
