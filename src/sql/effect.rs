use super::{Dialect, classify, split::Statements};

/// What a statement does to its session, as far as its text tells.
///
/// Over HTTP nothing of a session survives a request, so a statement that needs one would silently do nothing there. Effects
/// inside functions, triggers, rules and views cannot be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Effect {
    /// Nothing: it can run anywhere.
    None,
    /// There is no statement, only white space, comments and semicolons.
    Empty,
    /// BEGIN, COMMIT, ROLLBACK, savepoints, PREPARE TRANSACTION.
    TransactionControl,
    /// SET, RESET, DISCARD, LOAD.
    Set,
    /// SET LOCAL, SET TRANSACTION, SET CONSTRAINTS: until the transaction's end.
    SetLocal,
    /// LISTEN, UNLISTEN.
    Listen,
    /// COPY from or to the client.
    Copy,
    /// PREPARE, EXECUTE, DEALLOCATE.
    Prepare,
    /// DECLARE, FETCH, MOVE, CLOSE.
    Cursor,
    /// Tables and other objects that live as long as the session.
    Temporary,
    /// LOCK: until the transaction's end.
    Lock,
    /// A lock of the session's, as by `pg_advisory_lock`.
    AdvisoryLock,
    /// A function that reads or changes the session: `currval`, `lastval`, `set_config` unless for the transaction, functions on
    /// open large objects, backups, exported snapshots.
    SessionFunction,
    /// `nextval`, `setval`, `setseed`: all there is without a session, but a later statement of the same session may look
    /// back at it (`currval`, `random`).
    LeavesState,
    /// `pg_backend_pid`, `inet_client_port`, `pg_my_temp_schema`, `pg_listening_channels`, `pg_prepared_statements`, `pg_cursors`: without a
    /// session they tell of the one that is gone with the answer.
    TellsOfSession,
    /// DO, CALL: all there is without a session, but what they run may leave anything in one.
    RunsCode,
}

impl Effect {
    /// Returns whether the statement is of no use outside a session, or outside a transaction that goes on.
    pub fn needs_session(self) -> bool {
        self.remedy().is_some()
    }

    /// Returns whether the statement goes to a session where there is a choice: it needs one, tells of one, or may leave something in it.
    ///
    /// # Example
    ///
    /// ```
    /// use pgferry::sql::effect;
    ///
    /// for text in ["listen jobs", "select nextval('s')", "select pg_backend_pid()", "call p()"] {
    ///     assert!(effect(text).belongs_in_session(), "{text}");
    /// }
    /// assert!(!effect("select 1").belongs_in_session());
    /// ```
    pub fn belongs_in_session(self) -> bool {
        !matches!(self, Self::None | Self::Empty)
    }

    /// Returns whether the effect lasts until the transaction's end only, so that it serves the statements behind it in the
    /// same batch.
    pub fn ends_with_transaction(self) -> bool {
        matches!(self, Self::SetLocal | Self::Lock)
    }

