//! No text of ours shows a password: neither `Debug` nor `Display` of anything public, nor a line of any log.

use std::{
    fmt::{Debug, Write as _},
    io,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::Result;
use pgferry::{
    Config, Transport,
    config::Password,
    execute::{HttpSession, Opening, Statement},
    http,
    runtime::Runtime,
    websocket,
};
use pgferry_diesel::{AsyncFerryConnection, FerryConnection};
use pgferry_gateway::Upstream;
use pgferry_test_support::{Stage, TestGateway};
use tracing_subscriber::fmt::MakeWriter;

/// The one target of a library's log that is known to show what a WebSocket carries.
const FRAMES: &str = "tungstenite::protocol";

/// Everything that was logged.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl log::Log for Lines {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        !metadata.target().starts_with(FRAMES)
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            let line = format!("{} {}\n", record.target(), record.args());
            self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(line.as_bytes());
        }
    }

    fn flush(&self) {}
}

#[tokio::test]
async fn no_text_shows_a_password() -> Result<()> {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(lines.clone())
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .finish();
    // Not `init`, which sets a logger as well where any crate of the tree has that feature on.
    tracing::subscriber::set_global_default(subscriber)?;
    log::set_boxed_logger(Box::new(lines.clone()))?;
    log::set_max_level(log::LevelFilter::Trace);

    let stage = Stage::start();
    let (right, wrong) = (stage.password(), "0pen-sesame");
    let mut seen = String::new();
    let mut show = |value: &dyn Debug| writeln!(seen, "{value:?} {value:#?}");

    show(&Password::from(right))?;
    show(&stage.url().replacen("postgresql", "postgres", 1).parse::<Upstream>())?;
    show(&TestGateway::config(stage.postgres()))?;
    show(&stage)?;
    let config = stage.config();
    show(&config)?;
    show(&config.credential().await?)?;
    show(&http::Client::new(&config)?)?;
    show(&websocket::connect(&config).await?)?;
    show(&Statement::new("select $1").param(25, Some(right.to_owned().into())))?;
    let parameters = vec![("options".to_owned(), format!("-c app.key={right}"))];
    let opening = Opening { parameters, ..Opening::default() };
    show(&opening)?;
    show(&HttpSession::new(&config, &Runtime::start()?)?.reopened(&opening)?)?;
    for malformed in [format!("postgresql://app:{right}/x@127.0.0.1/app"), format!("postgresql://app:{right}@[::1/app")]
    {
        show(&malformed.parse::<Config>().unwrap_err())?;
    }

    for transport in [Transport::Http, Transport::WebSocket, Transport::Auto] {
        for password in [right, wrong] {
            let config = stage.config().transport(transport).password(password);
            match pgferry_sqlx::pool(&config).await {
                Ok(pool) => {
                    show(&pool)?;
                    sqlx::query("select $1").bind(1).fetch_one(&pool).await?;
                    show(&sqlx::query("selec 1").execute(&pool).await.unwrap_err())?;
                    sqlx::query("select 'SECRETCAST'::int").execute(&pool).await.unwrap_err();
                    pool.close().await;
                }
                Err(error) => show(&(&error, error.to_string()))?,
            }
            let ferry = pgferry_sqlx::Ferry::new(&config)?;
            let mut batch = ferry.batch();
            batch.execute(sqlx::query("select $1").bind(right));
            show(&(&ferry, &batch))?;
            if let Err(error) = batch.send().await {
                show(&(&error, error.to_string()))?;
            }
            match AsyncFerryConnection::connect(config.clone()).await {
                Ok(connection) => show(&(&connection, connection.cancel_token(), connection.batch()))?,
                Err(error) => show(&(&error, error.to_string()))?,
            }
            let texts = tokio::task::spawn_blocking(move || match FerryConnection::connect(&config) {
                Ok(connection) => format!("{connection:?}"),
                Err(error) => format!("{error:?} {error}"),
            });
            show(&texts.await?)?;
        }
    }
    drop(stage);

    let logged = lines.text();
    // Otherwise it shows nothing because nothing is there.
    assert!(logged.contains("pgferry") && logged.contains("sqlx") && seen.contains("Config"));
    let failed: Vec<_> = logged.lines().filter(|line| line.contains("request failed")).collect();
    assert!(failed.iter().any(|line| line.contains("22P02")), "{failed:?}");
    assert!(!failed.iter().any(|line| line.contains("SECRETCAST")), "{failed:?}");
    for secret in [right, wrong] {
        for (name, text) in [("Debug", &seen), ("log", &logged)] {
            if let Some(line) = text.lines().find(|line| line.contains(secret)) {
                panic!("{name}: {}", line.replace(secret, "<THE PASSWORD>"));
            }
        }
    }
    Ok(())
}
