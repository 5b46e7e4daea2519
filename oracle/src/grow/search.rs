use fastrand::Rng;

use super::{
    literal::{below, digits, one_in, quoted, sign},
    text::{any, word},
};

/// Documents and what searches them.
pub(super) fn search(name: &str, random: &mut Rng) -> Option<String> {
    let text = match name {
        "json" | "jsonb" => json(random, 0),
        "jsonpath" => jsonpath(random),
        "xml" => xml(random, 0),
        "tsvector" => tsvector(random),
        "tsquery" => tsquery(random, 0),
        _ => return None,
    };
    Some(text)
}

fn json(random: &mut Rng, depth: u32) -> String {
    let blank = |random: &mut Rng| random.choice(["", "", " ", "\n", "\t "]).unwrap_or("");
    match random.u32(..if depth < 4 { 9 } else { 6 }) {
        0 => random.choice(["null", "true", "false"]).unwrap_or("null").to_owned(),
        1 => format!("{}{}", sign(random), below(u64::MAX, random)),
        2 => {
            let length = random.usize(1..20);
            format!("{}{}.{}", sign(random), below(1000, random), digits(length, random))
        }
        3 => format!("{}{}e{}", sign(random), below(1000, random), random.i32(-20..20)),
        4 | 5 => json_string(random),
        6 | 7 => {
            let members = (0..random.u32(..5)).map(|_| {
                format!(
                    "{}{}{}:{}{}",
                    blank(random),
                    json_string(random),
                    blank(random),
                    blank(random),
                    json(random, depth + 1)
                )
            });
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        _ => {
            let items = (0..random.u32(..5)).map(|_| format!("{}{}", blank(random), json(random, depth + 1)));
            format!("[{}]", items.collect::<Vec<_>>().join(","))
        }
    }
}

fn json_string(random: &mut Rng) -> String {
    let mut text = String::from('"');
    for character in any(random).chars().take(12) {
        match character {
            '"' | '\\' => text.extend(['\\', character]),
            control if u32::from(control) < 0x20 => text.push_str(&format!("\\u{:04x}", u32::from(control))),
            other if one_in(10, random) && u32::from(other) < 0x1_0000 => {
                text.push_str(&format!("\\u{:04X}", u32::from(other)))
            }
            other => text.push(other),
        }
    }
    text.push('"');
    text
}

fn jsonpath(random: &mut Rng) -> String {
    let mode = random.choice(["", "strict ", "lax "]).unwrap_or("");
    let mut path = format!("{mode}$");
    for _ in 0..random.u32(..5) {
        match random.u32(..9) {
            0 => path.push_str(&format!(
                ".{}",
                word(random).trim_start_matches(|c: char| c.is_ascii_digit()).to_owned() + "x"
            )),
            1 => path.push_str(&format!(".{}", json_string(random))),
            2 => path.push_str(&format!("[{}]", random.u32(..100))),
            3 => path.push_str("[*]"),
            4 => path.push_str(".**"),
            5 => path.push_str(&format!("[{} to last]", random.u32(..9))),
            6 => path.push_str(&format!(" ? (@.a > {} && @ != {})", below(1000, random), json_string(random))),
            7 => path.push_str(
                random.choice([".size()", ".type()", ".double()", ".abs()", ".keyvalue()"]).unwrap_or(".type()"),
            ),
            _ => path.push_str(" ? (exists (@.b) || !(@.c like_regex \"^a\" flag \"i\"))"),
        }
    }
    path
}

fn xml(random: &mut Rng, depth: u32) -> String {
    let mut text = String::new();
    for _ in 0..random.u32(..4) {
        match random.u32(..4) {
            0 if depth < 3 => {
                let name = format!("n{}", word(random));
                text.push_str(&format!("<{name} a=\"{}\">{}</{name}>", word(random), xml(random, depth + 1)));
            }
            1 => text.push_str(&format!("<e{}/>", word(random))),
            2 => text.push_str(
                random.choice(["&lt;", "&amp;", "&#233;", "<!-- c -->", "<![CDATA[<x>]]>", "\n", "é"]).unwrap_or("x"),
            ),
            _ => text.push_str(&word(random)),
        }
    }
    text
}

fn lexeme(random: &mut Rng) -> String {
    if random.bool() {
        return word(random);
    }
    // Quotes and backslashes are doubled within quotes.
    let text: String = any(random).chars().take(10).collect();
    let text = if text.is_empty() { "x".to_owned() } else { text };
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

fn tsvector(random: &mut Rng) -> String {
    let words = (0..random.u32(..7)).map(|_| {
        let mut text = lexeme(random);
        if random.bool() {
            let places = (0..random.u32(1..6)).map(|_| {
                format!("{}{}", 1 + below(20_000, random), random.choice(["", "", "A", "B", "C", "D"]).unwrap_or(""))
            });
            text.push(':');
            text.push_str(&places.collect::<Vec<_>>().join(","));
        }
        text
    });
    words.collect::<Vec<_>>().join(" ")
}

fn tsquery(random: &mut Rng, depth: u32) -> String {
    match random.u32(..if depth < 5 { 8 } else { 3 }) {
        0..=2 => {
            let flags = random.choice(["", "", "", ":*", ":A", ":AB", ":ABCD", ":*D", ":BC*"]).unwrap_or("");
            lexeme(random) + flags
        }
        3 => format!("!{}", tsquery(random, depth + 1)),
        4 => format!("!({})", tsquery(random, depth + 1)),
        operator => {
            let operator = match (operator, random.u32(..3)) {
                (5, _) => "&".to_owned(),
                (6, _) => "|".to_owned(),
                (_, 0) => "<->".to_owned(),
                _ => format!("<{}>", below(16_384, random)),
            };
            let (left, right) = (tsquery(random, depth + 1), tsquery(random, depth + 1));
            if random.bool() { format!("({left}) {operator} ({right})") } else { format!("{left} {operator} {right}") }
        }
    }
}

/// A text between double quotes, as hstore writes it.
pub(super) fn always_quoted(text: &str, random: &mut Rng) -> String {
    let quoted = quoted(text, random);
    if quoted.starts_with('"') { quoted } else { format!("\"{quoted}\"") }
}
