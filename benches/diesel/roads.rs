use std::env;

use anyhow::Result;
use diesel::{Connection as _, PgConnection};
use diesel_async::{AsyncConnection as _, AsyncPgConnection};
use pgferry::bridge::{Bridge, Verification};
use pgferry_diesel::{AsyncFerryConnection, Config, FerryConnection, Transport};
use pgferry_test_support::{GatewayProcess, Postgres};
use tokio::runtime::Runtime;

use crate::connection::Connection;

/// The ways from diesel to the server, of those who block and of those who do not.
pub(crate) struct Roads {
    pub(crate) worlds: [World; 2],
    _bridge: Bridge,
    _gateway: GatewayProcess,
}

/// Roads, of which the first is what the others are compared with.
pub(crate) struct World {
    pub(crate) roads: Vec<(&'static str, Connection)>,
    /// That of the connections that have none of their own.
    pub(crate) runtime: Runtime,
    pub(crate) one: &'static str,
    pub(crate) rows: &'static str,
}

const TRANSPORTS: [(&str, Transport); 3] =
    [("WebSocket", Transport::WebSocket), ("HTTP", Transport::Http), ("Auto", Transport::Auto)];

impl Roads {
    pub(crate) fn open(postgres: &Postgres) -> Result<Self> {
        let gateway = GatewayProcess::start(env::current_exe()?, postgres, &[])?;
        let config: Config = gateway.ferry(&postgres.url()).parse()?;
        let config = |transport| config.clone().transport(transport);
        let bridge = Bridge::start(&config(Transport::WebSocket), Verification::Connect)?;
        let bridged = bridge.url()?;

        let mut blocking = vec![("libpq over TCP", Connection::Libpq(PgConnection::establish(&postgres.url())?))];
        for (name, transport) in TRANSPORTS {
            blocking.push((name, Connection::Ferry(FerryConnection::connect(config(transport))?)));
        }
        blocking.push(("libpq by the bridge", Connection::Libpq(PgConnection::establish(bridged.reveal())?)));

        let runtime = new_runtime()?;
        let establish = |url: &str| runtime.block_on(AsyncPgConnection::establish(url));
        let direct = postgres.url();
        let mut tasks = vec![("diesel-async over TCP", Connection::TokioPostgres(establish(&direct)?))];
        for (name, transport) in TRANSPORTS {
            let connected = runtime.block_on(AsyncFerryConnection::connect(config(transport)))?;
            tasks.push((name, Connection::AsyncFerry(connected)));
        }
        tasks.push(("diesel-async by the bridge", Connection::TokioPostgres(establish(bridged.reveal())?)));

        let worlds = [
            World {
                roads: blocking,
                runtime: new_runtime()?,
                one: "blocking: select 1, a known statement",
                rows: "blocking: 100 000 rows of 5 columns into structs",
            },
            World {
                roads: tasks,
                runtime,
                one: "async: select 1, a known statement",
                rows: "async: 100 000 rows of 5 columns into structs",
            },
        ];
        Ok(Self { worlds, _bridge: bridge, _gateway: gateway })
    }
}

fn new_runtime() -> Result<Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}
