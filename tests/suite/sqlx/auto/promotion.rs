use futures_util::TryStreamExt;
use pgferry_sqlx::Transport;
use sqlx::{
    Connection, Executor, PgConnection, PgPool, Statement,
    postgres::{PgAdvisoryLock, PgListener, PgPoolCopyExt},
};

use super::{Counted, one, told};
use pgferry_test_support::Stage;

#[tokio::test]
async fn transactions_use_what_was_prepared_before_and_inside() {
    let counted = Counted::start();
    let pool = counted.pool().await;
    pool.execute("create table t (i int primary key)").await.unwrap();
    let insert = |i: i32| sqlx::query("insert into t values ($1)").bind(i);
    let count = || sqlx::query_scalar::<_, i64>("select count(*) from t where i < $1").bind(100);
    insert(1).execute(&pool).await.unwrap();
    assert_eq!(count().fetch_one(&pool).await.unwrap(), 1);
    assert_eq!(counted.opened(), 0);

    let mut transaction = pool.begin().await.unwrap();
    insert(2).execute(&mut *transaction).await.unwrap();
    let returned: i32 =
        sqlx::query_scalar("insert into t values ($1) returning i").bind(3).fetch_one(&mut *transaction).await.unwrap();
    assert_eq!(returned, 3);
    let mut savepoint = transaction.begin().await.unwrap();
    insert(4).execute(&mut *savepoint).await.unwrap();
    assert_eq!(count().fetch_one(&mut *savepoint).await.unwrap(), 4);
    savepoint.rollback().await.unwrap();
    assert_eq!(count().fetch_one(&mut *transaction).await.unwrap(), 3);
    transaction.commit().await.unwrap();

    let rolled_back = pool.begin().await.unwrap();
    rolled_back.rollback().await.unwrap();
    let mut dropped = pool.begin().await.unwrap();
    insert(5).execute(&mut *dropped).await.unwrap();
    drop(dropped);
    assert_eq!(count().fetch_one(&pool).await.unwrap(), 3);
    let isolated = pool.begin_with("begin isolation level serializable read only").await;
    let mut isolated = isolated.unwrap();
    let level: String = sqlx::query_scalar("show transaction_isolation").fetch_one(&mut *isolated).await.unwrap();
    assert_eq!(level, "serializable");
    isolated.commit().await.unwrap();
    assert_eq!(counted.opened(), 1);
}

#[tokio::test]
async fn a_failed_statement_fails_its_transaction_alone() {
    let counted = Counted::start();
    let pool = counted.pool().await;
    pool.execute("create table t (i int primary key)").await.unwrap();
    let mut transaction = pool.begin().await.unwrap();
    sqlx::query("insert into t values (1)").execute(&mut *transaction).await.unwrap();
    let error = sqlx::query("insert into t values (1)").execute(&mut *transaction).await.unwrap_err();
    assert_eq!(told(&error).0, "23505");
    let error = sqlx::query("select 1").execute(&mut *transaction).await.unwrap_err();
    assert_eq!(told(&error).0, "25P02");
    let error = sqlx::query("selec 1").execute(&mut *transaction).await.unwrap_err();
    assert_eq!(told(&error).0, "42601");
    transaction.rollback().await.unwrap();
    let count: i64 = sqlx::query_scalar("select count(*) from t").fetch_one(&pool).await.unwrap();
    assert_eq!(count, 0);
}

#[tokio::test]
async fn what_a_session_keeps_is_kept() {
    let counted = Counted::start();
    let pool = counted.pool().await;
    pool.execute("create sequence s").await.unwrap();
    assert_eq!(one(&pool).await, 1);
    sqlx::query("set application_name = 'renamed'").execute(&pool).await.unwrap();
    let shown: String = sqlx::query_scalar("show application_name").fetch_one(&pool).await.unwrap();
    assert_eq!(shown, "renamed");
    let next: i64 = sqlx::query_scalar("select nextval('s')").fetch_one(&pool).await.unwrap();
    let current: i64 = sqlx::query_scalar("select currval('s')").fetch_one(&pool).await.unwrap();
    assert_eq!(next, current);
    sqlx::query("create temporary table kept (i int)").execute(&pool).await.unwrap();
    sqlx::query("insert into kept values (1), (2)").execute(&pool).await.unwrap();
    let sum: i64 = sqlx::query_scalar("select sum(i) from kept").fetch_one(&pool).await.unwrap();
    assert_eq!(sum, 3);
    assert_eq!(counted.opened(), 1);
}

/// What a block of code does is not in the statement's own words.
#[tokio::test]
async fn what_code_leaves_in_a_session_is_kept() {
    let counted = Counted::start();
    counted.stage.psql(
        "create procedure greet(by text) language plpgsql as
         $$ begin perform set_config('suite.greeting', by, false); commit; end $$",
    );
    let (options, _guard) = pgferry_sqlx::connect_options(counted.config()).unwrap();
    for statement in ["do $$ begin perform set_config('suite.greeting', 'hello', false); end $$", "call greet('hello')"]
    {
        let mut connection = PgConnection::connect_with(&options).await.unwrap();
        sqlx::query(statement).execute(&mut connection).await.unwrap();
        let greeting: String =
            sqlx::query_scalar("select current_setting('suite.greeting')").fetch_one(&mut connection).await.unwrap();
        assert_eq!(greeting, "hello", "{statement}");
    }
    assert_eq!(counted.opened(), 2);
}

