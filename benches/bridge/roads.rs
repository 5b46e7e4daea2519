use std::env;

use anyhow::Result;
use pgferry_sqlx::{Config, PgPoolOptionsExt, Transport};
use pgferry_test_support::{GatewayProcess, Postgres};
use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions, PgSslMode},
};

use crate::passing::Passing;

/// How many connections each pool has.
pub(crate) const CONNECTIONS: u32 = 8;

/// The ways from sqlx to the server; the first is what the others are compared with.
pub(crate) struct Roads {
    pub(crate) all: Vec<Road>,
    _gateway: GatewayProcess,
    _passing: Passing,
}

pub(crate) struct Road {
    pub(crate) name: &'static str,
    pub(crate) pool: PgPool,
}

impl Roads {
    pub(crate) async fn open(postgres: &Postgres) -> Result<Self> {
        let options = || PgPoolOptions::new().max_connections(CONNECTIONS).min_connections(CONNECTIONS);
        let passing = Passing::start(([127, 0, 0, 1], postgres.port()).into())?;
        let gateway = GatewayProcess::start(env::current_exe()?, postgres, &[])?;
        let passed = PgConnectOptions::new_without_pgpass()
            .socket(passing.directory())
            .port(5432)
            .username("app")
            .password(postgres.password())
            .database("app")
            .ssl_mode(PgSslMode::Disable);
        let mut all = vec![
            Road { name: "sqlx over TCP", pool: options().connect(&postgres.url()).await? },
            Road { name: "bytes passed on", pool: options().connect_with(passed).await? },
        ];
        for (name, transport) in
            [("WebSocket", Transport::WebSocket), ("HTTP", Transport::Http), ("Auto", Transport::Auto)]
        {
            let config: Config = gateway.ferry(&postgres.url()).parse()?;
            all.push(Road { name, pool: options().connect_over(config.transport(transport)).await? });
        }
        Ok(Self { all, _gateway: gateway, _passing: passing })
    }
}
