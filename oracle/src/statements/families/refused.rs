use crate::statements::case::Case;

/// What is refused over HTTP with the remedy: what needs a session, and values whose text does not tell their binary form.
pub(super) fn cases() -> Vec<Case> {
    let session = SESSION.iter().map(|text| Case::refused(text, &[], "transport=websocket"));
    let values = VALUES.iter().map(|(text, params, remedy)| Case::refused(text, params, remedy));
    let called = Case::refused_after("select many($1), $2", &["int4=2", "text=x"], "transport=websocket");
    session.chain(values).chain([called]).collect()
}

const VALUES: &[(&str, &[&str], &str)] = &[
    ("select row($1, $2)", &["int4=1", "text=x"], "transport=websocket"),
    ("select array[row($1, $2)]", &["int4=1", "text=x"], "transport=websocket"),
    ("select $1::extensions.seg", &["text=1..2"], "cast the value to text"),
];

const SESSION: &[&str] = &[
    "begin",
    "start transaction isolation level serializable",
    "commit",
    "rollback",
    "savepoint a",
    "set search_path = public",
    "reset search_path",
    "discard all",
    "listen channel",
    "prepare p as select 1",
    "execute p",
    "deallocate p",
    "declare c cursor with hold for select 1",
    "fetch c",
    "create temp table x (a int4)",
    "select pg_advisory_lock(1)",
    "select currval('stage.counted')",
    "select lastval()",
    "lock table t in access share mode",
    "set local work_mem = '1MB'",
    "set constraints all deferred",
    "set nope to 1",
    "copy t from stdin",
    "copy t to stdout",
];
