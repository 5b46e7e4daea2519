use std::fmt::Write;

use super::{
    super::{
        Reason,
        lexeme::{self, WEIGHTS},
        reader::Reader,
    },
    MAX_DISTANCE, OPERAND, OPERATOR, Operator,
};

const MALFORMED: Reason = "a query whose operators do not have their operands";

#[derive(Clone, Copy)]
enum Item<'a> {
    Operand {
        lexeme: &'a str,
        weights: u8,
        prefix: bool,
    },
    /// Of two operands the right one follows at once, the left one is at this index.
    Operator {
        operator: Operator,
        distance: i16,
        left: usize,
    },
}

/// What is still to be printed, the last first: trees may be deep, so they are not printed by recursion.
enum Task {
    Tree { item: usize, outer: u8, right_of_phrase: bool },
    Infix { operator: Operator, distance: i16 },
    Close,
}

pub(in super::super) fn to_text(binary: &[u8], out: &mut String) -> Result<(), Reason> {
    let items = items(binary)?;
    let mut tasks = Vec::new();
    if !items.is_empty() {
        tasks.push(Task::Tree { item: 0, outer: 0, right_of_phrase: false });
    }
    while let Some(task) = tasks.pop() {
        match task {
            Task::Close => out.push_str(" )"),
            Task::Infix { operator: Operator::Phrase, distance: 1 } => out.push_str(" <-> "),
            Task::Infix { operator: Operator::Phrase, distance } => {
                let _ = write!(out, " <{distance}> ");
            }
            Task::Infix { operator, .. } => out.push_str(if operator == Operator::Or { " | " } else { " & " }),
            Task::Tree { item, outer, right_of_phrase } => match *items.get(item).ok_or(MALFORMED)? {
                Item::Operand { lexeme, weights, prefix } => push_operand(lexeme, weights, prefix, out),
                Item::Operator { operator, distance, left } => {
                    let inner = operator.priority();
                    if inner < outer || operator == Operator::Phrase && right_of_phrase {
                        out.push_str("( ");
                        tasks.push(Task::Close);
                    }
                    let right_of_phrase = operator == Operator::Phrase;
                    tasks.push(Task::Tree { item: item + 1, outer: inner, right_of_phrase });
                    if operator == Operator::Not {
                        out.push('!');
                    } else {
                        tasks.push(Task::Infix { operator, distance });
                        tasks.push(Task::Tree { item: left, outer: inner, right_of_phrase: false });
                    }
                }
            },
        }
    }
    Ok(())
}

/// Reads all items and finds each operator's left operand.
fn items(binary: &[u8]) -> Result<Vec<Item<'_>>, Reason> {
    let mut reader = Reader::new(binary);
    let count = reader.count(2)?;
    let mut items = Vec::new();
    for _ in 0..count {
        items.push(item(&mut reader)?);
    }
    reader.finish()?;
    // From the end, each finds its operands whole: the beginnings of the trees not yet taken by an operator.
    let mut trees = Vec::new();
    for (index, item) in items.iter_mut().enumerate().rev() {
        if let Item::Operator { operator, left, .. } = item {
            trees.pop().ok_or(MALFORMED)?;
            if *operator != Operator::Not {
                *left = trees.pop().ok_or(MALFORMED)?;
            }
        }
        trees.push(index);
    }
    if trees.len() == items.len().min(1) { Ok(items) } else { Err(MALFORMED) }
}

fn item<'a>(reader: &mut Reader<'a>) -> Result<Item<'a>, Reason> {
    match reader.u8()? {
        OPERAND => {
            let [weights, prefix] = reader.array()?;
            let lexeme = reader.terminated()?;
            if weights >> WEIGHTS.len() != 0 || lexeme.is_empty() {
                return Err("a lexeme that is empty or has unknown weights");
            }
            Ok(Item::Operand { lexeme, weights, prefix: prefix != 0 })
        }
        OPERATOR => {
            let operator = match reader.u8()? {
                1 => Operator::Not,
                2 => Operator::And,
                3 => Operator::Or,
                4 => Operator::Phrase,
                _ => return Err("an unknown operator"),
            };
            let distance = if operator == Operator::Phrase { reader.i16()? } else { 0 };
            if !(0..=MAX_DISTANCE).contains(&distance) {
                return Err("a distance that Postgres does not read in a text");
            }
            Ok(Item::Operator { operator, distance, left: 0 })
        }
        _ => Err("neither a lexeme nor an operator"),
    }
}

fn push_operand(lexeme: &str, weights: u8, prefix: bool, out: &mut String) {
    lexeme::push(lexeme, out);
    if weights != 0 || prefix {
        out.push(':');
    }
    if prefix {
        out.push('*');
    }
    out.extend(WEIGHTS.char_indices().rev().filter(|(bit, _)| weights >> bit & 1 == 1).map(|(_, weight)| weight));
}