    /// Returns the sentence that refuses the statement over HTTP and says what to do; `None` for one that needs no session.
    pub fn remedy(self) -> Option<&'static str> {
        Some(match self {
            Self::None | Self::Empty | Self::LeavesState | Self::TellsOfSession | Self::RunsCode => return None,
            Self::TransactionControl => {
                "BEGIN, COMMIT, ROLLBACK and savepoints need a session, which HTTP does not have: send the statements in one text or batch, which is one transaction, or use \
                 transport=websocket"
            }
            Self::Set => {
                "SET, RESET, DISCARD and LOAD change a session, which HTTP does not have: set it for the role or the database, or use \
                 transport=websocket"
            }
            Self::SetLocal => {
                "SET LOCAL, SET TRANSACTION and SET CONSTRAINTS last until the transaction's end, which over HTTP comes with the statement's: \
                 use transport=websocket"
            }
            Self::Listen => "LISTEN and UNLISTEN need a session to deliver notifications to: use transport=websocket",
            Self::Copy => {
                "COPY from or to the client needs a stream, which HTTP does not have: use INSERT and SELECT, or transport=websocket"
            }
            Self::Prepare => {
                "PREPARE, EXECUTE and DEALLOCATE need a session that remembers the statement: send the statement itself with its \
                 parameters, or use transport=websocket"
            }
            Self::Cursor => {
                "a cursor (DECLARE, FETCH, MOVE, CLOSE) lives in a session, which HTTP does not have: read the query itself, or use \
                 transport=websocket"
            }
            Self::Temporary => {
                "a temporary object is gone with its session, which over HTTP ends with the request: use an ordinary table, or \
                 transport=websocket"
            }
            Self::Lock => {
                "LOCK lasts until the transaction's end, which over HTTP comes with the statement's: use transport=websocket"
            }
            Self::AdvisoryLock => {
                "an advisory lock of the session's would be lost at once, since over HTTP the session ends with the request: take \
                 pg_advisory_xact_lock in the same text or batch, or use transport=websocket"
            }
            Self::SessionFunction => {
                "set_config, currval, lastval and functions on open large objects, backups and exported snapshots need a session, which HTTP does \
                 not have: use RETURNING for a sequence's value, set_config(…, true) for a setting of one statement, or \
                 transport=websocket"
            }
        })
    }
}

/// Tells what a statement does to its session, erring on the side of needing one.
///
/// Of several statements in one text, the first that needs a session speaks for all. A call counts where it is made: not in the
/// definition of a view, nor in what EXPLAIN does not execute. `set_config(…, true)` lasts for its own statement everywhere outside a
/// transaction block, so it needs no session.
///
/// # Example
///
/// ```
/// use pgferry::sql::{Effect, effect};
///
/// assert_eq!(effect("select 'begin'"), Effect::None);
/// assert_eq!(effect("/* now */ Begin"), Effect::TransactionControl);
/// assert_eq!(effect("select pg_advisory_lock(1)"), Effect::AdvisoryLock);
/// assert!(effect("listen jobs").remedy().is_some_and(|sentence| sentence.contains("transport=websocket")));
/// ```
#[must_use]
pub fn effect(text: &str) -> Effect {
    Dialect::new().effect(text)
}

pub(super) fn of_text(dialect: Dialect, text: &str) -> Effect {
    let mut found = Effect::Empty;
    for (range, dialect) in Statements::new(dialect, text) {
        let one = text.get(range).map_or(Effect::None, |one| classify::statement(dialect.tokens(one)));
        if one.needs_session() {
            return one;
        }
        if rank(one) >= rank(found) {
            found = one;
        }
    }
    found
}

