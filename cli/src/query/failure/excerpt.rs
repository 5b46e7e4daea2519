use std::collections::VecDeque;

use console::measure_text_width;

/// How many columns of a long line are shown, as by psql.
const WIDTH: usize = 60;

/// How much of them is shown behind the place at least.
const BEHIND: usize = 10;

/// Returns the line of a text that a position is in, a count of characters from 1, and a caret under it; `None` where the text
/// is shorter.
pub(super) fn excerpt(text: &str, position: u32) -> Option<String> {
    let before = usize::try_from(position).ok()?.checked_sub(1)?;
    if before > text.chars().count() {
        return None;
    }
    let at = text.char_indices().nth(before).map_or(text.len(), |(at, _)| at);
    let (head, tail) = text.split_at_checked(at)?;
    let number = head.matches('\n').count() + 1;
    let head = head.rsplit('\n').next().unwrap_or_default();
    let tail = tail.split('\n').next().unwrap_or_default().trim_end_matches('\r');
    let (left, right) = window(head, tail);
    let start = format!("LINE {number}: {left}");
    let indent = measure_text_width(&start);
    Some(format!("{start}{right}\n{:indent$}^", ""))
}

/// What is shown of a line on both sides of the place.
fn window(head: &str, tail: &str) -> (String, String) {
    let (head, tail): (Vec<_>, Vec<_>) = (head.chars().map(shown).collect(), tail.chars().map(shown).collect());
    if width(&head) + width(&tail) <= WIDTH {
        return (head.into_iter().collect(), tail.into_iter().collect());
    }
    let behind = width(&tail).min(WIDTH - width(&head).min(WIDTH - BEHIND));
    let mut left = VecDeque::new();
    let mut room = WIDTH - behind;
    for character in head.iter().rev() {
        let Some(rest) = room.checked_sub(width(&[*character])) else { break };
        room = rest;
        left.push_front(*character);
    }
    // What is not needed in front is left for what is behind.
    let mut room = behind + room;
    let mut right = String::new();
    for character in &tail {
        let Some(rest) = room.checked_sub(width(&[*character])) else { break };
        room = rest;
        right.push(*character);
    }
    let cut_left = if left.len() < head.len() { "..." } else { "" };
    let cut_right = if right.chars().count() < tail.len() { "..." } else { "" };
    (left.into_iter().fold(cut_left.to_owned(), |text, character| text + &character.to_string()), right + cut_right)
}

/// A tab is as wide as whoever looks wants it, and other control characters do as they like.
fn shown(character: char) -> char {
    if character.is_control() { ' ' } else { character }
}

fn width(characters: &[char]) -> usize {
    measure_text_width(&characters.iter().collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::excerpt;

    #[test]
    fn the_caret_stands_under_the_place() {
        for (text, position, shown) in [
            ("select x", 8, "LINE 1: select x\n               ^"),
            ("select 1,\n\tx\r\nfrom y", 12, "LINE 2:  x\n         ^"),
            ("select 'é', x", 13, "LINE 1: select 'é', x\n                    ^"),
            ("select '漢字', x", 14, "LINE 1: select '漢字', x\n                       ^"),
            ("select (", 9, "LINE 1: select (\n                ^"),
        ] {
            assert_eq!(excerpt(text, position).unwrap(), shown, "{text}");
        }
    }

    #[test]
    fn places_outside_are_nowhere() {
        for position in [0, 10, u32::MAX] {
            assert_eq!(excerpt("select (", position), None);
        }
    }

    #[test]
    fn long_lines_are_cut_on_both_sides() {
        let text = format!("select {}, missing, {}", "a".repeat(100), "b".repeat(100));
        let shown = excerpt(&text, 110).unwrap();
        let (line, caret) = shown.split_once('\n').unwrap();
        assert!(line.starts_with("LINE 1: ...aaa") && line.ends_with("..."), "{shown}");
        assert_eq!(&line[caret.len() - 1..][..7], "missing");
        assert!(line.len() <= "LINE 1: ......".len() + super::WIDTH);

        let text = format!("select missing, {}", "b".repeat(100));
        assert!(excerpt(&text, 8).unwrap().starts_with("LINE 1: select missing, bbb"));
        let text = format!("select {}, missing", "a".repeat(100));
        assert!(excerpt(&text, 110).unwrap().contains(", missing\n"));
    }
}
