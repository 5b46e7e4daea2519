//! Statements that are prepared by themselves, and executed later.

use sqlx::{
    Arguments, Column, Executor, Postgres, SqlSafeStr, Statement, TypeInfo,
    postgres::{PgArguments, PgDatabaseError, PgErrorPosition, PgTypeInfo},
};

use super::Road;
use pgferry::config::Describe;
use pgferry_test_support::Stage;

#[tokio::test]
async fn preparing_without_types_tells_parameters_and_columns() {
    let stage = Stage::start();
    for road in Road::ALL {
        let pool = road.pool(&stage).await;
        let mut connection = pool.acquire().await.unwrap();
        let text = "select $1::jsonb as document, $2 + 1 as number".into_sql_str();
        let statement = (&mut *connection).prepare(text).await.unwrap();
        let parameters: Vec<_> = statement.parameters().unwrap().left().unwrap().iter().map(TypeInfo::name).collect();
        assert_eq!(parameters, ["JSONB", "INT4"], "{road:?}");
        let columns: Vec<_> =
            statement.columns().iter().map(|column| (column.name(), column.type_info().name())).collect();
        assert_eq!(columns, [("document", "JSONB"), ("number", "INT4")], "{road:?}");
        let error = (&mut *connection).prepare("selec $1".into_sql_str()).await.err().unwrap();
        let error = error.as_database_error().unwrap().downcast_ref::<PgDatabaseError>();
        assert_eq!(error.code(), "42601", "{road:?}");
        assert_eq!(error.position(), Some(PgErrorPosition::Original(1)), "{road:?}");
        let document = serde_json::json!({"a": 1});
        let query = sqlx::query_scalar("select $1::jsonb").bind(&document);
        let back: serde_json::Value = query.fetch_one(&mut *connection).await.unwrap();
        assert_eq!(back, document, "{road:?}");
    }
}

#[tokio::test]
async fn a_prepared_statement_is_executed_again_and_again() {
    let stage = Stage::start();
    stage.psql("create type public.mood as enum ('calm', 'wild')");
    for road in Road::ALL {
        let pool = road.pool(&stage).await;
        let mut connection = pool.acquire().await.unwrap();
        let text = "select $1 + 1 as number, pg_typeof($1)::text as type".into_sql_str();
        let inferred = (&mut *connection).prepare(text).await.unwrap();
        let text = "select $1 + 1 as larger, pg_typeof($1)::text as type".into_sql_str();
        let declared = (&mut *connection).prepare_with(text, &[PgTypeInfo::with_name("int8")]).await.unwrap();
        for number in [1_i32, 2] {
            let (next, type_): (i32, String) =
                inferred.query_as().bind(number).fetch_one(&mut *connection).await.unwrap();
            assert_eq!((next, type_.as_str()), (number + 1, "integer"), "{road:?}");
        }
        for number in [1_i64, 2] {
            let (next, type_): (i64, String) =
                declared.query_as().bind(number).fetch_one(&mut *connection).await.unwrap();
            assert_eq!((next, type_.as_str()), (number + 1, "bigint"), "{road:?}");
        }
        let moods = (&mut *connection)
            .prepare_with("select $1 as mood".into_sql_str(), &[PgTypeInfo::with_name("mood")])
            .await
            .unwrap();
        let parameters = moods.parameters().unwrap().left().unwrap().iter().map(TypeInfo::name).collect::<Vec<_>>();
        assert_eq!(parameters, ["mood"], "{road:?}");
        let missing = (&mut *connection).prepare("insert into nowhere values ($1)".into_sql_str()).await.err().unwrap();
        assert_eq!(missing.as_database_error().unwrap().code().unwrap(), "42P01", "{road:?}");
        let one: i32 = sqlx::query_scalar("select 1").fetch_one(&mut *connection).await.unwrap();
        assert_eq!(one, 1, "{road:?}");
    }
}

#[tokio::test]
async fn parameters_of_another_kind_and_surplus_ones_fail_as_over_tcp() {
    let stage = Stage::start();
    let mut outcomes = Vec::new();
    for road in Road::ALL {
        let pool = road.pool(&stage).await;
        let mut arguments = PgArguments::default();
        arguments.add(1_i32).unwrap();
        arguments.add("surplus").unwrap();
        let surplus = sqlx::query_scalar_with::<Postgres, i32, _>("select $1", arguments).fetch_one(&pool).await;
        outcomes.push((road, surplus.map_err(|error| error.to_string())));
        let one: i32 = sqlx::query_scalar("select 1").fetch_one(&pool).await.unwrap();
        assert_eq!(one, 1, "{road:?}");
    }
    for (road, outcome) in &outcomes {
        assert_eq!(*outcome, outcomes[0].1, "{road:?}");
    }
}

/// Its `$1` is the function's own.
#[tokio::test]
async fn a_function_with_a_body_of_sql_is_made() {
    let stage = Stage::start();
    for road in Road::ALL {
        let pool = road.pool(&stage).await;
        let made = sqlx::query("create or replace function plus(int) returns int begin atomic select $1 + 1; end");
        made.execute(&pool).await.unwrap_or_else(|error| panic!("{road:?}: {error}"));
        let two: i32 = sqlx::query_scalar("select plus(1)").fetch_one(&pool).await.unwrap();
        assert_eq!(two, 2, "{road:?}");
    }
}

#[tokio::test]
async fn describing_tells_the_types_or_refuses() {
    let stage = Stage::start();
    Road::Tcp.pool(&stage).await.execute("create table t (id int primary key, name text)").await.unwrap();
    for (road, describe) in [
        (Road::Tcp, Describe::Late),
        (Road::Http, Describe::Late),
        (Road::WebSocket, Describe::Late),
        (Road::WebSocket, Describe::Always),
        (Road::Auto, Describe::Late),
        (Road::Auto, Describe::Always),
    ] {
        let pool = match road {
            Road::Tcp => road.pool(&stage).await,
            _ => pgferry_sqlx::pool(road.config(&stage).describe(describe)).await.unwrap(),
        };
        for text in ["select id, name from t where id = $1", "select id, name from t", "select 1 as a"] {
            match (&pool).describe(text.into_sql_str()).await {
                Err(error) if road == Road::Http => assert!(error.to_string().contains("websocket"), "{text}: {error}"),
                Err(error) if describe == Describe::Late && !text.contains("$1") => {
                    assert!(error.to_string().contains("describe=always"), "{road:?}: {text}: {error}");
                }
                described => {
                    let described = described.unwrap_or_else(|error| panic!("{road:?} {describe}: {text}: {error}"));
                    let types = described.columns().iter().map(|column| column.type_info().name()).collect::<Vec<_>>();
                    let expected: &[&str] = if text.contains("id") { &["INT4", "TEXT"] } else { &["INT4"] };
                    assert_eq!(types, expected, "{road:?} {describe}: {text}");
                }
            }
            let one: i32 = sqlx::query_scalar("select 1").fetch_one(&pool).await.unwrap();
            assert_eq!(one, 1, "{road:?} {describe}: {text}");
        }
    }
}
