//! Queries, changes of rows, and their errors.

use diesel::{
    connection::CacheSize,
    prelude::*,
    result::{DatabaseErrorKind, Error},
    sql_query,
    sql_types::{Integer, Text},
};
use diesel_async::{RunQueryDsl, SaveChangesDsl};
use pgferry_test_support::Stage;

use super::{Connection, on_each_road};

on_each_road!(
    rows_are_loaded,
    rows_are_written,
    errors_keep_their_kind_and_details,
    an_empty_query_gives_nothing,
    statements_are_kept_or_not,
    raw_queries_are_read_by_name,
    many_parameters_and_rows,
);

mod savings {
    use pgferry_diesel::Transport;
    use pgferry_test_support::Stage;

    #[tokio::test]
    async fn changes_are_saved_over_websocket() {
        let stage = Stage::start();
        super::changes_are_saved(&mut super::super::ferry(&stage, Transport::WebSocket).await).await;
    }

    #[tokio::test]
    async fn changes_are_saved_over_http() {
        let stage = Stage::start();
        super::changes_are_saved(&mut super::super::ferry(&stage, Transport::Http).await).await;
    }
}

diesel::table! {
    ships (id) {
        id -> Integer,
        name -> Text,
        crew -> Nullable<Integer>,
    }
}

#[derive(AsChangeset, Clone, Copy, Debug, Identifiable, PartialEq, Queryable, Selectable)]
#[diesel(table_name = ships, treat_none_as_null = true)]
struct Ship<'a> {
    id: i32,
    name: &'a str,
    crew: Option<i32>,
}

const SHIPS: &str = "
    create table ships (id serial primary key, name text not null unique, crew integer check (crew > 0));
    insert into ships (name, crew) values ('Argo', 50), ('Beagle', null)";

async fn prepare<C: Connection>(connection: &mut C) {
    connection.batch_execute(SHIPS).await.unwrap();
}

async fn rows_are_loaded<C: Connection>(connection: &mut C, _: &Stage) {
    prepare(connection).await;
    let all: Vec<(i32, String, Option<i32>)> = ships::table.order(ships::id).load(connection).await.unwrap();
    assert_eq!(all, [(1, "Argo".to_owned(), Some(50)), (2, "Beagle".to_owned(), None)]);
    let one: String = ships::table.find(2).select(ships::name).first(connection).await.unwrap();
    assert_eq!(one, "Beagle");
    let none = ships::table.find(3).select(ships::name).first::<String>(connection).await.optional().unwrap();
    assert_eq!(none, None);
    let error = ships::table.find(3).select(ships::name).first::<String>(connection).await.unwrap_err();
    assert_eq!(error, Error::NotFound);
    let count: i64 = ships::table.count().get_result(connection).await.unwrap();
    assert_eq!(count, 2);
}

async fn rows_are_written<C: Connection>(connection: &mut C, _: &Stage) {
    prepare(connection).await;
    let new = [("Calypso", Some(3)), ("Dove", None)];
    let values: Vec<_> = new.iter().map(|(name, crew)| (ships::name.eq(name), ships::crew.eq(crew))).collect();
    let ids: Vec<i32> =
        diesel::insert_into(ships::table).values(values).returning(ships::id).get_results(connection).await.unwrap();
    assert_eq!(ids, [3, 4]);
    let touched =
        diesel::update(ships::table.filter(ships::crew.is_null())).set(ships::crew.eq(1)).execute(connection).await;
    assert_eq!(touched, Ok(2));
    let upserted = diesel::insert_into(ships::table)
        .values((ships::name.eq("Argo"), ships::crew.eq(49)))
        .on_conflict(ships::name)
        .do_update()
        .set(ships::crew.eq(diesel::upsert::excluded(ships::crew)))
        .returning((ships::id, ships::crew))
        .get_result::<(i32, Option<i32>)>(connection)
        .await;
    assert_eq!(upserted, Ok((1, Some(49))));
    assert_eq!(diesel::delete(ships::table).execute(connection).await, Ok(4));
}

