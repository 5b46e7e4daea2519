use std::fmt;

use serde::{
    Deserializer,
    de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor},
};

/// What a JSON value is made into: every type that it does not want gives `None`, and no error, so that the rest of the text is
/// still read.
pub(super) trait Shape<'de>: Sized {
    type Value;

    fn null(self) -> Option<Self::Value> {
        None
    }

    fn flag(self, _flag: bool) -> Option<Self::Value> {
        None
    }

    fn text(self, _text: String) -> Option<Self::Value> {
        None
    }

    /// Has to read all elements.
    fn array<A: SeqAccess<'de>>(self, seq: &mut A) -> Result<Option<Self::Value>, A::Error> {
        while seq.next_element_seed(As(Nothing))?.is_some() {}
        Ok(None)
    }

    /// Has to read all keys and values.
    fn object<A: MapAccess<'de>>(self, map: &mut A) -> Result<Option<Self::Value>, A::Error> {
        while map.next_key_seed(As(Nothing))?.is_some() {
            skip(map)?;
        }
        Ok(None)
    }
}

/// Reads a value into a shape.
pub(super) struct As<S>(pub(super) S);

/// Reads over a map's next value. Unlike serde's own way it goes by the deserializer's rules for values that are kept, such as how
/// deep they may be nested.
pub(super) fn skip<'de, A: MapAccess<'de>>(map: &mut A) -> Result<(), A::Error> {
    map.next_value_seed(As(Nothing)).map(drop)
}

/// Wants no value at all.
struct Nothing;

impl Shape<'_> for Nothing {
    type Value = ();
}

impl<'de, S: Shape<'de>> DeserializeSeed<'de> for As<S> {
    type Value = Option<S::Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, S: Shape<'de>> Visitor<'de> for As<S> {
    type Value = Option<S::Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(self.0.null())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        Ok(self.0.flag(value))
    }

    fn visit_i64<E: Error>(self, _value: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E: Error>(self, _value: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E: Error>(self, _value: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Self::Value, E> {
        Ok(self.0.text(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Self::Value, E> {
        Ok(self.0.text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        self.0.array(&mut seq)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        self.0.object(&mut map)
    }
}
