//! psql over the transports that give it a session; what it prints is compared with what it prints over TCP.

use std::{fs, process::Stdio};

use pgferry_test_support::Stage;

use super::{Bridge, FAITHFUL, psql, script, succeeds, until};
use crate::running::Running;

/// A schema with something of everything that psql describes.
const SCHEMA: &str = r#"
create type mood as enum ('sad', 'it''s ok');
create type pair as (a int, b text);
create domain positive as int check (value > 0);
create table crews (id serial primary key, name text not null unique, mood mood default 'sad', pairs pair[], "Odd ""Name""" positive);
comment on table crews is 'those who sail';
create table sailors (id bigint generated always as identity, crew int references crews on delete cascade, born date, check (born > '1900-01-01'));
create index sailors_born on sailors (born desc) where crew is not null;
create view young as select * from sailors where born > '2000-01-01';
create function twice(n int) returns int language sql immutable as 'select n * 2';
insert into crews (name, mood, pairs) values ('Ferry', 'it''s ok', array[(1, 'x')::pair]), (E'a\tb\\c\nd', null, null);
insert into sailors (crew, born) select 1, date '1999-12-28' + n from generate_series(1, 10) n;
"#;

/// Statements that need no session, and catalogue queries.
const PLAIN: &str = r#"
\d
\dt+ crews
\d crews
\d+ sailors
\d young
\df twice
\dT+ mood
\dn
\du app
\l postgres
\sf twice
\sv young
select * from crews order by id;
select n, n::text, null, 'x' || n from generate_series(1, 3) n;
insert into sailors (crew, born) values (1, '2001-02-03') returning id, born;
update sailors set born = born + 1 where id > 5;
select 1 \; select 2 \; select 3;
select 1/0;
select * from nowhere;
select 'still here';
select 1 as one \gset
\echo :one
select * from (values (1, 'a', 'x'), (1, 'b', 'y'), (2, 'a', 'z')) as v(r, c, v) \crosstabview
\echo :SERVER_VERSION_NUM
do $$ begin raise notice 'noted'; raise warning 'warned'; end $$;
select format('select %s', n) from generate_series(1, 3) n \gexec
explain (costs off) select 1;
select $1::int + 1, $2 \bind 41 'x' \g
"#;

/// Statements that need one.
const SESSION: &str = r#"
begin;
insert into crews (name) values ('gone');
savepoint s;
select 1/0;
rollback to s;
select count(*) from crews;
rollback;
select count(*) from crews where name = 'gone';
begin; insert into crews (name) values ('stays'); commit;
select count(*) from crews where name = 'stays';
\set AUTOCOMMIT off
insert into crews (name) values ('undone');
rollback;
\set AUTOCOMMIT on
\set ON_ERROR_ROLLBACK on
begin;
select 1/0;
select 'the transaction lives';
commit;
\set ON_ERROR_ROLLBACK off
set search_path = pg_catalog;
show search_path;
reset search_path;
set timezone = 'Asia/Tokyo';
select timestamptz '2020-01-01 00:00:00+00';
create temp table scratch as select 1 as x;
select * from scratch;
prepare p(int) as select $1 + 1;
execute p(41);
deallocate p;
declare c cursor with hold for select generate_series(1, 5);
fetch 2 from c;
close c;
\set FETCH_COUNT 2
select * from generate_series(1, 5);
\set FETCH_COUNT 0
listen tidings;
notify tidings, 'high water';
select pg_advisory_lock(7);
select count(*) from pg_locks where locktype = 'advisory' and objid = 7;
select pg_advisory_unlock(7);
\c postgres
select current_database();
\c
\conninfo
select 'described' as d, 1::int8 as n \gdesc
copy (select 1, 'a') to stdout;
copy crews (name) from stdin;
copied
one more
\.
select count(*) from crews where name in ('copied', 'one more');
select lastval() > 0;
"#;

/// What differs for reasons that are nobody's fault: the port, and processes' ids.
fn settled(printed: &str, url: &str, stage: &Stage) -> String {
    let port = url.rsplit_once(':').and_then(|(_, rest)| rest.split_once('/')).expect("a port").0;
    let printed = printed.replace(&format!("port \"{port}\""), "port").replace(stage.database(), "database");
    printed.lines().map(|line| line.split("server process with PID").next().unwrap_or(line).to_owned() + "\n").collect()
}

