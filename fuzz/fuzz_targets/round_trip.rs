#![no_main]

use libfuzzer_sys::fuzz_target;
use pgferry::codec::Type;

fuzz_target!(|data: &[u8]| {
    let Some((type_, rest)) = pgferry_fuzz::typed(data) else { return };
    // What Postgres would print, if it is read at all.
    if let Some(text) = printed(type_, rest) {
        let binary =
            read(type_, &text).unwrap_or_else(|| panic!("{} is printed as {text:?}, and not read", type_.name()));
        assert_eq!(printed(type_, &binary).as_deref(), Some(&*text), "{}", type_.name());
    }
    // No text of Postgres's holds a NUL.
    if !rest.contains(&0)
        && let Ok(text) = std::str::from_utf8(rest)
        && let Some(binary) = read(type_, text)
    {
        let text =
            printed(type_, &binary).unwrap_or_else(|| panic!("{} reads {text:?}, and cannot print it", type_.name()));
        let again = read(type_, &text);
        if is_printed_alike(type_) {
            let again = again.and_then(|binary| printed(type_, &binary));
            assert_eq!(again.as_deref(), Some(&*text), "{}", type_.name());
        } else {
            assert_eq!(again.as_deref(), Some(&*binary), "{} {text:?}", type_.name());
        }
    }
});

/// Returns whether Postgres itself prints different values of the type alike: `a | (b | c)` of tsquery without parentheses.
fn is_printed_alike(type_: &Type) -> bool {
    const TSQUERY: u32 = 3615;
    const TSQUERY_ARRAY: u32 = 3645;
    matches!(type_.oid(), TSQUERY | TSQUERY_ARRAY)
}

fn printed(type_: &Type, binary: &[u8]) -> Option<String> {
    let mut text = String::new();
    type_.binary_to_text(binary, &mut text).ok()?;
    Some(text)
}

fn read(type_: &Type, text: &str) -> Option<Vec<u8>> {
    let mut binary = Vec::new();
    type_.text_to_binary(text, &mut binary).ok()?;
    Some(binary)
}
