//! The providers' own URLs and host names, resolved to a local server: what arrives there is what they would get.

use anyhow::{Context, Result};
use pgferry::{
    Config, Error,
    config::Credential,
    http,
    net::Socket,
    websocket::{self, ByteStream},
    wire::{Client, Event, Startup, Statement},
};
use pgferry_gateway::{Gateway, GatewayConfig, Upstream};
use pgferry_test_support::Postgres;

use crate::tls_front::{Behind, TlsFront};

const NEON: &str = "ep-cool-darkness-a1b2c3d4.us-east-2.aws.neon.tech";
const NEON_HTTP: &str = "api.us-east-2.aws.neon.tech";
const PLANETSCALE: &str = "xyz7.pg.psdb.cloud";
const PASSWORD: &str = "pscale_pw_AbC123dEf";

/// A database of a role that is named as the provider names roles.
fn database(postgres: &Postgres, role: &str) -> Result<String> {
    let database = postgres.create_database()?;
    // Some tests of this process share the server, and roles belong to a server.
    postgres.psql_in(
        &database,
        &format!(
            "do $$ begin create role \"{role}\" login password '{PASSWORD}'; exception when duplicate_object or unique_violation then null; end $$"
        ),
    )?;
    Ok(database)
}

async fn gateway(postgres: &Postgres, host: &str) -> Result<Gateway> {
    let upstream = Upstream::new("127.0.0.1", postgres.port());
    Ok(Gateway::bind(GatewayConfig::new(upstream).allow_host(host)).await?)
}

fn config(url: &str, front: &TlsFront) -> Result<Config> {
    Ok(Config::try_from(url)?.addresses([front.address]).root_certificates([front.ca.ca_der()]))
}

/// Opens a session over WebSocket, as the config says.
async fn session(config: &Config) -> pgferry::Result<Client<ByteStream<Socket>>> {
    let stream = websocket::connect(config).await?;
    let mut startup = Startup::new(config.get_user()?, config.get_require_auth())
        .database(config.get_dbname()?)
        .pipeline_password(config.pipelines_password());
    if let Credential::Password(password) = config.credential().await? {
        startup = startup.password(password);
    }
    Client::connect(stream, &startup).await
}

async fn current_user(client: &mut Client<ByteStream<Socket>>) -> Result<String> {
    let mut execution = client.execute(&Statement::new("select current_user::text")).await?;
    let mut user = None;
    while let Some(event) = execution.next().await? {
        if let Event::Row(row) = event {
            user = row.values().next().flatten().map(|value| String::from_utf8_lossy(value).into_owned());
        }
    }
    user.context("no row")
}

