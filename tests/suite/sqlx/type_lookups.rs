//! What sqlx asks of a database's types, answered by the bridge as a server would.

use std::{collections::BTreeMap, time::Duration};

use sqlx::{
    Column, Connection, Executor, PgConnection, PgPool, Row, SqlSafeStr, Statement, TypeInfo, ValueRef,
    postgres::{PgColumn, PgRow, PgTypeInfo},
};

use super::Road;
use pgferry_test_support::{Proxy, Stage};

const TYPES: &str = r#"
    create type mood as enum ('calm', 'it''s "wild"', 'a,b');
    create type point3 as (x int, "Y y" float8, feeling mood);
    create type nest as (inside point3, many point3[], label text);
    create domain positive as int check (value > 0);
    create domain choice as mood;
    create type span as range (subtype = float8);
    create type feelings as range (subtype = mood);
    create schema app;
    create type app.mood as enum ('other');
    create type "My Type" as enum ('x');
    create table people (id int, name text, feeling mood, home point3);
    create table "Odd Name" (a int);
"#;

/// The question that sqlx 0.9 asks, with this list of types.
fn question(list: &str) -> String {
    format!(
        "SELECT pg_type.oid,\npg_type.oid::regtype::text pretty_name,\ntypname catalog_name,\noriginal_name,\ntyptype,\ntypcategory,\n\
         NULLIF(typelem, 0::oid) typelem,\nNULLIF(typbasetype, 0::oid) typbasetype,\nrngsubtype,\nCOALESCE(\n\
         (SELECT array_agg(enumlabel) FROM (SELECT *\nFROM pg_catalog.pg_enum\nWHERE enumtypid = pg_type.oid\nORDER BY enumsortorder) labels),\n\
         '{{}}') enum_labels,\nCOALESCE(\n(SELECT array_agg((attname, atttypid)) FROM (SELECT *\nFROM pg_catalog.pg_attribute\n\
         WHERE attrelid = pg_type.typrelid\nAND NOT attisdropped\nAND attnum > 0\nORDER BY attnum) attributes),\n'{{}}') record_attributes\n\
         FROM (SELECT DISTINCT ON(lookup_oid) original_name, lookup_oid\nFROM (VALUES {list}) lookup_inner(original_name, lookup_oid)\n\
         ORDER BY lookup_oid) type_lookup\nINNER JOIN pg_catalog.pg_type ON type_lookup.lookup_oid = pg_type.oid\n\
         LEFT JOIN pg_catalog.pg_range ON pg_type.oid = pg_range.rngtypid"
    )
}

/// The answer's rows by OID: each column's name, type and text.
async fn answer(pool: &PgPool, question: &str) -> BTreeMap<String, Vec<(String, String, Option<String>)>> {
    let rows: Vec<PgRow> = pool.fetch_all(sqlx::raw_sql(sqlx::AssertSqlSafe(question.to_owned()))).await.unwrap();
    let read = |row: &PgRow| -> Vec<_> {
        let columns = row.columns().iter().enumerate();
        let one = |(index, column): (usize, &PgColumn)| {
            let value = row.try_get_raw(index).unwrap();
            let text = (!value.is_null()).then(|| value.as_str().unwrap().to_owned());
            (column.name().to_owned(), column.type_info().name().to_owned(), text)
        };
        columns.map(one).collect()
    };
    rows.iter().map(|row| (row.try_get_raw(0).unwrap().as_str().unwrap().to_owned(), read(row))).collect()
}

fn by_name(names: &[&str]) -> String {
    let one = |name: &&str| format!("(E'{name}', to_regtype(E'{name}')::oid)");
    question(&names.iter().map(one).collect::<Vec<_>>().join(", "))
}

