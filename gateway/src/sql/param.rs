use std::fmt;

use serde::{
    Deserializer,
    de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor},
};

use super::{
    json_value,
    room::{ALLOCATION, Room},
};

/// A parameter in Postgres's text form; `None` is NULL.
///
/// Strings are taken as they are, numbers and booleans by their JSON text, an object as JSON with sorted keys. A JSON
/// array becomes a Postgres array literal. Numbers beyond 64 bits lose digits, as at the reference: such values belong
/// into strings.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Param(pub(crate) Option<String>);

/// Reads a parameter, for whose text it takes memory.
#[derive(Clone, Copy)]
pub(super) struct ParamIn<'a>(pub(super) &'a Room);

impl<'de> DeserializeSeed<'de> for ParamIn<'_> {
    type Value = Param;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Param, D::Error> {
        let param = deserializer.deserialize_any(self)?;
        let text = param.0.as_ref().map_or(0, |text| text.len().saturating_add(ALLOCATION));
        self.0.take(text.saturating_add(size_of::<Param>()))?;
        Ok(param)
    }
}

impl<'de> Visitor<'de> for ParamIn<'_> {
    type Value = Param;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a parameter")
    }

    fn visit_unit<E: Error>(self) -> Result<Param, E> {
        Ok(Param(None))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Param, E> {
        Ok(Param(Some(value.to_string())))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Param, E> {
        Ok(Param(Some(value.to_string())))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Param, E> {
        Ok(Param(Some(value.to_string())))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Param, E> {
        Ok(Param(Some(json_number(value)?)))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Param, E> {
        Ok(Param(Some(value.to_owned())))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Param, E> {
        Ok(Param(Some(value)))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Param, A::Error> {
        Ok(Param(Some(json_value::sorted(map, self.0)?)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Param, A::Error> {
        let mut literal = String::new();
        write_array(&mut literal, seq, self.0)?;
        Ok(Param(Some(literal)))
    }
}

/// An element of a Postgres array literal, appended behind a comma unless it is the first.
struct Element<'a> {
    literal: &'a mut String,
    first: bool,
    room: &'a Room,
}

impl<'de> DeserializeSeed<'de> for Element<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if !self.first {
            self.literal.push(',');
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Element<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an element of an array")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.literal.push_str("NULL");
        Ok(())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.literal.push_str(if value { "true" } else { "false" });
        Ok(())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.literal.push_str(&value.to_string());
        Ok(())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.literal.push_str(&value.to_string());
        Ok(())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.literal.push_str(&json_number(value)?);
        Ok(())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        write_quoted(self.literal, value);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        write_quoted(self.literal, &json_value::sorted(map, self.room)?);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<(), A::Error> {
        write_array(self.literal, seq, self.room)
    }
}

fn write_array<'de, A: SeqAccess<'de>>(literal: &mut String, mut seq: A, room: &Room) -> Result<(), A::Error> {
    literal.push('{');
    let mut first = true;
    while seq.next_element_seed(Element { literal: &mut *literal, first, room })?.is_some() {
        first = false;
    }
    literal.push('}');
    Ok(())
}

/// Quotes as Postgres reads array literals (manual, section 8.15.6): only the quote and the backslash are escaped, so that
/// control characters arrive as they are.
fn write_quoted(literal: &mut String, text: &str) {
    literal.reserve(text.len() + 2);
    literal.push('"');
    for char in text.chars() {
        if matches!(char, '"' | '\\') {
            literal.push('\\');
        }
        literal.push(char);
    }
    literal.push('"');
}

fn json_number<E: Error>(value: f64) -> Result<String, E> {
    serde_json::to_string(&value).map_err(E::custom)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::Memory;

    fn text(json: &str) -> Option<String> {
        let room = Room::new(Memory::new(1024 * 1024).hold());
        let param = ParamIn(&room).deserialize(&mut serde_json::Deserializer::from_str(json));
        param.map(|param| param.0).unwrap_or_else(|error| panic!("{json}: {error}"))
    }

    #[test]
    fn scalars_keep_their_json_text() {
        for (json, expected) in [
            ("42", "42"),
            ("9007199254740993", "9007199254740993"),
            ("18446744073709551615", "18446744073709551615"),
            ("1.0", "1.0"),
            ("1e2", "100.0"),
            ("1.10", "1.1"),
            ("1e-7", "1e-7"),
            ("123456789.123456789012345", "123456789.1234568"),
            ("-0.0", "-0.0"),
            ("true", "true"),
            (r#""a\nb""#, "a\nb"),
            (r#"{"z":1,"a":{"k":[1,"x"]},"z":2}"#, r#"{"a":{"k":[1,"x"]},"z":2}"#),
        ] {
            assert_eq!(text(json).as_deref(), Some(expected), "{json}");
        }
        assert_eq!(text("null"), None);
    }

    #[test]
    fn arrays_become_literals() {
        for (json, expected) in [
            ("[]", "{}"),
            ("[1,null,-3]", "{1,NULL,-3}"),
            ("[true,1.5]", "{true,1.5}"),
            ("[[1,2],[3,4]]", "{{1,2},{3,4}}"),
            (r#"["a\"b","c\\d","e,f","","NULL"]"#, r#"{"a\"b","c\\d","e,f","","NULL"}"#),
            ("[\"line\\nbreak\",\"\\u0001\"]", "{\"line\nbreak\",\"\u{1}\"}"),
            (r#"[{"foo":1}]"#, r#"{"{\"foo\":1}"}"#),
        ] {
            assert_eq!(text(json).as_deref(), Some(expected), "{json}");
        }
    }
}
