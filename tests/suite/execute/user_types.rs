use pgferry::{Outcome, execute::Statement};

use super::{Place, hex, run, text};

const TYPES: &str = r#"
    create type mood as enum ('sad', 'so so', 'it''s "fine"');
    create schema "Other Schema";
    create type "Other Schema"."Strange.Name" as enum ('a', 'b');
    create domain posint as int4 check (value > 0);
    create type inner_type as (a int4, b text, m mood);
    create type outer_type as (i inner_type, list inner_type[], at timestamptz, p posint);
    create domain checked as inner_type check ((value).a > 0);
    create type moods as range (subtype = mood);
    create table post (id int8, title text, dropped int4, moods mood[]);
    alter table post drop column dropped;
    insert into post values (7, 'a "b", c', '{sad,"so so"}');
    grant all on all tables in schema public to app;
    grant usage on schema "Other Schema" to app;
"#;

#[tokio::test]
async fn values_of_the_databases_own_types_are_the_servers() {
    let place = Place::with(TYPES);
    for (type_name, send, value) in [
        ("mood", "enum_send", "'so so'"),
        ("mood[]", "array_send", r#"array['sad', null, 'it''s "fine"']"#),
        (r#""Other Schema"."Strange.Name""#, "enum_send", "'b'"),
        (r#""Other Schema"."Strange.Name"[]"#, "array_send", "'{{a},{b}}'"),
        ("posint", "int4send", "5"),
        ("posint[]", "array_send", "'{1,2}'"),
        ("inner_type", "record_send", r#"row(1, E'a "",b\\', 'sad')"#),
        ("inner_type", "record_send", "row(null, '', null)"),
        ("inner_type[]", "array_send", "array[row(1, 'x y', 'so so')::inner_type, null]"),
        (
            "outer_type",
            "record_send",
            "row(row(1, 'a', 'sad'), array[row(2, '{\"', null)::inner_type], '2024-02-29 12:00+00', 3)",
        ),
        ("checked", "record_send", "row(1, 'a', 'sad')"),
        ("moods", "range_send", "moods('sad', 'so so', '[]')"),
        ("moods[]", "array_send", "array[moods('sad', null), 'empty']"),
        ("multirange", "multirange_send", "multirange(moods('sad', 'so so'))"),
        ("post", "record_send", "row(1, 'x', '{sad}')"),
        ("post[]", "array_send", "array[row(1, 'x', '{sad}')::post]"),
        ("pg_catalog.pg_am", "record_send", "(select a from pg_am a where amname = 'btree')"),
        ("information_schema.sql_identifier", "namesend", "'x'"),
        ("regclass", "regclasssend", "'post'"),
        ("regtype", "regtypesend", "'mood'"),
        ("regprocedure", "regproceduresend", "'lower(text)'"),
        ("regclass[]", "array_send", "'{post,pg_class,-}'"),
    ] {
        let (type_name, send) = match type_name {
            // Its name is the server's choice.
            "multirange" => (
                place.stage.psql("select rngmultitypid::regtype from pg_range where rngtypid = 'moods'::regtype"),
                send,
            ),
            _ => (type_name.to_owned(), send),
        };
        let value = if send == "multirange_send" {
            value.replace("multirange(", &format!("{type_name}("))
        } else {
            value.to_owned()
        };
        place.check(&type_name, send, &value).await;
    }
    let rows = run(&place.session, Statement::new("select post from post")).await.unwrap();
    assert_eq!(hex(&rows), place.stage.psql("select encode(record_send(post), 'hex') from post"));
}

#[tokio::test]
async fn extensions_types_are_the_servers() {
    let place = Place::with("create schema ext; create extension citext schema ext; grant usage on schema ext to app");
    place.check("ext.citext", "ext.citextsend", "'AbC'").await;
    place.check("ext.citext[]", "array_send", "'{AbC,\"x y\"}'").await;
}

#[tokio::test]
async fn a_type_that_does_not_exist_is_refused_unsent() {
    let place = Place::with("create table t (a int4); grant all on t to app");
    for _ in 0..2 {
        let statement = Statement::new("insert into t select 1 where $1 is null").param(999_999, None);
        let error = run(&place.session, statement).await.unwrap_err();
        assert!(error.is_refused() && error.message().contains("999999"), "{error:?}");
        assert_eq!(error.outcome(), Outcome::NotExecuted);
    }
    assert_eq!(place.stage.psql("select count(*) from t"), "0");
}

#[tokio::test]
async fn a_hostile_search_path_changes_nothing() {
    let place = Place::with(
        "create schema hostile;
         create type hostile.int4 as enum ('one');
         create domain hostile.text as pg_catalog.int8;
         create function hostile.never(pg_catalog.oid, pg_catalog.oid) returns bool language sql as 'select false';
         create operator hostile.= (leftarg = pg_catalog.oid, rightarg = pg_catalog.oid, function = hostile.never);
         create type hostile.pair as (a pg_catalog.int4, b hostile.int4);
         grant usage on schema hostile to app",
    );
    let session = place.reopened("search_path", "hostile, pg_catalog");
    let pair = run(&session, Statement::new("select row(7, 'one')::pair")).await.unwrap();
    assert_eq!(hex(&pair), place.sent("record_send", "row(7, 'one')::hostile.pair"));
    let number = run(&session, Statement::new("select $1 + 1").param(23, Some(1_i32.to_be_bytes().to_vec().into())));
    assert_eq!(hex(&number.await.unwrap()), "00000002");
    assert_eq!(
        session.describe(&"select $1::pair, $2::int4".into(), &[]).await.unwrap(),
        [place.oid("hostile.pair"), place.oid("hostile.int4"),]
    );
    let class = run(&session, Statement::new("select 'pg_class'::regclass")).await.unwrap();
    assert_eq!(hex(&class), "000004eb");
    let name = Statement::new("select pg_typeof(null::pair)::pg_catalog.text");
    assert_eq!(text(&run(&session, name).await.unwrap()), "pair");
}
