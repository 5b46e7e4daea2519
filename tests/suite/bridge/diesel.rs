//! diesel's own connection, on libpq, as a client of a bridge.

use std::{io::Read as _, net::Ipv4Addr, thread, time::Duration};

use diesel::{
    PgConnection,
    connection::SimpleConnection,
    pg::CopyFormat,
    prelude::*,
    r2d2::{ConnectionManager, Pool},
    result::Error::QueryBuilderError,
    sql_types::Integer,
};
use pgferry::{
    Transport,
    bridge::{Bridge, Options, Verification},
};
use pgferry_test_support::Stage;

diesel::table! {
    crews (id) {
        id -> Integer,
        name -> Text,
    }
}

fn start(stage: &Stage, transport: Transport) -> Bridge {
    Bridge::start(&stage.config().transport(transport), Verification::Connect).unwrap()
}

#[track_caller]
fn connect(bridge: &Bridge) -> PgConnection {
    PgConnection::establish(bridge.url().unwrap().reveal()).unwrap()
}

/// What diesel's COPY does, as text; the connection is of no use afterwards.
fn copy(mut connection: PgConnection) -> Vec<String> {
    let connection = &mut connection;
    connection.batch_execute("create table crews (id integer primary key, name text not null)").unwrap();
    let rows: Vec<_> = (0..20_000).map(|id| (crews::id.eq(id), crews::name.eq(format!("crew\t{id}")))).collect();
    let copied = diesel::copy_from(crews::table).from_insertable(rows).execute(connection);
    let wrong = diesel::copy_from(crews::table)
        .from_raw_data(crews::table, |copy| {
            copy.write_all(b"no number\tcrew\n").map_err(|error| QueryBuilderError(error.into()))
        })
        .execute(connection);
    let count: QueryResult<i64> = crews::table.count().get_result(connection);
    let mut text = String::new();
    let out = diesel::copy_to(crews::table).with_format(CopyFormat::Csv).load_raw(connection);
    out.unwrap().read_to_string(&mut text).unwrap();
    vec![format!("{copied:?}"), format!("{wrong:?}"), format!("{count:?}"), text]
}

#[test]
fn rows_are_copied_in_and_out_as_over_tcp() {
    let stage = Stage::start();
    let over_tcp = copy(PgConnection::establish(&stage.postgres_url()).unwrap());
    assert_eq!(over_tcp[0], "Ok(20000)");
    assert!(over_tcp[1].contains("invalid input syntax for type integer"), "{}", over_tcp[1]);
    assert_eq!(over_tcp[3].lines().nth(19_999), Some("19999,crew\t19999"));
    for transport in [Transport::WebSocket, Transport::Auto] {
        let stage = Stage::start();
        let bridge = start(&stage, transport);
        assert!(copy(connect(&bridge)) == over_tcp, "{transport}");
    }
}

#[test]
fn a_pool_takes_its_url() {
    for transport in [Transport::WebSocket, Transport::Auto] {
        let stage = Stage::start();
        let bridge = start(&stage, transport);
        let pool = Pool::builder()
            .max_size(3)
            .connection_timeout(Duration::from_secs(60))
            .build(ConnectionManager::<PgConnection>::new(bridge.url().unwrap().reveal()))
            .unwrap();
        thread::scope(|scope| {
            for number in 0..6 {
                let pool = &pool;
                scope.spawn(move || {
                    let one = diesel::select(number.into_sql::<Integer>() + 1).get_result(&mut pool.get().unwrap());
                    assert_eq!(one, Ok(number + 1), "{transport}");
                });
            }
        });
    }
}

#[test]
fn a_port_does_as_well() {
    let stage = Stage::start();
    let options = Options::new().listen((Ipv4Addr::LOCALHOST, 0).into()).password("p@ss:/ wörd");
    let bridge = Bridge::start_with(&stage.config().transport(Transport::WebSocket), &options).unwrap();
    let three = diesel::select(1.into_sql::<Integer>() + 2).get_result(&mut connect(&bridge));
    assert_eq!(three, Ok(3));
}

/// The blocked thread is that of the runtime, and the bridge goes on.
#[tokio::test]
async fn it_blocks_the_only_thread_of_a_runtime() {
    let stage = Stage::start();
    let bridge = start(&stage, Transport::WebSocket);
    let three = diesel::select(1.into_sql::<Integer>() + 2).get_result(&mut connect(&bridge));
    assert_eq!(three, Ok(3));
}

#[test]
fn over_http_alone_it_is_told_what_to_take() {
    let stage = Stage::start();
    let bridge = start(&stage, Transport::Http);
    let error = PgConnection::establish(bridge.url().unwrap().reveal()).err().expect("SET needs a session");
    assert!(error.to_string().contains("transport=websocket"), "{error}");
}
