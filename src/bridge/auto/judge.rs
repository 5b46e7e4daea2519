use std::collections::HashMap;

use super::Failures;
use crate::{
    bridge::{
        statement::{Prepared, Statements},
        types::Lookup,
    },
    sql::Dialect,
    wire::{Format, server::Frontend},
};

/// By what a client's messages are judged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Judge<'a> {
    /// What the client prepared before.
    pub(super) statements: &'a Statements,
    /// How the server reads texts, as far as that is known.
    pub(super) dialect: Dialect,
    /// What HTTP has failed at before.
    pub(super) failures: &'a Failures,
    /// Statements are described as the server does, before they are executed.
    pub(super) describes_always: bool,
}

impl Judge<'_> {
    /// Whether a group of messages, which ends with a Sync, a Flush or a simple query, needs a session as far as it can be told before
    /// it is executed.
    pub(super) fn needs_session(&self, messages: &[Frontend]) -> bool {
        let mut parsed = HashMap::new();
        let executes = messages.iter().any(|message| matches!(message, Frontend::Execute { .. }));
        messages.iter().any(|message| match message {
            Frontend::Query(script) => messages.len() > 1 || !self.is_lookup(script) && self.text_needs_session(script),
            Frontend::Parse { name, text, param_types } => {
                let prepared = Prepared::new(text.as_str(), param_types.clone());
                parsed.insert(name.as_str(), prepared);
                // Whether the server takes it is known over HTTP when it is executed.
                self.describes_always && !executes || self.text_needs_session(text)
            }
            Frontend::Bind { statement, param_formats, result_formats, .. } => {
                let prepared = parsed.get(statement.as_str()).or_else(|| self.statements.get(statement));
                are_mixed(param_formats)
                    || are_mixed(result_formats)
                    || prepared.is_some_and(|prepared| self.text_needs_session(&prepared.text))
            }
            Frontend::DescribeStatement(name) => {
                let prepared = parsed.get(name.as_str()).or_else(|| self.statements.get(name));
                self.describes_always || prepared.is_some_and(|prepared| !prepared.is_declared())
            }
            Frontend::Execute { max_rows, .. } => *max_rows > 0,
            Frontend::Flush | Frontend::FunctionCall => true,
            Frontend::DescribePortal(_)
            | Frontend::CloseStatement(_)
            | Frontend::ClosePortal(_)
            | Frontend::Sync
            | Frontend::Terminate
            | Frontend::Password(_)
            // What is left of a COPY that failed: there is none without a session.
            | Frontend::CopyData(_)
            | Frontend::CopyDone
            | Frontend::CopyFail(_) => false,
        })
    }

    /// A question of sqlx's that the bridge answers itself.
    fn is_lookup(&self, script: &str) -> bool {
        Lookup::recognise(script).is_some()
    }

    fn text_needs_session(&self, text: &str) -> bool {
        self.dialect.effect(text).belongs_in_session() || self.failures.has(text)
    }
}

/// Whether values of one message come in both formats.
fn are_mixed(formats: &[Format]) -> bool {
    formats.windows(2).any(|pair| pair.first() != pair.last())
}

#[cfg(test)]
mod tests {
    use super::*;

    const INT4: u32 = 23;

    fn parse(name: &str, text: &str, param_types: &[u32]) -> Frontend {
        Frontend::Parse { name: name.to_owned(), text: text.to_owned(), param_types: param_types.to_vec() }
    }

    fn bind(statement: &str, param_formats: &[Format], result_formats: &[Format]) -> Frontend {
        Frontend::Bind {
            portal: String::new(),
            statement: statement.to_owned(),
            param_formats: param_formats.to_vec(),
            params: Vec::new(),
            result_formats: result_formats.to_vec(),
        }
    }

    fn describe(name: &str) -> Frontend {
        Frontend::DescribeStatement(name.to_owned())
    }

    fn execute(max_rows: i32) -> Frontend {
        Frontend::Execute { portal: String::new(), max_rows }
    }

    fn known() -> Statements {
        let mut statements = Statements::default();
        statements.insert("read".into(), Prepared::new("select 1", Vec::new()));
        statements.insert("typed".into(), Prepared::new("select $1", vec![INT4]));
        statements.insert("untyped".into(), Prepared::new("select $1", Vec::new()));
        statements.insert("lock".into(), Prepared::new("select pg_advisory_lock(1)", Vec::new()));
        statements
    }

    fn needs_session(messages: &[Frontend]) -> bool {
        let judge = Judge {
            statements: &known(),
            dialect: Dialect::new(),
            failures: &Failures::default(),
            describes_always: false,
        };
        judge.needs_session(messages)
    }

