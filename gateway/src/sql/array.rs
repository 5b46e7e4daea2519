use bytes::{BufMut, BytesMut};

/// Writes a Postgres array in text form (manual, section 8.15.6) as a JSON array, with its lower bounds left out.
///
/// `element` writes one element that is not NULL. Text that is no array leaves `out` as it was and gives `false`.
pub(super) fn write_json(
    out: &mut BytesMut,
    text: &str,
    delimiter: u8,
    mut element: impl FnMut(&mut BytesMut, &str),
) -> bool {
    let start = out.len();
    let whole = write(out, text, delimiter, &mut element).is_some();
    if !whole {
        out.truncate(start);
    }
    whole
}

fn write(out: &mut BytesMut, text: &str, delimiter: u8, element: &mut impl FnMut(&mut BytesMut, &str)) -> Option<()> {
    // Bounds other than 1 come before the braces, as in `[0:1]={7,8}`.
    let mut rest = if text.starts_with('[') { text.split_once('=')?.1 } else { text };
    let mut depth = 0_usize;
    // Whether a value has just ended, so that only a delimiter or a closing brace may follow.
    let mut ended = false;
    loop {
        let first = *rest.as_bytes().first()?;
        match first {
            b'{' if !ended => {
                out.put_u8(b'[');
                depth += 1;
                rest = rest.get(1..)?;
                if let Some(after) = rest.strip_prefix('}') {
                    out.put_u8(b']');
                    depth -= 1;
                    rest = after;
                    ended = true;
                }
            }
            b'}' if ended => {
                out.put_u8(b']');
                depth = depth.checked_sub(1)?;
                rest = rest.get(1..)?;
            }
            byte if byte == delimiter && ended && depth > 0 => {
                out.put_u8(b',');
                rest = rest.get(1..)?;
                ended = false;
                continue;
            }
            _ if ended || depth == 0 => return None,
            b'"' => {
                let (value, after) = quoted(rest.get(1..)?)?;
                element(out, &value);
                rest = after;
                ended = true;
            }
            _ => {
                let end = rest.bytes().position(|byte| byte == delimiter || byte == b'}')?;
                let (value, after) = rest.split_at_checked(end)?;
                match value {
                    "" => return None,
                    "NULL" => out.put_slice(b"null"),
                    _ => element(out, value),
                }
                rest = after;
                ended = true;
            }
        }
        if depth == 0 {
            return (ended && rest.is_empty()).then_some(());
        }
    }
}

/// The value up to the closing quote, and what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return Some((value, text.get(at + 1..)?)),
            '\\' => value.push(chars.next()?.1),
            _ => value.push(char),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str, delimiter: u8) -> Option<String> {
        let mut out = BytesMut::from("before ");
        let whole = write_json(&mut out, text, delimiter, |out, value| {
            out.put_slice(serde_json::to_string(value).unwrap_or_default().as_bytes());
        });
        let out = String::from_utf8_lossy(&out).into_owned();
        let written = out.strip_prefix("before ").map(str::to_owned);
        assert!(whole || written.as_deref() == Some(""), "{text} left {out}");
        written.filter(|_| whole)
    }

    #[test]
    fn arrays_become_json() {
        for (text, expected) in [
            ("{}", "[]"),
            ("{1,2,NULL,-3}", r#"["1","2",null,"-3"]"#),
            ("{{1,2},{3,4}}", r#"[["1","2"],["3","4"]]"#),
            ("[0:1]={7,8}", r#"["7","8"]"#),
            ("[1:1][-2:-1][3:5]={{{1,2,3},{4,5,6}}}", r#"[[["1","2","3"],["4","5","6"]]]"#),
            (
                r#"{a,"b c","d,e","f\"g","h\\i","","NULL","{x}",é}"#,
                r#"["a","b c","d,e","f\"g","h\\i","","NULL","{x}","é"]"#,
            ),
        ] {
            assert_eq!(json(text, b',').as_deref(), Some(expected), "{text}");
        }
        let boxes = json("{(1,1),(0,0);(2,2),(1,1)}", b';');
        assert_eq!(boxes.as_deref(), Some(r#"["(1,1),(0,0)","(2,2),(1,1)"]"#));
    }

    #[test]
    fn what_is_no_array_is_refused() {
        for text in [
            "",
            "1 2 3",
            "{",
            "{1",
            "{1,",
            "{1,}",
            "{1}2",
            "{1}}",
            r#"{"a"#,
            r#"{"a""b"}"#,
            "[0:1]",
            "[0:1]=",
            "{,}",
            "}",
            "{\"\\",
        ] {
            assert_eq!(json(text, b','), None, "{text}");
        }
    }
}
