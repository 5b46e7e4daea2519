//! The client of Postgres's protocol, straight at a real server without anything of pgferry's between.

mod copying;
mod execution;
mod flights;
mod log_in;
mod losses;
mod turns;

use std::borrow::Cow;

use anyhow::{Context, Result};
use pgferry::{
    Error,
    config::RequireAuth,
    wire::{Client, DataRow, Event, Execution, Startup, Statement},
};
use pgferry_test_support::Postgres;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};

async fn stream(postgres: &Postgres) -> Result<TcpStream> {
    TcpStream::connect(("127.0.0.1", postgres.port())).await.context("the server accepts connections")
}

fn allow(list: &str) -> RequireAuth {
    list.parse().expect("a list of methods")
}

fn app(postgres: &Postgres) -> Startup {
    Startup::new("app", allow("scram-sha-256")).database("app").password(postgres.password())
}

async fn connect(postgres: &Postgres) -> Result<Client<TcpStream>> {
    Ok(Client::connect(stream(postgres).await?, &app(postgres)).await?)
}

async fn connect_shared() -> Result<Client<TcpStream>> {
    connect(Postgres::shared()?).await
}

/// Everything that a flight gives.
async fn events<S>(mut execution: Execution<'_, S>) -> Result<Vec<Event>, Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut events = Vec::new();
    while let Some(event) = execution.next().await? {
        events.push(event);
    }
    Ok(events)
}

fn rows(events: &[Event]) -> impl Iterator<Item = &DataRow> {
    events.iter().filter_map(|event| match event {
        Event::Row(row) => Some(row),
        _ => None,
    })
}

fn tags(events: &[Event]) -> Vec<&str> {
    events
        .iter()
        .filter_map(|event| match event {
            Event::Complete(tag) => Some(tag.as_str()),
            _ => None,
        })
        .collect()
}

/// The values of the result's rows as text, `None` for null.
fn texts(events: &[Event]) -> Vec<Vec<Option<Cow<'_, str>>>> {
    rows(events).map(|row| row.values().map(|value| value.map(String::from_utf8_lossy)).collect()).collect()
}

/// The one value of the one row that a statement gives.
async fn value<S>(client: &mut Client<S>, sql: &str) -> Result<String>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let events = events(client.execute(&Statement::new(sql)).await?).await?;
    let value = texts(&events).first().and_then(|row| row.first().cloned().flatten()).context("a value")?;
    Ok(value.into_owned())
}

async fn run<S>(client: &mut Client<S>, sql: &str) -> Result<Vec<Event>, Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    events(client.execute(&Statement::new(sql)).await?).await
}

fn code(error: &Error) -> &str {
    error.code().map_or("", |code| code.as_str())
}
