use std::io;

use postgres_protocol::message::frontend;

use super::{
    exchange::Exchange,
    expected::{Parsing, Reply, Whose},
};
use crate::bridge::statement::Prepared;

/// Which statements the server has.
impl Exchange {
    /// Sees to it that the server gets a statement, if the client's are known and this one has not come yet.
    pub(super) fn ensure_parsed(&mut self, name: &str) -> io::Result<()> {
        let parsing = self.expected.parsing(name);
        if parsing == Parsing::Sure || parsing == Parsing::No && self.parsed.contains(name) {
            return Ok(());
        }
        let Some(prepared) = self.statements.get(name) else { return Ok(()) };
        if self.doubtful.remove(name) || parsing == Parsing::Unsure {
            // It fails if there is one of this name, while this does not if there is none.
            frontend::close(b'S', name, &mut self.to_server)?;
            self.expected.push(Reply::Close(Whose::Bridges));
        }
        frontend::parse(name, &prepared.text, prepared.param_types.iter().copied(), &mut self.to_server)?;
        self.expected.push(Reply::Parse { name: name.to_owned(), whose: Whose::Bridges, again: None });
        Ok(())
    }

    /// Notes that the server has parsed a statement.
    pub(super) fn note_parsed(&mut self, name: String, again: Option<Prepared>) {
        if let Some(prepared) = again {
            self.statements.insert(name.clone(), prepared);
        }
        self.parsed.insert(name);
    }

    /// Notes that the server skipped the parsing of a statement.
    pub(super) fn note_unparsed(&mut self, name: String, whose: Whose, again: Option<&Prepared>) {
        match whose {
            // One that the client sent is not there, if there was none before.
            Whose::Clients if again.is_none() && !self.parsed.contains(&name) => self.statements.remove(&name),
            Whose::Clients => {}
            // The bridge's own is sent again with its next Bind.
            Whose::Bridges => {
                self.parsed.remove(&name);
                self.doubtful.insert(name);
            }
        }
    }

    /// Whether the server may have a statement that the client closes.
    pub(super) fn may_have(&self, name: &str) -> bool {
        self.parsed.contains(name) || self.doubtful.contains(name) || !self.statements.contains(name)
    }

    /// Notes that the client closes a statement.
    pub(super) fn note_closed(&mut self, name: &str) {
        self.parsed.remove(name);
        self.doubtful.remove(name);
        self.statements.remove(name);
    }

    /// Notes that the server has dropped all statements, as DISCARD ALL and DEALLOCATE ALL do.
    pub(super) fn forget_statements(&mut self) {
        self.parsed.clear();
        self.doubtful.clear();
        let expected = &self.expected;
        // What was sent behind it is not among them.
        self.statements.retain(|name| expected.parsing(name) != Parsing::No);
    }
}
