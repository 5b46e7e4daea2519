use fastrand::Rng;

/// Quotes an array's element, a field of a composite or a bound of a range; now and then without need.
pub(super) fn quoted(text: &str, random: &mut Rng) -> String {
    let plain = !text.is_empty()
        && !text.eq_ignore_ascii_case("null")
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ':' | '_'));
    if plain && random.bool() {
        return text.to_owned();
    }
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        if matches!(character, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted.push('"');
    quoted
}

/// A number below `end`, small ones as often as large ones.
pub(super) fn below(end: u64, random: &mut Rng) -> u64 {
    (random.u64(..) >> random.u32(..64)) % end.max(1)
}

pub(super) fn one_in(count: u32, random: &mut Rng) -> bool {
    random.u32(..count) == 0
}

pub(super) fn sign(random: &mut Rng) -> &'static str {
    if random.bool() { "-" } else { "" }
}

/// So many digits, from `0`.
pub(super) fn digits(count: usize, random: &mut Rng) -> String {
    std::iter::repeat_with(|| random.digit(10)).take(count).collect()
}

pub(super) fn hex(bytes: usize, random: &mut Rng) -> String {
    std::iter::repeat_with(|| random.digit(16)).take(bytes * 2).collect()
}
