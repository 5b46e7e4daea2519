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
            "statement_count_in_the_server",
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
        // sqlx reads a plan for what it says of nulls.
        cases: &["statement_described", "statement_described_with_nullability"],
    },
];

const OTHERWISE_OVER_HTTP: &[Otherwise] = &[
    // The columns of a statement that writes are not known before it is executed.
    Otherwise { gives: "(known when it is executed)", cases: &["statement_prepared_on_a_pool"] },
    // Nor is a statement without parameters looked at before.
    Otherwise { gives: "[] of ", cases: &["statement_prepared_and_wrong", "statement_of_ddl_described"] },
    // The rows before a failure are withheld with it.
    Otherwise { gives: "0 rows", cases: &["stream_that_fails_midway_gives_rows_before"] },
];

const OTHERWISE_OVER_SESSIONS: &[Otherwise] = &[
    // sqlx prepares a statement without parameters or rows, to execute it or not, by the same messages: its error comes when it is
    // executed, unless describe=always is asked for.
    Otherwise { gives: "[] of ", cases: &["statement_of_ddl_described"] },
];

const OTHERWISE_OVER_AUTO: &[Otherwise] = &[
    // As over HTTP, where they are.
    Otherwise { gives: "[] of ", cases: &["statement_prepared_and_wrong", "statement_of_ddl_described"] },
    Otherwise { gives: "0 rows", cases: &["stream_that_fails_midway_gives_rows_before"] },
    // A session gets to know what was prepared before it when that is used there.
    Otherwise { gives: "0 prepared", cases: &["statement_count_in_the_server"] },
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