/// The first statement that shows that a session is needed may be any.
#[tokio::test]
async fn each_beginning_of_a_session_works_on_a_fresh_connection() {
    let counted = Counted::start();
    counted.stage.psql("create sequence s; grant all on s to app");
    let (options, _guard) = pgferry_sqlx::connect_options(counted.config()).unwrap();
    for (number, statement) in [
        "begin",
        "set search_path = public",
        "listen news",
        "prepare p as select 1",
        "create temporary table t (i int)",
        "select pg_advisory_lock(1)",
        "select nextval('s')",
        "select setseed(0.5)",
        "select pg_backend_pid()",
        "do 'begin end'",
        "select set_config('a.b', 'c', false)",
        "lock table pg_class in access share mode",
        "discard all",
    ]
    .into_iter()
    .enumerate()
    {
        for prepared in [false, true] {
            let mut connection = PgConnection::connect_with(&options).await.unwrap();
            let before: i32 = sqlx::query_scalar("select $1::int4").bind(7).fetch_one(&mut connection).await.unwrap();
            assert_eq!(before, 7);
            let opened = counted.opened();
            let result = match prepared {
                true => sqlx::query(statement).execute(&mut connection).await,
                false => connection.execute(sqlx::raw_sql(statement)).await,
            };
            match result {
                Ok(_) => {}
                Err(error) => assert!(statement.starts_with("lock"), "{statement}: {error}"),
            }
            assert_eq!(counted.opened(), opened + 1, "{statement}");
            let number = i32::try_from(number).unwrap();
            let result = sqlx::query_scalar("select $1::int4").bind(number).fetch_one(&mut connection).await;
            if statement != "discard all" {
                let after: i32 = result.unwrap();
                assert_eq!(after, number, "{statement}");
            }
            connection.close().await.unwrap();
        }
    }
}

#[tokio::test]
async fn notifications_arrive() {
    let counted = Counted::start();
    let pool = counted.pool_of(4).await;
    let mut listener = PgListener::connect_with(&pool).await.unwrap();
    listener.listen("news").await.unwrap();
    sqlx::query("select pg_notify('news', $1)").bind("hello").execute(&pool).await.unwrap();
    assert_eq!(listener.recv().await.unwrap().payload(), "hello");
    assert_eq!(counted.opened(), 1);
}

#[tokio::test]
async fn copies_go_in_and_out() {
    let counted = Counted::start();
    let pool = counted.pool().await;
    pool.execute("create table t (i int)").await.unwrap();
    let mut copy = pool.copy_in_raw("copy t from stdin").await.unwrap();
    copy.send("10\n20\n".as_bytes()).await.unwrap();
    assert_eq!(copy.finish().await.unwrap(), 2);
    let out: Vec<u8> = pool
        .copy_out_raw("copy t to stdout")
        .await
        .unwrap()
        .try_fold(Vec::new(), |mut all, piece| async move {
            all.extend_from_slice(&piece);
            Ok(all)
        })
        .await
        .unwrap();
    assert_eq!(out, b"10\n20\n");
    let sum: i64 = sqlx::query_scalar("select sum(i) from t").fetch_one(&pool).await.unwrap();
    assert_eq!(sum, 30);
}

#[tokio::test]
async fn advisory_locks_exclude() {
    let counted = Counted::start();
    let pool = counted.pool_of(2).await;
    let lock = PgAdvisoryLock::new("only one");
    let guard = lock.acquire(pool.acquire().await.unwrap()).await.unwrap();
    let other = lock.try_acquire(pool.acquire().await.unwrap()).await.unwrap();
    assert!(other.right().is_some(), "it is taken");
    guard.release_now().await.unwrap();
    let again = lock.try_acquire(pool.acquire().await.unwrap()).await.unwrap();
    again.left().expect("it is free").release_now().await.unwrap();
    assert_eq!(one(&pool).await, 1);
}

#[tokio::test]
async fn cursors_are_read_in_portions() {
    let counted = Counted::start();
    let pool = counted.pool().await;
    let mut transaction = pool.begin().await.unwrap();
    sqlx::query("declare c cursor for select generate_series(1, 5)").execute(&mut *transaction).await.unwrap();
    let mut sizes = Vec::new();
    loop {
        let rows: Vec<i32> = sqlx::query_scalar("fetch 2 from c").fetch_all(&mut *transaction).await.unwrap();
        sizes.push(rows.len());
        if rows.is_empty() {
            break;
        }
    }
    assert_eq!(sizes, [2, 2, 1, 0]);
    transaction.commit().await.unwrap();
}

