use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use anyhow::Result;

use crate::{types::TypeEntry, values::Sample};

/// How many values of a type a fuzzer begins with.
const SAMPLES: usize = 24;
const LONGEST: usize = 4096;

/// Samples for fuzzers: `text/<type>/<number>` and `binary/<type>/<number>`.
#[derive(Debug)]
pub(crate) struct Corpus {
    folder: PathBuf,
    written: Mutex<BTreeMap<String, usize>>,
}

impl Corpus {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder, written: Mutex::default() }
    }

    pub(crate) fn add(&self, entry: &TypeEntry, sample: &Sample) -> Result<()> {
        if sample.binary.len() > LONGEST || sample.text.len() > LONGEST {
            return Ok(());
        }
        let name: String =
            entry.name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }).collect();
        let number = {
            let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
            let count = written.entry(name.clone()).or_default();
            *count += 1;
            *count
        };
        if number > SAMPLES {
            return Ok(());
        }
        for (form, bytes) in [("text", &sample.text), ("binary", &sample.binary)] {
            let folder = self.folder.join(form).join(&name);
            fs::create_dir_all(&folder)?;
            fs::write(folder.join(number.to_string()), bytes)?;
        }
        Ok(())
    }
}
