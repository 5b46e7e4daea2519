//! Queries sent whole as one transaction, from the connection that blocks.

use diesel::{
    connection::SimpleConnection,
    prelude::*,
    result::{DatabaseErrorKind, Error},
    sql_types::Text,
};
use pgferry::batch::IsolationLevel;

use super::{
    Place,
    user_types::{MOOD, Mood, MoodType},
};

super::on_each_transport!(results_are_typed, a_failure_undoes_all, characteristics_are_in_force, types_are_looked_up);

diesel::table! {
    accounts (id) {
        id -> Integer,
        balance -> Integer,
    }
}

const ACCOUNTS: &str = "create table accounts (id integer primary key, balance integer not null check (balance >= 0));
    insert into accounts values (1, 10), (2, 0)";

fn results_are_typed(place: &Place) {
    let mut connection = place.connect();
    connection.batch_execute(ACCOUNTS).unwrap();
    let mut batch = connection.batch();
    let paid = batch.add_execute(diesel::update(accounts::table.find(1)).set(accounts::balance.eq(4)));
    let all = batch.add_load::<_, (i32, i32)>(accounts::table.order(accounts::id));
    let none = batch.add_get_result::<_, i32>(accounts::table.find(9).select(accounts::id));
    let mut results = batch.send().unwrap();
    assert_eq!(results.take(all), Ok(vec![(1, 4), (2, 0)]));
    assert_eq!(results.take(paid), Ok(1));
    assert_eq!(results.take(none), Err(Error::NotFound));
}

fn a_failure_undoes_all(place: &Place) {
    let mut connection = place.connect();
    connection.batch_execute(ACCOUNTS).unwrap();
    let mut batch = connection.batch();
    batch.add_execute(diesel::update(accounts::table.find(2)).set(accounts::balance.eq(3)));
    batch.add_execute(diesel::update(accounts::table.find(1)).set(accounts::balance.eq(-1)));
    let error = batch.send().unwrap_err();
    assert!(matches!(error, Error::DatabaseError(DatabaseErrorKind::CheckViolation, _)), "{error:?}");
    let left: i64 = accounts::table
        .select(diesel::dsl::sum(accounts::balance))
        .first::<Option<i64>>(&mut connection)
        .unwrap()
        .unwrap();
    assert_eq!(left, 10);
}

fn characteristics_are_in_force(place: &Place) {
    let mut connection = place.connect();
    let mut batch = connection.batch();
    batch.isolation_level(IsolationLevel::RepeatableRead).read_only(true);
    let settings = "concat_ws(' ', current_setting('transaction_isolation'), current_setting('transaction_read_only'))";
    let shown = batch.add_get_result::<_, String>(diesel::select(diesel::dsl::sql::<Text>(settings)));
    assert_eq!(batch.send().unwrap().take(shown).as_deref(), Ok("repeatable read on"));
}

fn types_are_looked_up(place: &Place) {
    let mut connection = place.connect();
    connection.batch_execute(MOOD).unwrap();
    let mut batch = connection.batch();
    let mood = batch.add_get_result::<_, Mood>(diesel::select(Mood::Glad.into_sql::<MoodType>()));
    assert_eq!(batch.send().unwrap().take(mood), Ok(Mood::Glad));
}
