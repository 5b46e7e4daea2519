use std::fmt;

use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess};

use super::{
    fault::Fault,
    lenient::{As, Shape, skip},
    param::{Param, ParamIn},
    room::{ALLOCATION, Room},
};
use crate::memory::Held;

/// How many parameters the reference's Bind message can count (PROTOCOL.md, section 2).
const MAX_PARAMS: usize = i16::MAX as usize;

/// What the reference says of a body that is JSON and neither form; clients know the text.
const NEITHER: &str = "data did not match any variant of untagged enum Payload";

/// The body of a `POST /sql`: one query, or several that run in one transaction (PROTOCOL.md, section 2).
///
/// It is read in one go: to hold the body as JSON values first, until it is known which form it has, would cost dozens of
/// times its size. As at the reference, a value of the wrong type is only told of when all of the body is JSON.
pub(crate) enum Payload {
    Single(Query),
    Batch(Batch),
}

/// One query and its parameters.
pub(crate) struct Query {
    pub(crate) query: String,
    pub(crate) params: Vec<Param>,
    /// Whether rows are arrays; the header says so where this is missing.
    pub(crate) array_mode: Option<bool>,
}

pub(crate) struct Batch {
    pub(crate) queries: Vec<Query>,
}

impl Payload {
    /// Reads a body, and gives back what holds the memory for what became of it: small values take a multiple of their text.
    pub(super) fn parse(body: &[u8], held: Held) -> (Result<Self, Fault>, Held) {
        let room = Room::new(held);
        let parsed = Self::parse_within(body, &room);
        (parsed, room.into_held())
    }

    fn parse_within(body: &[u8], room: &Room) -> Result<Self, Fault> {
        let mut json = serde_json::Deserializer::from_slice(body);
        let parsed = As(PayloadShape(room)).deserialize(&mut json).and_then(|payload| {
            json.end()?;
            payload.ok_or_else(|| serde_json::Error::custom(NEITHER))
        });
        parsed.map_err(|error| {
            if room.is_exhausted() {
                Fault::out_of_memory()
            } else {
                Fault::bad_request(format!("could not parse the HTTP request body: {error}"))
            }
        })
    }
}

/// A key's value: absent, of the right type, or wrong, which it also is where the key comes twice.
#[derive(Default)]
enum Field<T> {
    #[default]
    Absent,
    Right(T),
    Wrong,
}

impl<T> Field<T> {
    fn set(&mut self, value: Option<T>) {
        *self = match (&self, value) {
            (Self::Absent, Some(value)) => Self::Right(value),
            _ => Self::Wrong,
        };
    }

    fn required(self) -> Option<T> {
        match self {
            Self::Right(value) => Some(value),
            Self::Absent | Self::Wrong => None,
        }
    }

    fn or_default(self) -> Option<T>
    where
        T: Default,
    {
        match self {
            Self::Absent => Some(T::default()),
            Self::Right(value) => Some(value),
            Self::Wrong => None,
        }
    }
}

/// The keys of a query while they are read.
#[derive(Default)]
struct Fields {
    query: Field<String>,
    params: Field<Vec<Param>>,
    array_mode: Field<Option<bool>>,
}

impl Fields {
    /// Reads the value of this key, which may be none of a query's.
    fn read<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A, room: &Room) -> Result<(), A::Error> {
        match key {
            "query" => {
                let query = map.next_value_seed(As(TextShape))?;
                room.take(query.as_ref().map_or(0, String::len))?;
                self.query.set(query);
            }
            "params" => self.params.set(map.next_value_seed(As(ParamsShape(room)))?),
            "arrayMode" => self.array_mode.set(map.next_value_seed(As(FlagShape))?),
            _ => skip(map)?,
        }
        Ok(())
    }

    fn into_query(self) -> Option<Query> {
        let Self { query, params, array_mode } = self;
        Some(Query { query: query.required()?, params: params.or_default()?, array_mode: array_mode.or_default()? })
    }
}

struct PayloadShape<'a>(&'a Room);

