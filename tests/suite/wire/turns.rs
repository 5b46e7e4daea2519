//! How often the client waits for the server: what a round trip costs is what pgferry is about.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    task::{Context, Poll},
};

use pgferry::wire::Parse;
use tokio::io::ReadBuf;

use super::*;

/// Counts how often something is written after something was read.
struct Turns {
    stream: TcpStream,
    reading: bool,
    count: Arc<AtomicU32>,
}

impl AsyncRead for Turns {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        self.reading |= buf.filled().len() > before;
        polled
    }
}

impl AsyncWrite for Turns {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if std::mem::take(&mut self.reading) {
            self.count.fetch_add(1, Ordering::Relaxed);
        }
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

async fn counted(postgres: &Postgres, startup: &Startup) -> Result<(Client<Turns>, Arc<AtomicU32>)> {
    let count = Arc::new(AtomicU32::new(0));
    let turns = Turns { stream: stream(postgres).await?, reading: true, count: Arc::clone(&count) };
    Ok((Client::connect(turns, startup).await?, count))
}

#[tokio::test]
async fn logging_in_takes_as_few_as_the_method_allows() -> Result<()> {
    let postgres = Postgres::builder().hba("host all plain 127.0.0.1/32 password").start()?;
    postgres.psql("create role plain login password 'secret'")?;
    let plain = Startup::new("plain", allow("password")).database("app").password("secret");
    for (startup, expected) in [(plain.clone(), 2), (plain.pipeline_password(true), 1), (app(&postgres), 3)] {
        let (_client, count) = counted(&postgres, &startup).await?;
        assert_eq!(count.load(Ordering::Relaxed), expected, "{startup:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_statement_takes_one_and_so_do_several() -> Result<()> {
    let postgres = Postgres::shared()?;
    let (mut client, count) = counted(postgres, &app(postgres)).await?;
    let mut expected = count.load(Ordering::Relaxed);
    for parse in [Parse::Unnamed, Parse::Named("n"), Parse::AlreadyNamed("n"), Parse::Named("n")] {
        let statement = Statement { parse, ..Statement::new("select 1") };
        events(client.execute(&statement).await?).await?;
        client.close_statement("unknown");
        expected += 1;
        assert_eq!(count.load(Ordering::Relaxed), expected, "{parse:?}");
    }
    for sql in ["begin", "create temp table t (a int)", "insert into t values (1)", "commit"] {
        client.queue(&Statement::new(sql)).await?;
    }
    while let Some(execution) = client.next_execution() {
        execution.finish().await?;
    }
    assert_eq!(count.load(Ordering::Relaxed), expected + 1);
    Ok(())
}
