use std::collections::VecDeque;

use super::{lookup::Asked, row::Row};
use crate::Oid;

/// How many answers may wait for a sign that they were taken; a client drops a future for each.
const MOST: usize = 8;

/// What answers told a client that may not have taken them: sqlx leaves an answer unread where its caller's future is dropped, and then
/// asks again when it meets the type the next time.
#[derive(Debug, Default)]
pub(super) struct Pending {
    answers: VecDeque<Told>,
    /// The statement that was parsed last, while nothing but questions about it came.
    current: Option<String>,
    /// A type of its columns.
    column: Option<Oid>,
}

/// One answer.
#[derive(Debug, Default)]
struct Told {
    /// The statement that it was asked for, where that was parsed before.
    statement: Option<String>,
    names: Vec<String>,
    types: Vec<(Oid, Option<Row>)>,
}

impl Told {
    fn has(&self, oid: Oid) -> bool {
        self.types.iter().any(|(told, _)| *told == oid)
    }
}

impl Pending {
    /// Begins an answer. Those before it that told of the same were not taken, or it would not be asked for again.
    pub(super) fn asked(&mut self, asked: &[Asked<'_>]) {
        self.answers.retain(|told| {
            !told.types.is_empty()
                && !asked.iter().any(|asked| match asked {
                    Asked::Oid(oid) => told.has(*oid),
                    Asked::Name(name) => told.names.iter().any(|told| told == name),
                })
        });
        while self.answers.len() >= MOST {
            self.answers.pop_front();
        }
        let names = asked.iter().filter_map(|asked| match asked {
            Asked::Oid(_) => None,
            Asked::Name(name) => Some((*name).to_owned()),
        });
        self.answers.push_back(Told { statement: self.current.clone(), names: names.collect(), types: Vec::new() });
    }

    /// The statement that was parsed last, while nothing but questions about it came.
    pub(super) fn current(&self) -> Option<&str> {
        self.current.as_deref()
    }

    /// Adds to the answer that began last.
    pub(super) fn told(&mut self, oid: Oid, row: Option<Row>) {
        if let Some(told) = self.answers.back_mut() {
            told.types.push((oid, row));
        }
    }

    /// Notes that a statement was parsed; returns what its parameters' types show to have been taken.
    pub(super) fn parsed(&mut self, name: &str, param_types: &[Oid]) -> Vec<(Oid, Option<Row>)> {
        for told in &mut self.answers {
            // Another one has that name now.
            told.statement.take_if(|statement| statement == name);
        }
        (self.current, self.column) = (Some(name.to_owned()), None);
        self.take(|told| param_types.iter().any(|oid| told.has(*oid)))
    }

    /// Notes that the statement parsed last was described with a column of this type.
    pub(super) fn described(&mut self, oid: Oid) {
        self.column = Some(oid);
    }

    /// Notes that the client went on with a statement; returns what it must have taken for that.
    pub(super) fn went_on(&mut self, name: &str) -> Vec<(Oid, Option<Row>)> {
        let column = self.column.filter(|_| self.current.as_deref() == Some(name));
        self.came();
        // It asks for the types of columns that it does not know.
        self.take(|told| told.statement.as_deref() == Some(name) || column.is_some_and(|oid| told.has(oid)))
    }

    /// Does as [`went_on`](Self::went_on) for the statement parsed last, of whose columns the client wants to know more.
    pub(super) fn went_on_describing(&mut self) -> Vec<(Oid, Option<Row>)> {
        let current = self.current.clone();
        current.map_or_else(Vec::new, |name| self.went_on(&name))
    }

    /// Notes that something else came.
    pub(super) fn came(&mut self) {
        (self.current, self.column) = (None, None);
    }

    fn take(&mut self, is_taken: impl Fn(&Told) -> bool) -> Vec<(Oid, Option<Row>)> {
        let mut types = Vec::new();
        self.answers.retain_mut(|told| {
            let is_taken = is_taken(told);
            if is_taken {
                types.append(&mut told.types);
            }
            !is_taken
        });
        types
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOOD: Oid = 16_401;

    fn told(pending: &mut Pending) {
        pending.asked(&[Asked::Oid(MOOD)]);
        pending.told(MOOD, None);
    }

    #[test]
    fn the_next_step_of_the_same_statement_shows_that_an_answer_was_taken() {
        let mut pending = Pending::default();
        pending.parsed("a", &[]);
        told(&mut pending);
        assert_eq!(pending.went_on("a"), [(MOOD, None)]);
        assert_eq!(pending.went_on("a"), []);
        pending.parsed("b", &[]);
        told(&mut pending);
        assert_eq!(pending.went_on_describing(), [(MOOD, None)]);
        told(&mut pending);
        assert_eq!(pending.parsed("c", &[MOOD]), [(MOOD, None)]);
    }

    #[test]
    fn another_statement_shows_nothing() {
        let mut pending = Pending::default();
        pending.parsed("old", &[]);
        pending.went_on("old");
        told(&mut pending);
        assert_eq!(pending.went_on("old"), []);
        pending.parsed("", &[]);
        told(&mut pending);
        pending.parsed("", &[]);
        assert_eq!(pending.went_on(""), []);
    }

    #[test]
    fn a_type_that_is_not_asked_for_again_is_known() {
        let mut pending = Pending::default();
        pending.parsed("a", &[]);
        told(&mut pending);
        pending.parsed("b", &[]);
        pending.described(MOOD);
        assert_eq!(pending.went_on("b"), [(MOOD, None)]);
        pending.parsed("c", &[]);
        told(&mut pending);
        pending.parsed("d", &[]);
        pending.described(MOOD);
        told(&mut pending);
        assert_eq!(pending.went_on("c"), []);
        assert_eq!(pending.went_on("d"), [(MOOD, None)]);
    }
}
