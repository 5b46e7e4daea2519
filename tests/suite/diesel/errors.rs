//! Errors keep their kind and every detail, and leave the connection usable.

use diesel::{
    connection::SimpleConnection,
    prelude::*,
    result::{DatabaseErrorInformation, DatabaseErrorKind, Error},
    sql_query,
    sql_types::{Integer, Text},
};
use pgferry_diesel::{Error as FerryError, FerryConnection, Transport};

use super::Place;

super::on_each_transport!(
    violations_keep_their_details,
    positions_point_into_the_query,
    a_statement_that_failed_can_be_tried_again,
    an_empty_query_is_an_error,
    a_nul_byte_is_an_error,
    a_misread_type_is_an_error,
    too_many_parameters_are_refused,
    a_wrong_password_is_told_at_once,
    what_no_transport_carries_is_refused,
);

diesel::table! {
    members (id) {
        id -> Integer,
        name -> Nullable<Text>,
        age -> Integer,
        parent -> Nullable<Integer>,
    }
}

fn members(place: &Place) -> FerryConnection {
    let mut connection = place.connect();
    connection
        .batch_execute(
            "create table members (id int4 primary key, name text not null, age int4 not null constraint grown_up check (age >= 18), \
                                   parent int4 constraint known_parent references members, during int4range, \
                                   constraint one_at_a_time exclude using gist (during with &&)); \
             insert into members values (1, 'Ada', 36, null, '[1,5)')",
        )
        .unwrap();
    connection
}

#[track_caller]
fn database_error<T>(result: QueryResult<T>) -> (DatabaseErrorKind, Box<dyn DatabaseErrorInformation + Send + Sync>) {
    match result {
        Err(Error::DatabaseError(kind, information)) => (kind, information),
        Err(other) => panic!("not an error of the database: {other:?}"),
        Ok(_) => panic!("no error"),
    }
}

fn violations_keep_their_details(place: &Place) {
    let connection = &mut members(place);
    let values = |id: i32, name: Option<&'static str>, age: i32, parent: Option<i32>| {
        (members::id.eq(id), members::name.eq(name), members::age.eq(age), members::parent.eq(parent))
    };
    let insert =
        |row, connection: &mut FerryConnection| diesel::insert_into(members::table).values(row).execute(connection);

    let (kind, error) = database_error(insert(values(1, Some("Eve"), 20, None), connection));
    assert!(matches!(kind, DatabaseErrorKind::UniqueViolation), "{kind:?}");
    assert_eq!(error.message(), "duplicate key value violates unique constraint \"members_pkey\"");
    assert_eq!(error.details(), Some("Key (id)=(1) already exists."));
    assert_eq!((error.table_name(), error.constraint_name()), (Some("members"), Some("members_pkey")));
    assert_eq!((error.hint(), error.column_name(), error.statement_position()), (None, None, None));

    let (kind, error) = database_error(insert(values(2, None, 20, None), connection));
    assert!(matches!(kind, DatabaseErrorKind::NotNullViolation), "{kind:?}");
    assert_eq!(error.column_name(), Some("name"));

    let (kind, error) = database_error(insert(values(2, Some("Eve"), 17, None), connection));
    assert!(matches!(kind, DatabaseErrorKind::CheckViolation), "{kind:?}");
    assert_eq!(error.constraint_name(), Some("grown_up"));

    let (kind, error) = database_error(insert(values(2, Some("Eve"), 20, Some(9)), connection));
    assert!(matches!(kind, DatabaseErrorKind::ForeignKeyViolation), "{kind:?}");
    assert_eq!(error.constraint_name(), Some("known_parent"));

    let (kind, error) =
        database_error(sql_query("insert into members values (3, 'Eve', 20, null, '[4,6)')").execute(connection));
    assert!(matches!(kind, DatabaseErrorKind::ExclusionViolation), "{kind:?}");
    assert_eq!(error.constraint_name(), Some("one_at_a_time"));

    let (kind, _) = database_error(sql_query("do $$ begin raise serialization_failure; end $$").execute(connection));
    assert!(matches!(kind, DatabaseErrorKind::SerializationFailure), "{kind:?}");
    let (kind, _) =
        database_error(sql_query("do $$ begin raise read_only_sql_transaction; end $$").execute(connection));
    assert!(matches!(kind, DatabaseErrorKind::ReadOnlyTransaction), "{kind:?}");

    assert_eq!(members::table.count().get_result(connection), Ok(1_i64));
}

fn positions_point_into_the_query(place: &Place) {
    let connection = &mut place.connect();
    let (kind, error) = database_error(sql_query("SELECT not_existent FROM also_not_there;").execute(connection));
    assert!(matches!(kind, DatabaseErrorKind::Unknown), "{kind:?}");
    assert_eq!(error.statement_position(), Some(26));
    // Characters are counted, and what pgferry itself puts in front of a statement is not.
    let query = sql_query("select 'ä', $1, upper(missing)").bind::<Integer, _>(1);
    let (_, error) = database_error(query.execute(connection));
    assert_eq!(error.statement_position(), Some(23));
    let (_, error) = database_error(sql_query("select lower(1)").execute(connection));
    assert!(error.hint().is_some_and(|hint| hint.contains("explicit type casts")), "{:?}", error.hint());
}

