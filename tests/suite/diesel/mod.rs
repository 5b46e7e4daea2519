//! `pgferry-diesel` over both transports, against a real PostgreSQL behind a gateway.

use diesel::Connection;
use pgferry_diesel::{Config, FerryConnection, Transport};
use pgferry_test_support::Stage;

mod errors;
mod events;
mod network;
mod pools;
mod queries;
mod threads;
mod transactions;
mod user_types;
mod values;

/// Makes a test of each function for each transport.
macro_rules! on_each_transport {
    ($($test:ident),+ $(,)?) => {
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
        let transport = match self.transport {
            Transport::Http => "http",
            _ => "websocket",
        };
        format!("{}&transport={transport}", self.stage.url())
    }

    #[track_caller]
    fn connect(&self) -> FerryConnection {
        FerryConnection::establish(&self.url()).unwrap()
    }
}
