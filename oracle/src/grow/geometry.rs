use fastrand::Rng;

use super::number::float8;

/// A geometric shape.
pub(super) fn geometry(name: &str, random: &mut Rng) -> Option<String> {
    let text = match name {
        "point" => point(random),
        "lseg" => format!("[{},{}]", point(random), point(random)),
        "box" => format!("{},{}", point(random), point(random)),
        "path" if random.bool() => format!("[{}]", points(random)),
        "path" | "polygon" => format!("({})", points(random)),
        "line" => format!("{{{},1,{}}}", float8(random), float8(random)),
        "circle" => format!("<{},{}>", point(random), float8(random).trim_start_matches('-')),
        _ => return None,
    };
    Some(text)
}

fn point(random: &mut Rng) -> String {
    format!("({},{})", float8(random), float8(random))
}

fn points(random: &mut Rng) -> String {
    (0..random.usize(1..6)).map(|_| point(random)).collect::<Vec<_>>().join(",")
}
