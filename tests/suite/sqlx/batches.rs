//! sqlx's queries, sent whole as one transaction.

use std::time::Duration;

use pgferry_sqlx::{Batch, Ferry, IsolationLevel};
use sqlx::{Row, postgres::PgRow, types::Json};

use pgferry_test_support::{Proxy, Stage};

use super::over;
use pgferry_sqlx::Transport;

const TRANSPORTS: [Transport; 3] = [Transport::Http, Transport::WebSocket, Transport::Auto];

fn ferry(stage: &Stage, transport: Transport) -> Ferry {
    Ferry::new(over(stage, transport)).unwrap()
}

fn code(error: &sqlx::Error) -> Option<String> {
    error.as_database_error()?.code().map(|code| code.into_owned())
}

#[derive(Debug, PartialEq, sqlx::FromRow)]
struct Person {
    id: i32,
    name: Option<String>,
}

#[tokio::test]
async fn each_query_gives_what_it_gives_alone() {
    for transport in TRANSPORTS {
        let stage = Stage::start();
        let ferry = ferry(&stage, transport);
        let mut batch = ferry.batch();
        let made = batch.execute("create table people (id int primary key, name text)");
        let inserted = batch
            .execute(sqlx::query("insert into people values ($1, $2), ($3, null)").bind(1).bind("Ann 'n' Bob").bind(2));
        let all = batch.fetch_all(sqlx::query_as::<_, Person>("select * from people order by id"));
        let first = batch.fetch_one(sqlx::query_as::<_, Person>("select * from people order by id"));
        let none =
            batch.fetch_optional(sqlx::query_scalar::<_, String>("select name from people where id = $1").bind(9));
        let count = batch.fetch_one(sqlx::query_scalar::<_, i64>("select count(*) from people"));
        let mapped = batch
            .fetch_all(sqlx::query("select id from people order by id").map(|row: PgRow| row.get::<i32, _>(0) * 10));
        let tried = batch
            .fetch_one(sqlx::query("select name from people").try_map(|row: PgRow| row.try_get::<String, _>("name")));
        let row = batch.fetch_one(sqlx::query("select $1 as given, now() is not null as b").bind(Json(vec![1, 2])));
        let text = batch.fetch_all(sqlx::raw_sql("select 1 as a; select 2 as a"));
        let macro_made = batch.fetch_one(sqlx::query_scalar::<_, Vec<Option<i32>>>("select array[1, null]"));
        assert_eq!(batch.len(), 11);
        let mut results = batch.send().await.unwrap();

        assert_eq!(results.take(made).unwrap().rows_affected(), 0);
        assert_eq!(results.take(inserted).unwrap().rows_affected(), 2, "{transport}");
        let ann = Person { id: 1, name: Some("Ann 'n' Bob".into()) };
        assert_eq!(results.take(first).unwrap(), ann);
        assert_eq!(results.take(all).unwrap(), [ann, Person { id: 2, name: None }]);
        assert_eq!(results.take(none).unwrap(), None);
        assert_eq!(results.take(count).unwrap(), 2);
        assert_eq!(results.take(mapped).unwrap(), [10, 20]);
        assert_eq!(results.take(tried).unwrap(), "Ann 'n' Bob");
        let row = results.take(row).unwrap();
        assert_eq!(row.get::<Json<Vec<i32>>, _>("given").0, [1, 2]);
        assert!(row.get::<bool, _>("b"));
        let text = results.take(text).unwrap();
        assert_eq!(text.iter().map(|row| row.get::<i32, _>("a")).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(results.take(macro_made).unwrap(), [Some(1), None]);
        assert_eq!(stage.psql("select count(*) from people"), "2");
    }
}

#[tokio::test]
async fn a_failure_undoes_all_and_is_told_once() {
    for transport in TRANSPORTS {
        let stage = Stage::start();
        let ferry = ferry(&stage, transport);
        stage.psql("create table t (a int primary key); grant all on t to public");
        let mut batch = ferry.batch();
        batch.execute(sqlx::query("insert into t values (1)"));
        let duplicate = batch.execute(sqlx::query("insert into t values ($1)").bind(1));
        batch.execute(sqlx::query("insert into t values (2)"));
        let error = batch.send().await.unwrap_err();
        assert!(error.as_database_error().unwrap().is_unique_violation(), "{transport}: {error}");
        let database = error.as_database_error().unwrap();
        let database = database.downcast_ref::<sqlx::postgres::PgDatabaseError>();
        assert_eq!(database.constraint(), Some("t_pkey"));
        if transport == Transport::WebSocket {
            assert_eq!(database.r#where(), Some("statement 2 of the batch"));
        }
        assert_eq!(stage.psql("select count(*) from t"), "0", "{transport}");
        drop(duplicate);

        // What COMMIT finds undoes all, too.
        stage.psql("create table d (a int unique deferrable initially deferred); grant all on d to public");
        let mut batch = ferry.batch();
        batch.execute("insert into d values (1)");
        batch.execute("insert into d values (1)");
        let error = batch.send().await.unwrap_err();
        assert!(error.as_database_error().unwrap().is_unique_violation(), "{transport}: {error}");
        assert_eq!(stage.psql("select count(*) from d"), "0", "{transport}");

        // The ferry goes on.
        let mut batch = ferry.batch();
        let one = batch.fetch_one(sqlx::query_scalar::<_, i32>("select 1"));
        assert_eq!(batch.send().await.unwrap().take(one).unwrap(), 1);
    }
}

#[tokio::test]
async fn what_a_row_lacks_is_told_when_it_is_taken() {
    for transport in TRANSPORTS {
        let stage = Stage::start();
        let ferry = ferry(&stage, transport);
        let mut batch = ferry.batch();
        batch.execute("create table kept (a int)");
        let none = batch.fetch_one(sqlx::query_scalar::<_, i32>("select a from kept"));
        let wrong = batch.fetch_one(sqlx::query_scalar::<_, String>("select 1"));
        let after = batch.fetch_one(sqlx::query_scalar::<_, i32>("select 7"));
        let mut results = batch.send().await.unwrap();
        assert!(matches!(results.take(none).unwrap_err(), sqlx::Error::RowNotFound));
        assert!(matches!(results.take(wrong).unwrap_err(), sqlx::Error::ColumnDecode { .. }));
        assert_eq!(results.take(after).unwrap(), 7);
        assert_eq!(stage.psql("select count(*) from kept"), "0", "{transport}");

        let mut other = ferry.batch();
        let foreign = other.fetch_one(sqlx::query_scalar::<_, i32>("select 8"));
        other.send().await.unwrap();
        assert!(matches!(results.take(foreign).unwrap_err(), sqlx::Error::Protocol(_)));
    }
}

#[tokio::test]
async fn transaction_control_is_refused_before_anything_is_sent() {
    for transport in TRANSPORTS {
        let stage = Stage::start();
        let ferry = ferry(&stage, transport);
        stage.psql("create table t (a int); grant all on t to public");
        for text in ["commit", "ROLLBACK", "/* a */ begin", "savepoint a", "copy t from stdin", "listen a"] {
            let mut batch = ferry.batch();
            batch.execute("insert into t values (1)");
            batch.execute(text);
            let error = batch.send().await.unwrap_err();
            assert_eq!(code(&error).as_deref(), Some("0A000"), "{transport}: {text}: {error}");
            let mut batch = ferry.batch();
            batch.execute("insert into t values (1)");
            batch.execute(sqlx::query(text));
            let error = batch.send().await.unwrap_err();
            assert_eq!(code(&error).as_deref(), Some("0A000"), "{transport}: {text}: {error}");
            assert_eq!(stage.psql("select count(*) from t"), "0", "{transport}: {text}");
        }
    }
}

#[tokio::test]
async fn the_transaction_is_as_wanted() {
    for transport in TRANSPORTS {
        let stage = Stage::start();
        let ferry = ferry(&stage, transport);
        let mut batch = ferry.batch();
        batch.isolation_level(IsolationLevel::Serializable).read_only(true).deferrable(true);
        let settings: Vec<_> = ["transaction_isolation", "transaction_read_only", "transaction_deferrable"]
            .into_iter()
            .map(|name| batch.fetch_one(sqlx::query_scalar::<_, String>("select current_setting($1)").bind(name)))
            .collect();
        let mut results = batch.send().await.unwrap();
        let settings: Vec<_> = settings.into_iter().map(|slot| results.take(slot).unwrap()).collect();
        assert_eq!(settings, ["serializable", "on", "on"], "{transport}");

        let mut batch = ferry.batch();
        batch.read_only(true);
        batch.execute("create table t (a int)");
        assert_eq!(code(&batch.send().await.unwrap_err()).as_deref(), Some("25006"), "{transport}");
    }
}

#[derive(Clone, Copy, Debug, PartialEq, sqlx::Type)]
#[sqlx(type_name = "mood", rename_all = "lowercase")]
enum Mood {
    Calm,
    Wild,
}

#[derive(Clone, Debug, PartialEq, sqlx::Type)]
#[sqlx(type_name = "place")]
struct Place {
    x: i32,
    feeling: Mood,
}

#[tokio::test]
async fn the_databases_own_types_are_arguments_and_results() {
    for transport in TRANSPORTS {
        let stage = Stage::start();
        stage.psql(
            "create type mood as enum ('calm', 'wild'); create type place as (x int, feeling mood);
             create table homes (id int, mood mood, moods mood[], place place, places place[]); grant all on homes to public",
        );
        let ferry = ferry(&stage, transport);
        let place = Place { x: 3, feeling: Mood::Wild };
        for _ in 0..2 {
            let mut batch = ferry.batch();
            batch.execute("truncate homes");
            batch.execute(
                sqlx::query("insert into homes values (1, $1, $2, $3, array[$3])")
                    .bind(Mood::Calm)
                    .bind(vec![Mood::Wild, Mood::Calm])
                    .bind(&place),
            );
            type Home = (Mood, Vec<Mood>, Place, Vec<Place>);
            let home = batch.fetch_one(sqlx::query_as::<_, Home>("select mood, moods, place, places from homes"));
            let mut results = batch.send().await.unwrap();
            let home = results.take(home).unwrap();
            assert_eq!(
                home,
                (Mood::Calm, vec![Mood::Wild, Mood::Calm], place.clone(), vec![place.clone()]),
                "{transport}"
            );
        }
        // Also where nothing was told of them before.
        let mut cold = Batch::new(over(&stage, transport)).unwrap();
        let places = cold.fetch_one(sqlx::query_scalar::<_, Vec<Place>>("select places from homes"));
        assert_eq!(cold.send().await.unwrap().take(places).unwrap(), [place]);
    }
}

#[derive(sqlx::Type)]
#[sqlx(type_name = "no_such_type")]
struct Unknown(i32);

#[tokio::test]
async fn an_argument_that_cannot_be_sent_keeps_all_from_being_sent() {
    struct Unencodable;

    impl sqlx::Type<sqlx::Postgres> for Unencodable {
        fn type_info() -> sqlx::postgres::PgTypeInfo {
            <i32 as sqlx::Type<sqlx::Postgres>>::type_info()
        }
    }

    impl sqlx::Encode<'_, sqlx::Postgres> for Unencodable {
        fn encode_by_ref(
            &self,
            _: &mut sqlx::postgres::PgArgumentBuffer,
        ) -> Result<sqlx::encode::IsNull, sqlx::error::BoxDynError> {
            Err("no".into())
        }
    }

    for transport in TRANSPORTS {
        let stage = Stage::start();
        stage.psql("create table t (a int); grant all on t to public");
        let ferry = ferry(&stage, transport);
        let mut batch = ferry.batch();
        batch.execute("insert into t values (1)");
        batch.execute(sqlx::query("select $1").bind(Unencodable));
        batch.execute("insert into t values (2)");
        assert!(matches!(batch.send().await.unwrap_err(), sqlx::Error::Encode(_)));

        let mut batch = ferry.batch();
        batch.execute("insert into t values (1)");
        batch.execute(sqlx::query("select $1").bind(Unknown(1)));
        let error = batch.send().await.unwrap_err();
        assert!(matches!(error, sqlx::Error::TypeNotFound { .. }), "{transport}: {error}");
        assert_eq!(stage.psql("select count(*) from t"), "0", "{transport}");
    }
}

#[tokio::test]
async fn fifty_statements_are_one_request_and_none_is_none() {
    let stage = Stage::start();
    let address = stage.gateway().address();
    for transport in TRANSPORTS {
        let proxy = Proxy::start(address, Duration::ZERO).unwrap();
        let through = |url: &str| url.replace(&address.to_string(), &proxy.address().to_string());
        let config = over(&stage, transport)
            .http_url(through(stage.gateway().http_url()))
            .ws_url(through(over(&stage, transport).endpoint_ws().unwrap().as_str()));
        let ferry = Ferry::new(config).unwrap();
        let mut results = ferry.batch().send().await.unwrap();
        assert_eq!(proxy.connections(), 0, "{transport}: an empty batch");
        let _ = &mut results;

        let mut first = 0;
        for round in 0..3 {
            let before = proxy.flights();
            let mut batch = ferry.batch();
            let slots: Vec<_> = (0..50)
                .map(|number| batch.fetch_one(sqlx::query_scalar::<_, i32>("select $1 + 1").bind(number)))
                .collect();
            let mut results = batch.send().await.unwrap();
            for (number, slot) in (0..50).zip(slots) {
                assert_eq!(results.take(slot).unwrap(), number + 1);
            }
            let flights = proxy.flights() - before;
            match round {
                0 => first = flights,
                _ => assert_eq!(flights, 1, "{transport}, warm"),
            }
        }
        if transport == Transport::Http {
            assert!(first <= 2, "{transport}, cold: {first}");
        }
    }
}

#[tokio::test]
async fn large_results_come_whole_beside_others() {
    for transport in TRANSPORTS {
        let stage = Stage::start();
        let ferry = ferry(&stage, transport);
        let mut batch = ferry.batch();
        let query = "select n, 'row ' || n from generate_series(1, 50000) as n";
        let one = batch.fetch_all(sqlx::query_as::<_, (i32, String)>(query));
        let other = batch.fetch_all(sqlx::query_as::<_, (i32, String)>(query));
        let last = batch.fetch_one(sqlx::query_scalar::<_, i32>("select n from generate_series(1, 50000) as n"));
        let mut results = batch.send().await.unwrap();
        let (one, other) = (results.take(one).unwrap(), results.take(other).unwrap());
        assert_eq!(one.len(), 50_000, "{transport}");
        assert_eq!(one[49_999], (50_000, "row 50000".to_owned()));
        assert_eq!(one, other);
        assert_eq!(results.take(last).unwrap(), 1);
    }
}

#[tokio::test]
async fn batches_at_once_do_not_mix() {
    for transport in TRANSPORTS {
        let stage = Stage::start();
        let ferry = ferry(&stage, transport);
        let batches = (0..12).map(|number: i32| {
            let ferry = ferry.clone();
            tokio::spawn(async move {
                let mut batch = ferry.batch();
                let numbers = batch.fetch_all(
                    sqlx::query_scalar::<_, i32>("select n * $1 from generate_series(1, 100) as n").bind(number),
                );
                let given = batch.fetch_one(sqlx::query_scalar::<_, i32>("select $1").bind(number));
                let mut results = batch.send().await.unwrap();
                assert_eq!(results.take(given).unwrap(), number);
                assert!(results.take(numbers).unwrap().into_iter().eq((1..=100).map(|n| n * number)));
            })
        });
        for batch in batches.collect::<Vec<_>>() {
            batch.await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_dropped_batch_is_cancelled() {
    for transport in TRANSPORTS {
        let stage = Stage::start();
        stage.psql("create table t (a int); grant all on t to public");
        let ferry = ferry(&stage, transport);
        let mut unsent = ferry.batch();
        unsent.execute("insert into t values (1)");
        drop(unsent);

        let mut batch = ferry.batch();
        batch.execute("insert into t values (2)");
        batch.execute("select pg_sleep(60)");
        assert!(tokio::time::timeout(Duration::from_secs(2), batch.send()).await.is_err());
        let running = "select count(*) from pg_stat_activity where datname = current_database() and state = 'active' and query like '%pg_sleep%' and pid <> pg_backend_pid()";
        for _ in 0..400 {
            if stage.psql(running) == "0" {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(stage.psql(running), "0", "{transport}: it goes on");
        assert_eq!(stage.psql("select count(*) from t"), "0", "{transport}");
    }
}

#[tokio::test]
async fn auto_takes_a_session_where_one_is_needed() {
    let stage = Stage::start();
    for transport in [Transport::WebSocket, Transport::Auto] {
        let ferry = ferry(&stage, transport);
        for _ in 0..2 {
            let mut batch = ferry.batch();
            batch.execute("create temp table passing (a int)");
            batch.execute(sqlx::query("insert into passing values ($1)").bind(4));
            batch.execute("set application_name = 'changed'");
            let a = batch.fetch_one(sqlx::query_scalar::<_, i32>("select a from passing"));
            assert_eq!(batch.send().await.unwrap().take(a).unwrap(), 4, "{transport}");
        }
        // Nothing of it is left in a session that another batch gets.
        let mut batch = ferry.batch();
        let name = batch.fetch_one(sqlx::query_scalar::<_, String>("select current_setting('application_name')"));
        assert_ne!(batch.send().await.unwrap().take(name).unwrap(), "changed");
    }
    let mut batch = ferry(&stage, Transport::Http).batch();
    batch.execute("create temp table passing (a int)");
    let error = batch.send().await.unwrap_err();
    assert_eq!(code(&error).as_deref(), Some("0A000"));
    assert!(error.to_string().contains("transport=websocket"), "{error}");
}

#[tokio::test]
async fn a_result_that_sqlx_does_not_understand_harms_no_other() {
    for transport in [Transport::WebSocket, Transport::Auto] {
        let stage = Stage::start();
        let ferry = ferry(&stage, transport);
        let mut batch = ferry.batch();
        let before = batch.fetch_one(sqlx::query_scalar::<_, i32>("select 1"));
        let odd = batch.fetch_all(sqlx::query("select '{[1,2)}'::int4multirange as m"));
        let after = batch.fetch_one(sqlx::query_scalar::<_, i32>("select 3"));
        let mut results = batch.send().await.unwrap();
        assert_eq!(results.take(before).unwrap(), 1);
        // As over TCP: sqlx 0.9 fails at such a type.
        let tcp = sqlx::PgPool::connect(&stage.postgres_url()).await.unwrap();
        let native = sqlx::query("select '{[1,2)}'::int4multirange as m").fetch_all(&tcp).await;
        assert_eq!(results.take(odd).is_ok(), native.is_ok(), "{transport}");
        assert_eq!(results.take(after).unwrap(), 3, "{transport}");
    }
}

#[tokio::test]
async fn a_session_lost_while_idle_costs_no_batch() {
    let stage = Stage::start();
    let ferry = ferry(&stage, Transport::WebSocket);
    for round in 0..3 {
        let mut batch = ferry.batch();
        let pid = batch.fetch_one(sqlx::query_scalar::<_, i32>("select pg_backend_pid()"));
        let pid = batch.send().await.unwrap_or_else(|error| panic!("round {round}: {error}")).take(pid).unwrap();
        stage.psql(&format!("select pg_terminate_backend({pid}, 5000)"));
    }
}

#[tokio::test]
async fn queries_may_be_built_in_a_loop_and_mapped_by_what_is_borrowed() {
    for transport in TRANSPORTS {
        let stage = Stage::start();
        stage.psql("create table t (a int, b text); grant all on t to public");
        let ferry = ferry(&stage, transport);
        let prefix = String::from("<");
        let mut batch = ferry.batch();
        for rows in [&[1, 2][..], &[3]] {
            let mut builder = sqlx::QueryBuilder::new("insert into t (a, b) ");
            builder.push_values(rows, |mut row, a| {
                row.push_bind(*a).push_bind(format!("b{a}"));
            });
            batch.execute(builder.build());
        }
        let mapped = {
            let mut builder = sqlx::QueryBuilder::new("select b from t where a > ");
            builder.push_bind(1).push(" order by a");
            batch.fetch_all(builder.build_query_scalar::<String>())
        };
        let by_borrowed = batch.fetch_one(
            sqlx::query("select b from t where a = 1").map(|row: PgRow| format!("{prefix}{}", row.get::<String, _>(0))),
        );
        let mut results = batch.send().await.unwrap();
        assert_eq!(results.take(mapped).unwrap(), ["b2", "b3"], "{transport}");
        assert_eq!(results.take(by_borrowed).unwrap(), "<b1");
    }
}

#[tokio::test]
async fn results_that_are_too_large_are_refused() {
    for transport in TRANSPORTS {
        let stage = Stage::start();
        let ferry = Ferry::new(over(&stage, transport).max_response_size(100_000)).unwrap();
        let mut batch = ferry.batch();
        batch.execute("select repeat('x', 70000)");
        batch.execute("select repeat('y', 70000)");
        let error = batch.send().await.unwrap_err();
        assert_eq!(code(&error).as_deref(), Some("54000"), "{transport}: {error}");
        let mut batch = ferry.batch();
        let one = batch.fetch_one(sqlx::query_scalar::<_, i32>("select 1"));
        assert_eq!(batch.send().await.unwrap().take(one).unwrap(), 1);
    }
}

#[tokio::test]
async fn a_type_that_was_made_anew_is_looked_up_anew() {
    for transport in TRANSPORTS {
        let stage = Stage::start();
        let ferry = ferry(&stage, transport);
        let make = "drop table if exists homes; drop type if exists mood;
            create type mood as enum ('calm', 'wild'); create table homes (mood mood); grant all on homes to public";
        let insert = async || {
            let mut batch = ferry.batch();
            batch.execute(sqlx::query("insert into homes values ($1)").bind(Mood::Wild));
            batch.send().await.map(drop)
        };
        stage.psql(make);
        insert().await.unwrap();
        stage.psql(make);
        // The first may fail with what was known, as on a connection over TCP; then it is known anew.
        if insert().await.is_err() {
            insert().await.unwrap_or_else(|error| panic!("{transport}: {error}"));
        }
        assert_eq!(stage.psql("select count(*) from homes"), "1", "{transport}");
    }
}
