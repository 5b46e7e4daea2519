use std::future::Future;

use pgferry::wire::{Format, Params, Parse, TransactionStatus, cancel};

use super::*;

#[tokio::test]
async fn many_rows_survive_a_reader_that_gives_up_waiting_again_and_again() -> Result<()> {
    let mut client = connect_shared().await?;
    let statement = Statement::new("select n, repeat('x', n % 300) from generate_series(1, 100000) n");
    let mut execution = client.execute(&statement).await?;
    let mut expected = 0;
    loop {
        // Each wait is dropped after a single look.
        let look = {
            let mut next = std::pin::pin!(execution.next());
            std::future::poll_fn(|cx| std::task::Poll::Ready(next.as_mut().poll(cx))).await
        };
        let std::task::Poll::Ready(event) = look else {
            tokio::task::yield_now().await;
            continue;
        };
        match event? {
            Some(Event::Row(row)) => {
                expected += 1;
                let values: Vec<_> = row.values().flatten().collect();
                assert_eq!(values[0], expected.to_string().as_bytes());
                assert_eq!(values[1].len(), expected % 300);
            }
            Some(_) => {}
            None => break,
        }
    }
    assert_eq!(expected, 100_000);
    Ok(())
}

#[tokio::test]
async fn a_dropped_execution_is_skipped_by_the_next() -> Result<()> {
    let mut client = connect_shared().await?;
    run(&mut client, "create temp table d (a int)").await?;
    for taken in 0..5 {
        let statement = Statement::new("select generate_series(1, 50000)");
        let mut execution = client.execute(&statement).await?;
        for _ in 0..taken {
            assert!(execution.next().await?.is_some());
        }
        assert_eq!(value(&mut client, "select 'next'").await?, "next");
    }

    // A dropped one is not cancelled, and its error belongs to nobody.
    let _ = client.execute(&Statement::new("insert into d values (1)")).await?;
    let _ = client.execute(&Statement::new("select 1 / 0")).await?;
    let _ = client.simple_query("begin").await?;
    client.ping().await?;
    assert_eq!(client.transaction_status(), TransactionStatus::Transaction);
    assert_eq!(value(&mut client, "select count(*) from d").await?, "1");

    // What it parsed is known.
    let named = Statement { parse: Parse::Named("n"), ..Statement::new("select 2") };
    let _ = client.execute(&named).await?;
    client.ping().await?;
    assert!(client.is_prepared("n"));
    Ok(())
}

#[tokio::test]
async fn flights_queue_and_are_answered_in_order() -> Result<()> {
    let mut client = connect_shared().await?;
    run(&mut client, "create temp table q (a int primary key)").await?;
    for sql in ["begin", "insert into q values (1)", "insert into q values (1)", "select 1", "commit"] {
        client.queue(&Statement::new(sql)).await?;
    }
    client.queue_simple_query("select 'a'; select 'b'").await?;
    let mut results = Vec::new();
    while let Some(execution) = client.next_execution() {
        results.push(events(execution).await);
    }
    let codes: Vec<_> = results.iter().map(|result| result.as_ref().map_or_else(code, |_| "")).collect();
    assert_eq!(codes, ["", "", "23505", "25P02", "", ""]);
    assert_eq!(tags(results[4].as_ref().expect("the commit")), ["ROLLBACK"]);
    assert_eq!(texts(results[5].as_ref().expect("rows")), [[Some("a".into())], [Some("b".into())]]);
    assert_eq!(client.transaction_status(), TransactionStatus::Idle);

    // Some are dropped, the same name is parsed twice, and one that cannot be sent is left out.
    for text in ["select 1", "select 2"] {
        client.queue(&Statement { parse: Parse::Named("twice"), ..Statement::new(text) }).await?;
    }
    assert!(client.queue(&Statement::new("\0")).await.is_err());
    client.queue(&Statement::new("select 3")).await?;
    let _ = client.next_execution();
    let second = events(client.next_execution().context("the second")?).await?;
    assert_eq!(texts(&second), [[Some("2".into())]]);
    // The third is skipped by whoever asks for something else.
    assert_eq!(value(&mut client, "select 4").await?, "4");
    assert!(client.next_execution().is_none());
    Ok(())
}

