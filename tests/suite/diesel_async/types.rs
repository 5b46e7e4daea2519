//! Types of the database's own, which are looked up by name between two serialisations.

use diesel::{
    prelude::*,
    result::Error,
    sql_query,
    sql_types::{Array, Integer, Nullable, Record, Text},
};
use diesel_async::RunQueryDsl;
use pgferry_test_support::Stage;

use super::{Connection, on_each_road};
use crate::diesel::user_types::{MOOD, Mood, MoodType};

on_each_road!(
    values_and_arrays_of_them_arrive,
    a_type_that_was_made_since_is_found,
    a_type_that_is_not_there_is_an_error
);

async fn values_and_arrays_of_them_arrive<C: Connection>(connection: &mut C, _: &Stage) {
    connection.batch_execute(MOOD).await.unwrap();
    for _ in 0..2 {
        let query = diesel::select((
            Mood::Glad.into_sql::<MoodType>(),
            vec![Some(Mood::Sad), None].into_sql::<Array<Nullable<MoodType>>>(),
            (7_i32, Mood::Glad).into_sql::<Record<(Integer, MoodType)>>().eq((7, Mood::Glad)),
        ));
        let found: (Mood, Vec<Option<Mood>>, bool) = query.get_result(connection).await.unwrap();
        assert_eq!(found, (Mood::Glad, vec![Some(Mood::Sad), None], true));
    }
}

async fn a_type_that_was_made_since_is_found<C: Connection>(connection: &mut C, stage: &Stage) {
    connection.batch_execute("create type other as enum ('a')").await.unwrap();
    // Something is looked up before there is the type.
    let early = diesel::select(Mood::Glad.into_sql::<MoodType>()).get_result::<Mood>(connection).await;
    assert!(early.is_err());
    stage.psql(&format!("{MOOD} grant usage on type mood to app"));
    let found: Mood = diesel::select(Mood::Sad.into_sql::<MoodType>()).get_result(connection).await.unwrap();
    assert_eq!(found, Mood::Sad);
}

async fn a_type_that_is_not_there_is_an_error<C: Connection>(connection: &mut C, _: &Stage) {
    let error = diesel::select(Mood::Glad.into_sql::<MoodType>()).get_result::<Mood>(connection).await.unwrap_err();
    assert!(matches!(error, Error::SerializationError(_) | Error::DatabaseError(..)), "{error:?}");
    let text: String = diesel::select("still here".into_sql::<Text>()).get_result(connection).await.unwrap();
    assert_eq!(text, "still here");
    assert_eq!(sql_query("select 1").execute(connection).await, Ok(1));
}
