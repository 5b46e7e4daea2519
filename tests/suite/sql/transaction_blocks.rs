//! Which statements PostgreSQL keeps out of transaction blocks.

use pgferry::sql::forbids_transaction_block;
use pgferry_test_support::Stage;

const STATEMENTS: &[&str] = &[
    "vacuum",
    "vacuum (analyze) t",
    "create database d",
    "drop database nosuch",
    "create tablespace s location '/nosuch'",
    "drop tablespace nosuch",
    "create index concurrently on t (a)",
    "create unique index concurrently if not exists i on t (a)",
    "drop index concurrently t_pkey",
    "reindex database nosuch",
    "reindex schema public",
    "reindex table concurrently t",
    "reindex (concurrently, verbose) table t",
    "cluster",
    "cluster verbose",
    "alter system set work_mem = '4MB'",
    "alter system reset all",
    "alter database postgres set tablespace pg_default",
    "alter table p detach partition p1 concurrently",
    "discard all",
    "commit prepared 'x'",
    "rollback prepared 'x'",
    "create subscription s connection 'host=nosuch' publication p",
    // And those that merely look like them.
    "analyze",
    "create index on t (a)",
    "create index concurrently_made on t (a)",
    "drop index if exists nosuch",
    "reindex table t",
    "reindex (concurrently false) table t",
    "cluster t using t_pkey",
    "alter database postgres set work_mem = '4MB'",
    "alter table p detach partition p1",
    "discard plans",
    "refresh materialized view concurrently v",
    "alter type e add value 'b'",
    "select 'vacuum'",
    "create table vacuum (a int)",
    "checkpoint",
    "listen x",
];

#[test]
fn they_are_told_by_their_text() {
    let stage = Stage::start();
    stage.psql(
        "create table t (a int primary key); create table p (a int) partition by list (a);
         create table p1 partition of p for values in (1); create type e as enum ('a');
         create materialized view v as select 1 as x; create unique index on v (x)",
    );
    for text in STATEMENTS {
        let outcome = stage.postgres().psql_in(stage.database(), &format!("begin; {text}; rollback"));
        let refused = outcome.err().map(|error| error.to_string());
        let refused = match &refused {
            Some(error) => {
                assert!(error.contains("cannot run inside a transaction block"), "{text}: {error}");
                true
            }
            None => false,
        };
        assert_eq!(forbids_transaction_block(text), refused, "{text}");
    }
}