/// Which effect speaks for several statements that need no session: the one that leaves most in it.
fn rank(effect: Effect) -> u8 {
    match effect {
        Effect::RunsCode => 3,
        Effect::LeavesState => 2,
        Effect::TellsOfSession => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::{Effect, effect};

    #[test]
    fn effects_are_told_by_the_text() {
        let cases: &[(Effect, &[&str])] = &[
            (Effect::Empty, &["", " ", "-- begin", "/* a */ ; ;"]),
            (
                Effect::TransactionControl,
                &[
                    "BEGIN",
                    "begin isolation level serializable",
                    "START TRANSACTION READ ONLY",
                    "commit",
                    "COMMIT AND CHAIN",
                    "end",
                    "rollback to savepoint a",
                    "ABORT",
                    "savepoint a",
                    "release a",
                    "prepare transaction 'a'",
                    "-- first\ncommit",
                    "select 1; rollback",
                ],
            ),
            (
                Effect::Set,
                &[
                    "set search_path = a",
                    "SET SESSION AUTHORIZATION x",
                    "set role a",
                    "reset all",
                    "discard temp",
                    "load 'x'",
                ],
            ),
            (Effect::SetLocal, &["set local a = 1", "set transaction read only", "set constraints all deferred"]),
            (Effect::Listen, &["listen a", "unlisten *"]),
            (
                Effect::Copy,
                &[
                    "copy t from stdin",
                    "COPY (select 1) TO STDOUT with (format csv)",
                    "copy t (a, b) from stdin csv",
                    "copy t to stdin",
                ],
            ),
            (
                Effect::Prepare,
                &[
                    "prepare a as select 1",
                    "execute a(1)",
                    "deallocate all",
                    "create table t as execute p",
                    "explain execute p",
                    "explain (analyze, costs off) execute p",
                    "explain analyze create table t as execute p",
                ],
            ),
            (Effect::Cursor, &["declare c cursor for select 1", "fetch next from c", "move c", "close all"]),
            (
                Effect::Temporary,
                &[
                    "create temp table t (a int)",
                    "create local temporary table t as select 1",
                    "create or replace temp view v as select 1",
                    "create temp sequence s",
                    "select 1 into temp t",
                    "select 1 into local temporary table t",
                    "create table pg_temp.t (a int)",
                    "create index on pg_temp.t (a)",
                    "create function pg_temp.f() returns int language sql as 'select 1'",
                    "insert into pg_temp.t values (1)",
                    "drop table \"pg_temp\".t",
                    "select a into temporary \"t\" from x",
                    "with a as (select 1 as b) select b into temp t from a",
                    "create temp recursive view v (a) as select 1",
                    "explain (analyze) create temp table t as select 1",
                ],
            ),
            (Effect::Lock, &["lock table t", "lock t in share mode"]),
            (
                Effect::AdvisoryLock,
                &[
                    "select pg_advisory_lock(1)",
                    "select pg_catalog . PG_TRY_ADVISORY_LOCK_SHARED (1)",
                    "select \"pg_advisory_unlock\"(1)",
                    "with a as (select pg_advisory_unlock_all()) select 1",
                    "select U&\"pg\\005fadvisory_lock\"(1)",
                    "select * from pg_try_advisory_lock(1)",
                    "call p(pg_advisory_lock(1))",
                    "explain analyze select pg_advisory_lock(1)",
                    "create table t as select pg_advisory_lock(1)",
                    "copy (select pg_advisory_lock(1)) to '/srv/x'",
                ],
            ),
            (
                Effect::SessionFunction,
                &[
                    "select set_config('a', 'b', false)",
                    "select currval('s')",
                    "insert into t values (lastval())",
                    "select lo_open(1, 2)",
                    "select set_config('a', 'b', $1)",
                    "select set_config('a', set_config('b', 'c', true), false)",
                    "select set_config('a', set_config('b', 'c', false), true)",
                    "explain analyze declare c cursor for select lastval()",
                    "select set_config('a'",
                    "select pg_export_snapshot()",
                ],
            ),
            (
                Effect::LeavesState,
                &[
                    "select nextval('s')",
                    "select setseed(0.5)",
                    "select nextval('s'); select 1",
                    "select nextval('s'), pg_backend_pid()",
                    "select pg_backend_pid(); insert into t values (setval('s', 1))",
                ],
            ),
            (
                Effect::TellsOfSession,
                &[
                    "select pg_backend_pid()",
                    "select * from pg_stat_activity where pid = pg_catalog.pg_backend_pid()",
                    "select inet_client_port()",
                    "select pg_my_temp_schema()",
                    "select * from pg_listening_channels()",
                    "select pg_terminate_backend(pg_backend_pid())",
                    "select 1; select pg_backend_pid(); select 2",
                    "explain analyze select pg_backend_pid()",
                    "select name from pg_prepared_statements",
                    "table pg_catalog.pg_cursors",
                ],
            ),
            (
                Effect::RunsCode,
                &[
                    "do $$ begin perform set_config('a', 'b', false); end $$",
                    "DO LANGUAGE plpgsql 'begin end'",
                    "call p()",
                    "Call app.p($1, nextval('s'))",
                    "call p(); select nextval('s')",
                    "select 1; /* then */ do 'begin end'",
                ],
            ),
            (
                Effect::None,
                &[
                    "select 1",
                    "select set_config('a', 'b', true), set_config('a', concat('b', ',', 'c'), 't')",
                    "select currval, a.lastval from currval, lastval a",
                    "insert into lastval (a) values (1)",
                    "create table currval (a int default currval('s'))",
                    "with currval (a) as (select 1) select a from currval",
                    "drop function if exists s.lastval(int)",
                    "select s.currval('a'), a.pg_catalog.currval('a')",
                    "select \"CURRVAL\"('s')",
                    "select 1 /* pg_advisory_lock(1) */, 'currval(1)', $$lastval()$$ -- lastval()",
                    "explain select pg_advisory_lock(1)",
                    "explain (analyze off) select lastval()",
                    "explain declare c cursor for select 1",
                    "explain create temp table t as select 1",
                    "explain analyze declare c cursor for select 1",
                    "select 1 into temp from t",
                    "select a.pg_temp.b, pg_temp from a",
                    "copy (select 1 from stdin) to '/srv/x'",
                    "create view v as select lastval()",
                    "create index on lastval (a)",
                    "select 'listen'",
                    "select begin from t",
                    "update t set a = 1",
                    "notify a, 'b'",
                    "copy t to '/srv/x'",
                    "copy t from program 'cat'",
                    "insert into t values (1) on conflict do nothing",
                    "select app.pg_backend_pid(), pg_backend_pid, a.pg_cursors from a, app.pg_cursors",
                    "explain select pg_backend_pid()",
                    "create procedure p() language sql as 'select pg_backend_pid()'",
                    "drop procedure call",
                    "vacuum",
                    "show all",
                    "select pg_advisory_xact_lock(1)",
                    "select pg_try_advisory_xact_lock(1)",
                    "commit prepared 'a'",
                    "rollback prepared 'a'",
                    "create table temp_stuff (a int)",
                    "create table t (temp int)",
                    "create index concurrently i on t (a)",
                    "create trigger t before insert on a for each row execute function f()",
                    "create or replace function f() returns int language sql begin atomic select currval('s'); end",
                    "create function f() returns int language sql as $$ select set_config('a', 'b', false) $$",
                    "grant execute on function f() to a",
                    "select $1",
                    "explain select 1",
                    "with a as (select 1) select * from a",
                    "alter table t set (fillfactor = 10)",
                ],
            ),
        ];
        for (expected, texts) in cases {
            for text in *texts {
                assert_eq!(effect(text), *expected, "{text}");
            }
        }
    }

    #[test]
    fn names_that_are_keywords_elsewhere_are_names() {
        for text in [
            "insert into temp values ($1) returning a",
            "with x as (insert into temp (a) values (1) returning a) select * from x",
            "merge into temp using s on true when matched then delete",
            "create table e (execute int, declare int)",
            "explain select execute, declare from e",
            "grant execute on function pg_advisory_lock(bigint) to public",
        ] {
            assert_eq!(effect(text), Effect::None, "{text}");
        }
        for (text, expected) in [
            ("select 1 into temp t", Effect::Temporary),
            ("explain analyze create temp table t as select 1", Effect::Temporary),
            ("explain (analyze) execute p(1)", Effect::Prepare),
            ("create table t as execute p", Effect::Prepare),
            ("(select lastval())", Effect::SessionFunction),
        ] {
            assert_eq!(effect(text), expected, "{text}");
        }
    }

    #[test]
    fn every_refusal_names_a_remedy() {
        for text in [
            "begin",
            "set a = 1",
            "set local a = 1",
            "listen a",
            "copy t from stdin",
            "prepare a as select 1",
            "fetch c",
            "lock t",
        ] {
            assert!(effect(text).remedy().is_some_and(|sentence| sentence.contains("transport=websocket")), "{text}");
        }
        assert!(!effect("select nextval('s')").needs_session());
    }
}
