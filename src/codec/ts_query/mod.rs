//! tsquery: lexemes and the operators between them; the binary form has each operator before its operands, the right one first.

mod parse;
mod print;

pub(super) use parse::to_binary;
pub(super) use print::to_text;

/// The kinds of items in the binary form.
const OPERAND: u8 = 1;
const OPERATOR: u8 = 2;

/// The largest distance of a phrase that Postgres reads in a text.
const MAX_DISTANCE: i16 = 1 << 14;

/// Which operator; as a number in the binary form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Not = 1,
    And,
    Or,
    Phrase,
}

impl Operator {
    /// The one that binds tighter has the larger.
    fn priority(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And => 2,
            Self::Phrase => 3,
            Self::Not => 4,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{to_binary, to_text};

    fn text(binary: &[u8]) -> Option<String> {
        let mut out = String::new();
        to_text(binary, &mut out).ok().map(|()| out)
    }

    /// A tree of one hundred thousand levels takes no stack.
    #[test]
    fn depth_is_no_matter() {
        const LEVELS: usize = 100_000;
        for (left, right) in [("(".repeat(LEVELS), ")".repeat(LEVELS)), ("!".repeat(LEVELS), String::new())] {
            let query = format!("{left}'a'{right}");
            let mut binary = Vec::new();
            to_binary(&query, &mut binary).unwrap();
            assert!(text(&binary).is_some());
        }
        let mut right_deep = u32::try_from(2 * LEVELS + 1).unwrap().to_be_bytes().to_vec();
        right_deep.extend([2, 4, 0, 2].repeat(LEVELS));
        right_deep.extend(b"\x01\0\0a\0".repeat(LEVELS + 1));
        assert!(text(&right_deep).is_some_and(|text| text.ends_with(" )")));
    }

    #[test]
    fn malformed_queries_are_refused() {
        for wrong in [
            "'a' &",
            "& 'a'",
            "'a' 'b'",
            "('a'",
            "'a')",
            "!",
            "()",
            "'a':x",
            "'a' <x> 'b'",
            "'a' <-1> 'b'",
            "'a' <16385> 'b'",
            "a",
        ] {
            assert!(to_binary(wrong, &mut Vec::new()).is_err(), "{wrong}");
        }
        for wrong in [
            &b""[..],
            b"\0\0\0\x01",
            b"\0\0\0\x01\x02\x01",
            b"\0\0\0\x01\x02\x05",
            b"\0\0\0\x01\x03a",
            b"\0\0\0\x01\x01\x10\0a\0",
            b"\0\0\0\x01\x01\0\0\0",
            b"\0\0\0\x02\x01\0\0a\0\x01\0\0a\0",
            b"\0\0\0\x03\x02\x04\x40\x01\x01\0\0a\0\x01\0\0a\0",
            b"\x7f\xff\xff\xff",
        ] {
            assert_eq!(text(wrong), None, "{wrong:?}");
        }
    }
}
