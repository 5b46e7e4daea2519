use pgferry::{Outcome, wire::TransactionStatus};

use super::*;

#[tokio::test]
async fn copy_is_refused_and_the_session_goes_on() -> Result<()> {
    let mut client = connect_shared().await?;
    run(&mut client, "create temp table c (a int)").await?;
    run(&mut client, "insert into c select generate_series(1, 1000)").await?;
    for simple in [false, true] {
        for (sql, outcome) in [
            ("copy c from stdin", Outcome::Failed),
            ("copy c to stdout", Outcome::Unknown),
            ("copy (select repeat('x', 1000000) from c) to stdout (format binary)", Outcome::Unknown),
        ] {
            let error =
                if simple { events(client.simple_query(sql).await?).await } else { run(&mut client, sql).await };
            let error = error.expect_err("a refusal");
            assert!(error.is_refused(), "{error:?}");
            assert_eq!(error.outcome(), outcome, "{sql}");
            assert_eq!(value(&mut client, "select count(*) from c").await?, "1000");
            assert_eq!(client.transaction_status(), TransactionStatus::Idle);
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_copy_among_other_statements_ends_them() -> Result<()> {
    let mut client = connect_shared().await?;
    run(&mut client, "create temp table c (a int)").await?;
    let error =
        events(client.simple_query("insert into c values (1); copy c from stdin; insert into c values (2)").await?)
            .await
            .expect_err("a refusal");
    assert!(error.is_refused());
    assert_eq!(value(&mut client, "select count(*) from c").await?, "0");
    Ok(())
}

#[tokio::test]
async fn a_copy_whose_execution_was_dropped_is_refused_as_well() -> Result<()> {
    let mut client = connect_shared().await?;
    run(&mut client, "create temp table c (a int)").await?;
    for sql in ["copy c from stdin", "copy (select generate_series(1, 100000)) to stdout"] {
        let _ = client.execute(&Statement::new(sql)).await?;
        assert_eq!(value(&mut client, "select count(*) from c").await?, "0");
        let _ = client.simple_query(sql).await?;
        assert_eq!(value(&mut client, "select count(*) from c").await?, "0");
    }
    Ok(())
}

#[tokio::test]
async fn a_copy_can_be_refused_when_it_begins() -> Result<()> {
    let mut client = connect_shared().await?;
    run(&mut client, "create temp table c (a int)").await?;
    for (sql, outcome) in [
        ("copy c from stdin", Outcome::Failed),
        ("copy (select repeat('x', 1000000) from generate_series(1, 100)) to stdout", Outcome::Unknown),
    ] {
        let statement = Statement::new(sql);
        let mut execution = client.execute(&statement).await?;
        let error = execution.next_unless_copied().await.expect_err("a refusal");
        assert!(error.is_refused(), "{error:?}");
        assert_eq!(error.outcome(), outcome, "{sql}");
        assert_eq!(value(&mut client, "select 'next'").await?, "next");
    }
    let statement = Statement::new("select 1");
    let mut execution = client.execute(&statement).await?;
    let mut events = 0;
    while execution.next_unless_copied().await?.is_some() {
        events += 1;
    }
    assert_eq!(events, 3);
    Ok(())
}
