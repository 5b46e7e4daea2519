use std::{
    collections::HashMap,
    env,
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

use clap::Args;

use crate::problem::Usage;

/// Where variables come from besides the environment.
#[derive(Args)]
pub(crate) struct EnvFile {
    /// Reads variables from this file, instead of the nearest .env in this directory or one above
    #[arg(long, value_name = "FILE", conflicts_with = "no_env_file")]
    env_file: Option<PathBuf>,

    /// Reads no .env
    #[arg(long)]
    no_env_file: bool,
}

/// The process's environment, and behind it the variables of a file.
pub(crate) struct Environment {
    file: HashMap<String, String>,
}

impl EnvFile {
    /// Reads the file, if there is one to read.
    pub(crate) fn read(&self) -> anyhow::Result<Environment> {
        let file = match &self.env_file {
            Some(path) => variables(path)?,
            None if self.no_env_file => HashMap::new(),
            None => nearest().map_or_else(|| Ok(HashMap::new()), |path| variables(&path))?,
        };
        Ok(Environment { file })
    }
}

impl Environment {
    /// Returns a variable's value; the environment wins, also where the variable is set to nothing.
    pub(crate) fn get(&self, name: &str) -> Option<OsString> {
        env::var_os(name).or_else(|| self.file.get(name).map(OsString::from))
    }
}

fn nearest() -> Option<PathBuf> {
    let directory = env::current_dir().ok()?;
    directory.ancestors().map(|directory| directory.join(".env")).find(|path| path.is_file())
}

fn variables(path: &Path) -> anyhow::Result<HashMap<String, String>> {
    let text = fs::read_to_string(path).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidData => Usage(format!("{}: it is not UTF-8", path.display())),
        _ => Usage(format!("{} cannot be read: {error}", path.display())),
    })?;
    parse(&text).map_err(|mistake| Usage(format!("{}{mistake}", path.display())).into())
}

/// The variables by name; of several by one name the first counts.
fn parse(text: &str) -> Result<HashMap<String, String>, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut variables = HashMap::new();
    for variable in dotenvy::from_read_iter(text.as_bytes()) {
        // The parser's own message repeats the line, which may hold a password.
        let (name, value) = variable.map_err(|error| match error {
            // What it gives is a line, or only the value.
            dotenvy::Error::LineParse(part, _) => {
                let part = part.trim().lines().next().unwrap_or_default();
                match text.lines().position(|line| line.contains(part)) {
                    Some(before) => format!(":{}: this is no NAME=value", before + 1),
                    None => ": a line is no NAME=value".to_owned(),
                }
            }
            _ => ": it cannot be read".to_owned(),
        })?;
        variables.entry(name).or_insert(value);
    }
    Ok(variables)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn variables_are_read() {
        let text =
            "\u{feff}# comment\nDATABASE_URL='postgresql://app@host/db'\nexport PGPASSWORD=\"a b\"\n\nPGPASSWORD=c\n";
        let variables = parse(text).unwrap();
        assert_eq!(variables.len(), 2);
        assert_eq!(variables["DATABASE_URL"], "postgresql://app@host/db");
        assert_eq!(variables["PGPASSWORD"], "a b");
    }

    #[test]
    fn mistakes_are_told_by_line_and_never_repeated() {
        for (text, mistake) in [
            ("A=1\nB=2\nse same\n", ":3: this is no NAME=value"),
            ("PGPASSWORD=sesame street\n", ":1: this is no NAME=value"),
        ] {
            assert_eq!(parse(text).unwrap_err(), mistake);
        }
    }
}
