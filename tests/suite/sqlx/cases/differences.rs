//! Where a road may differ from TCP, by name. Each entry is exact: one that no longer holds fails the suite.

use crate::sqlx::Road;

/// Cases that HTTP refuses with the same error.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refusal {
    pub(super) code: &'static str,
    /// A part of the message.
    pub(super) says: &'static str,
    cases: &'static [&'static str],
}

/// Cases in which a road that carries requests gives something else than a session, by its nature.
#[derive(Clone, Copy, Debug)]
pub(super) struct Otherwise {
    /// A part of what is seen instead.
    pub(super) gives: &'static str,
    cases: &'static [&'static str],
}

const REFUSED_OVER_HTTP: &[Refusal] = &[
    Refusal {
        code: "0A000",
        says: "BEGIN, COMMIT, ROLLBACK and savepoints need a session, which HTTP does not have: send the statements in one text or batch, which is one transaction, or use transport=websocket",
        cases: &[
            "command_call_with_transaction_control",
            "temporary_tables_dropped_at_commit",
            "cursor_declared_and_fetched",
            "cursor_moved_and_updated",
            "advisory_lock_of_a_transaction",
            "backend_pid_stays",
            "large_objects",
            "copy_in_a_transaction",
            "setting_local_to_a_transaction",
            "setting_rolled_back",
            "settings_of_ones_own",
            "statement_count_in_the_server",
            "user_types_made_in_the_same_transaction",
            "transaction_commits",
            "transaction_rolls_back",
            "transaction_dropped_is_rolled_back",
            "transaction_nested_commits",
            "transaction_nested_rolls_back",
            "transaction_nested_dropped",
            "transaction_three_levels",
            "transaction_with_an_error_inside",
            "transaction_recovers_at_a_savepoint",
            "transaction_begun_with_a_statement",
            "transaction_isolation_is_set",
            "transaction_that_cannot_be_serialized",
            "transaction_read_only",
            "transaction_by_statements",
            "transaction_by_a_script",
            "transaction_chained",
            "transaction_committed_after_an_error",
            "transaction_fails_at_its_commit",
            "transaction_of_a_closure",
            "transaction_sees_its_own_writes",
            "transaction_with_a_dropped_stream",
            "transaction_dropped_in_a_failed_state",
            "transaction_try_begin",
            "transaction_warnings_are_harmless",
            "transaction_ids_last_as_long_as_it_does",
            "lock_is_waited_for_no_longer_than_allowed",
            "lock_of_a_table_and_of_rows",
            "two_phase_commit",
            "deferred_constraints",
        ],
    },
    Refusal {
        code: "0A000",
        says: "PREPARE, EXECUTE and DEALLOCATE need a session",
        // sqlx's own description reads a plan for what it says of nulls.
        cases: &["statement_described", "statement_described_with_nullability", "statements_prepared_by_sql"],
    },
    Refusal { code: "0A000", says: "a temporary object is gone with its session", cases: &["temporary_tables"] },
    Refusal {
        code: "0A000",
        says: "a cursor (DECLARE, FETCH, MOVE, CLOSE) lives in a session",
        cases: &["cursor_with_hold"],
    },
    Refusal {
        code: "0A000",
        says: "set_config, currval, lastval and functions on open large objects, backups and exported snapshots need a session",
        cases: &["sequence_currval_and_lastval", "setting_by_set_config"],
    },
    Refusal {
        code: "0A000",
        says: "an advisory lock of the session's would be lost at once",
        cases: &["advisory_lock_of_sqlx", "advisory_lock_tried", "advisory_lock_by_function"],
    },
    Refusal {
        code: "0A000",
        says: "COPY from or to the client needs a stream",
        cases: &[
            "copy_in_of_text",
            "copy_in_of_csv",
            "copy_in_of_pieces",
            "copy_in_aborted",
            "copy_in_dropped",
            "copy_in_that_fails",
            "copy_out_of_text",
            "copy_out_of_a_query_as_csv",
            "copy_out_dropped_midway",
            "copy_of_a_table_that_is_not_there",
        ],
    },
    Refusal {
        code: "0A000",
        says: "LISTEN and UNLISTEN need a session to deliver notifications to",
        cases: &[
            "listener_hears",
            "listener_of_many_channels",
            "listener_unlistens",
            "listener_hears_its_order",
            "listener_hears_only_what_was_committed",
            "listener_reconnects",
            "listener_executes",
            "listener_asked_without_waiting",
        ],
    },
    Refusal {
        code: "0A000",
        says: "SET, RESET, DISCARD and LOAD change a session",
        cases: &[
            "setting_set_and_shown",
            "setting_of_the_search_path",
            "setting_of_the_time_zone",
            "setting_reset",
            "setting_of_one_connection_is_its_own",
            "setting_of_float_digits",
            "setting_of_the_date_style",
            "setting_of_bytea_output",
            "setting_of_the_role",
            "setting_discarded",
        ],
    },
    Refusal {
        code: "54000",
        says: "a statement takes at most 32767 parameters over HTTP",
        cases: &["many_parameters"],
    },
    Refusal {
        code: "0A000",
        says: "the text of an anonymous record (pg_catalog.record) does not say which types its fields have",
        cases: &["value_void_and_records"],
    },
    // The function may have written.
    Refusal {
        code: "08007",
        says: "though the statement has run: the text of an anonymous record (pg_catalog.record) does not say which types its fields have",
        cases: &["command_of_functions_with_out_parameters"],
    },
];