async fn errors_keep_their_kind_and_details<C: Connection>(connection: &mut C, _: &Stage) {
    prepare(connection).await;
    let error = diesel::insert_into(ships::table).values(ships::name.eq("Argo")).execute(connection).await.unwrap_err();
    let Error::DatabaseError(DatabaseErrorKind::UniqueViolation, information) = error else { panic!("{error:?}") };
    assert_eq!(information.constraint_name(), Some("ships_name_key"));
    assert_eq!(information.table_name(), Some("ships"));
    assert_eq!(information.details(), Some("Key (name)=(Argo) already exists."));
    let error = diesel::update(ships::table).set(ships::crew.eq(-1)).execute(connection).await.unwrap_err();
    assert!(matches!(error, Error::DatabaseError(DatabaseErrorKind::CheckViolation, _)), "{error:?}");
    let error = sql_query("select 1 / 0").execute(connection).await.unwrap_err();
    assert_eq!(error.to_string(), "division by zero");
    // The connection goes on.
    assert_eq!(ships::table.count().get_result::<i64>(connection).await, Ok(2));
}

async fn an_empty_query_gives_nothing<C: Connection>(connection: &mut C, _: &Stage) {
    for text in ["", " ", "-- nothing to see"] {
        assert_eq!(sql_query(text).execute(connection).await, Ok(0), "{text:?}");
        assert_eq!(sql_query(text).load::<Named>(connection).await, Ok(vec![]), "{text:?}");
        // A migration's file may hold nothing but a comment.
        assert_eq!(connection.batch_execute(text).await, Ok(()), "{text:?}");
    }
    assert_eq!(sql_query("select 1;").execute(connection).await, Ok(1));
}

async fn statements_are_kept_or_not<C: Connection>(connection: &mut C, _: &Stage) {
    prepare(connection).await;
    for size in [CacheSize::Unbounded, CacheSize::Disabled, CacheSize::Unbounded] {
        connection.set_prepared_statement_cache_size(size);
        for id in [1, 2, 1] {
            let found: i32 = ships::table.find(id).select(ships::id).first(connection).await.unwrap();
            assert_eq!(found, id);
        }
    }
}

#[derive(Debug, PartialEq, QueryableByName)]
struct Named {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Integer)]
    number: i32,
}

async fn raw_queries_are_read_by_name<C: Connection>(connection: &mut C, _: &Stage) {
    let query = sql_query("select $1 + 1 as number, $2 || '!' as name").bind::<Integer, _>(41).bind::<Text, _>("Ahoy");
    let found: Vec<Named> = query.load(connection).await.unwrap();
    assert_eq!(found, [Named { name: "Ahoy!".to_owned(), number: 42 }]);
}

async fn many_parameters_and_rows<C: Connection>(connection: &mut C, _: &Stage) {
    connection
        .batch_execute("create table ships (id integer primary key, name text not null, crew integer)")
        .await
        .unwrap();
    let name = |id: i32| format!("{id}").repeat(20);
    let values: Vec<_> =
        (0..5000).map(|id| (ships::id.eq(id), ships::name.eq(name(id)), ships::crew.eq(Some(id)))).collect();
    assert_eq!(diesel::insert_into(ships::table).values(&values).execute(connection).await, Ok(5000));
    let all: Vec<(i32, String, Option<i32>)> = ships::table.order(ships::id).load(connection).await.unwrap();
    assert!(all.iter().zip(0..5000).all(|(ship, id)| *ship == (id, name(id), Some(id))));
    assert_eq!(all.len(), 5000);
}

async fn changes_are_saved(connection: &mut pgferry_diesel::AsyncFerryConnection) {
    prepare(connection).await;
    let ship = Ship { id: 1, name: "Argo Navis", crew: None };
    let saved: (i32, String, Option<i32>) = ship.save_changes(connection).await.unwrap();
    assert_eq!(saved, (1, "Argo Navis".to_owned(), None));
}
