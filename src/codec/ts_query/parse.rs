use super::{
    super::{
        Reason,
        lexeme::{self, WEIGHTS},
    },
    MAX_DISTANCE, OPERAND, OPERATOR, Operator,
};

const NO_QUERY: Reason = "not a query as 'a' & !( 'b':*A <-> 'c' )";

/// Reads the operands and operators in order and puts each operator behind its operands; all in reverse is the binary form.
///
/// Parentheses that the text leaves out are lost: of `a & (b & c)` the server prints, and this reads, what means the same.
pub(in super::super) fn to_binary(text: &str, out: &mut Vec<u8>) -> Result<(), Reason> {
    let mut parser = Parser::default();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        rest = match (first, parser.after_operand) {
            (' ', _) => rest.get(1..).unwrap_or_default(),
            ('\'', false) => parser.operand(rest)?,
            ('!', false) => parser.open(Pending::Operator(Operator::Not, 0), rest),
            ('(', false) => parser.open(Pending::Parenthesis, rest),
            (')', true) => parser.close(rest)?,
            ('&', true) => parser.binary(Operator::And, 0, rest.get(1..).unwrap_or_default()),
            ('|', true) => parser.binary(Operator::Or, 0, rest.get(1..).unwrap_or_default()),
            ('<', true) => {
                let (distance, behind) = rest.get(1..).and_then(|rest| rest.split_once('>')).ok_or(NO_QUERY)?;
                let distance = match distance {
                    "-" => Some(1),
                    _ => distance.parse().ok().filter(|distance| (0..=MAX_DISTANCE).contains(distance)),
                };
                parser.binary(Operator::Phrase, distance.ok_or(NO_QUERY)?, behind)
            }
            _ => return Err(NO_QUERY),
        };
    }
    parser.finish(out)
}

/// What waits for its right operand or its end.
#[derive(Clone, Copy)]
enum Pending {
    Operator(Operator, i16),
    Parenthesis,
}

#[derive(Default)]
struct Parser {
    /// The finished items one after the other, operators behind their operands.
    items: Vec<u8>,
    /// Where each item ends.
    ends: Vec<usize>,
    pending: Vec<Pending>,
    /// Whether an operand has just ended, so that no other may follow.
    after_operand: bool,
}

impl Parser {
    fn operand<'a>(&mut self, text: &'a str) -> Result<&'a str, Reason> {
        let start = self.items.len();
        self.items.extend_from_slice(&[OPERAND, 0, 0]);
        let mut rest = lexeme::read(text, &mut self.items)?;
        if let Some(flags) = rest.strip_prefix(':') {
            let (flags, behind) = flags.split_at(flags.find([' ', ')']).unwrap_or(flags.len()));
            let (mut weights, mut prefix) = (0_u8, 0);
            for flag in flags.chars() {
                match WEIGHTS.find(flag) {
                    Some(weight) => weights |= 1 << weight,
                    None if flag == '*' => prefix = 1,
                    None => return Err(NO_QUERY),
                }
            }
            self.items.get_mut(start + 1..start + 3).ok_or(NO_QUERY)?.copy_from_slice(&[weights, prefix]);
            rest = behind;
        }
        self.ends.push(self.items.len());
        self.after_operand = true;
        Ok(rest)
    }

    fn open<'a>(&mut self, pending: Pending, text: &'a str) -> &'a str {
        self.pending.push(pending);
        text.get(1..).unwrap_or_default()
    }

    fn close<'a>(&mut self, text: &'a str) -> Result<&'a str, Reason> {
        while let Some(pending) = self.pending.pop() {
            match pending {
                Pending::Operator(operator, distance) => self.push(operator, distance),
                Pending::Parenthesis => return Ok(text.get(1..).unwrap_or_default()),
            }
        }
        Err(NO_QUERY)
    }

    /// All of these group to the left.
    fn binary<'a>(&mut self, operator: Operator, distance: i16, rest: &'a str) -> &'a str {
        while let Some(&Pending::Operator(before, its)) = self.pending.last() {
            if before.priority() < operator.priority() {
                break;
            }
            self.pending.pop();
            self.push(before, its);
        }
        self.pending.push(Pending::Operator(operator, distance));
        self.after_operand = false;
        rest
    }

    fn push(&mut self, operator: Operator, distance: i16) {
        self.items.extend_from_slice(&[OPERATOR, operator as u8]);
        if operator == Operator::Phrase {
            self.items.extend_from_slice(&distance.to_be_bytes());
        }
        self.ends.push(self.items.len());
    }

    fn finish(mut self, out: &mut Vec<u8>) -> Result<(), Reason> {
        while let Some(pending) = self.pending.pop() {
            match pending {
                Pending::Operator(operator, distance) if self.after_operand => self.push(operator, distance),
                _ => return Err(NO_QUERY),
            }
        }
        let count = i32::try_from(self.ends.len()).map_err(|_| "too many parts")?;
        out.extend_from_slice(&count.to_be_bytes());
        let starts = [0].into_iter().chain(self.ends.iter().copied());
        for (start, &end) in starts.zip(&self.ends).collect::<Vec<_>>().into_iter().rev() {
            out.extend_from_slice(self.items.get(start..end).unwrap_or_default());
        }
        Ok(())
    }
}
