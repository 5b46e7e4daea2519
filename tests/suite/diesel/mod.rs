//! `pgferry-diesel` over each transport, against a real PostgreSQL behind a gateway, with diesel's own connection over TCP
//! as the control.

use std::net::SocketAddr;

use diesel::{
    connection::{Connection, DefaultLoadingMode, LoadConnection},
    pg::{Pg, PgConnection},
};
use pgferry_diesel::{Config, FerryConnection, Transport};
use pgferry_test_support::Stage;

mod batches;
mod errors;
mod events;
mod migrations;
mod network;
mod odd_role;
mod one;
mod pools;
mod queries;
mod records;
mod round_trips;
mod sessions;
mod threads;
mod transactions;
mod typed;
pub(crate) mod user_types;
mod values;
mod wide_row;

/// Makes a test of each function for each transport.
macro_rules! on_each_transport {
    ($($test:ident),+ $(,)?) => {
        mod over_auto {
            $(#[test]
            fn $test() {
                super::$test(&crate::diesel::Place::new(pgferry_diesel::Transport::Auto));
            })+
        }

        mod over_http {
            $(#[test]
            fn $test() {
                super::$test(&crate::diesel::Place::new(pgferry_diesel::Transport::Http));
            })+
        }

        mod over_websocket {
            $(#[test]
            fn $test() {
                super::$test(&crate::diesel::Place::new(pgferry_diesel::Transport::WebSocket));
            })+
        }
    };
}
use on_each_transport;

/// Makes a test of each function for each road; it says over TCP, where diesel's own connection is, what is right.
macro_rules! on_each_road {
    ($($test:ident),+ $(,)?) => {
        mod over_tcp {
            $(#[test]
            fn $test() {
                super::$test(&crate::diesel::Tcp::new());
            })+
        }

        crate::diesel::on_each_transport!($($test),+);
    };
}
use on_each_road;

/// A database of its own, and a way to it.
trait Road {
    type Connection: LoadConnection<DefaultLoadingMode, Backend = Pg>;

    fn stage(&self) -> &Stage;

    fn connect(&self) -> Self::Connection;
}

/// A URL with other endpoints: what carries its statements goes another way.
pub(crate) fn detour(url: &str, from: SocketAddr, to: SocketAddr) -> String {
    // The endpoints' URLs are percent-encoded within the database's.
    let [from, to] = [from, to].map(|address| format!("%3A{}", address.port()));
    assert!(url.contains(&from), "{url} has no endpoint at port {from}");
    url.replace(&from, &to)
}

/// A database of its own behind a gateway, and what carries the statements there.
struct Place {
    stage: Stage,
    transport: Transport,
}

impl Place {
    fn new(transport: Transport) -> Self {
        Self { stage: Stage::start(), transport }
    }

    fn transport(&self) -> Transport {
        self.transport
    }

    fn config(&self) -> Config {
        self.stage.config().transport(self.transport)
    }

    fn password(&self) -> &str {
        self.stage.password()
    }

    fn url(&self) -> String {
        format!("{}&transport={}", self.stage.url(), self.transport)
    }

    #[track_caller]
    fn connect(&self) -> FerryConnection {
        FerryConnection::establish(&self.url()).unwrap()
    }
}

impl Road for Place {
    type Connection = FerryConnection;

    fn stage(&self) -> &Stage {
        &self.stage
    }

    #[track_caller]
    fn connect(&self) -> FerryConnection {
        self.connect()
    }
}

/// A database of its own, and libpq's way to it.
struct Tcp {
    stage: Stage,
}

impl Tcp {
    fn new() -> Self {
        Self { stage: Stage::start() }
    }
}

impl Road for Tcp {
    type Connection = PgConnection;

    fn stage(&self) -> &Stage {
        &self.stage
    }

    #[track_caller]
    fn connect(&self) -> PgConnection {
        PgConnection::establish(&self.stage.postgres_url()).unwrap()
    }
}
