use pgferry::Outcome;

use super::*;

async fn terminate(observer: &mut Client<TcpStream>, pid: i32) -> Result<()> {
    run(observer, &format!("select pg_terminate_backend({pid})")).await?;
    while value(observer, &format!("select count(*) from pg_stat_activity where pid = {pid}")).await? != "0" {}
    Ok(())
}

#[tokio::test]
async fn a_session_that_ended_while_idle_has_executed_nothing() -> Result<()> {
    let postgres = Postgres::shared()?;
    let (mut client, mut observer) = (connect(postgres).await?, connect(postgres).await?);
    terminate(&mut observer, client.backend_key().context("a key")?.process_id).await?;
    let error = run(&mut client, "select 1").await.expect_err("the session is gone");
    assert_eq!((code(&error), error.outcome()), ("57P01", Outcome::NotExecuted));
    assert!(!client.is_usable());
    let error = run(&mut client, "select 1").await.expect_err("it stays gone");
    assert!(error.is_closed() && error.outcome() == Outcome::NotExecuted, "{error:?}");
    assert!(client.ping().await.is_err());
    Ok(())
}

#[tokio::test]
async fn a_session_that_ends_in_the_middle_leaves_the_outcome_open() -> Result<()> {
    let postgres = Postgres::shared()?;
    let (mut client, mut observer) = (connect(postgres).await?, connect(postgres).await?);
    let pid = client.backend_key().context("a key")?.process_id;
    let statement = Statement::new("select 1, pg_sleep(600)");
    let mut execution = client.execute(&statement).await?;
    let running = format!("select count(*) from pg_stat_activity where pid = {pid} and wait_event = 'PgSleep'");
    while value(&mut observer, &running).await? != "1" {}
    terminate(&mut observer, pid).await?;
    let error = loop {
        if let Err(error) = execution.next().await {
            break error;
        }
    };
    assert_eq!((code(&error), error.outcome()), ("57P01", Outcome::Unknown));
    assert!(execution.next().await.expect_err("it stays gone").is_closed());
    assert!(!client.is_usable());
    Ok(())
}

#[tokio::test]
async fn a_stream_that_ends_in_the_middle_leaves_the_outcome_open() -> Result<()> {
    let postgres = Postgres::shared()?;
    let (ours, mut theirs) = tokio::io::duplex(4096);
    let mut server = stream(postgres).await?;
    // The relay ends, and with it the stream, once the client has what it waits for.
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let relay = tokio::spawn(async move {
        tokio::select! {
            _ = tokio::io::copy_bidirectional(&mut theirs, &mut server) => {}
            _ = ended => {}
        }
    });
    let mut client = Client::connect(ours, &app(postgres)).await?;
    let statement = Statement::new("select n from generate_series(1, 100000) n");
    let mut execution = client.execute(&statement).await?;
    assert!(execution.next().await?.is_some());
    let _ = end.send(());
    relay.await?;
    let error = loop {
        match execution.next().await {
            Ok(event) => assert!(event.is_some(), "it ended"),
            Err(error) => break error,
        }
    };
    assert!(error.is_closed() && error.outcome() == Outcome::Unknown, "{error:?}");
    Ok(())
}

#[tokio::test]
async fn a_message_beyond_the_limit_is_not_taken() -> Result<()> {
    let mut client = connect_shared().await?;
    client.set_max_message(10_000);
    assert_eq!(value(&mut client, "select repeat('x', 9000)").await?.len(), 9000);
    let error = run(&mut client, "select repeat('x', 11000)").await.expect_err("a limit");
    assert!(error.is_limit() && error.outcome() == Outcome::Unknown, "{error:?}");
    assert!(!client.is_usable());
    Ok(())
}
