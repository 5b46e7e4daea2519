//! xml: its text; what a client sends in binary may declare another encoding.

use super::{Reason, text};

pub(super) fn to_text(binary: &[u8], out: &mut String) -> Result<(), Reason> {
    let encoding = declared_encoding(binary).unwrap_or_default();
    // Postgres compares names of encodings without case and punctuation.
    let name: String = encoding
        .iter()
        .filter(|byte| byte.is_ascii_alphanumeric())
        .map(|byte| char::from(byte.to_ascii_lowercase()))
        .collect();
    match name.as_str() {
        "" | "utf8" | "unicode" => text::to_text(binary, out),
        "iso88591" | "latin1" if !binary.contains(&0) => {
            out.extend(binary.iter().copied().map(char::from));
            Ok(())
        }
        _ => Err("it declares another encoding than UTF-8 or ISO-8859-1; declare one of these"),
    }
}

/// What `<?xml … encoding="…"?>` at the beginning says.
fn declared_encoding(binary: &[u8]) -> Option<&[u8]> {
    let declaration = binary.strip_prefix(b"\xef\xbb\xbf").unwrap_or(binary).strip_prefix(b"<?xml")?;
    let end = memchr::memmem::find(declaration, b"?>")?;
    let declaration = declaration.get(..end)?;
    let (_, rest) =
        declaration.split_at_checked(memchr::memmem::find(declaration, b"encoding")? + b"encoding".len())?;
    let rest = rest.trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let (&quote, rest) = rest.split_first()?;
    rest.get(..memchr::memchr(quote, rest)?)
}

#[cfg(test)]
mod tests {
    use super::to_text;

    fn text(binary: &[u8]) -> Option<String> {
        let mut out = String::new();
        to_text(binary, &mut out).ok().map(|()| out)
    }

    #[test]
    fn declared_encodings_are_heeded() {
        assert_eq!(text(b"<a>\xc3\xa9</a>").as_deref(), Some("<a>\u{e9}</a>"));
        assert_eq!(
            text(b"<?xml version='1.0' encoding = 'UTF-8'?>\xc3\xa9").map(|text| text.ends_with('\u{e9}')),
            Some(true)
        );
        let latin = b"<?xml version=\"1.0\" encoding=\"iso-8859-1\"?><a>\xe9</a>";
        assert_eq!(text(latin).map(|text| text.ends_with("<a>\u{e9}</a>")), Some(true));
        for refused in
            [&b"<a>\xe9</a>"[..], b"<?xml version='1.0' encoding='EUC_JP'?><a/>", b"<?xml encoding='latin1'?>\0"]
        {
            assert_eq!(text(refused), None);
        }
    }
}
