//! Messages in an order that drivers seldom send, as Postgres answers them.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use pgferry_embedded::Embedded;
use sqlx::Executor;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::{connect, start, text};

/// Bounds what would go on for ever.
const PATIENCE: Duration = Duration::from_secs(30);
const SYNC: (u8, &[u8]) = (b'S', b"");
const FLUSH: (u8, &[u8]) = (b'H', b"");
const EXECUTE: (u8, &[u8]) = (b'E', b"\0\0\0\0\0");
/// Of the unnamed statement.
const BIND: (u8, &[u8]) = (b'B', b"\0\0\0\0\0\0\0\0");

/// A client that sends what it is told.
struct Raw(TcpStream);

impl Raw {
    async fn connect(server: &Embedded) -> Result<Self> {
        let mut stream = TcpStream::connect(server.address()).await?;
        stream.write_all(b"\0\0\0\x1f\0\x03\0\0user\0app\0database\0app\0\0").await?;
        let mut raw = Self(stream);
        raw.send(&[(b'p', &[server.password().as_bytes(), b"\0"].concat())]).await?;
        raw.until(b"Z").await?;
        Ok(raw)
    }

    async fn send(&mut self, messages: &[(u8, &[u8])]) -> Result<()> {
        let mut out = Vec::new();
        for (tag, body) in messages {
            out.push(*tag);
            out.extend_from_slice(&u32::try_from(body.len() + 4)?.to_be_bytes());
            out.extend_from_slice(body);
        }
        Ok(self.0.write_all(&out).await?)
    }

    /// Returns the types of the messages up to one of these, and all that they say.
    async fn until(&mut self, last: &[u8]) -> Result<(String, String)> {
        let (mut tags, mut said) = (String::new(), String::new());
        loop {
            let tag = timeout(PATIENCE, self.0.read_u8()).await.with_context(|| format!("nothing after {tags}"))??;
            let mut body = vec![0; usize::try_from(self.0.read_u32().await?)?.saturating_sub(4)];
            self.0.read_exact(&mut body).await?;
            tags.push(char::from(tag));
            said.push_str(&String::from_utf8_lossy(&body));
            if last.contains(&tag) {
                return Ok((tags, said));
            }
        }
    }
}

async fn expect_right_answers(server: &Embedded) -> Result<()> {
    let mut session = connect(server).await?;
    for expected in ["one", "two"] {
        let answer = sqlx::query_scalar::<_, String>("select $1").bind(expected).fetch_one(&mut session);
        ensure!(timeout(PATIENCE, answer).await?? == expected);
    }
    Ok(())
}

#[tokio::test]
async fn simple_queries_behind_a_flush_are_each_answered() -> Result<()> {
    let server = start()?;
    let mut raw = Raw::connect(&server).await?;
    raw.send(&[(b'P', b"\0select 1\0\0\0"), FLUSH, (b'Q', b"select 'first'\0"), (b'Q', b"select 'second'\0")]).await?;
    let (tags, said) = raw.until(b"Z").await?;
    assert!(tags == "1TDCZ" && said.contains("first"), "{tags} {said}");
    let (tags, said) = raw.until(b"Z").await?;
    assert!(tags == "TDCZ" && said.contains("second"), "{tags} {said}");
    expect_right_answers(&server).await
}

#[tokio::test]
async fn a_simple_query_shares_the_transaction_of_what_came_before_it() -> Result<()> {
    let server = start()?;
    let mut session = connect(&server).await?;
    session.execute("create table t (id int)").await?;
    let mut raw = Raw::connect(&server).await?;
    let insert: (u8, &[u8]) = (b'P', b"\0insert into t values (1)\0\0\0");
    raw.send(&[insert, BIND, EXECUTE, (b'Q', b"select 1 / 0\0")]).await?;
    assert_eq!(raw.until(b"Z").await?.0, "12CEZ");
    assert_eq!(text(&mut session, "select count(*)::text from t").await?.as_deref(), Some("0"));
    raw.send(&[insert, BIND, EXECUTE, (b'Q', b"select 1\0")]).await?;
    assert_eq!(raw.until(b"Z").await?.0, "12CTDCZ");
    assert_eq!(text(&mut session, "select count(*)::text from t").await?.as_deref(), Some("1"));
    Ok(())
}

