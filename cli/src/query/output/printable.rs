use std::{borrow::Cow, fmt::Write};

/// As wide as a terminal's tabs are.
const TAB: usize = 8;

/// Returns a text as a terminal may have it: control characters become what psql shows for them, so that no value moves the
/// cursor or changes the title; line breaks stay.
pub(in crate::query) fn printable(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|character| character.is_control() && character != '\n') {
        return Cow::Borrowed(text);
    }
    let mut printable = String::with_capacity(text.len());
    let mut column = 0_usize;
    for character in text.chars() {
        let before = printable.len();
        match character {
            '\n' => printable.push('\n'),
            '\t' => printable.extend(std::iter::repeat_n(' ', TAB - column % TAB)),
            '\r' => printable.push_str("\\r"),
            // Writing to a String cannot fail.
            control if control.is_control() && control.is_ascii() => {
                let _ = write!(printable, "\\x{:02X}", u32::from(control));
            }
            control if control.is_control() => {
                let _ = write!(printable, "\\u{:04X}", u32::from(control));
            }
            other => printable.push(other),
        }
        let added = printable.get(before..).unwrap_or_default();
        column = if character == '\n' { 0 } else { column + console::measure_text_width(added) };
    }
    Cow::Owned(printable)
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn nothing_moves_the_cursor() {
        for (text, shown) in [
            ("a\nb", "a\nb"),
            ("\u{1b}]0;title\u{7}", "\\x1B]0;title\\x07"),
            ("\u{9b}2J", "\\u009B2J"),
            ("a\r\nb\tc", "a\\r\nb       c"),
            ("漢\tx", "漢      x"),
        ] {
            assert_eq!(printable(text), shown);
        }
    }
}
