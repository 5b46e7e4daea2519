/// Reads parameters as they are given on the command line: `\N` is null, as in COPY's text format. Of `\\N` and the like, one
/// backslash is taken away.
pub(super) fn read(given: &[String]) -> Vec<Option<String>> {
    given.iter().map(|value| read_one(value)).collect()
}

fn read_one(value: &str) -> Option<String> {
    let backslashes = value.strip_suffix('N').filter(|start| start.bytes().all(|byte| byte == b'\\'));
    match backslashes {
        Some("\\") => None,
        Some(start) if !start.is_empty() => value.get(1..).map(str::to_owned),
        _ => Some(value.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::read_one;

    #[test]
    fn null_and_every_text_can_be_given() {
        for (given, read) in [
            (r"\N", None),
            (r"\\N", Some(r"\N")),
            (r"\\\N", Some(r"\\N")),
            ("N", Some("N")),
            ("", Some("")),
            (r"\n", Some(r"\n")),
            (r"a\N", Some(r"a\N")),
            (r"\", Some(r"\")),
        ] {
            assert_eq!(read_one(given).as_deref(), read, "{given}");
        }
    }
}