impl<'de> Shape<'de> for PayloadShape<'_> {
    type Value = Payload;

    fn object<A: MapAccess<'de>>(self, map: &mut A) -> Result<Option<Payload>, A::Error> {
        let mut fields = Fields::default();
        let mut queries = Field::Absent;
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "queries" => queries.set(map.next_value_seed(As(QueriesShape(self.0)))?),
                key => fields.read(key, map, self.0)?,
            }
        }
        let batch = || queries.required().map(|queries| Payload::Batch(Batch { queries }));
        Ok(fields.into_query().map(Payload::Single).or_else(batch))
    }
}

struct QueriesShape<'a>(&'a Room);

impl<'de> Shape<'de> for QueriesShape<'_> {
    type Value = Vec<Query>;

    fn array<A: SeqAccess<'de>>(self, seq: &mut A) -> Result<Option<Vec<Query>>, A::Error> {
        let mut queries = Some(Vec::new());
        while let Some(query) = seq.next_element_seed(As(QueryShape(self.0)))? {
            self.0.take(size_of::<Query>() + ALLOCATION)?;
            queries = queries.zip(query).map(|(mut queries, query)| {
                queries.push(query);
                queries
            });
        }
        Ok(queries)
    }
}

struct QueryShape<'a>(&'a Room);

impl<'de> Shape<'de> for QueryShape<'_> {
    type Value = Query;

    fn object<A: MapAccess<'de>>(self, map: &mut A) -> Result<Option<Query>, A::Error> {
        let mut fields = Fields::default();
        while let Some(key) = map.next_key::<String>()? {
            fields.read(&key, map, self.0)?;
        }
        Ok(fields.into_query())
    }
}

struct ParamsShape<'a>(&'a Room);

impl<'de> Shape<'de> for ParamsShape<'_> {
    type Value = Vec<Param>;

    fn array<A: SeqAccess<'de>>(self, seq: &mut A) -> Result<Option<Vec<Param>>, A::Error> {
        let mut params = Vec::new();
        while let Some(param) = seq.next_element_seed(ParamIn(self.0))? {
            if params.len() == MAX_PARAMS {
                return Err(A::Error::custom(TooManyParams));
            }
            params.push(param);
        }
        Ok(Some(params))
    }
}

struct TooManyParams;

impl fmt::Display for TooManyParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a query can have at most {MAX_PARAMS} parameters")
    }
}

struct TextShape;

impl Shape<'_> for TextShape {
    type Value = String;

    fn text(self, text: String) -> Option<String> {
        Some(text)
    }
}

/// `true`, `false`, or `null` for neither.
struct FlagShape;