fn compare(statements: &str, transports: &[&str]) {
    let control = Stage::start();
    let over = |stage: &Stage, url: &str| {
        script(&stage.postgres_url(), SCHEMA);
        settled(&script(url, statements), url, stage)
    };
    let expected = over(&control, &control.postgres_url());
    for transport in transports {
        let stage = Stage::start();
        let bridge = Bridge::start(&stage, transport);
        let printed = over(&stage, bridge.url());
        for (line, (printed, expected)) in printed.lines().zip(expected.lines()).enumerate() {
            assert_eq!(printed, expected, "{transport}, line {line} of what is printed");
        }
        assert_eq!(printed, expected, "{transport}");
    }
}

#[test]
fn plain_statements_and_catalogues_are_as_over_tcp() {
    compare(PLAIN, &FAITHFUL);
}

#[test]
fn sessions_are_as_over_tcp() {
    compare(SESSION, &FAITHFUL);
}

#[test]
fn copies_to_and_from_files_keep_every_byte() {
    let stage = Stage::start();
    script(&stage.postgres_url(), SCHEMA);
    stage.psql("insert into crews (name) select repeat(chr(128000), n) || E'\\\\\\r\\n\\t' || n from generate_series(1, 5000) n");
    let folder = tempfile::tempdir().unwrap();
    for transport in FAITHFUL {
        let bridge = Bridge::start(&stage, transport);
        let file = |name: &str| folder.path().join(format!("{transport}-{name}")).display().to_string();
        let [text, binary] = ["text", "binary"].map(file);
        let commands = format!(
            "\\copy crews to '{text}'\n\\copy crews to '{binary}' (format binary)\ncreate table copied (like crews);\n\
             \\copy copied from '{text}'\n\\copy copied from '{binary}' (format binary)\nselect count(*) from copied;\n\
             select count(*) from (select * from copied except select * from crews) as different;\ndrop table copied;\n"
        );
        assert_eq!(script(bridge.url(), &commands), "10004\n0\n", "{transport}");
        assert!(fs::metadata(&binary).unwrap().len() > 5000 * 4 * 100);
    }
}

#[test]
fn ctrl_c_cancels_the_query_and_leaves_the_session() {
    let stage = Stage::start();
    let runs = format!(
        "select count(*) = 1 from pg_stat_activity where datname = '{}' and state = 'active' and query like 'select pg_sleep(600)%'",
        stage.database()
    );
    for transport in FAITHFUL.into_iter().chain(["http"]) {
        let bridge = Bridge::start(&stage, transport);
        let folder = tempfile::tempdir().unwrap();
        let commands = folder.path().join("commands");
        fs::write(&commands, "select pg_sleep(600);\nselect 'still here';\n").unwrap();
        let mut command = psql(bridge.url());
        command.stdin(Stdio::from(fs::File::open(&commands).unwrap()));
        let mut running = Running::start(&mut command);
        until(&stage, &runs);
        running.signal("INT");
        let printed = running.first_lines(1);
        let (status, said) = running.wait();
        // A script ends with its cancelled statement, as over TCP.
        assert!(said.contains("canceling statement due to user request"), "{transport} {status} {said} {printed:?}");
        until(&stage, &runs.replace("= 1", "= 0"));
    }
}

#[test]
fn a_notification_reaches_who_waits() {
    let stage = Stage::start();
    for transport in FAITHFUL {
        let bridge = Bridge::start(&stage, transport);
        // psql looks for notifications after each command.
        let mut command = psql(bridge.url());
        command.args(["-c", "listen tidings", "-c", "select pg_sleep(1)", "-c", "select 1"]);
        let running = command.spawn().unwrap();
        until(
            &stage,
            &format!(
                "select count(*) = 1 from pg_stat_activity where datname = '{}' and query like 'select pg_sleep(1)%'",
                stage.database()
            ),
        );
        stage.psql("notify tidings, 'ebb'");
        let printed = succeeds(&running.wait_with_output().unwrap());
        assert!(printed.contains("\"tidings\" with payload \"ebb\""), "{transport} {printed}");
    }
}

#[test]
fn a_watched_query_is_run_again_and_again() {
    let stage = Stage::start();
    for transport in FAITHFUL.into_iter().chain(["http"]) {
        let bridge = Bridge::start(&stage, transport);
        let commands = "select 'tick ' || n from generate_series(1, 2) n;\n".repeat(200);
        assert_eq!(script(bridge.url(), &commands), "tick 1\ntick 2\n".repeat(200), "{transport}");
    }
}