const OTHERWISE_OVER_HTTP: &[Otherwise] = &[
    // The columns of a statement that writes are not known before it is executed.
    Otherwise { gives: "(known when it is executed)", cases: &["statement_prepared_on_a_pool"] },
    // Nor is one looked at before that gives no rows.
    Otherwise { gives: "[] of ", cases: &["statement_of_ddl_described"] },
    // sqlx takes the lock of a migration's runner for the session: `pgferry_sqlx::migrate` is the remedy.
    Otherwise {
        gives: "an advisory lock of the session's would be lost at once",
        cases: &["migrator_runs", "migrator_undoes", "migrator_that_fails"],
    },
    // The rows before a failure are withheld with it.
    Otherwise { gives: "0 rows", cases: &["stream_that_fails_midway_gives_rows_before"] },
    // It is said in the server's stead, without the place in Postgres's source.
    Otherwise {
        gives: "22021: invalid byte sequence for encoding \"UTF8\": 0x00; where: unnamed portal parameter $1",
        cases: &["error_of_a_nul_in_a_text"],
    },
];

const OTHERWISE_OVER_SESSIONS: &[Otherwise] = &[
    // sqlx prepares a statement without parameters or rows, to execute it or not, by the same messages: its error comes when it is
    // executed, unless describe=always is asked for.
    Otherwise { gives: "[] of ", cases: &["statement_of_ddl_described"] },
];

const OTHERWISE_OVER_AUTO: &[Otherwise] = &[
    // As over HTTP, where they are.
    Otherwise { gives: "[] of ", cases: &["statement_of_ddl_described"] },
    Otherwise { gives: "0 rows", cases: &["stream_that_fails_midway_gives_rows_before"] },
    // That the function gives a record is seen when it has run, and it may write.
    Otherwise {
        gives: "though the statement has run: the text of an anonymous record",
        cases: &["command_of_functions_with_out_parameters"],
    },
    // A session gets to know what was prepared before it when that is used there.
    Otherwise { gives: "0 prepared", cases: &["statement_count_in_the_server"] },
    // It is said in the server's stead, without the place in Postgres's source.
    Otherwise {
        gives: "22021: invalid byte sequence for encoding \"UTF8\": 0x00; where: unnamed portal parameter $1",
        cases: &["error_of_a_nul_in_a_text"],
    },
];

pub(super) fn refusal(case: &str) -> Option<&'static Refusal> {
    REFUSED_OVER_HTTP.iter().find(|refusal| refusal.cases.contains(&case))
}

pub(super) fn otherwise(road: Road, case: &str) -> Option<&'static Otherwise> {
    let table = match road {
        Road::Http => OTHERWISE_OVER_HTTP,
        Road::WebSocket => OTHERWISE_OVER_SESSIONS,
        Road::Auto => OTHERWISE_OVER_AUTO,
        Road::Tcp => &[],
    };
    table.iter().find(|otherwise| otherwise.cases.contains(&case))
}

/// The names in the tables.
pub(super) fn listed() -> impl Iterator<Item = &'static str> {
    let refused = REFUSED_OVER_HTTP.iter().map(|refusal| refusal.cases);
    let otherwise = [OTHERWISE_OVER_HTTP, OTHERWISE_OVER_SESSIONS, OTHERWISE_OVER_AUTO];
    let otherwise = otherwise.into_iter().flatten().map(|otherwise| otherwise.cases);
    refused.chain(otherwise).flatten().copied()
}