#[tokio::test]
async fn an_explicit_prepare_tells_the_servers_types() {
    let counted = Counted::start();
    let pool = counted.pool().await;
    let mut connection = pool.acquire().await.unwrap();
    let prepared =
        (&mut *connection).prepare(sqlx::SqlStr::from_static("select $1::int8 + 1, $2::text")).await.unwrap();
    let types: Vec<String> = prepared.parameters().unwrap().left().unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(types, ["INT8", "TEXT"]);
    let columns: Vec<String> =
        prepared.columns().iter().map(|column| sqlx::Column::type_info(column).to_string()).collect();
    assert_eq!(columns, ["INT8", "TEXT"]);
    let row: (i64, String) = sqlx::query_as("select $1::int8 + 1, $2::text")
        .bind(1_i64)
        .bind("a")
        .fetch_one(&mut *connection)
        .await
        .unwrap();
    assert_eq!(row, (2, "a".into()));
}

#[tokio::test]
async fn eviction_goes_on_across_transports() {
    let counted = Counted::start();
    let (options, _guard) = pgferry_sqlx::connect_options(counted.config()).unwrap();
    let mut connection = PgConnection::connect_with(&options.statement_cache_capacity(2)).await.unwrap();
    let texts = ["select 1 + $1", "select 2 + $1", "select 3 + $1", "select 4 + $1"];
    for round in 0..3 {
        for (index, text) in texts.into_iter().enumerate() {
            let expected = i32::try_from(index).unwrap() + 1 + round;
            let sum: i32 = sqlx::query_scalar(text).bind(round).fetch_one(&mut connection).await.unwrap();
            assert_eq!(sum, expected);
            if round == 1 && index == 1 {
                let mut transaction = connection.begin().await.unwrap();
                let sum: i32 = sqlx::query_scalar(text).bind(round).fetch_one(&mut *transaction).await.unwrap();
                assert_eq!(sum, expected);
                transaction.commit().await.unwrap();
            }
        }
    }
    connection.clear_cached_statements().await.unwrap();
    let sum: i32 = sqlx::query_scalar(texts[0]).bind(1).fetch_one(&mut connection).await.unwrap();
    assert_eq!(sum, 2);
}

#[tokio::test]
async fn statements_that_are_not_kept_go_either_way() {
    let counted = Counted::start();
    let pool = counted.pool().await;
    let unnamed = |i: i32| sqlx::query_scalar::<_, i32>("select $1 * 2").bind(i).persistent(false);
    assert_eq!(unnamed(1).fetch_one(&pool).await.unwrap(), 2);
    let mut transaction = pool.begin().await.unwrap();
    assert_eq!(unnamed(2).fetch_one(&mut *transaction).await.unwrap(), 4);
    transaction.commit().await.unwrap();
    assert_eq!(unnamed(3).fetch_one(&pool).await.unwrap(), 6);
}

/// Types of the user's, made in a session and read there and behind it.
#[tokio::test]
async fn own_types_are_read_in_transactions_as_over_tcp() {
    #[derive(Debug, PartialEq, Eq, sqlx::Type)]
    #[sqlx(type_name = "mood", rename_all = "lowercase")]
    enum Mood {
        Calm,
        Cross,
    }
    let counted = Counted::start();
    let pool = counted.pool_of(2).await;
    pool.execute("create type mood as enum ('calm', 'cross'); create table days (m mood, all_day mood[])")
        .await
        .unwrap();
    let mut transaction = pool.begin().await.unwrap();
    let moods: Vec<Mood> = sqlx::query_scalar("insert into days values ($1, array[$2]) returning all_day[1]")
        .bind(Mood::Calm)
        .bind(Mood::Cross)
        .fetch_all(&mut *transaction)
        .await
        .unwrap();
    assert_eq!(moods, [Mood::Cross]);
    transaction.commit().await.unwrap();
    let mood: Mood =
        sqlx::query_scalar("select m from days where m = $1").bind(Mood::Calm).fetch_one(&pool).await.unwrap();
    assert_eq!(mood, Mood::Calm);
}

#[tokio::test]
async fn one_endpoint_alone_makes_it_that_transport() {
    let stage = Stage::start();
    for (own, without) in [(Transport::Http, "ws_url"), (Transport::WebSocket, "http_url")] {
        let url: String = {
            let url = stage.url();
            let (base, parameters) = url.split_once('?').unwrap();
            let left: Vec<_> = parameters.split('&').filter(|parameter| !parameter.starts_with(without)).collect();
            format!("{base}?{}&transport=auto", left.join("&"))
        };
        let pool: PgPool = pgferry_sqlx::pool(url.as_str()).await.unwrap();
        let begun = pool.begin().await;
        match own {
            Transport::Http => assert_eq!(told(&begun.unwrap_err()).0, "0A000"),
            _ => begun.unwrap().rollback().await.unwrap(),
        }
        assert_eq!(one(&pool).await, 1);
    }
}
