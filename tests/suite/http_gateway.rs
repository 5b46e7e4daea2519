//! The HTTP client with a gateway and PostgreSQL.

use pgferry::{
    Outcome, SqlState,
    http::{BatchOptions, Client, Event, IsolationLevel, Param, Query, Request, Statement},
};
use pgferry_test_support::Stage;

fn client(stage: &Stage) -> Client {
    Client::new(&stage.config()).unwrap()
}

#[tokio::test]
async fn rows_come_back_by_index_and_by_name() {
    let stage = Stage::start();
    let client = client(&stage);
    assert_eq!(
        client.execute("CREATE TABLE t (id int8, name text, data bytea, at timestamptz)", &[]).await.unwrap(),
        0
    );
    let params =
        [i64::MIN.into(), "a \"quoted\"\n\u{1f600} \\ text".into(), vec![0, 255].into(), "2024-01-02 03:04:05Z".into()];
    let inserted = client.execute("INSERT INTO t VALUES ($1, $2, $3, $4), (2, NULL, NULL, NULL)", &params);
    assert_eq!(inserted.await.unwrap(), 2);

    let rows = client.query("SELECT id, name, name, data FROM t ORDER BY id", &[]).await.unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0].get::<i64>("id").unwrap(), i64::MIN);
    assert_eq!(rows[0].get::<String>(2).unwrap(), "a \"quoted\"\n\u{1f600} \\ text");
    assert_eq!(rows[0].get::<Vec<u8>>("data").unwrap(), [0, 255]);
    assert_eq!(rows[1].get::<Option<String>>(1).unwrap(), None);
    assert!(rows[0].get::<String>("name").unwrap_err().is_value());
    let types: Vec<_> = rows[0].columns().iter().map(|column| column.type_oid).collect();
    assert_eq!(types, [20, 25, 25, 17]);

    assert!(client.query_opt("SELECT FROM t WHERE id = $1", &[7_i64.into()]).await.unwrap().is_none());
    assert!(client.query_one("SELECT FROM t WHERE id = $1", &[7_i64.into()]).await.is_err());
    assert!(client.query_opt("SELECT FROM t", &[]).await.is_err());
    assert_eq!(client.execute("DELETE FROM t", &[]).await.unwrap(), 2);
}

