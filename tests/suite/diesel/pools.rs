//! diesel's r2d2 pools.

use std::time::Duration;

use diesel::{
    connection::SimpleConnection,
    prelude::*,
    r2d2::{ConnectionManager, Pool},
    sql_types::Integer,
};
use pgferry_diesel::{FerryConnection, Transport};

use super::Place;

super::on_each_transport!(a_pool_replaces_what_broke);

fn a_pool_replaces_what_broke(place: &Place) {
    let pool = Pool::builder()
        .max_size(2)
        .connection_timeout(Duration::from_secs(30))
        .build(ConnectionManager::<FerryConnection>::new(place.url()))
        .unwrap();
    let one = || diesel::select(1.into_sql::<Integer>()).get_result::<i32>(&mut pool.get().unwrap());
    assert_eq!(one(), Ok(1));
    let mut connection = pool.get().unwrap();
    if place.transport() != Transport::Http {
        connection.batch_execute("begin; select pg_terminate_backend(pg_backend_pid())").unwrap_err();
        drop(connection);
        // Twice the pool's size, so that each of its connections is used.
        let mut held: Vec<_> = (0..2).map(|_| pool.get().unwrap()).collect();
        assert!(held.iter_mut().all(|connection| connection.batch_execute("select 1").is_ok()));
    }
    assert_eq!(one(), Ok(1));
}
