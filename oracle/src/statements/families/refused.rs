use crate::statements::case::Case;

/// What needs a session, and so is refused over HTTP with the remedy.
pub(super) fn cases() -> Vec<Case> {
    [
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
        "select set_config('work_mem', '1MB', true)",
        "select currval('stage.counted')",
        "select lastval()",
        "lock table t in access share mode",
        "set local work_mem = '1MB'",
        "set constraints all deferred",
        "set nope to 1",
        "copy t from stdin",
        "copy t to stdout",
    ]
    .iter()
    .map(|text| Case::refused(text, &[], "transport=websocket"))
    .collect()
}