#[tokio::test]
async fn a_simple_query_behind_an_error_is_passed_over_up_to_the_sync() -> Result<()> {
    let server = start()?;
    let mut raw = Raw::connect(&server).await?;
    let wrong: (u8, &[u8]) = (b'P', b"\0selec\0\0\0");
    for messages in [&[wrong, FLUSH, (b'Q', b"select 1\0"), SYNC][..], &[wrong, (b'Q', b"select 1\0"), SYNC][..]] {
        raw.send(messages).await?;
        assert_eq!(raw.until(b"Z").await?.0, "EZ");
        raw.send(&[(b'Q', b"select 'next'\0")]).await?;
        assert!(raw.until(b"Z").await?.1.contains("next"));
    }
    expect_right_answers(&server).await
}

#[tokio::test]
async fn a_message_of_no_type_ends_its_session_and_lets_in_who_waits() -> Result<()> {
    let server = start()?;
    let mut raw = Raw::connect(&server).await?;
    raw.send(&[(b'Q', b"create temp table x (a int)\0")]).await?;
    raw.until(b"Z").await?;
    let waits = expect_right_answers(&server);
    let ends = async {
        raw.send(&[(b'P', b"\0select 1\0\0\0"), FLUSH]).await?;
        raw.until(b"1").await?;
        raw.send(&[(b'z', b"")]).await?;
        let (_, said) = raw.until(b"E").await?;
        ensure!(said.contains("FATAL") && said.contains("08P01"), "{said}");
        Ok(())
    };
    tokio::try_join!(waits, ends)?;
    Ok(())
}

#[tokio::test]
async fn a_statement_that_cannot_be_parsed_again_hinders_no_other() -> Result<()> {
    let server = start()?;
    let mut session = connect(&server).await?;
    session.execute("create table t (id int)").await?;
    let mut raw = Raw::connect(&server).await?;
    raw.send(&[(b'P', b"dead\0select * from t\0\0\0"), (b'P', b"live\0select 42\0\0\0"), SYNC]).await?;
    assert_eq!(raw.until(b"Z").await?.0, "11Z");
    session.execute("drop table t").await?;
    for end in [FLUSH, SYNC, FLUSH] {
        raw.send(&[(b'B', b"\0live\0\0\0\0\0\0\0"), EXECUTE, end]).await?;
        let (tags, said) = raw.until(b"CE").await?;
        assert!(tags == "2DC" && said.contains("42"), "{tags} {said}");
        if end == FLUSH {
            raw.send(&[SYNC]).await?;
        }
        assert_eq!(raw.until(b"Z").await?.0, "Z");
        text(&mut session, "select 'other'").await?;
    }
    raw.send(&[(b'B', b"\0dead\0\0\0\0\0\0\0"), EXECUTE, SYNC]).await?;
    let (tags, said) = raw.until(b"Z").await?;
    assert!(tags == "EZ" && said.contains("42P01"), "{tags} {said}");
    raw.send(&[(b'C', b"Sdead\0"), (b'P', b"dead\0select 43\0\0\0"), (b'B', b"\0dead\0\0\0\0\0\0\0"), EXECUTE, SYNC])
        .await?;
    let (tags, said) = raw.until(b"Z").await?;
    assert!(tags == "312DCZ" && said.contains("43"), "{tags} {said}");
    Ok(())
}

#[tokio::test]
async fn what_comes_without_an_end_is_not_kept_for_ever() -> Result<()> {
    let server = start()?;
    let mut raw = Raw::connect(&server).await?;
    let long = [b"\0", &b"y".repeat(1 << 20)[..], b"\0\0\0"].concat();
    for _ in 0..8 {
        timeout(PATIENCE, raw.send(&[(b'P', &long)])).await??;
    }
    // The client has not asked for an answer yet.
    assert!(raw.until(b"E").await?.1.contains("42601"));
    raw.send(&[SYNC]).await?;
    assert_eq!(raw.until(b"Z").await?.0, "Z");
    expect_right_answers(&server).await
}