#[tokio::test]
async fn types_are_told_as_a_server_tells_them() {
    let stage = Stage::start();
    let control = Road::Tcp.pool(&stage).await;
    control.execute(TYPES).await.unwrap();
    let oids: Vec<i64> = sqlx::query_scalar(
        "select oid::int8 from pg_type where typtype in ('b', 'c', 'd', 'e', 'r') and (oid >= 16384 or typname in ('tsvector', '_pg_lsn', 'int2vector'))",
    )
    .fetch_all(&control)
    .await
    .unwrap();
    assert!(oids.len() > 20, "{oids:?}");
    let mut questions: Vec<String> = oids.iter().map(|oid| question(&format!("(NULL, {oid})"))).collect();
    for name in [
        "mood",
        "MOOD",
        "_mood",
        "mood[]",
        "public.mood",
        "app.mood",
        "app._mood",
        "app.mood[]",
        "point3",
        "_point3",
        "nest[]",
        "positive",
        "choice",
        "span",
        "feelings",
        "\"My Type\"",
        "\"My Type\"[]",
        "public.\"My Type\"",
        "people",
        "\"Odd Name\"",
        "tsvector",
        "int4",
        "integer",
        "no_such",
        "nowhere.mood",
        "app",
    ] {
        questions.push(by_name(&[name]));
    }
    questions.push(by_name(&["mood", "point3", "app.mood"]));
    questions.push(question(&format!("(NULL, {}), (E'mood', to_regtype(E'mood'))", oids[0])));
    for question in questions {
        let expected = answer(&control, &question).await;
        // A pool of its own, so that nothing was told before.
        let pool = Road::Http.pool(&stage).await;
        let told = answer(&pool, &question).await;
        for (oid, row) in &expected {
            assert_eq!(told.get(oid), Some(row), "{question}");
        }
        assert_eq!(told.is_empty(), expected.is_empty(), "{question}");
    }
}

/// Fails when sqlx asks in other words: then its questions go to the server, each as a request.
#[tokio::test]
async fn questions_of_sqlx_take_no_request() {
    #[derive(sqlx::Type)]
    #[sqlx(type_name = "mood", rename_all = "lowercase")]
    enum Mood {
        Calm,
    }

    let stage = Stage::start();
    Road::Tcp.pool(&stage).await.execute(TYPES).await.unwrap();
    let proxy = Proxy::start(stage.gateway().address(), Duration::ZERO).unwrap();
    let config = Road::Http.config(&stage).http_url(format!("http://{}/sql", proxy.address()));
    let (options, _guard) = pgferry_sqlx::connect_options(config).unwrap();
    let mut first = PgConnection::connect_with(&options).await.unwrap();
    sqlx::query("select 1").execute(&mut first).await.unwrap();
    // Without rows, so that the server need not take it to prepare it.
    let text = "insert into nowhere values ($1, $2)";
    for statement in ["select 1", "select 2", "select 3"] {
        let before = proxy.flights();
        let mut another = PgConnection::connect_with(&options).await.unwrap();
        sqlx::query(statement).execute(&mut another).await.unwrap();
        assert_eq!(proxy.flights() - before, 1, "{statement}");
        // Types by their names, which the connection has been told by now.
        let types = [<Mood as sqlx::Type<sqlx::Postgres>>::type_info(), PgTypeInfo::with_name("app.mood")];
        let _ = (&mut another).prepare_with(text.into_sql_str(), &types).await.unwrap();
        assert_eq!(proxy.flights() - before, 1, "{statement}");
    }
    // Nor where its first statement names a type.
    let before = proxy.flights();
    let mut another = PgConnection::connect_with(&options).await.unwrap();
    let types =
        [<Mood as sqlx::Type<sqlx::Postgres>>::type_info(), <Vec<Mood> as sqlx::Type<sqlx::Postgres>>::type_info()];
    let statement = (&mut another).prepare_with(text.into_sql_str(), &types).await.unwrap();
    assert_eq!(proxy.flights(), before);
    let names = statement.parameters().unwrap().left().unwrap().iter().map(TypeInfo::name).collect::<Vec<_>>();
    assert_eq!(names, ["mood", "mood[]"]);
    let _ = Mood::Calm;
}

#[tokio::test]
async fn types_made_while_a_connection_is_open_are_told() {
    let stage = Stage::start();
    for road in Road::ALL {
        // Not known by its old number: sqlx keeps what a name stood for first.
        stage.psql("drop type if exists late");
        let mut connection = road.pool(&stage).await.acquire().await.unwrap().detach();
        sqlx::query("select 1").execute(&mut connection).await.unwrap();
        connection.execute("create type late as enum ('x')").await.unwrap();
        let types = [PgTypeInfo::with_name("late"), PgTypeInfo::array_of("late")];
        let statement = (&mut connection).prepare_with("select $1, $2".into_sql_str(), &types).await.unwrap();
        let names = statement.parameters().unwrap().left().unwrap().iter().map(TypeInfo::name).collect::<Vec<_>>();
        assert_eq!(names, ["late", "late[]"], "{road:?}");
        let missing = [PgTypeInfo::with_name("never")];
        let error = (&mut connection).prepare_with("select $1".into_sql_str(), &missing).await.err().unwrap();
        assert!(matches!(error, sqlx::Error::TypeNotFound { .. }), "{road:?}: {error}");
    }
}