impl Shape<'_> for FlagShape {
    type Value = Option<bool>;

    fn flag(self, flag: bool) -> Option<Option<bool>> {
        Some(Some(flag))
    }

    fn null(self) -> Option<Option<bool>> {
        Some(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::Memory;

    fn logged_in(memory: usize) -> Held {
        let mut held = Memory::new(memory).hold();
        held.log_in();
        held
    }

    fn parse(body: &str) -> Result<Payload, Fault> {
        Payload::parse(body.as_bytes(), logged_in(64 * 1024 * 1024)).0
    }

    fn error(body: &str) -> String {
        let message = parse(body).err().map(|fault| fault.message().to_owned()).unwrap_or_default();
        message.strip_prefix("could not parse the HTTP request body: ").unwrap_or(&message).to_owned()
    }

    #[test]
    fn takes_both_forms() {
        let body = r#"{"query":"SELECT $1","params":["x",null],"arrayMode":true,"unknown":1}"#;
        let Ok(Payload::Single(query)) = parse(body) else { panic!("not a single query") };
        assert_eq!((query.query.as_str(), query.array_mode), ("SELECT $1", Some(true)));
        assert_eq!(query.params, [Param(Some("x".into())), Param(None)]);

        for body in [
            r#"{"queries":[{"query":"a"},{"query":"b","arrayMode":false}]}"#,
            r#"{"query":1,"queries":[{"query":"a","arrayMode":null},{"query":"b","arrayMode":false,"x":[{"y":0.5}]}]}"#,
        ] {
            let Ok(Payload::Batch(batch)) = parse(body) else { panic!("not a batch") };
            assert_eq!(batch.queries.len(), 2);
            assert_eq!((batch.queries[0].array_mode, batch.queries[1].array_mode), (None, Some(false)));
        }
    }

    #[test]
    fn reports_errors_as_the_reference_does() {
        for body in [
            "null",
            "1",
            r#""x""#,
            "[1]",
            "{}",
            r#"{"query":null}"#,
            r#"{"query":1}"#,
            r#"{"query":{"a":[1]}}"#,
            r#"{"Query":"SELECT 1"}"#,
            r#"{"query":"SELECT 1","query":"SELECT 2"}"#,
            r#"{"query":"SELECT 1","params":null}"#,
            r#"{"query":"SELECT 1","params":{"a":1}}"#,
            r#"{"query":"SELECT 1","arrayMode":"true"}"#,
            r#"{"queries":["SELECT 1"]}"#,
            r#"{"queries":[{"query":"a"},{}]}"#,
            r#"{"queries":"x"}"#,
        ] {
            assert_eq!(error(body), NEITHER, "{body}");
        }
        assert_eq!(error(r#"{"query":"SELECT 1"} x"#), "trailing characters at line 1 column 22");
        assert_eq!(error(""), "EOF while parsing a value at line 1 column 0");
        // Malformed JSON counts for more than a wrong type before it.
        assert_eq!(error(r#"{"query":1"#), "EOF while parsing an object at line 1 column 10");
        let deep = format!(r#"{{"query":"a","x":{}{}}}"#, "[".repeat(200), "]".repeat(200));
        assert!(error(&deep).starts_with("recursion limit exceeded"), "{}", error(&deep));
    }

    #[test]
    fn takes_memory_for_what_it_makes() {
        let params = vec!["1"; 10_000].join(",");
        let body = format!(r#"{{"queries":[{{"query":"a","params":[{params}]}}]}}"#);
        for (memory, did_well) in [(10_000 * size_of::<Param>(), false), (1024 * 1024, true)] {
            let parsed = Payload::parse(body.as_bytes(), logged_in(memory)).0;
            assert_eq!(parsed.is_ok(), did_well);
            assert!(parsed.err().is_none_or(|fault| fault.status == http::StatusCode::SERVICE_UNAVAILABLE));
        }
    }

    #[test]
    fn takes_memory_for_the_tree_that_sorts_keys() {
        let keys = (0..20_000).map(|key| format!(r#""{key}":0"#)).collect::<Vec<_>>().join(",");
        let maps = vec![r#"{"a":0}"#; 5_000].join(",");
        for param in [format!("{{{keys}}}"), format!("[{{{keys}}}]"), format!(r#"{{"a":[{maps}]}}"#)] {
            let body = format!(r#"{{"query":"a","params":[{param}]}}"#);
            let refused = Payload::parse(body.as_bytes(), logged_in(2 * 1024 * 1024)).0.err();
            assert!(refused.is_some_and(|fault| fault.status == http::StatusCode::SERVICE_UNAVAILABLE));
            // The second finds what the first has given back.
            let body = format!(r#"{{"query":"a","params":[{}]}}"#, vec![param; 10].join(","));
            assert!(Payload::parse(body.as_bytes(), logged_in(12 * 1024 * 1024)).0.is_ok());
        }
    }

    #[test]
    fn stops_at_the_first_parameter_too_many() {
        let params = |count| vec!["1"; count].join(",");
        for (start, end) in [(r#"{"query":"a","params":["#, "]}"), (r#"{"queries":[{"query":"a","params":["#, "]}]}")] {
            assert_eq!(error(&format!("{start}{}{end}", params(MAX_PARAMS))), "");
            // What follows is not even JSON.
            let error = error(&format!("{start}{},1,!", params(MAX_PARAMS)));
            assert!(error.starts_with("a query can have at most 32767 parameters"), "{error}");
        }
    }
}
