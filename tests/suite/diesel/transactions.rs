//! Transactions where there are sessions, and their refusal over HTTP.

use std::{cell::Cell, num::NonZeroU32};

use diesel::{
    connection::{AnsiTransactionManager, SimpleConnection, TransactionManager},
    prelude::*,
    result::{DatabaseErrorKind, Error},
    sql_query,
};
use pgferry_diesel::{FerryConnection, Transport};

use super::Place;

diesel::table! {
    notes (id) {
        id -> Integer,
        text -> Text,
    }
}

/// Makes a test of each function for each transport that has sessions.
macro_rules! with_sessions {
    ($($test:ident),+ $(,)?) => {
        mod over_auto {
            $(#[test]
            fn $test() {
                super::$test(pgferry_diesel::Transport::Auto);
            })+
        }

        mod over_websocket {
            $(#[test]
            fn $test() {
                super::$test(pgferry_diesel::Transport::WebSocket);
            })+
        }
    };
}

with_sessions!(
    a_transaction_is_committed_or_rolled_back,
    savepoints_nest,
    an_error_that_is_swallowed_still_fails_the_transaction,
    a_commit_that_fails_ends_the_transaction,
    test_transactions_leave_nothing_behind,
    a_test_transaction_that_fails_panics_as_diesels_does,
    transactions_are_built_with_options,
    conflicting_transactions_are_told_apart,
    a_transaction_ended_by_hand_is_noticed,
    a_session_that_was_lost_says_so,
);

fn notes(transport: Transport) -> (Place, FerryConnection) {
    let place = Place::new(transport);
    let mut connection = place.connect();
    connection
        .batch_execute(
            "create table notes (id serial primary key, text text not null unique deferrable initially deferred)",
        )
        .unwrap();
    (place, connection)
}

fn write(connection: &mut FerryConnection, text: &str) -> QueryResult<usize> {
    diesel::insert_into(notes::table).values(notes::text.eq(text)).execute(connection)
}

#[track_caller]
fn assert_notes(connection: &mut FerryConnection, expected: &[&str]) {
    let texts = notes::table.order(notes::id).select(notes::text).load::<String>(connection).unwrap();
    assert_eq!(texts, expected);
}

fn depth(connection: &mut FerryConnection) -> Option<u32> {
    let status = AnsiTransactionManager::transaction_manager_status_mut(connection);
    status.transaction_depth().expect("an intact transaction manager").map(NonZeroU32::get)
}

fn a_transaction_is_committed_or_rolled_back(transport: Transport) {
    let (place, mut connection) = notes(transport);
    let elsewhere = &mut place.connect();
    connection
        .transaction(|connection| {
            write(connection, "kept")?;
            assert_notes(elsewhere, &[]);
            assert_eq!(depth(connection), Some(1));
            QueryResult::Ok(())
        })
        .unwrap();
    assert_notes(elsewhere, &["kept"]);

    let result: QueryResult<()> = connection.transaction(|connection| {
        write(connection, "dropped")?;
        Err(Error::RollbackTransaction)
    });
    assert_eq!(result, Err(Error::RollbackTransaction));
    assert_notes(elsewhere, &["kept"]);
    assert_eq!(depth(&mut connection), None);
}

fn savepoints_nest(transport: Transport) {
    let (_place, mut connection) = notes(transport);
    connection
        .transaction(|connection| {
            write(connection, "outer")?;
            let inner: QueryResult<()> = connection.transaction(|connection| {
                write(connection, "inner")?;
                let innermost: QueryResult<()> = connection.transaction(|connection| {
                    assert_eq!(depth(connection), Some(3));
                    // An error of the server, which fails the whole transaction but for the savepoint.
                    sql_query("select * from missing").execute(connection).map(drop)
                });
                innermost.unwrap_err();
                assert_notes(connection, &["outer", "inner"]);
                Err(Error::RollbackTransaction)
            });
            assert_eq!(inner, Err(Error::RollbackTransaction));
            connection.transaction(|connection| write(connection, "second"))
        })
        .unwrap();
    assert_notes(&mut connection, &["outer", "second"]);
}

fn an_error_that_is_swallowed_still_fails_the_transaction(transport: Transport) {
    let (_place, mut connection) = notes(transport);
    let result = connection.transaction(|connection| {
        write(connection, "lost")?;
        sql_query("select * from missing").execute(connection).unwrap_err();
        sql_query("select 1").execute(connection)
    });
    assert!(result.unwrap_err().to_string().contains("aborted"));
    assert_eq!(depth(&mut connection), None);
    assert_notes(&mut connection, &[]);
}

fn a_commit_that_fails_ends_the_transaction(transport: Transport) {
    let (_place, mut connection) = notes(transport);
    let result = connection.transaction(|connection| {
        write(connection, "twice")?;
        write(connection, "twice")
    });
    assert!(matches!(result, Err(Error::DatabaseError(DatabaseErrorKind::UniqueViolation, _))), "{result:?}");
    assert_eq!(depth(&mut connection), None);
    assert_notes(&mut connection, &[]);
    connection.transaction(|connection| write(connection, "once")).unwrap();
    assert_notes(&mut connection, &["once"]);
}

