use clap::Args;
use pgferry::Config;

use crate::{argv, dotenv::EnvFile, problem::Usage};

/// How a command is told which database it is about.
#[derive(Args)]
pub(crate) struct Database {
    /// The database, as postgresql://user@host/database; defaults to DATABASE_URL, or PGHOST and its like
    #[arg(id = "database_url", long = "url", value_name = "URL")]
    // Text until it is known to be well-formed: clap repeats what it cannot parse, password and all.
    url: Option<String>,

    #[command(flatten)]
    env_file: EnvFile,
}

impl Database {
    /// Returns the URL as it was given, password and all, and where: on the command line, or in `DATABASE_URL`.
    pub(crate) fn given(&self, argument: Option<&str>) -> Option<(String, &'static str)> {
        if let Some(url) = self.url.as_deref().or(argument) {
            return Some((url.to_owned(), "URL"));
        }
        let url = self.env_file.read().ok()?.get("DATABASE_URL")?.into_string().ok()?;
        Some((url, "DATABASE_URL"))
    }

    /// Returns the configuration that the URL, given as the flag or as an argument of its own, and the environment stand for.
    ///
    /// Takes a password out of the list of processes: the command may begin again here, so nothing must have been done yet.
    pub(crate) fn config(&self, argument: Option<&str>) -> anyhow::Result<Config> {
        let url = match (self.url.as_deref(), argument) {
            (Some(_), Some(_)) => {
                return Err(
                    Usage("the database is named twice, by --url and by an argument: leave one out".into()).into()
                );
            }
            (flag, argument) => flag.or(argument),
        };
        let environment = self.env_file.read()?;
        let lookup = |name: &str| environment.get(name);
        match url {
            Some(url) => {
                let config = Config::from_lookup_with_url(url, lookup)?;
                argv::hide_password(url);
                Ok(config)
            }
            None => Ok(Config::from_lookup(lookup)?),
        }
    }
}

/// Returns whether an argument is meant as a URL: `scheme://…`, as no statement begins.
pub(crate) fn is_url(argument: &str) -> bool {
    argument.split_once("://").is_some_and(|(scheme, _)| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.chars().all(|other| other.is_ascii_alphanumeric() || "+-.".contains(other))
    })
}

#[cfg(test)]
mod tests {
    use super::is_url;

    #[test]
    fn urls_are_told_from_statements() {
        for url in ["postgresql://app@host/db", "POSTGRES://", "mysql://app:sesame@host"] {
            assert!(is_url(url), "{url}");
        }
        for statement in ["select 'postgresql://host'", "select 1", "", "://", "-- http://x\nselect 1", "1a://x"] {
            assert!(!is_url(statement), "{statement}");
        }
    }
}
