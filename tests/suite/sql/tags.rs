//! Command tags, rebuilt from a statement's text and the first word, against those that psql shows.

use pgferry::sql::{command_tag, split};
use pgferry_test_support::Stage;

/// Each line is a script of its own; psql shows the tag of each command but those that return rows.
const SCRIPTS: &str = r"
create role tag_a; create user tag_b; create group tag_c; alter user tag_b connection limit 1; alter group tag_c add user tag_b; alter role tag_a set work_mem = '1MB'; grant tag_a to tag_b; grant tag_a to tag_b with admin option; revoke tag_a from tag_b; drop user tag_b; drop group tag_c; drop role tag_a
create table t (a int primary key, b text); create table t2 as select 1 with no data; create table t3 (a) as values (1); create temp table tt (a int); create unlogged table tu (a int generated always as (1) stored); create table p (a int) partition by list (a); create table p1 partition of p for values in (1); create table tags (a int)
alter table t add c int; alter table t rename c to d; alter table t2 rename to tz; alter table t add constraint ck check (a > 0); alter table t rename constraint ck to ck2; alter table p detach partition p1
create index i on t (b); create unique index iu on t (a); create index concurrently ic on t (b); alter index i rename to i2; drop index concurrently i2; reindex table t; cluster t using iu; cluster
create view v as select 1 as x; create or replace view v as select 1 as x; create temp view tv as select 1; create recursive view rv (n) as select 1; alter view v rename column x to y; drop view v, rv
create materialized view mv as select 1 with no data; refresh materialized view mv; alter materialized view mv rename to mv2; drop materialized view mv2
create sequence s; create temp sequence s2; alter sequence s restart; drop sequence s
create type e as enum ('a'); alter type e add value 'b'; create type c as (a int); alter type c rename attribute a to b; create type shell; create type r as range (subtype = int4); drop type e, c, shell, r
create domain d as int; alter domain d add constraint dd check (value > 0); alter domain d rename constraint dd to de; drop domain d
create or replace function f() returns int language sql as 'select 1'; alter routine f() cost 11; alter function f() cost 10; drop routine f(); create procedure pr() language sql as 'select 1'; call pr(); alter procedure pr() rename to pr2; drop procedure pr2
create aggregate ag(int) (sfunc = int4pl, stype = int); alter aggregate ag(int) rename to ag2; drop aggregate ag2(int)
create operator === (procedure = int4eq, leftarg = int, rightarg = int); alter operator === (int, int) set (restrict = eqsel); drop operator === (int, int); create operator family of1 using btree; create operator class oc for type int using btree family of1 as storage int; alter operator class oc using btree rename to oc2; drop operator class oc2 using btree; drop operator family of1 using btree
create function tr() returns trigger language plpgsql as 'begin return null; end'; create trigger tr before insert on t for each row execute function tr(); create constraint trigger ct after insert on t for each row execute function tr(); alter trigger tr on t rename to tr2; drop trigger tr2 on t
create function ev() returns event_trigger language plpgsql as 'begin end'; create event trigger et on ddl_command_start execute function ev(); alter event trigger et disable; drop event trigger et
create rule ru as on update to t do nothing; alter rule ru on t rename to ru2; drop rule ru2 on t; create policy po on t; alter policy po on t rename to po2; drop policy po2 on t
create text search configuration tsc (copy = simple); alter text search configuration tsc rename to tsc2; drop text search configuration tsc2; create text search dictionary tsd (template = simple); alter text search dictionary tsd (accept = false); drop text search dictionary tsd
create collation co (locale = 'C'); drop collation co; create cast (text as point) with inout; drop cast (text as point); create default conversion cv for 'LATIN1' to 'UTF8' from iso8859_1_to_utf8; alter conversion cv rename to cv2; drop conversion cv2
create foreign data wrapper fdw; create server sv foreign data wrapper fdw; alter server sv options (a 'b'); create user mapping for public server sv; alter user mapping for public server sv options (a 'b'); drop user mapping for public server sv; create foreign table ft (a int) server sv; alter foreign table ft add b int; drop foreign table ft; drop server sv; drop foreign data wrapper fdw
create publication pu; alter publication pu add table t; drop publication pu; create statistics st on a, b from t; alter statistics st rename to st2; drop statistics st2; create access method am type index handler bthandler; drop access method am
create or replace language plpgsql; create trusted language lx handler plpgsql_call_handler; drop language lx; create extension if not exists plpgsql; alter extension plpgsql update
alter default privileges grant select on tables to public; alter default privileges revoke select on tables from public; drop owned by app; reassign owned by app to app
begin; set constraints all deferred; savepoint a; release a; savepoint a; rollback to a; rollback and chain; end; start transaction; abort; begin; commit
begin; declare c cursor for select 1; move c; close c; close all; lock t; lock table t in share mode; commit
prepare ps as select 1; deallocate ps; deallocate prepare all; deallocate all; set work_mem = '1MB'; set local work_mem = '1MB'; set session characteristics as transaction read write; reset all; discard plans; discard sequences; discard temporary; discard all
insert into t values (5, 'x'); update t set b = 'y'; with x as (select 1) insert into tags select 9; merge into t using (select 5 as k) x on a = k when matched then delete; delete from t; select 1 into si; truncate t; copy (select 1) to '/dev/null'
grant select on t to public; revoke select on t from public; comment on table t is 'x'; notify x; listen x; unlisten x; load 'plpgsql'; checkpoint; vacuum t; analyze t; do 'begin end'
/* x */ create /* y */ table t4 (a int) -- z
drop table t cascade; drop table if exists nosuch; drop schema if exists nosuch";

#[test]
fn tags_are_those_that_psql_shows() {
    let stage = Stage::start();
    let mut seen = 0;
    for script in SCRIPTS.lines().filter(|script| !script.is_empty()) {
        let shown = stage.psql(&format!("\\set QUIET off\n{script}\n;"));
        let statements = split(script);
        let shown: Vec<&str> = shown.lines().collect();
        assert_eq!(shown.len(), statements.len(), "{script}\n{shown:?}");
        for (text, tag) in statements.into_iter().zip(shown) {
            let mut words = tag.split(' ');
            let command = words.next().unwrap_or_default();
            let count = words.next_back().and_then(|count| count.parse().ok());
            assert_eq!(command_tag(text, command, count), tag, "{text}");
            seen += 1;
        }
    }
    assert!(seen > 180, "{seen}");
}