fn test_transactions_leave_nothing_behind(transport: Transport) {
    let (place, mut connection) = notes(transport);
    let texts = connection.test_transaction(|connection| {
        write(connection, "a test")?;
        notes::table.select(notes::text).load::<String>(connection)
    });
    assert_eq!(texts, ["a test"]);
    assert_notes(&mut connection, &[]);

    connection.begin_test_transaction().unwrap();
    connection.transaction(|connection| write(connection, "another")).unwrap();
    assert_notes(&mut connection, &["another"]);
    drop(connection);
    assert_notes(&mut place.connect(), &[]);
}

fn a_test_transaction_that_fails_panics_as_diesels_does(transport: Transport) {
    let (place, mut connection) = notes(transport);
    let mut control = PgConnection::establish(&place.stage.postgres_url()).unwrap();
    let ours = panic_of(|| connection.test_transaction(|_| Err::<(), _>("the reason")));
    let theirs = panic_of(|| control.test_transaction(|_| Err::<(), _>("the reason")));
    assert_eq!(ours, theirs);
}

fn panic_of(panics: impl FnOnce()) -> String {
    let payload = std::panic::catch_unwind(std::panic::AssertUnwindSafe(panics)).unwrap_err();
    payload.downcast_ref::<String>().unwrap().clone()
}

fn transactions_are_built_with_options(transport: Transport) {
    let (_place, mut connection) = notes(transport);
    let result =
        connection.build_transaction().read_only().serializable().deferrable().run(|connection| write(connection, "x"));
    assert!(matches!(result, Err(Error::DatabaseError(DatabaseErrorKind::ReadOnlyTransaction, _))), "{result:?}");
    connection
        .build_transaction()
        .repeatable_read()
        .run(|connection| {
            #[derive(QueryableByName)]
            struct Setting {
                #[diesel(sql_type = diesel::sql_types::Text)]
                transaction_isolation: String,
            }
            let setting: Setting = sql_query("show transaction_isolation").get_result(connection)?;
            assert_eq!(setting.transaction_isolation, "repeatable read");
            let nested = connection.build_transaction().run(|_| QueryResult::Ok(()));
            assert_eq!(nested, Err(Error::AlreadyInTransaction));
            QueryResult::Ok(())
        })
        .unwrap();
}

fn conflicting_transactions_are_told_apart(transport: Transport) {
    let (place, mut first) = notes(transport);
    let mut second = place.connect();
    for connection in [&mut first, &mut second] {
        connection.batch_execute("begin isolation level serializable").unwrap();
        assert_notes(connection, &[]);
    }
    write(&mut first, "from the first").unwrap();
    write(&mut second, "from the second").unwrap();
    first.batch_execute("commit").unwrap();
    let result = second.batch_execute("commit");
    assert!(matches!(result, Err(Error::DatabaseError(DatabaseErrorKind::SerializationFailure, _))), "{result:?}");
}

fn a_transaction_ended_by_hand_is_noticed(transport: Transport) {
    let (_place, mut connection) = notes(transport);
    AnsiTransactionManager::begin_transaction(&mut connection).unwrap();
    connection.batch_execute("rollback").unwrap();
    assert_eq!(depth(&mut connection), None);
    let committed = AnsiTransactionManager::commit_transaction(&mut connection);
    assert!(matches!(committed, Err(Error::NotInTransaction)), "{committed:?}");
}

fn a_session_that_was_lost_says_so(transport: Transport) {
    let (_place, mut connection) = notes(transport);
    let result: QueryResult<usize> = connection.transaction(|connection| {
        write(connection, "lost")?;
        sql_query("select pg_terminate_backend(pg_backend_pid())").execute(connection)
    });
    assert!(matches!(result, Err(Error::DatabaseError(DatabaseErrorKind::ClosedConnection, _))), "{result:?}");
    let after = sql_query("select 1").execute(&mut connection);
    assert!(matches!(after, Err(Error::DatabaseError(DatabaseErrorKind::UnableToSendCommand, _))), "{after:?}");
    let begun = connection.transaction(|_| QueryResult::Ok(()));
    assert!(matches!(begun, Err(Error::BrokenTransactionManager)), "{begun:?}");
}

#[test]
fn over_http_a_transaction_is_refused() {
    let (_place, mut connection) = notes(Transport::Http);
    let called = Cell::new(false);
    let results = [
        connection.transaction(|connection| {
            called.set(true);
            write(connection, "never").map(drop)
        }),
        connection.build_transaction().serializable().run(|connection| write(connection, "never").map(drop)),
        connection.begin_test_transaction(),
    ];
    for result in results {
        let Err(Error::DatabaseError(_, information)) = result else { panic!("{result:?}") };
        assert!(information.message().contains("websocket"), "{}", information.message());
    }
    assert!(!called.get());
    assert_eq!(depth(&mut connection), None);
    write(&mut connection, "on its own").unwrap();
    assert_notes(&mut connection, &["on its own"]);
}

#[test]
#[should_panic(expected = "websocket")]
fn over_http_a_test_transaction_names_the_remedy() {
    let (_place, mut connection) = notes(Transport::Http);
    connection.test_transaction(|connection| write(connection, "never"));
}
