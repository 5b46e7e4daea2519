//! Queries sent whole as one transaction.

use std::time::Duration;

use diesel::{prelude::*, result::Error, sql_query, sql_types::Text};
use diesel_async::SimpleAsyncConnection;
use pgferry::batch::IsolationLevel;
use pgferry_diesel::{AsyncFerryConnection, Transport};
use pgferry_test_support::{Proxy, Stage};

use super::on_each_session;
use crate::diesel::user_types::{MOOD, Mood, MoodType};

on_each_session!(
    results_are_typed,
    a_failure_undoes_all,
    what_is_no_part_of_a_transaction_is_refused,
    types_of_the_databases_own_are_looked_up,
    characteristics_are_in_force,
);

mod over_http {
    use super::*;

    macro_rules! tests {
        ($($test:ident),+ $(,)?) => {
            $(#[tokio::test]
            async fn $test() {
                let stage = Stage::start();
                super::$test(&mut super::super::ferry(&stage, Transport::Http).await, &stage).await;
            })+
        };
    }

    tests!(
        results_are_typed,
        a_failure_undoes_all,
        what_is_no_part_of_a_transaction_is_refused,
        types_of_the_databases_own_are_looked_up,
        characteristics_are_in_force,
    );
}

diesel::table! {
    accounts (id) {
        id -> Integer,
        balance -> Integer,
    }
}

const ACCOUNTS: &str = "create table accounts (id integer primary key, balance integer not null check (balance >= 0));
    insert into accounts values (1, 10), (2, 0)";

async fn results_are_typed(connection: &mut AsyncFerryConnection, _: &Stage) {
    connection.batch_execute(ACCOUNTS).await.unwrap();
    let mut batch = connection.batch();
    let paid =
        batch.add_execute(diesel::update(accounts::table.find(1)).set(accounts::balance.eq(accounts::balance - 5)));
    let added = batch.add_get_result::<_, (i32, i32)>(
        diesel::insert_into(accounts::table)
            .values((accounts::id.eq(3), accounts::balance.eq(7)))
            .returning((accounts::id, accounts::balance)),
    );
    let all = batch.add_load::<_, (i32, i32)>(accounts::table.order(accounts::id));
    let none = batch.add_get_result::<_, i32>(accounts::table.find(9).select(accounts::id));
    assert_eq!(batch.len(), 4);
    let mut results = batch.send().await.unwrap();
    assert_eq!(results.take(all), Ok(vec![(1, 5), (2, 0), (3, 7)]));
    assert_eq!(results.take(paid), Ok(1));
    assert_eq!(results.take(added), Ok((3, 7)));
    assert_eq!(results.take(none), Err(Error::NotFound));
    assert!(connection.batch().send().await.is_ok());
}

async fn a_failure_undoes_all(connection: &mut AsyncFerryConnection, stage: &Stage) {
    connection.batch_execute(ACCOUNTS).await.unwrap();
    let mut batch = connection.batch();
    batch.add_execute(diesel::update(accounts::table.find(2)).set(accounts::balance.eq(3)));
    batch.add_execute(diesel::update(accounts::table.find(1)).set(accounts::balance.eq(-1)));
    batch.add_execute(diesel::delete(accounts::table));
    let error = batch.send().await.unwrap_err();
    assert!(matches!(error, Error::DatabaseError(diesel::result::DatabaseErrorKind::CheckViolation, _)), "{error:?}");
    assert_eq!(stage.psql("select sum(balance) from accounts"), "10");
    let mut other = connection.batch();
    let slot = other.add_execute(sql_query("select 1"));
    let mut results = connection.batch().send().await.unwrap();
    assert!(matches!(results.take(slot), Err(Error::QueryBuilderError(_))));
}

async fn what_is_no_part_of_a_transaction_is_refused(connection: &mut AsyncFerryConnection, _: &Stage) {
    for text in ["commit", "begin", "listen news", "copy (select 1) to stdout"] {
        let mut batch = connection.batch();
        batch.add_execute(sql_query("select 1"));
        batch.add_execute(sql_query(text));
        let refused = batch.send().await.unwrap_err().to_string();
        assert!(refused.contains("transport=websocket") || refused.contains("COPY"), "{text}: {refused}");
    }
    let mut batch = connection.batch();
    let one = batch.add_get_result::<_, i32>(diesel::select(diesel::dsl::sql::<diesel::sql_types::Integer>("1")));
    assert_eq!(batch.send().await.unwrap().take(one), Ok(1));
}