#[tokio::test]
async fn writing_and_a_server_that_talks_do_not_block_each_other() -> Result<()> {
    let mut client = connect_shared().await?;
    let large = vec![b'x'; 32 << 20];
    let values = [Some(Cow::Borrowed(&large[..]))];
    // More than sockets hold comes back before the server begins to read what follows.
    let flood = "do $$ begin for n in 1..30000 loop raise notice '%', repeat('x', 1000); end loop; end $$";
    client.queue(&Statement::new(flood)).await?;
    let params = Params { format: Format::Text, values: &values };
    client.queue(&Statement { params, ..Statement::new("select length($1)") }).await?;
    assert_eq!(client.next_execution().context("the flood")?.finish().await?, "DO");
    let length = events(client.next_execution().context("the length")?).await?;
    assert_eq!(texts(&length), [[Some(large.len().to_string().into())]]);
    Ok(())
}

#[tokio::test]
async fn a_running_statement_is_cancelled_over_a_second_stream() -> Result<()> {
    let postgres = Postgres::shared()?;
    let (mut client, mut observer) = (connect(postgres).await?, connect(postgres).await?);
    let key = client.backend_key().context("a key")?;
    let statement = Statement::new("select pg_sleep(600)");
    let mut execution = client.execute(&statement).await?;
    let running =
        format!("select count(*) from pg_stat_activity where pid = {} and wait_event = 'PgSleep'", key.process_id);
    while value(&mut observer, &running).await? != "1" {}
    cancel(stream(postgres).await?, key).await?;
    let error = loop {
        match execution.next().await {
            Ok(event) => assert!(event.is_some(), "it ended by itself"),
            Err(error) => break error,
        }
    };
    assert_eq!(code(&error), "57014");
    assert_eq!(value(&mut client, "select 1").await?, "1");
    Ok(())
}

#[tokio::test]
async fn a_close_ends_the_session_even_in_the_middle_of_a_result() -> Result<()> {
    let postgres = Postgres::shared()?;
    let (mut client, mut observer) = (connect(postgres).await?, connect(postgres).await?);
    let pid = client.backend_key().context("a key")?.process_id;
    let statement = Statement::new("select repeat('x', 1000) from generate_series(1, 100000)");
    assert!(client.execute(&statement).await?.next().await?.is_some());
    client.close().await?;
    let alive = format!("select count(*) from pg_stat_activity where pid = {pid}");
    while value(&mut observer, &alive).await? != "0" {}
    Ok(())
}

#[tokio::test]
async fn a_relay_can_take_over() -> Result<()> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let client = connect_shared().await?;
    let (mut stream, received) = client.into_parts();
    assert!(received.is_empty());
    stream.write_all(b"S\0\0\0\x04").await?;
    let mut answer = [0; 6];
    stream.read_exact(&mut answer).await?;
    assert_eq!(&answer, b"Z\0\0\0\x05I");
    Ok(())
}

#[tokio::test]
async fn statements_sent_together_end_with_the_first_that_fails() -> Result<()> {
    let mut client = connect_shared().await?;
    run(&mut client, "create temp table together (a int)").await?;
    let named = Statement { parse: Parse::Named("together"), ..Statement::new("select a + 1 from together") };
    let again = Statement { parse: Parse::AlreadyNamed("together"), ..named };
    let insert = Statement::new("insert into together values (1)");
    client.queue_together(&[insert, named, Statement::new("select 1 / 0"), insert]).await?;
    let failed = events(client.next_execution().context("a flight")?).await;
    assert_eq!(failed.err().as_ref().map(code), Some("22012"));
    // One transaction, so that nothing is left of those before it.
    assert_eq!(value(&mut client, "select count(*) from together").await?, "0");
    assert!(client.is_prepared("together"));

    client.queue_together(&[insert, again, named, Statement::new(""), Statement::new("select 3, 4")]).await?;
    client.queue(&Statement::new("select 5")).await?;
    let together = events(client.next_execution().context("a flight")?).await?;
    assert_eq!(tags(&together), ["INSERT 0 1", "SELECT 1", "SELECT 1", "SELECT 1"]);
    assert_eq!(together.iter().filter(|event| matches!(event, Event::Empty)).count(), 1);
    assert_eq!(texts(&together).concat().into_iter().flatten().collect::<Vec<_>>(), ["2", "2", "3", "4"]);
    let behind = events(client.next_execution().context("a flight")?).await?;
    assert_eq!(texts(&behind), [[Some("5".into())]]);
    assert!(client.next_execution().is_none());
    assert!(client.is_sent());
    // A NUL keeps all of them back.
    assert!(client.queue_together(&[insert, Statement::new("select '\0'")]).await.is_err());
    assert!(client.next_execution().is_none());
    assert_eq!(value(&mut client, "select count(*) from together").await?, "1");
    Ok(())
}
