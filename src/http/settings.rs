use std::{borrow::Cow, fmt};

use super::{BatchOptions, IsolationLevel, Statement};
use crate::{
    config::Config,
    error::{Error, Result},
};

/// The settings that a client's statements need beyond the server's defaults: each request sets them for itself, since nothing
/// of a session survives one.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Settings {
    /// What the user asked for.
    asked: Vec<(String, String)>,
    /// What only decides how values are written, and overrides the others.
    canonical: Vec<(String, String)>,
}

impl Settings {
    /// Those of a configuration.
    pub(super) fn of_config(config: &Config) -> Result<Self> {
        let named = [("application_name", config.get_application_name()), ("options", config.get_options())];
        let given: Vec<_> = named.into_iter().filter_map(|(name, value)| Some((name.into(), value?.into()))).collect();
        Self::of(&given)
    }

    /// Sorts the parameters of a startup message into what must travel and what the form of the values settles by itself.
    pub(super) fn of(parameters: &[(String, String)]) -> Result<Self> {
        let given = |name: &str| parameters.iter().any(|(given, _)| given.eq_ignore_ascii_case(name));
        let mut settings = Vec::new();
        for (name, value) in parameters {
            match name.to_ascii_lowercase().as_str() {
                "client_encoding" => {
                    if !matches!(value.to_ascii_uppercase().as_str(), "UTF8" | "UTF-8" | "UNICODE") {
                        return Err(Error::refused(format!(
                            "client_encoding {value} cannot be had over HTTP, which is UTF-8: leave it out"
                        )));
                    }
                }
                "replication" => return Err(Error::refused("replication needs a session: use transport=websocket")),
                // What the message names itself overrides its options (manual, section 55.7).
                "options" => settings.extend(parse_options(value)?.into_iter().filter(|(name, _)| !given(name))),
                // Those under which values are converted hold for every client, whatever it reads them as.
                "datestyle" | "timezone" | "intervalstyle" | "bytea_output" | "extra_float_digits" | "lc_monetary" => {}
                _ if name.starts_with("_pq_.") => {}
                _ => settings.push((name.clone(), value.clone())),
            }
        }
        Ok(Self { asked: settings, canonical: Vec::new() })
    }

    /// The same with more that decide how values are written.
    pub(super) fn and(&self, more: &[(String, String)]) -> Self {
        Self { asked: self.asked.clone(), canonical: [&self.canonical, more].concat() }
    }

    /// Whether anything has to be set.
    pub(super) fn is_empty(&self) -> bool {
        self.asked.is_empty() && self.canonical.is_empty()
    }

    /// Refuses to leave out what the user asked for, as a statement must that runs outside a transaction block only. What is
    /// canonical decides nothing there, since such a statement gives no values.
    pub(super) fn check_left_out(&self) -> Result<()> {
        if self.asked.is_empty() {
            return Ok(());
        }
        let names: Vec<_> = self.asked.iter().map(|(name, _)| name.as_str()).collect();
        Err(Error::refused(format!(
            "this statement runs outside a transaction block only, and over HTTP a setting ({}) travels inside one: leave the setting out, set it \
             for the role with ALTER ROLE … SET, or use transport=websocket",
            names.join(", ")
        )))
    }

    /// What the settings make of a transaction, on top of what was asked for it alone: set inside of it, the defaults of
    /// transactions would come too late.
    pub(super) fn transaction(&self, asked: BatchOptions) -> BatchOptions {
        let mut options = asked;
        for (name, value) in &self.asked {
            let value = value.trim().to_ascii_lowercase();
            match name.to_ascii_lowercase().as_str() {
                "default_transaction_isolation" if asked.isolation_level.is_none() => {
                    options.isolation_level = isolation_level(&value).or(options.isolation_level);
                }
                "default_transaction_read_only" => options.read_only = asked.read_only || is_on(&value),
                "default_transaction_deferrable" => options.deferrable = asked.deferrable || is_on(&value),
                _ => {}
            }
        }
        options
    }

    /// Says of an error that it is a setting's, where it is one that only setting it can raise.
    pub(super) fn explain(&self, error: Error) -> Error {
        // The parameter does not exist, its value is not valid, it may not be set, or not now.
        const CODES: [&str; 4] = ["42704", "22023", "42501", "55P02"];
        let Some(told) =
            error.as_db_error().filter(|_| error.code().is_some_and(|code| CODES.contains(&code.as_str())))
        else {
            return error;
        };
        let mut asked = self.asked.iter().filter(|(name, _)| told.message.contains(&format!("parameter \"{name}\"")));
        let Some((name, _)) = asked.next() else { return error };
        let detail = format!(
            "the setting {name} is one that the connection asks for: over HTTP each request sets it anew, and this one failed there, before its statement"
        );
        error.with_detail(&detail)
    }

    /// The statement that goes in front of each other in one batch, where there is anything to set.
    pub(super) fn statement(&self) -> Option<Statement<'_>> {
        if self.is_empty() {
            return None;
        }
        let settings = || self.asked.iter().chain(&self.canonical);
        let calls: Vec<_> = (0..settings().count())
            .map(|index| format!("pg_catalog.set_config(${}, ${}, true)", 2 * index + 1, 2 * index + 2))
            .collect();
        let params = settings().flat_map(|(name, value)| [name, value]).map(|text| Some(Cow::Borrowed(text.as_str())));
        Some(Statement { text: format!("select {}", calls.join(", ")).into(), params: params.collect() })
    }
}

