use super::Output;
use crate::{
    error::{Error, Outcome, Result},
    sql::Dialect,
};

/// What a server says of itself, asked once for a handle and all its clones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerInfo {
    /// As `15.18 (Debian 15.18-0+deb12u1)`.
    pub version: String,
    /// The settings to which the defaults of server, database and role must be brought.
    pub(super) canonical: Vec<(String, String)>,
    /// How it reads the texts of statements.
    pub(super) dialect: Dialect,
}

/// The settings under which Postgres's text means the same everywhere: those that sqlx asks for, and those that its binary
/// form makes needless; each with its values that mean the same, the wanted one first. `xmloption` is not among them: it decides
/// which texts are taken, and in binary form just as well.
const CANONICAL: [(&str, &[&str]); 6] = [
    ("DateStyle", &["ISO, MDY"]),
    // Others are as far from Greenwich, but show their own name and abbreviation.
    ("TimeZone", &["UTC", "Etc/UTC"]),
    ("IntervalStyle", &["postgres"]),
    ("bytea_output", &["hex"]),
    // From 1 on, the digits are the shortest that tell the number exactly.
    ("extra_float_digits", &["1", "2", "3"]),
    // A dollar, commas and a point, the sign in front: as in C.
    ("lc_monetary", &["C", "POSIX", "C.UTF-8", "C.utf8", "en_US.UTF-8", "en_US.utf8", "en_US"]),
];

impl ServerInfo {
    /// The statement that asks for it.
    pub(super) fn question() -> String {
        let names = CANONICAL.map(|(name, _)| format!(", pg_catalog.current_setting('{name}')"));
        format!(
            "select pg_catalog.current_setting('server_version'), pg_catalog.current_setting('standard_conforming_strings'){}",
            names.concat()
        )
    }

    /// The statement that brings the settings to what they should be, for its transaction, where they mean something else.
    pub(super) fn bring_back() -> String {
        let settings = CANONICAL.map(|(name, same)| {
            let (wanted, same) = (same.first().copied().unwrap_or_default(), same.join("', '"));
            format!(
                "case when pg_catalog.current_setting('{name}') operator(pg_catalog.<>) all (array['{same}']) \
                 then pg_catalog.set_config('{name}', '{wanted}', true) end"
            )
        });
        format!("select {}", settings.join(", "))
    }

    /// Reads the answer, which is text.
    pub(super) fn from_answer(answer: &Output) -> Result<Self> {
        let values: Option<Vec<_>> = answer.rows.first().map(|row| {
            row.values().map(|value| String::from_utf8_lossy(value.unwrap_or_default()).into_owned()).collect()
        });
        let Some([version, strings, current @ ..]) = values.as_deref() else {
            return Err(Error::protocol("the server did not tell its version and settings", Outcome::NotExecuted));
        };
        let differing = CANONICAL.iter().zip(current).filter(|((_, same), found)| !same.contains(&found.as_str()));
        let canonical =
            differing.filter_map(|((name, same), _)| Some(((*name).to_owned(), (*same.first()?).to_owned()))).collect();
        let dialect = Dialect::new().standard_conforming_strings(strings != "off");
        Ok(Self { version: version.clone(), canonical, dialect })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::DataRow;

    fn learn(current: [&str; 6]) -> ServerInfo {
        let mut row = DataRow::builder(8).unwrap();
        for value in ["15.1", "on"].iter().chain(&current) {
            row.push(|out| {
                out.extend_from_slice(value.as_bytes());
                Ok(())
            })
            .unwrap();
        }
        let answer = Output { rows: vec![row.finish().unwrap()], ..Output::default() };
        ServerInfo::from_answer(&answer).unwrap()
    }

    #[test]
    fn defaults_that_mean_the_same_need_no_change() {
        for (zone, digits) in [("Etc/UTC", "1"), ("UTC", "2"), ("UTC", "3")] {
            assert!(learn(["ISO, MDY", zone, "postgres", "hex", digits, "C.UTF-8"]).canonical.is_empty(), "{zone}");
        }
    }

    #[test]
    fn zones_that_show_another_name_are_brought_back() {
        for zone in ["GMT", "UCT", "Zulu", "Etc/GMT", "Universal"] {
            let canonical = learn(["ISO, MDY", zone, "postgres", "hex", "1", "C"]).canonical;
            assert_eq!(canonical, [("TimeZone".to_owned(), "UTC".to_owned())], "{zone}");
        }
    }

    #[test]
    fn what_differs_is_brought_back() {
        let server = learn(["SQL, DMY", "Asia/Kathmandu", "postgres", "escape", "0", "de_DE.UTF-8"]);
        let names: Vec<_> = server.canonical.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["DateStyle", "TimeZone", "bytea_output", "extra_float_digits", "lc_monetary"]);
    }

    #[test]
    fn an_answer_without_a_row_is_an_error() {
        assert!(ServerInfo::from_answer(&Output::default()).is_err());
    }
}
