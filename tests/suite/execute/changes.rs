//! Types that change while a handle knows them.

use std::time::Duration;

use pgferry::execute::Statement;
use pgferry_test_support::Proxy;

use super::{Place, hex, run, text};

const PAIR: &str = "create type pair as (a int4, b text); create type mood as enum ('sad')";

#[tokio::test]
async fn changes_from_elsewhere_are_noticed() {
    let place = Place::with(PAIR);
    let select = || Statement::new("select row(1, 'x')::pair");
    assert_eq!(hex(&run(&place.session, select()).await.unwrap()), place.sent("record_send", "row(1, 'x')::pair"));

    place.stage.psql("alter type pair add attribute c int8");
    let longer = Statement::new("select row(1, 'x', 5)::pair");
    let sent = place.sent("record_send", "row(1, 'x', 5)::pair");
    assert_eq!(hex(&run(&place.session, longer).await.unwrap()), sent);

    place.stage.psql("alter type pair drop attribute a");
    let parameter = Statement::new("select format('%s', $1)")
        .param(place.oid("pair"), Some(super::bytes(&place.sent("record_send", "row('y', 6)::pair")).into()));
    assert_eq!(text(&run(&place.session, parameter).await.unwrap()), "(y,6)");

    place.stage.psql("alter type mood add value 'glad'");
    place.check("mood", "enum_send", "'glad'").await;
}

#[tokio::test]
async fn a_renamed_type_is_found_under_its_new_name() {
    let place = Place::with(PAIR);
    place.check("mood", "enum_send", "'sad'").await;
    let mood = place.oid("mood");
    for rename in [
        "alter type mood rename to humour",
        "create schema s; grant usage on schema s to app; alter type humour set schema s",
    ] {
        place.stage.psql(rename);
        let statement = Statement::new("select format('%s', $1)").param(mood, Some(b"sad".to_vec().into()));
        assert_eq!(text(&run(&place.session, statement).await.unwrap()), "sad");
    }
    place.stage.psql("drop type s.humour");
    let statement = Statement::new("select format('%s', $1)").param(mood, Some(b"sad".to_vec().into()));
    assert!(run(&place.session, statement).await.unwrap_err().is_refused());
}

#[tokio::test]
async fn types_that_the_handle_makes_are_known() {
    let place = Place::with(PAIR);
    place.check("pair", "record_send", "row(1, 'x')").await;
    let before = place.session.catalogue().await.unwrap();
    assert!(before.by_name(Some("public"), "late").is_none());
    place.session.execute_script("create type late as enum ('x'); create table t (l late[])").await.unwrap();
    let after = place.session.catalogue().await.unwrap();
    assert_eq!(after.by_name(Some("public"), "late").unwrap().oid, place.oid("late"));
    let inserted = run(&place.session, Statement::new("insert into t values ('{x}') returning l, t")).await.unwrap();
    assert_eq!(hex(&inserted), place.sent("array_send", "'{x}'::late[]"));
}

#[tokio::test]
async fn a_new_table_is_known_to_regclass() {
    let place = Place::with(PAIR);
    place.check("regclass", "regclasssend", "'pg_class'").await;
    place.stage.psql("create table fresh ()");
    place.check("regclass", "regclasssend", "'fresh'").await;
}

#[tokio::test]
async fn a_name_stands_for_the_object_that_has_it_now() {
    let place = Place::with("create table t (a int); create table u (a int); grant all on schema public to app");
    let session = place.session.clone();
    place.check("regclass", "regclasssend", "'t'").await;
    place.stage.psql("alter table t rename to x; alter table u rename to t; alter table x rename to u");
    place.check("regclass", "regclasssend", "'t'").await;
    place.check("regclass[]", "array_send", "'{t,u}'").await;
    place.stage.psql("drop table t; create table t (a int)");
    place.check("regclass", "regclasssend", "'t'").await;

    for _ in 0..2 {
        session.execute_script("drop table if exists own; create table own ()").await.unwrap();
        place.check("regclass", "regclasssend", "'own'").await;
        place.stage.psql("drop function if exists f(); create function f() returns void language sql as ''");
        place.check("regproc", "regprocsend", "'f'").await;
        place.check("regprocedure", "regproceduresend", "'f()'").await;
    }
}

#[tokio::test]
async fn the_catalogue_is_read_again_after_what_changes_types_only() {
    let place = Place::with(
        "create type mood as enum ('sad'); create procedure nop() language sql as 'select 1'; create table t (a int);
         grant all on schema public to app; grant all on t to app",
    );
    let proxy = Proxy::start(place.stage.gateway().address(), Duration::ZERO).unwrap();
    let session = place.session(&place.stage.config().http_url(format!("http://{}/sql", proxy.address())));
    let mood = || Statement::new("select 'sad'::mood");
    run(&session, mood()).await.unwrap();
    for text in [
        "call nop()",
        "do 'begin end'",
        "insert into t values (1) returning a",
        "create sequence s",
        "create function g() returns int language sql as 'select 1'",
    ] {
        run(&session, Statement::new(text)).await.unwrap();
        let before = proxy.flights();
        run(&session, mood()).await.unwrap();
        assert_eq!(proxy.flights() - before, 1, "{text}");
    }
    for text in ["create table made as select 1 as a", "select 1 as a into filled", "alter table made add b int"] {
        run(&session, Statement::new(text)).await.unwrap();
        let before = proxy.flights();
        run(&session, mood()).await.unwrap();
        assert_eq!(proxy.flights() - before, 2, "{text}");
    }
}