fn isolation_level(value: &str) -> Option<IsolationLevel> {
    match value {
        "serializable" => Some(IsolationLevel::Serializable),
        "repeatable read" => Some(IsolationLevel::RepeatableRead),
        "read committed" => Some(IsolationLevel::ReadCommitted),
        "read uncommitted" => Some(IsolationLevel::ReadUncommitted),
        _ => None,
    }
}

/// Whether a value is true as Postgres reads it: any unambiguous beginning of a word (manual, section 20.1.1).
fn is_on(value: &str) -> bool {
    !value.is_empty() && ["true", "yes"].iter().any(|word| word.starts_with(value)) || matches!(value, "on" | "1")
}

/// Settings may hold anybody's secrets, so that only their names are shown.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { asked, canonical } = self;
        f.debug_list().entries(asked.iter().chain(canonical).map(|(name, _)| name)).finish()
    }
}

/// Reads a startup's `options`: `-c name=value` and `--name=value`, words parted by spaces, a backslash keeping the next
/// character (manual, section 34.1.2).
fn parse_options(options: &str) -> Result<Vec<(String, String)>> {
    let mut settings = Vec::new();
    let mut words = words(options).into_iter();
    while let Some(word) = words.next() {
        // It selects an endpoint, which the URL has done.
        if word.starts_with("endpoint=") || word.starts_with("project=") {
            continue;
        }
        let assignment = match word.strip_prefix("--") {
            Some(rest) => rest.to_owned(),
            None => match word.strip_prefix("-c") {
                Some("") => words.next().unwrap_or_default(),
                Some(rest) => rest.to_owned(),
                None => String::new(),
            },
        };
        let Some((name, value)) = assignment.split_once('=').filter(|(name, _)| !name.is_empty()) else {
            return Err(Error::refused(format!(
                "options \"{word}\" is not of the form -c name=value, which is all that can be carried over HTTP: use transport=websocket"
            )));
        };
        settings.push((name.replace('-', "_"), value.to_owned()));
    }
    Ok(settings)
}

fn words(options: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = None::<String>;
    let mut characters = options.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => word.get_or_insert_default().extend(characters.next()),
            _ if character.is_ascii_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(parameters: &[(&str, &str)]) -> Result<Settings> {
        let parameters: Vec<_> =
            parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Settings::of(&parameters)
    }

    #[test]
    fn what_the_conversion_settles_does_not_travel() {
        let canonical =
            [("client_encoding", "UTF8"), ("DateStyle", "ISO, MDY"), ("TimeZone", "UTC"), ("extra_float_digits", "2")];
        assert!(settings(&canonical).unwrap().statement().is_none());
    }

    #[test]
    fn options_are_read_as_postgres_reads_them() {
        let read = settings(&[
            ("options", r"endpoint=ep-a -c search_path=a\ b --statement-timeout=5s -cwork_mem=4MB"),
            ("application_name", "x"),
        ])
        .unwrap();
        let expected =
            [("search_path", "a b"), ("statement_timeout", "5s"), ("work_mem", "4MB"), ("application_name", "x")];
        assert_eq!(read.asked, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let statement = read.statement().unwrap();
        assert_eq!(statement.params.len(), 8, "four names and values");
        assert!(statement.text.ends_with("pg_catalog.set_config($7, $8, true)"));
    }

    #[test]
    fn a_parameter_overrides_the_options() {
        let read = settings(&[("options", "-c timezone=Europe/Berlin -c geqo=off"), ("TimeZone", "UTC")]).unwrap();
        assert_eq!(read.asked, [("geqo".to_owned(), "off".to_owned())]);
    }

    #[test]
    fn what_cannot_be_carried_is_refused() {
        for parameters in [
            ("options", "-d 3"),
            ("options", "-c nonsense"),
            ("replication", "database"),
            ("client_encoding", "LATIN1"),
        ] {
            assert!(settings(&[parameters]).unwrap_err().is_refused(), "{parameters:?}");
        }
    }

    #[test]
    fn the_defaults_of_transactions_hold_for_the_one_that_they_travel_in() {
        let read = settings(&[
            ("default_transaction_read_only", "off"),
            ("options", "-c default_transaction_isolation=repeatable\\ read -c DEFAULT_TRANSACTION_DEFERRABLE=t"),
        ])
        .unwrap();
        let plain = BatchOptions::new();
        let expected = plain.isolation_level(IsolationLevel::RepeatableRead).deferrable(true);
        assert_eq!(read.transaction(plain), expected);
        let asked = plain.isolation_level(IsolationLevel::Serializable).read_only(true);
        assert_eq!(read.transaction(asked), asked.deferrable(true));
        for (value, is_read_only) in [("on", true), ("1", true), ("YES", true), ("o", false), ("", false), ("0", false)]
        {
            let read = settings(&[("default_transaction_read_only", value)]).unwrap();
            assert_eq!(read.transaction(plain), plain.read_only(is_read_only), "{value}");
        }
    }
}