async fn types_of_the_databases_own_are_looked_up(connection: &mut AsyncFerryConnection, _: &Stage) {
    connection.batch_execute(MOOD).await.unwrap();
    let mut batch = connection.batch();
    let mood = batch.add_get_result::<_, Mood>(diesel::select(Mood::Glad.into_sql::<MoodType>()));
    let text = batch.add_get_result::<_, String>(diesel::select("x".into_sql::<Text>()));
    let mut results = batch.send().await.unwrap();
    assert_eq!(results.take(mood), Ok(Mood::Glad));
    assert_eq!(results.take(text).as_deref(), Ok("x"));
}

async fn characteristics_are_in_force(connection: &mut AsyncFerryConnection, _: &Stage) {
    let mut batch = connection.batch();
    batch.isolation_level(IsolationLevel::Serializable).read_only(true).deferrable(true);
    let settings = "concat_ws(' ', current_setting('transaction_isolation'), current_setting('transaction_read_only'), \
                    current_setting('transaction_deferrable'))";
    let shown = batch.add_get_result::<_, String>(diesel::select(diesel::dsl::sql::<Text>(settings)));
    assert_eq!(batch.send().await.unwrap().take(shown).as_deref(), Ok("serializable on on"));
}

#[tokio::test]
async fn a_batch_is_one_round_trip() {
    let stage = Stage::start();
    stage.psql(&format!("{ACCOUNTS}; alter table accounts owner to app"));
    for transport in [Transport::Http, Transport::WebSocket, Transport::Auto] {
        let proxy = Proxy::start(stage.gateway().address(), Duration::from_millis(20)).unwrap();
        let address = proxy.address();
        let config = stage.config().http_url(format!("http://{address}/sql")).ws_url(format!("ws://{address}/v2"));
        let connection = AsyncFerryConnection::connect(config.transport(transport)).await.unwrap();
        let before = proxy.flights();
        let mut batch = connection.batch();
        for id in [1, 2] {
            batch.add_execute(diesel::update(accounts::table.find(id)).set(accounts::balance.eq(4)));
        }
        let all = batch.add_load::<_, (i32, i32)>(accounts::table.order(accounts::id));
        assert_eq!(batch.send().await.unwrap().take(all), Ok(vec![(1, 4), (2, 4)]));
        assert_eq!(proxy.flights() - before, 1, "{transport}");
    }
}

#[tokio::test]
async fn a_batch_inside_a_transaction_is_refused() {
    let stage = Stage::start();
    let mut connection = super::ferry(&stage, Transport::WebSocket).await;
    let refused = diesel_async::AsyncConnection::transaction(&mut connection, async |connection| {
        let mut batch = connection.batch();
        batch.add_execute(sql_query("select 1"));
        batch.send().await.map(drop)
    });
    let refused = refused.await.unwrap_err().to_string();
    assert!(refused.contains("transaction of its own"), "{refused}");
}

#[tokio::test]
async fn a_batch_beyond_its_deadline_may_have_run() {
    let stage = Stage::start();
    stage.psql("create table t (a integer); alter table t owner to app");
    for transport in [Transport::WebSocket, Transport::Http] {
        let config = super::config(&stage, transport).request_timeout(Some(Duration::from_secs(1)));
        let connection = AsyncFerryConnection::connect(config).await.unwrap();
        let mut batch = connection.batch();
        batch.add_execute(sql_query("insert into t values (1)"));
        // It does not let itself be cancelled.
        let stubborn = "do $$ begin perform pg_sleep(2); exception when query_canceled then null; end $$";
        batch.add_execute(sql_query(stubborn));
        let error = batch.send().await.unwrap_err().to_string();
        assert!(error.contains("may have run"), "{transport}: {error}");
    }
}

#[tokio::test]
async fn a_batch_is_cancelled_by_its_token() {
    let stage = Stage::start();
    for transport in [Transport::WebSocket, Transport::Http] {
        let connection = super::ferry(&stage, transport).await;
        let token = connection.cancel_token();
        let mut batch = connection.batch();
        batch.add_execute(sql_query("select pg_sleep(60)"));
        let cancel = async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            token.cancel().await.unwrap();
        };
        let (sent, ()) = futures_util::join!(batch.send(), cancel);
        let error = sent.unwrap_err().to_string();
        assert!(error.contains("canceling statement due to user request"), "{transport}: {error}");
    }
}