    #[test]
    fn what_http_does_as_well_stays_there() {
        let binary = [Format::Binary];
        for messages in [
            &[Frontend::Sync][..],
            &[Frontend::Query("select 1; insert into t values (1)".into())],
            &[Frontend::Query("vacuum t".into())],
            &[Frontend::Query("".into())],
            &[parse("s", "select $1::int4", &[INT4]), describe("s"), Frontend::Sync],
            &[bind("typed", &binary, &binary), execute(0), Frontend::ClosePortal(String::new()), Frontend::Sync],
            &[bind("read", &[], &[Format::Text, Format::Text]), execute(0), Frontend::Sync],
            &[parse("", "select $1", &[]), bind("", &[Format::Text], &[]), execute(0), Frontend::Sync],
            &[bind("unknown", &[], &[]), execute(0), Frontend::Sync],
            &[Frontend::CloseStatement("lock".into()), Frontend::Sync],
            &[describe("typed"), describe("unknown"), Frontend::Sync],
            &[Frontend::CopyData(bytes::Bytes::new()), Frontend::CopyDone, Frontend::Sync],
        ] {
            assert!(!needs_session(messages), "{messages:?}");
        }
    }

    #[test]
    fn what_needs_a_session_is_told_by_texts_and_messages() {
        for messages in [
            &[Frontend::Query("BEGIN".into())][..],
            &[Frontend::Query("select 1; set a = b".into())],
            &[Frontend::Query("copy t from stdin".into())],
            &[Frontend::Query("select nextval('s')".into())],
            &[Frontend::Query("select pg_backend_pid()".into())],
            &[parse("", "call p($1)", &[INT4]), bind("", &[], &[]), execute(0), Frontend::Sync],
            &[parse("s", "listen news", &[]), describe("s"), Frontend::Sync],
            &[bind("lock", &[], &[]), execute(0), Frontend::Sync],
            &[parse("s", "select $1", &[]), describe("s"), Frontend::Sync],
            &[describe("untyped"), Frontend::Sync],
            &[bind("read", &[], &[]), execute(1), Frontend::Sync],
            &[bind("read", &[], &[Format::Text, Format::Binary]), execute(0), Frontend::Sync],
            &[bind("typed", &[Format::Binary, Format::Text], &[]), execute(0), Frontend::Sync],
            &[parse("s", "select 1", &[]), Frontend::Flush],
            &[parse("s", "select 1", &[]), Frontend::Query("select 1".into())],
            &[Frontend::FunctionCall],
        ] {
            assert!(needs_session(messages), "{messages:?}");
        }
    }

    #[test]
    fn a_name_stands_for_what_was_parsed_last() {
        let group = [parse("lock", "select 1", &[]), bind("lock", &[], &[]), execute(0), Frontend::Sync];
        assert!(!needs_session(&group));
        let group = [parse("untyped", "select $1", &[INT4]), describe("untyped"), Frontend::Sync];
        assert!(!needs_session(&group));
    }

    #[test]
    fn real_descriptions_are_the_servers() {
        let judge = Judge {
            statements: &known(),
            dialect: Dialect::new(),
            failures: &Failures::default(),
            describes_always: true,
        };
        assert!(judge.needs_session(&[parse("s", "select 1", &[]), describe("s"), Frontend::Sync]));
        assert!(judge.needs_session(&[parse("s", "select 1", &[]), Frontend::Sync]));
        let at_once = [parse("", "select 1", &[]), bind("", &[], &[]), execute(0), Frontend::Sync];
        assert!(!judge.needs_session(&at_once));
        let portal = [bind("read", &[], &[]), Frontend::DescribePortal(String::new()), execute(0), Frontend::Sync];
        assert!(!judge.needs_session(&portal));
    }

    #[test]
    fn texts_are_read_as_the_server_reads_them() {
        let text = Frontend::Query(r"select 'a\'; begin; --'".into());
        assert!(needs_session(std::slice::from_ref(&text)));
        let judge = Judge {
            statements: &known(),
            dialect: Dialect::new().standard_conforming_strings(false),
            failures: &Failures::default(),
            describes_always: false,
        };
        assert!(!judge.needs_session(&[text]));
    }

    #[test]
    fn what_http_failed_at_goes_to_a_session_at_once() {
        let failures = Failures::default();
        failures.note("select 1");
        let judge =
            Judge { statements: &known(), dialect: Dialect::new(), failures: &failures, describes_always: false };
        assert!(judge.needs_session(&[bind("read", &[], &[]), execute(0), Frontend::Sync]));
        assert!(!judge.needs_session(&[bind("typed", &[], &[]), execute(0), Frontend::Sync]));
    }
}