fn a_statement_that_failed_can_be_tried_again(place: &Place) {
    let connection = &mut members(place);
    let row = (members::id.eq(1), members::name.eq("Eve"), members::age.eq(20));
    for _ in 0..3 {
        let (kind, _) = database_error(diesel::insert_into(members::table).values(row).execute(connection));
        assert!(matches!(kind, DatabaseErrorKind::UniqueViolation), "{kind:?}");
    }
    sql_query("delete from members").execute(connection).unwrap();
    assert_eq!(diesel::insert_into(members::table).values(row).execute(connection), Ok(1));

    // The same for one that did not even parse.
    diesel::table! { later (id) { id -> Integer, } }
    for _ in 0..2 {
        database_error(later::table.select(later::id).load::<i32>(connection));
    }
    sql_query("create table later (id int4 primary key)").execute(connection).unwrap();
    assert_eq!(later::table.select(later::id).load::<i32>(connection), Ok(vec![]));
}

fn an_empty_query_is_an_error(place: &Place) {
    let connection = &mut place.connect();
    for text in ["", "  ", ";", "-- nothing but a comment"] {
        let (_, error) = database_error(sql_query(text).execute(connection));
        assert!(error.message().contains("empty"), "{text:?}: {}", error.message());
        let (_, error) = database_error(connection.batch_execute(text));
        assert!(error.message().contains("empty"), "{text:?}: {}", error.message());
    }
    connection.batch_execute("select 1;;").unwrap();
}

fn a_nul_byte_is_an_error(place: &Place) {
    let connection = &mut place.connect();
    assert!(matches!(sql_query("select '\0'").execute(connection), Err(Error::InvalidCString(_))));
    assert!(matches!(connection.batch_execute("select '\0'"), Err(Error::InvalidCString(_))));
    // In a parameter it is the server's to refuse.
    diesel::select("\0".into_sql::<Text>()).get_result::<String>(connection).unwrap_err();
    still_works(connection);
}

fn a_misread_type_is_an_error(place: &Place) {
    let connection = &mut place.connect();
    #[derive(Debug, QueryableByName)]
    struct Number {
        #[diesel(sql_type = Integer)]
        #[expect(dead_code, reason = "it is never read, since it is an int8")]
        n: i32,
    }
    let error = sql_query("select 1::int8 as n").get_result::<Number>(connection).unwrap_err();
    assert!(matches!(error, Error::DeserializationError(_)), "{error:?}");
    still_works(connection);
}

fn too_many_parameters_are_refused(place: &Place) {
    let connection = &mut place.connect();
    let mut query = sql_query("select 1").into_boxed::<diesel::pg::Pg>();
    for n in 0..70_000 {
        query = query.bind::<Integer, _>(n);
    }
    query.execute(connection).unwrap_err();
    still_works(connection);
}

fn a_wrong_password_is_told_at_once(place: &Place) {
    let error = FerryConnection::connect(place.config().password("not the one")).unwrap_err();
    assert!(error.is_auth() || error.message().contains("password"), "{error:?}");
    let unreachable = FerryConnection::connect("postgresql://app:hush@127.0.0.1:1/app?sslmode=disable").unwrap_err();
    assert!(!format!("{unreachable:?} {unreachable}").contains("hush"));
    let unreadable = FerryConnection::establish("postgresql://app:hush#hush@127.0.0.1/app").unwrap_err();
    assert!(!format!("{unreadable:?} {unreadable}").contains("hush"), "{unreadable}");
    let unreadable: FerryError = FerryConnection::connect("postgresql://app:hush#hush@127.0.0.1/app").unwrap_err();
    assert!(unreadable.is_config());
}

fn what_no_transport_carries_is_refused(place: &Place) {
    let connection = &mut place.connect();
    // diesel's own COPY needs libpq; as a plain statement it must not hang.
    sql_query("copy pg_class to stdout").execute(connection).unwrap_err();
    still_works(connection);
    if place.transport() == Transport::Http {
        for text in [
            "listen news",
            "set search_path = x",
            "create temporary table t (n int4)",
            "begin",
            "declare c cursor for select 1",
        ] {
            for result in [sql_query(text).execute(connection).map(drop), connection.batch_execute(text)] {
                let (_, error) = database_error(result);
                assert!(error.message().contains("websocket"), "{text}: {}", error.message());
            }
            still_works(connection);
        }
    }
}

#[track_caller]
fn still_works(connection: &mut FerryConnection) {
    assert_eq!(diesel::select(1.into_sql::<Integer>()).get_result(connection), Ok(1));
}
