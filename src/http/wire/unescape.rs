//! JSON's escapes (RFC 8259, section 7).

use super::find;

/// Appends what the inside of a JSON string stands for; `None` for an escape that is none, or for half of a surrogate pair.
///
/// Control characters that are not escaped are taken as they are.
pub(super) fn unescape(raw: &str, out: &mut Vec<u8>) -> Option<()> {
    let mut rest = raw.as_bytes();
    // Where one escape is, others are near: a word that is copied and cut costs less than a search and a copy for each.
    while let Some((word, after)) = rest.split_first_chunk() {
        let start = out.len();
        out.extend_from_slice(word);
        rest = match find::backslash(word) {
            None => after,
            Some(plain) => {
                out.truncate(start + plain);
                escape(rest.get(plain + 1..)?, out)?
            }
        };
    }
    while let Some((&byte, after)) = rest.split_first() {
        rest = if byte == b'\\' {
            escape(after, out)?
        } else {
            out.push(byte);
            after
        };
    }
    Some(())
}

/// Appends what an escape stands for and returns what follows it.
fn escape<'a>(behind_backslash: &'a [u8], out: &mut Vec<u8>) -> Option<&'a [u8]> {
    let (&kind, after) = behind_backslash.split_first()?;
    out.push(match kind {
        b'"' | b'\\' | b'/' => kind,
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        b'b' => 8,
        b'f' => 12,
        b'u' => {
            let (decoded, after) = code_point(after)?;
            out.extend_from_slice(decoded.encode_utf8(&mut [0; 4]).as_bytes());
            return Some(after);
        }
        _ => return None,
    });
    Some(after)
}

/// Reads the digits behind `\u`, and those of the other surrogate where they are one of a pair.
fn code_point(digits: &[u8]) -> Option<(char, &[u8])> {
    let (first, rest) = unit(digits)?;
    if let Some(decoded) = char::from_u32(first) {
        return Some((decoded, rest));
    }
    let (second, rest) = unit(rest.strip_prefix(b"\\u")?)?;
    let units = [u16::try_from(first).ok()?, u16::try_from(second).ok()?];
    let decoded = char::decode_utf16(units).next()?.ok()?;
    Some((decoded, rest))
}

fn unit(digits: &[u8]) -> Option<(u32, &[u8])> {
    let (digits, rest) = digits.split_first_chunk::<4>()?;
    let value = digits.iter().try_fold(0, |value, &digit| Some(value * 16 + char::from(digit).to_digit(16)?))?;
    Some((value, rest))
}

#[cfg(test)]
mod tests {
    use super::unescape;

    fn text(raw: &str) -> Option<String> {
        let mut text = Vec::new();
        unescape(raw, &mut text).map(|()| String::from_utf8(text).unwrap())
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
            r"longer than a word, then \\ and \u20ac, éé, and seven:\n1234567",
            r"12345678\",
            r"1234567\n",
        ];
        for raw in cases {
            assert_eq!(text(raw), serde_json::from_str::<String>(&format!("\"{raw}\"")).ok(), "{raw}");
        }
    }
}
