//! JSON's escapes (RFC 8259, section 7).

use memchr::memchr;

/// Gives the text that a JSON string stands for, piece by piece; `None` for an escape that is none, or for half of a
/// surrogate pair.
///
/// `raw` is what stands between the quotes. Control characters that are not escaped are taken as they are.
pub(super) fn unescape<'a>(raw: &'a str, mut piece: impl FnMut(&str)) -> Option<()> {
    let mut rest = raw;
    // How much of the rest is known to be plain: the byte that an escape stands for begins the next piece.
    let mut plain = 0;
    while let Some(found) = backslash(rest.as_bytes().get(plain..)?) {
        let (run, escape) = rest.split_at_checked(plain + found)?;
        if !run.is_empty() {
            piece(run);
        }
        let escape = escape.get(1..)?;
        let (&kind, _) = escape.as_bytes().split_first()?;
        let mut short = |text: &str| -> Option<&'a str> {
            piece(text);
            escape.get(1..)
        };
        plain = 0;
        rest = match kind {
            b'"' | b'\\' | b'/' => {
                plain = 1;
                escape
            }
            b'n' => short("\n")?,
            b't' => short("\t")?,
            b'r' => short("\r")?,
            b'b' => short("\u{8}")?,
            b'f' => short("\u{c}")?,
            b'u' => {
                let (decoded, after) = code_point(escape.get(1..)?)?;
                piece(decoded.encode_utf8(&mut [0; 4]));
                after
            }
            _ => return None,
        };
    }
    if !rest.is_empty() {
        piece(rest);
    }
    Some(())
}

/// Finds the next escape: where one is, others are near, and only a search that goes far is worth a call.
fn backslash(bytes: &[u8]) -> Option<usize> {
    const NEAR: usize = 16;
    let near = bytes.get(..NEAR).unwrap_or(bytes);
    if let Some(found) = near.iter().position(|&byte| byte == b'\\') {
        return Some(found);
    }
    memchr(b'\\', bytes.get(NEAR..)?).map(|found| NEAR + found)
}

/// Reads the digits behind `\u`, and those of the other surrogate where they are one of a pair.
fn code_point(digits: &str) -> Option<(char, &str)> {
    let (first, rest) = unit(digits)?;
    if let Some(decoded) = char::from_u32(first) {
        return Some((decoded, rest));
    }
    let (second, rest) = unit(rest.strip_prefix("\\u")?)?;
    let units = [u16::try_from(first).ok()?, u16::try_from(second).ok()?];
    let decoded = char::decode_utf16(units).next()?.ok()?;
    Some((decoded, rest))
}

fn unit(digits: &str) -> Option<(u32, &str)> {
    let (digits, rest) = digits.split_at_checked(4)?;
    let value = digits.chars().try_fold(0, |value, digit| Some(value * 16 + digit.to_digit(16)?))?;
    Some((value, rest))
}

#[cfg(test)]
mod tests {
    use super::unescape;

    fn text(raw: &str) -> Option<String> {
        let mut text = String::new();
        unescape(raw, |piece| text.push_str(piece)).map(|()| text)
    }

    /// serde_json says what each means, and which are none.
    #[test]
    fn escapes_mean_what_serde_json_reads() {
        let cases = [
            "",
            "plain",
            r#"\""#,
            r#"\"\"\\\\\/"#,
            r#"a\"b\\c"#,
            r#"{\"a\": [\"b\", \"\\\\\"]}"#,
            r"\n\t\r\b\f",
            r"x\ny\u0000z",
            r"\u00e9\u00E9\u20ac",
            r"\ud83d\ude00 and \uD83D\uDE00\u0041",
            "é\\\"é",
            "\\\"é",
            r"\ud83d",
            r"\ud83d\u0041",
            r"\ud83d\ud83d",
            r"\ude00",
            r"\ude00\ud83d",
            r"\u12",
            r"\u12g4",
            r"\u+123",
            r"\u00é",
            "\\é",
            r"\x",
            r"\",
            r"a\",
        ];
        for raw in cases {
            assert_eq!(text(raw), serde_json::from_str::<String>(&format!("\"{raw}\"")).ok(), "{raw}");
        }
    }
}
