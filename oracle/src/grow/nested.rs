use fastrand::Rng;
use pgferry::Oid;

use super::{
    literal::{one_in, quoted},
    pools::Pools,
};
use crate::types::{TypeEntry, TypeKind, Types};

/// Makes a literal of a type of types out of what its parts' pools hold.
pub(crate) fn nested(entry: &TypeEntry, types: &Types, pools: &Pools, random: &mut Rng) -> Option<String> {
    match &entry.kind {
        TypeKind::Enum { labels } => random.choice(labels).cloned(),
        TypeKind::Domain { base } => pools.pick(*base, random).map(str::to_owned),
        TypeKind::Array { element } => {
            let delimiter = types.get(*element).map_or(',', |element| char::from(element.delimiter));
            array(*element, delimiter, pools, random)
        }
        TypeKind::Composite { attributes, .. } => Some(composite(attributes, pools, random)),
        TypeKind::Range { subtype } => range(*subtype, pools, random),
        TypeKind::Multirange { range } => multirange(*range, pools, random),
        TypeKind::Base | TypeKind::Pseudo => None,
    }
}

fn array(element: Oid, delimiter: char, pools: &Pools, random: &mut Rng) -> Option<String> {
    if one_in(20, random) {
        return Some("{}".into());
    }
    let dimensions: Vec<usize> = match random.u32(..12) {
        0 => vec![random.usize(1..4), random.usize(1..4)],
        1 => vec![random.usize(1..3), random.usize(1..3), random.usize(1..3)],
        2 => vec![1; random.usize(1..=6)],
        3 => vec![random.usize(1..200)],
        _ => vec![random.usize(1..6)],
    };
    let mut text = String::new();
    if one_in(6, random) {
        for length in &dimensions {
            let lower = random.i32(-3..4);
            text.push_str(&format!("[{lower}:{}]", i64::from(lower) + i64::try_from(*length).ok()? - 1));
        }
        text.push('=');
    }
    level(
        &dimensions,
        &mut text,
        &mut |text, random| match pools.pick(element, random) {
            Some(value) if !one_in(8, random) => text.push_str(&quoted(value, random)),
            _ => text.push_str(random.choice(["NULL", "null"]).unwrap_or("NULL")),
        },
        delimiter,
        random,
    );
    pools.has(element).then_some(text)
}

fn level(
    dimensions: &[usize],
    text: &mut String,
    value: &mut impl FnMut(&mut String, &mut Rng),
    delimiter: char,
    random: &mut Rng,
) {
    let Some((&length, rest)) = dimensions.split_first() else { return value(text, random) };
    text.push('{');
    for index in 0..length {
        if index > 0 {
            text.push(delimiter);
        }
        level(rest, text, value, delimiter, random);
    }
    text.push('}');
}

fn composite(attributes: &[(String, Oid)], pools: &Pools, random: &mut Rng) -> String {
    let nulls = if one_in(10, random) { 1 } else { 8 };
    let fields = attributes.iter().map(|(_, oid)| match pools.pick(*oid, random) {
        Some(value) if !one_in(nulls, random) => quoted(value, random),
        _ => String::new(),
    });
    format!("({})", fields.collect::<Vec<_>>().join(","))
}

/// The bounds may be in the wrong order: the server refuses those.
fn range(subtype: Oid, pools: &Pools, random: &mut Rng) -> Option<String> {
    if one_in(12, random) {
        return Some("empty".into());
    }
    let first = bound(subtype, pools, random)?;
    let last = if one_in(6, random) { first.clone() } else { bound(subtype, pools, random)? };
    let (open, close) = (random.choice(['[', '('])?, random.choice([']', ')'])?);
    Some(format!("{open}{first},{last}{close}"))
}

fn bound(subtype: Oid, pools: &Pools, random: &mut Rng) -> Option<String> {
    let value = pools.pick(subtype, random)?;
    Some(if one_in(5, random) { String::new() } else { quoted(value, random) })
}

fn multirange(range: Oid, pools: &Pools, random: &mut Rng) -> Option<String> {
    let count = random.usize(..5);
    let parts: Option<Vec<&str>> = (0..count).map(|_| pools.pick(range, random)).collect();
    Some(format!("{{{}}}", parts?.join(",")))
}
