use serde::Deserialize;

use super::param::Param;

/// The body of a `POST /sql`: one query, or several that run in one transaction (PROTOCOL.md, section 2).
///
/// The type's name shows in the error that serde gives for a body of neither form, and clients know that text.
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum Payload {
    Single(Query),
    Batch(Batch),
}

/// One query and its parameters.
#[derive(Deserialize)]
pub(crate) struct Query {
    pub(crate) query: String,
    #[serde(default)]
    pub(crate) params: Vec<Param>,
    /// Whether rows are arrays; the header says so where this is missing.
    #[serde(default, rename = "arrayMode")]
    pub(crate) array_mode: Option<bool>,
}

#[derive(Deserialize)]
pub(crate) struct Batch {
    pub(crate) queries: Vec<Query>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(body: &str) -> String {
        serde_json::from_slice::<Payload>(body.as_bytes()).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn takes_both_forms() {
        let body = r#"{"query":"SELECT $1","params":["x",null],"arrayMode":true,"unknown":1}"#;
        let Ok(Payload::Single(query)) = serde_json::from_str(body) else { panic!("not a single query") };
        assert_eq!((query.query.as_str(), query.array_mode), ("SELECT $1", Some(true)));
        assert_eq!(query.params, [Param(Some("x".into())), Param(None)]);

        let body = r#"{"queries":[{"query":"a"},{"query":"b","arrayMode":false}]}"#;
        let Ok(Payload::Batch(batch)) = serde_json::from_str(body) else { panic!("not a batch") };
        assert_eq!(batch.queries.len(), 2);
        assert_eq!(batch.queries[1].array_mode, Some(false));
    }

    #[test]
    fn reports_errors_as_the_reference_does() {
        let neither = "data did not match any variant of untagged enum Payload";
        for body in [
            "null",
            r#"{"query":null}"#,
            r#"{"query":1}"#,
            r#"{"Query":"SELECT 1"}"#,
            r#"{"query":"SELECT 1","query":"SELECT 2"}"#,
            r#"{"query":"SELECT 1","params":null}"#,
            r#"{"query":"SELECT 1","arrayMode":"true"}"#,
            r#"{"queries":["SELECT 1"]}"#,
            r#"{"queries":"x"}"#,
        ] {
            assert_eq!(error(body), neither, "{body}");
        }
        assert_eq!(error(r#"{"query":"SELECT 1"} x"#), "trailing characters at line 1 column 22");
        assert_eq!(error(""), "EOF while parsing a value at line 1 column 0");
    }
}
