use std::{collections::VecDeque, sync::Arc};

use crate::bridge::statement::Prepared;

/// A reply that the server owes, by the message that it is to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reply {
    Parse {
        name: String,
        whose: Whose,
        /// What has a name from then on that another statement had before.
        again: Option<Prepared>,
    },
    Bind,
    /// To the description of a statement, by its name, that the client asked for.
    DescribeStatement(String),
    DescribePortal,
    /// To the bridge's own description of a portal, with the text bound to it where that is known.
    DescribeLate(Option<Arc<str>>),
    Execute,
    Close(Whose),
    /// The client's end of a COPY, to which the statement that copies replies.
    CopyEnd,
    Sync,
    /// To a simple query or a function call.
    Query {
        /// It asks for types as sqlx does.
        is_lookup: bool,
    },
    /// To the bridge's own look whether the server takes a statement, in place of one that sqlx asked for.
    Check,
    /// To everything of the bridge's own question for types.
    Question,
    /// To the bridge's own query that puts settings in force.
    Settings,
}

/// Who waits for a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    Clients,
    /// The client did not ask, and does not see it.
    Bridges,
}

/// Whether a statement is being parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parsing {
    No,
    /// It is there for whatever comes in this flight, as far as the client may count on it.
    Sure,
    /// It is skipped if something fails before it in an earlier flight, which the client knows nothing of.
    Unsure,
}

impl Reply {
    /// Whether it ends with a `ReadyForQuery`.
    pub(super) fn ends_flight(&self) -> bool {
        matches!(self, Self::Sync | Self::Query { .. } | Self::Check | Self::Question | Self::Settings)
    }
}

/// The replies that the server owes, the next one first (manual, section 55.2).
#[derive(Debug, Default)]
pub(super) struct Expected {
    replies: VecDeque<Reply>,
    /// How many of them end a flight.
    flights: usize,
}

impl Expected {
    pub(super) fn push(&mut self, reply: Reply) {
        self.flights += usize::from(reply.ends_flight());
        self.replies.push_back(reply);
    }

    /// Puts a reply before all others, to a message that is sent before theirs.
    pub(super) fn push_first(&mut self, reply: Reply) {
        self.flights += usize::from(reply.ends_flight());
        self.replies.push_front(reply);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.replies.is_empty()
    }

    /// How many times the server will still say that it is ready.
    pub(super) fn flights(&self) -> usize {
        self.flights
    }

    pub(super) fn first(&self) -> Option<&Reply> {
        self.replies.front()
    }

    /// Takes the first, if it is this.
    pub(super) fn take_if(&mut self, is_it: impl FnOnce(&Reply) -> bool) -> Option<Reply> {
        if !self.replies.front().is_some_and(is_it) {
            return None;
        }
        let reply = self.replies.pop_front()?;
        self.flights -= usize::from(reply.ends_flight());
        Some(reply)
    }

    /// Takes what an error makes the server skip, up to the end of the flight.
    pub(super) fn skip(&mut self) -> Vec<Reply> {
        let mut skipped = Vec::new();
        while let Some(reply) = self.take_if(|reply| !reply.ends_flight()) {
            skipped.push(reply);
        }
        skipped
    }

    /// Drops the Syncs that came while the server took a COPY's data, which it ignores (manual, section 55.2.6).
    pub(super) fn ignore_syncs_of_copy(&mut self) {
        let end = self.replies.iter().position(|reply| *reply == Reply::CopyEnd).unwrap_or(self.replies.len());
        let mut index = 0;
        self.replies.retain(|reply| {
            let is_ignored = index < end && *reply == Reply::Sync;
            index += 1;
            !is_ignored
        });
        self.flights = self.replies.iter().filter(|reply| reply.ends_flight()).count();
    }

    /// Whether the client has sent the end of a COPY already.
    pub(super) fn ends_copy(&self) -> bool {
        self.replies.contains(&Reply::CopyEnd)
    }

    /// Whether the server was sent a statement that it has not answered yet.
    pub(super) fn parsing(&self, name: &str) -> Parsing {
        let mut is_of_this_flight = true;
        for reply in self.replies.iter().rev() {
            is_of_this_flight &= !reply.ends_flight();
            match reply {
                Reply::Parse { name: parsing, whose, .. } if parsing == name => {
                    let is_sure = is_of_this_flight || *whose == Whose::Clients;
                    return if is_sure { Parsing::Sure } else { Parsing::Unsure };
                }
                _ => {}
            }
        }
        Parsing::No
    }

    /// Whether all that is owed is for the bridge itself.
    pub(super) fn is_only_questions(&self) -> bool {
        self.replies.iter().all(|reply| matches!(reply, Reply::Question | Reply::Settings))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expected(replies: impl IntoIterator<Item = Reply>) -> Expected {
        let mut expected = Expected::default();
        replies.into_iter().for_each(|reply| expected.push(reply));
        expected
    }

    #[test]
    fn an_error_skips_to_the_end_of_its_flight() {
        let mut expected = expected([Reply::Bind, Reply::Execute, Reply::Sync, Reply::Bind, Reply::Sync]);
        assert_eq!(expected.skip(), [Reply::Bind, Reply::Execute]);
        assert_eq!((expected.first(), expected.flights()), (Some(&Reply::Sync), 2));
    }

    #[test]
    fn a_statement_of_the_bridges_is_sure_within_its_flight() {
        let parse = |whose| Reply::Parse { name: "s".to_owned(), whose, again: None };
        let bridges = expected([parse(Whose::Bridges), Reply::Bind]);
        assert_eq!((bridges.parsing("s"), bridges.parsing("t")), (Parsing::Sure, Parsing::No));
        assert_eq!(expected([parse(Whose::Bridges), Reply::Bind, Reply::Sync]).parsing("s"), Parsing::Unsure);
        assert_eq!(expected([parse(Whose::Clients), Reply::Sync, Reply::Bind]).parsing("s"), Parsing::Sure);
    }

    #[test]
    fn syncs_within_a_copy_are_not_answered() {
        let mut before_its_end = expected([Reply::Execute, Reply::Sync, Reply::CopyEnd, Reply::Sync]);
        before_its_end.ignore_syncs_of_copy();
        assert_eq!(before_its_end.replies, [Reply::Execute, Reply::CopyEnd, Reply::Sync]);
        assert_eq!(before_its_end.flights(), 1);
        let mut without_an_end = expected([Reply::Execute, Reply::Sync]);
        without_an_end.ignore_syncs_of_copy();
        assert_eq!((without_an_end.flights(), without_an_end.is_empty()), (0, false));
    }
}