#[tokio::test]
async fn declared_types_are_fixed_where_postgres_could_not_infer_them() {
    let stage = Stage::start();
    let client = client(&stage);
    let sum = client.query_one("SELECT $1 + $2", &[40_i32.into(), 2_i32.into()]).await.unwrap();
    assert_eq!(sum.get::<i32>(0).unwrap(), 42);
    let object = client.query_one("SELECT jsonb_build_object('a', $1)", &[true.into()]).await.unwrap();
    assert_eq!(object.get::<String>(0).unwrap(), r#"{"a": true}"#);
    let inferred = client.query_one("SELECT $1::date + 1", &["2024-02-28".into()]).await.unwrap();
    assert_eq!(inferred.get::<String>(0).unwrap(), "2024-02-29");
    assert_eq!(
        client.query_one("SELECT $1::int4 IS NULL", &[Param::NULL]).await.unwrap().get::<bool>(0).ok(),
        Some(true)
    );

    // The place is one in the text as it was given, with or without what fixes the types.
    for params in [[1_i32.into()], ["1".into()]] {
        let error = client.query("SELECT nope, $1", &params).await.unwrap_err();
        assert_eq!(error.as_db_error().unwrap().position, Some(8));
        assert_eq!(error.outcome(), Outcome::Failed);
    }
}

#[tokio::test]
async fn a_table_whose_rules_forbid_a_prologue_takes_typed_parameters() {
    let stage = Stage::start();
    let client = client(&stage);
    stage.psql(
        "CREATE TABLE a (n int4); CREATE TABLE log (n int4); GRANT ALL ON a, log TO app;
         CREATE RULE twice AS ON INSERT TO a DO ALSO INSERT INTO log VALUES (new.n)",
    );
    client.execute("INSERT INTO a VALUES ($1)", &[7_i32.into()]).await.unwrap();
    assert_eq!(stage.psql("SELECT n FROM log"), "7");
}

#[tokio::test]
async fn a_batch_is_one_transaction() {
    let stage = Stage::start();
    let client = client(&stage);
    client.execute("CREATE TABLE t (n int4 PRIMARY KEY)", &[]).await.unwrap();
    let insert = |n: i32| Query::new("INSERT INTO t VALUES ($1)").bind(n);

    let error = client.batch(&[insert(1), insert(2), insert(1)], BatchOptions::new()).await.unwrap_err();
    assert_eq!((error.code(), error.outcome()), (Some(&SqlState::UNIQUE_VIOLATION), Outcome::Failed));
    assert_eq!(stage.psql("SELECT count(*) FROM t"), "0");

    let options = BatchOptions::new().isolation_level(IsolationLevel::Serializable);
    let level = Query::new("SHOW transaction_isolation");
    let results = client.batch(&[insert(1), insert(2), level], options).await.unwrap();
    assert_eq!(results[2].rows()[0].get::<String>(0).unwrap(), "serializable");
    assert_eq!(stage.psql("SELECT count(*) FROM t"), "2");

    let error = client.batch(&[insert(3)], BatchOptions::new().read_only(true)).await.unwrap_err();
    assert_eq!(error.code().map(SqlState::as_str), Some("25006"));
    let error = client.batch(&[insert(3), "COMMIT".into(), insert(3)], BatchOptions::new()).await.unwrap_err();
    assert!(error.is_refused(), "{error:?}");
    assert_eq!(stage.psql("SELECT count(*) FROM t"), "2");
}

#[tokio::test]
async fn what_needs_a_session_is_refused_unsent() {
    let stage = Stage::start();
    let client = client(&stage);
    for sql in ["BEGIN", "SET timezone = 'UTC'", "LISTEN a", "COPY t TO STDOUT", "SELECT pg_advisory_lock(1)"] {
        let error = client.execute(sql, &[]).await.expect_err(sql);
        assert_eq!(
            (error.sql_state(), error.outcome()),
            (SqlState::FEATURE_NOT_SUPPORTED, Outcome::NotExecuted),
            "{sql}"
        );
        assert!(error.message().contains("websocket"), "{error}");
    }
    let error = client.query("SELECT 1; SELECT 2", &[]).await.unwrap_err();
    assert_eq!(error.code(), Some(&SqlState::SYNTAX_ERROR));
}

#[tokio::test]
async fn a_wrong_password_was_not_let_in() {
    let stage = Stage::start();
    let client = Client::new(&stage.config().password("wr0ng-and-secret")).unwrap();
    let error = client.query("SELECT 1", &[]).await.unwrap_err();
    assert!(error.is_auth(), "{error:?}");
    assert_eq!(error.outcome(), Outcome::NotExecuted);
    for shown in [format!("{error:?}"), error.to_string(), format!("{client:?}")] {
        assert!(!shown.contains("wr0ng"), "{shown}");
    }
}

#[tokio::test]
async fn many_rows_arrive_whole_and_a_dropped_stream_leaves_the_client_usable() {
    let stage = Stage::start();
    let client = client(&stage);
    let statement = Statement::new("SELECT n, repeat('é\"', 20) FROM generate_series(1, 50000) n");
    let mut results = client.stream(Request::Single(statement.clone())).await.unwrap();
    let mut rows = 0_u64;
    while let Some(event) = results.next().await.unwrap() {
        match event {
            Event::Row(row) => {
                rows += 1;
                assert_eq!(row.get(0).unwrap().as_deref(), Some(&*rows.to_string()));
            }
            Event::Complete { row_count, .. } => assert_eq!(row_count, Some(rows)),
            _ => {}
        }
    }
    assert_eq!(rows, 50_000);

    drop(client.stream(Request::Single(statement)).await.unwrap());
    assert_eq!(client.query_one("SELECT 1", &[]).await.unwrap().get::<i32>(0).unwrap(), 1);
}
