use fastrand::Rng;

use super::{
    literal::{below, digits, one_in},
    number::{float4, float8},
    search::always_quoted,
    text::{any, word},
};

/// A value of a type that an extension brings.
pub(super) fn extension(name: &str, random: &mut Rng) -> Option<String> {
    let text = match name {
        "hstore" => hstore(random),
        "ltree" => labels(random, 0),
        "lquery" => lquery(random),
        "ltxtquery" => ltxtquery(random, 0),
        "cube" => cube(random),
        "vector" | "halfvec" => format!("[{}]", numbers(random, 1..20)),
        "sparsevec" => format!("{{1:{},3:1.5}}/{}", 1 + below(9, random), random.u32(3..30)),
        "seg" => format!("{}..{}", random.u32(..100), random.u32(100..200)),
        "query_int" => format!("{}&({}|!{})", random.u32(..100), random.u32(..100), random.u32(..100)),
        "ean13" | "isbn13" | "isbn" => checked("978", 12, random),
        "ismn13" | "ismn" => checked("9790", 12, random),
        "issn13" | "issn" => checked("977", 12, random),
        "upc" => checked("0", 12, random),
        _ => return None,
    };
    Some(text)
}

fn hstore(random: &mut Rng) -> String {
    let pairs = (0..random.u32(..6)).map(|_| {
        let (key, value) = (any(random), any(random));
        let value = if one_in(4, random) { "NULL".to_owned() } else { always_quoted(&value, random) };
        format!("{}=>{value}", always_quoted(&key, random))
    });
    pairs.collect::<Vec<_>>().join(", ")
}

fn labels(random: &mut Rng, least: u32) -> String {
    (0..random.u32(least..6)).map(|_| word(random)).collect::<Vec<_>>().join(".")
}

fn lquery(random: &mut Rng) -> String {
    let levels = (0..random.u32(1..5)).map(|_| match random.u32(..7) {
        0 => "*".to_owned(),
        1 => format!("*{{{},{}}}", random.u32(..4), random.u32(4..9)),
        2 => format!("!{}", word(random)),
        3 => format!("{}|{}", word(random), word(random)),
        4 => format!("{}{}", word(random), random.choice(["@", "*", "%", "@*", "%@*"]).unwrap_or("@")),
        _ => word(random),
    });
    levels.collect::<Vec<_>>().join(".")
}

fn ltxtquery(random: &mut Rng, depth: u32) -> String {
    match random.u32(..if depth < 3 { 6 } else { 2 }) {
        0 | 1 => format!("{}{}", word(random), random.choice(["", "@", "*", "%"]).unwrap_or("")),
        2 => format!("!{}", ltxtquery(random, depth + 1)),
        3 => format!("({} | {})", ltxtquery(random, depth + 1), ltxtquery(random, depth + 1)),
        4 => format!("({})", ltxtquery(random, depth + 1)),
        _ => format!("{} & {}", ltxtquery(random, depth + 1), ltxtquery(random, depth + 1)),
    }
}

fn cube(random: &mut Rng) -> String {
    let length = random.usize(1..6);
    let corner = |random: &mut Rng| (0..length).map(|_| float8(random)).collect::<Vec<_>>().join(",");
    if random.bool() { format!("({})", corner(random)) } else { format!("({}),({})", corner(random), corner(random)) }
}

fn numbers(random: &mut Rng, lengths: std::ops::Range<usize>) -> String {
    (0..random.usize(lengths)).map(|_| float4(random)).collect::<Vec<_>>().join(",")
}

/// Digits with the check digit of EAN-13 behind them.
fn checked(start: &str, length: usize, random: &mut Rng) -> String {
    let mut text = format!("{start}{}", digits(length - start.len(), random));
    let sum: u32 = text
        .bytes()
        .enumerate()
        .map(|(index, digit)| u32::from(digit - b'0') * if index % 2 == 0 { 1 } else { 3 })
        .sum();
    text.push_str(&((10 - sum % 10) % 10).to_string());
    text
}
