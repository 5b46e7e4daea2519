//! diesel's r2d2 pools.

use std::time::Duration;

use diesel::{
    connection::SimpleConnection,
    prelude::*,
    r2d2::{ConnectionManager, Pool},
    sql_types::Integer,
};
use pgferry_diesel::{FerryConnection, Transport};
use pgferry_test_support::Proxy;

use super::Place;

super::on_each_transport!(
    a_pool_hands_connections_out_again,
    a_pool_replaces_what_broke,
    a_pool_asks_the_server_only_if_told_to
);

type Connections = Pool<ConnectionManager<FerryConnection>>;

fn pool(url: &str, size: u32, asks: bool) -> Connections {
    Pool::builder()
        .max_size(size)
        .test_on_check_out(asks)
        .connection_timeout(Duration::from_secs(60))
        .build(ConnectionManager::new(url))
        .unwrap()
}

fn one(pool: &Connections) -> QueryResult<i32> {
    diesel::select(1.into_sql::<Integer>()).get_result(&mut pool.get().unwrap())
}

fn a_pool_hands_connections_out_again(place: &Place) {
    let pool = pool(&place.url(), 2, true);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..5).for_each(|_| assert_eq!(one(&pool), Ok(1))));
        }
    });
    assert_eq!(pool.state().connections, 2);
}

fn a_pool_replaces_what_broke(place: &Place) {
    let pool = pool(&place.url(), 2, true);
    assert_eq!(one(&pool), Ok(1));
    let mut connection = pool.get().unwrap();
    if place.transport() != Transport::Http {
        connection.batch_execute("begin; select pg_terminate_backend(pg_backend_pid())").unwrap_err();
        drop(connection);
        // Twice the pool's size, so that each of its connections is used.
        let mut held: Vec<_> = (0..2).map(|_| pool.get().unwrap()).collect();
        assert!(held.iter_mut().all(|connection| connection.batch_execute("select 1").is_ok()));
    }
    assert_eq!(one(&pool), Ok(1));
}

fn a_pool_asks_the_server_only_if_told_to(place: &Place) {
    let gateway = place.stage.gateway().address();
    for asks in [false, true] {
        let proxy = Proxy::start(gateway, Duration::from_millis(5)).unwrap();
        let pool = pool(&super::detour(&place.url(), gateway, proxy.address()), 1, asks);
        assert_eq!(one(&pool), Ok(1));
        let before = proxy.flights();
        for _ in 0..3 {
            assert_eq!(one(&pool), Ok(1));
        }
        assert_eq!(proxy.flights() - before, if asks { 6 } else { 3 }, "asks: {asks}");
    }
}
