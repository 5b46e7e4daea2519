//! The connection needs no runtime, and bears one.

use std::{sync::mpsc, thread};

use diesel::{prelude::*, sql_types::Integer};
use pgferry_diesel::FerryConnection;

use super::Place;

super::on_each_transport!(
    plain_threads_share_a_configuration,
    a_connection_moves_between_threads,
    it_works_inside_any_runtime
);

fn double(connection: &mut FerryConnection, n: i32) -> i32 {
    diesel::select(n.into_sql::<Integer>() + n).get_result(connection).unwrap()
}

fn plain_threads_share_a_configuration(place: &Place) {
    let config = place.config();
    thread::scope(|scope| {
        for n in 0..4 {
            let config = &config;
            scope.spawn(move || {
                let mut connection = FerryConnection::connect(config).unwrap();
                for m in 0..10 {
                    assert_eq!(double(&mut connection, 10 * n + m), 20 * n + 2 * m);
                }
            });
        }
    });
}

fn a_connection_moves_between_threads(place: &Place) {
    let (sender, receiver) = mpsc::channel::<FerryConnection>();
    let worker = thread::spawn(move || {
        let mut connection = receiver.recv().unwrap();
        assert_eq!(double(&mut connection, 2), 4);
        connection
    });
    let mut connection = place.connect();
    assert_eq!(double(&mut connection, 1), 2);
    sender.send(connection).unwrap();
    assert_eq!(double(&mut worker.join().unwrap(), 3), 6);
}

fn it_works_inside_any_runtime(place: &Place) {
    let mut kept = None;
    for builder in [tokio::runtime::Builder::new_current_thread, tokio::runtime::Builder::new_multi_thread] {
        let runtime = builder().enable_all().build().unwrap();
        let config = place.config();
        kept = runtime.block_on(async move {
            let mut connection = FerryConnection::connect(&config).unwrap();
            assert_eq!(double(&mut connection, 4), 8);
            tokio::task::spawn_blocking(move || {
                assert_eq!(double(&mut connection, 5), 10);
                Some(connection)
            })
            .await
            .unwrap()
        });
    }
    // The runtime that it was opened in has ended.
    assert_eq!(double(&mut kept.unwrap(), 6), 12);
}
