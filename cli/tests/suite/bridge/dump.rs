//! pg_dump through a bridge, and its dumps put back through one.

use std::{fs, path::Path};

use pgferry_test_support::Stage;

use super::{Bridge, FAITHFUL, client, psql, script, succeeds};

/// Twenty tables and what goes with them.
fn fill(stage: &Stage) {
    let mut schema = String::from(
        r#"
create type mood as enum ('sad', 'it''s ok', 'süß');
create type pair as (a int, b text);
create domain positive as int constraint is_positive check (value > 0);
create type span as range (subtype = float8);
create sequence tickets start 1000 increment 7;
create function twice(n int) returns int language sql immutable as $f$ select n * 2 $f$;
create function stamp() returns trigger language plpgsql as $f$ begin new.changed := '2020-01-01'; return new; end $f$;
create table odd ("the ""name""" text, bytes bytea, js jsonb, arr text[], f float8, n numeric, t timestamptz, i interval, x xml, u uuid, ip inet, p point, b bit(5), spans span, c "char");
insert into odd values (E'a\tb\\c\nd\re', '\x0001ff5c', '{"a": [1, null, "\u00fc"]}', array['x', null, 'a,"b"', '{}'], 'NaN', 12345678901234567890.123456789,
    '294276-12-31 23:59:59.999999+00', '-1 years -2 mons +3 days', '<a>&amp;</a>', '00000000-0000-0000-0000-000000000001', '::1/64', '(1e-300,2)', B'10101', '[0.1,0.2)', '\'),
    (null, '', 'null', '{}', '-Infinity', 'NaN', '4714-11-24 BC', '178000000 years', null, null, '10.0.0.1', null, null, 'empty', ''),
    (repeat(chr(128674), 3000), decode(repeat('00ff', 100000), 'hex'), '[]', array[repeat('y', 9000)], 1e-307, 'Infinity', null, null, null, null, null, null, null, null, null);
create view of_odd as select f, n from odd where f is not null;
create materialized view counted as select count(*) as c from odd;
"#,
    );
    for n in 1..20 {
        let earlier = if n > 1 { format!("references t{} on update cascade", n - 1) } else { String::new() };
        schema += &format!(
            "create table t{n} (id serial primary key, parent int {earlier}, m mood default 'sad', pairs pair[], v positive, changed date,
                 doubled int generated always as (id * 2) stored, unique (parent, v));
             comment on table t{n} is 'the {n}th, with '' and \\ in it';
             comment on column t{n}.v is 'above zero';
             create index on t{n} (m desc nulls last) include (v) where v > 3;
             create trigger stamped before insert or update on t{n} for each row execute function stamp();
             alter table t{n} enable row level security;
             create policy mine on t{n} using (id > 0);
             insert into t{n} (parent, m, pairs, v) select {parent}, (array['sad', 'it''s ok', 'süß'])[1 + k % 3]::mood, array[(k, E'\\t' || k)::pair, null], k
                 from generate_series(1, 200) k;\n",
            parent = if n > 1 { "k" } else { "null" },
        );
    }
    let said = script(&stage.postgres_url(), &schema);
    assert_eq!(said, "");
}

fn dumped(url: &str, args: &[&str]) -> Vec<u8> {
    let output = client("pg_dump").args(["--no-password", "--dbname", url]).args(args).output().unwrap();
    succeeds(&output);
    output.stdout
}

/// A dump as text but for the word that differs from dump to dump in newer versions.
fn lines(dump: &[u8]) -> Vec<String> {
    let dump = String::from_utf8(dump.to_vec()).expect("the dump is UTF-8");
    dump.lines()
        .filter(|line| !line.starts_with("\\restrict ") && !line.starts_with("\\unrestrict "))
        .map(str::to_owned)
        .collect()
}

#[track_caller]
fn assert_same(dump: &[u8], original: &[u8], what: &str) {
    let (dump, original) = (lines(dump), lines(original));
    assert!(original.len() > 2000, "the dump has everything");
    for (number, (line, expected)) in dump.iter().zip(&original).enumerate() {
        assert_eq!(line, expected, "{what}, line {number}");
    }
    assert_eq!(dump.len(), original.len(), "{what}");
}

#[test]
fn a_dump_through_a_bridge_is_the_dump_over_tcp() {
    let stage = Stage::start();
    fill(&stage);
    let original = dumped(&stage.postgres_url(), &[]);
    for transport in FAITHFUL {
        let bridge = Bridge::start(&stage, transport);
        assert_same(&dumped(bridge.url(), &[]), &original, transport);
        let inserts = ["--inserts", "--rows-per-insert=50"];
        assert_same(&dumped(bridge.url(), &inserts), &dumped(&stage.postgres_url(), &inserts), transport);
    }
}

#[test]
fn what_is_restored_through_a_bridge_is_what_was_dumped() {
    let stage = Stage::start();
    fill(&stage);
    let original = dumped(&stage.postgres_url(), &[]);
    let folder = tempfile::tempdir().unwrap();
    for transport in FAITHFUL {
        let bridge = Bridge::start(&stage, transport);
        let text = folder.path().join("dump.sql");
        fs::write(&text, dumped(bridge.url(), &[])).unwrap();
        let file = text.to_str().unwrap();
        restore(&stage, &bridge, &original, |url| {
            succeeds(&psql(url).args(["--set", "ON_ERROR_STOP=1", "--file", file]).output().unwrap());
        });
        restore(&stage, &bridge, &original, |url| {
            succeeds(
                &psql(url).args(["--set", "ON_ERROR_STOP=1", "--single-transaction", "--file", file]).output().unwrap(),
            );
        });

        let archive = folder.path().join(format!("{transport}.dump"));
        dumped(bridge.url(), &["--format=custom", "--file", path(&archive)]);
        // Several sessions at once on either side, which share a snapshot when they read.
        let parts = folder.path().join(format!("{transport}.parts"));
        dumped(bridge.url(), &["--format=directory", "--jobs=3", "--file", path(&parts)]);
        for from in [archive, parts] {
            restore(&stage, &bridge, &original, |url| {
                let mut command = client("pg_restore");
                command.args(["--exit-on-error", "--no-password", "--jobs=2", "--dbname", url, path(&from)]);
                succeeds(&command.output().unwrap());
            });
        }
    }
}

/// Restores into a new database through the bridge, and compares what is there then, over TCP.
#[track_caller]
fn restore(stage: &Stage, bridge: &Bridge, original: &[u8], put_back: impl FnOnce(&str)) {
    let database = stage.postgres().create_database().unwrap();
    put_back(&bridge.url_of(&database));
    let copy = dumped(&stage.postgres().database_url(&database), &[]);
    assert_same(&copy, original, "restored");
    stage.psql(&format!("drop database {database}"));
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn over_http_pg_dump_is_told_why_it_cannot() {
    let stage = Stage::start();
    let bridge = Bridge::start(&stage, "http");
    let output = client("pg_dump").args(["--no-password", "--dbname", bridge.url()]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("transport=websocket"), "{said}");
}
