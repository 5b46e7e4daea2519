use std::{cell::Cell, fmt};

use serde::{
    Deserializer,
    de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value};

use super::room::{ALLOCATION, Room};

/// What an element of an array takes while its vector grows, in bytes.
const ELEMENT: usize = 3 * size_of::<Value>();

/// What a key and its value take in a map's nodes, which may be half empty, in bytes.
const ENTRY: usize = 3 * (size_of::<String>() + size_of::<Value>());

/// What a map's first node takes, however little is in it, in bytes.
const NODE: usize = 12 * (size_of::<String>() + size_of::<Value>());

/// Reads an object as JSON text with sorted keys: a tree is needed for it, whose memory is taken before each of its parts is made.
pub(super) fn sorted<'de, A: MapAccess<'de>>(map: A, room: &Room) -> Result<String, A::Error> {
    let taken = Cell::new(0);
    let tree = Tree { room, taken: &taken };
    let text = tree.visit_map(map).map(|value| value.to_string());
    room.give_back(taken.get());
    text
}

#[derive(Clone, Copy)]
struct Tree<'a> {
    room: &'a Room,
    taken: &'a Cell<usize>,
}

impl Tree<'_> {
    fn take<E: Error>(self, bytes: usize) -> Result<(), E> {
        self.room.take(bytes)?;
        self.taken.set(self.taken.get().saturating_add(bytes));
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Tree<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Tree<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        self.take(value.len().saturating_add(ALLOCATION))?;
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = seq.next_element_seed(self)? {
            self.take(ELEMENT)?;
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut values = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            let node = if values.is_empty() { NODE } else { 0 };
            self.take(node.saturating_add(ENTRY).saturating_add(ALLOCATION).saturating_add(key.len()))?;
            values.insert(key, map.next_value_seed(self)?);
        }
        Ok(Value::Object(values))
    }
}
