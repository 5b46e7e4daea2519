use fastrand::Rng;

use super::{
    extension, geometry,
    literal::{hex, one_in},
    moment,
    nasty::nasty,
    network, number, search, text,
};

/// Makes a text of a type that is made of no other: first those that hurt, by their order, then random ones.
pub(crate) fn scalar(name: &str, index: usize, random: &mut Rng) -> Option<String> {
    if let Some(text) = nasty(name).get(index) {
        return Some((*text).to_owned());
    }
    match name {
        "bool" => Some(random.choice(["t", "f"])?.to_owned()),
        "bytea" => {
            let length = random.usize(..40);
            Some(format!("\\x{}", hex(length, random)))
        }
        "uuid" => Some(hex(16, random)),
        "bit" | "varbit" => {
            // Six bits are what a domain takes.
            let length = if one_in(4, random) { 6 } else { random.usize(..70) };
            Some(std::iter::repeat_with(|| random.choice(['0', '1']).unwrap_or('0')).take(length).collect())
        }
        _ => number::number(name, random)
            .or_else(|| moment::moment(name, random))
            .or_else(|| text::text(name, random))
            .or_else(|| network::network(name, random))
            .or_else(|| geometry::geometry(name, random))
            .or_else(|| search::search(name, random))
            .or_else(|| extension::extension(name, random)),
    }
}