async fn refused(config: &Config) -> Error {
    match session(config).await {
        Ok(_) => panic!("the log-in was not refused"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn neon_over_http_goes_to_the_regions_api_host() -> Result<()> {
    let postgres = Postgres::shared()?;
    let database = database(postgres, "alex")?;
    let gateway = gateway(postgres, NEON_HTTP).await?;
    let front = TlsFront::start(&[NEON_HTTP], Behind::Gateway(gateway.local_addr())).await?;
    let url = format!("postgresql://alex:{PASSWORD}@{NEON}/{database}?sslmode=require&channel_binding=require");

    let client = http::Client::new(&config(&url, &front)?)?;
    let row = client.query_one("select current_user::text as who", &[]).await?;
    assert_eq!(row.get::<String>("who")?, "alex");

    let arrival = front.arrival();
    assert_eq!(arrival.server_name.as_deref(), Some(NEON_HTTP));
    assert_eq!(arrival.request_line(), "POST /sql HTTP/1.1");
    assert_eq!(arrival.header("host"), [NEON_HTTP]);
    assert_eq!(arrival.header("neon-raw-text-output"), ["true"]);
    assert_eq!(arrival.header("neon-array-mode"), ["true"]);
    // The endpoint is told by the host in here, in the URL as the console prints it less what is not for Postgres.
    let [connection] = arrival.header("neon-connection-string")[..] else { panic!("{arrival:?}") };
    let connection: url::Url = connection.parse()?;
    assert_eq!(connection.host_str(), Some(NEON));
    assert_eq!((connection.username(), connection.path()), ("alex", format!("/{database}").as_str()));
    assert_eq!(arrival.header("authorization"), [""; 0]);
    Ok(())
}

#[tokio::test]
async fn neon_over_websocket_goes_to_the_endpoints_own_host() -> Result<()> {
    let postgres = Postgres::shared()?;
    let database = database(postgres, "alex")?;
    let gateway = gateway(postgres, NEON).await?;
    let front = TlsFront::start(&[NEON], Behind::Gateway(gateway.local_addr())).await?;
    let url = format!("postgresql://alex:{PASSWORD}@{NEON}/{database}?sslmode=require&channel_binding=require");

    let mut client = session(&config(&url, &front)?).await?;
    assert_eq!(current_user(&mut client).await?, "alex");
    client.close().await?;

    let arrival = front.arrival();
    assert_eq!(arrival.server_name.as_deref(), Some(NEON));
    assert_eq!(arrival.request_line(), "GET /v2 HTTP/1.1");
    assert_eq!(arrival.header("host"), [NEON]);
    assert_eq!(arrival.header("upgrade"), ["websocket"]);
    for unwanted in ["sec-websocket-protocol", "sec-websocket-extensions", "authorization", "neon-connection-string"] {
        assert_eq!(arrival.header(unwanted), [""; 0], "{unwanted}");
    }
    assert!(!arrival.head.contains(PASSWORD));
    Ok(())
}

#[tokio::test]
async fn planetscale_over_http_goes_to_the_databases_own_host() -> Result<()> {
    let postgres = Postgres::shared()?;
    let database = database(postgres, "role.branch")?;
    let gateway = gateway(postgres, PLANETSCALE).await?;
    let front = TlsFront::start(&[PLANETSCALE], Behind::Gateway(gateway.local_addr())).await?;
    let url = format!("postgresql://role.branch:{PASSWORD}@{PLANETSCALE}:5432/{database}?sslmode=verify-full");

    let client = http::Client::new(&config(&url, &front)?)?;
    let row = client.query_one("select current_user::text as who", &[]).await?;
    assert_eq!(row.get::<String>("who")?, "role.branch");

    let arrival = front.arrival();
    assert_eq!(arrival.server_name.as_deref(), Some(PLANETSCALE));
    assert_eq!(arrival.request_line(), "POST /sql HTTP/1.1");
    assert_eq!(arrival.header("host"), [PLANETSCALE]);
    let [connection] = arrival.header("neon-connection-string")[..] else { panic!("{arrival:?}") };
    let connection: url::Url = connection.parse()?;
    assert_eq!((connection.username(), connection.host_str()), ("role.branch", Some(PLANETSCALE)));
    Ok(())
}

#[tokio::test]
async fn planetscale_over_websocket_names_the_address_and_proves_the_password_by_scram() -> Result<()> {
    let postgres = Postgres::shared()?;
    let database = database(postgres, "role.branch")?;
    for port in [5432, 6432] {
        let front = TlsFront::start(&[PLANETSCALE], Behind::Postgres(postgres.port())).await?;
        let url = format!("postgresql://role.branch:{PASSWORD}@{PLANETSCALE}:{port}/{database}?sslmode=verify-full");

        let mut client = session(&config(&url, &front)?).await?;
        assert_eq!(current_user(&mut client).await?, "role.branch");
        client.close().await?;

        let arrival = front.arrival();
        assert_eq!(arrival.server_name.as_deref(), Some(PLANETSCALE));
        assert_eq!(arrival.request_line(), format!("GET /v2?address={PLANETSCALE}:{port} HTTP/1.1"));
        assert_eq!(arrival.header("host"), [PLANETSCALE]);
        assert!(arrival.sent_contains("SCRAM-SHA-256") && !arrival.sent_contains(PASSWORD), "{arrival:?}");
    }
    Ok(())
}

#[tokio::test]
async fn planetscales_password_is_not_handed_to_a_server_that_asks_for_it() -> Result<()> {
    for method in ["password", "md5"] {
        let postgres = Postgres::builder()
            .setting("password_encryption", "md5")
            .hba(format!("host all role.branch 127.0.0.1/32 {method}"))
            .start()?;
        let database = database(&postgres, "role.branch")?;
        let front = TlsFront::start(&[PLANETSCALE], Behind::Postgres(postgres.port())).await?;
        let url = format!("postgresql://role.branch:{PASSWORD}@{PLANETSCALE}/{database}?sslmode=verify-full");

        let config = config(&url, &front)?;
        let error = refused(&config).await;
        assert!(error.is_auth(), "{method}: {error:?}");
        let arrival = front.arrival();
        // The startup begins with its length; a password message would follow it, and begins with p.
        let length = arrival.sent.first_chunk().map(|length| u32::from_be_bytes(*length)).context("no startup")?;
        let after = arrival.sent.get(length as usize..).context("half a startup")?;
        assert_ne!(after.first(), Some(&b'p'), "{method}: {arrival:?}");
        assert!(!arrival.sent_contains(PASSWORD), "{method}: {arrival:?}");
    }
    Ok(())
}
