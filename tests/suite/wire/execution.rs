use pgferry::{
    Outcome,
    wire::{Format, Params, Parse, TransactionStatus},
};

use super::*;

#[tokio::test]
async fn text_and_binary_go_both_ways() -> Result<()> {
    let mut client = connect_shared().await?;
    let text = [Some(Cow::Borrowed(&b"42"[..])), None];
    let binary = [Some(Cow::Borrowed(&42_i32.to_be_bytes()[..])), None];
    for (format, values, types) in [
        (Format::Text, &text, &[][..]),
        (Format::Text, &text, &[23]),
        (Format::Binary, &binary, &[23, 25]),
        (Format::Binary, &binary, &[0, 25]),
    ] {
        for results in [Format::Text, Format::Binary] {
            let statement = Statement {
                param_types: types,
                params: Params { format, values },
                results,
                ..Statement::new("select $1::int4 as n, $2::text as t, 'é'")
            };
            let events = events(client.execute(&statement).await?).await?;
            let [Event::Columns(columns), Event::Row(row), Event::Complete(tag)] = &events[..] else {
                panic!("{events:?}")
            };
            let names: Vec<_> = columns.iter().map(|column| (column.name.as_str(), column.type_oid)).collect();
            assert_eq!(names, [("n", 23), ("t", 25), ("?column?", 25)]);
            let expected = if results == Format::Text { text[0].as_deref() } else { binary[0].as_deref() };
            assert_eq!(row.values().collect::<Vec<_>>(), [expected, None, Some("é".as_bytes())]);
            assert_eq!(tag, "SELECT 1");
        }
    }
    Ok(())
}

#[tokio::test]
async fn statements_without_rows_give_their_tag_only() -> Result<()> {
    let mut client = connect_shared().await?;
    for (sql, expected) in [
        ("create temp table t (a int primary key deferrable initially deferred)", "CREATE TABLE"),
        ("insert into t values (1), (2)", "INSERT 0 2"),
        ("update t set a = 3 where a = 2", "UPDATE 1"),
        ("delete from t", "DELETE 2"),
    ] {
        let events = run(&mut client, sql).await?;
        assert_eq!(events, [Event::Complete(expected.into())]);
    }
    assert_eq!(run(&mut client, " -- nothing").await?, [Event::Empty]);
    let events = run(&mut client, "select from t union all select").await?;
    assert!(
        matches!(&events[..], [Event::Columns(columns), Event::Row(row), _] if columns.is_empty() && row.is_empty())
    );

    // An error that comes behind the tag, from the commit that the Sync makes.
    let error = run(&mut client, "insert into t values (1), (1)").await.expect_err("a deferred constraint");
    assert_eq!((code(&error), error.outcome()), ("23505", Outcome::Failed));
    assert_eq!(value(&mut client, "select count(*) from t").await?, "0");
    Ok(())
}

#[tokio::test]
async fn a_statement_is_described_and_not_executed() -> Result<()> {
    let mut client = connect_shared().await?;
    run(&mut client, "create temp table t (a int, b text)").await?;
    for (sql, expected) in [
        ("insert into t values ($1, $2) returning b, a", vec![("b", 25), ("a", 23)]),
        ("insert into t values (1)", vec![]),
        ("copy t to stdout", vec![]),
        ("", vec![]),
    ] {
        client.queue_describe(sql).await?;
        let described = events(client.next_execution().context("none")?).await?;
        let columns: Vec<_> = match described.as_slice() {
            [] => Vec::new(),
            [Event::Columns(columns)] => columns.iter().map(|column| (column.name.as_str(), column.type_oid)).collect(),
            other => panic!("{sql}: {other:?}"),
        };
        assert_eq!(columns, expected, "{sql}");
    }
    client.queue_describe("select nothing").await?;
    let error = events(client.next_execution().context("none")?).await.expect_err("no such column");
    assert_eq!(code(&error), "42703");
    assert_eq!(value(&mut client, "select count(*) from t").await?, "0");
    Ok(())
}

#[tokio::test]
async fn an_error_is_told_once_and_the_session_goes_on() -> Result<()> {
    let mut client = connect_shared().await?;
    for sql in ["selec 1", "select * from nowhere", "select 1 / (3 - n) from generate_series(1, 5) n"] {
        let statement = Statement::new(sql);
        let mut execution = client.execute(&statement).await?;
        let error = loop {
            match execution.next().await {
                Ok(Some(_)) => {}
                Ok(None) => panic!("no error from {sql}"),
                Err(error) => break error,
            }
        };
        assert_eq!(error.outcome(), Outcome::Failed);
        assert_eq!(execution.next().await?, None);
        assert!(client.is_usable());
        assert_eq!(client.transaction_status(), TransactionStatus::Idle);
    }
    let error = run(&mut client, "select né").await.expect_err("an error");
    let error = error.as_db_error().expect("the server's");
    assert_eq!((error.severity.as_str(), error.position), ("ERROR", Some(8)));
    assert!(error.message.contains("né") && error.routine.is_some() && error.line.is_some());
    Ok(())
}

#[tokio::test]
async fn the_transaction_status_is_followed() -> Result<()> {
    let mut client = connect_shared().await?;
    run(&mut client, "begin").await?;
    assert_eq!(client.transaction_status(), TransactionStatus::Transaction);
    run(&mut client, "select 1 / 0").await.expect_err("an error");
    assert_eq!(client.transaction_status(), TransactionStatus::Failed);
    assert_eq!(code(&run(&mut client, "select 1").await.expect_err("an error")), "25P02");
    assert_eq!(tags(&run(&mut client, "commit").await?), ["ROLLBACK"]);
    assert_eq!(client.transaction_status(), TransactionStatus::Idle);
    Ok(())
}

#[tokio::test]
async fn named_statements_are_parsed_once() -> Result<()> {
    let mut client = connect_shared().await?;
    const NAMES: &str = "select coalesce(string_agg(name, ',' order by name), '') from pg_prepared_statements";
    let named = |text: &'static str, parse| Statement { parse, ..Statement::new(text) };

    assert_eq!(code(&events(client.execute(&named("selec", Parse::Named("a"))).await?).await.expect_err("")), "42601");
    assert!(!client.is_prepared("a"));
    assert_eq!(value(&mut client, NAMES).await?, "");

    // What fails after having been parsed stays parsed.
    assert_eq!(
        code(&events(client.execute(&named("select 1/0", Parse::Named("a"))).await?).await.expect_err("")),
        "22012"
    );
    assert!(client.is_prepared("a"));
    assert_eq!(value(&mut client, NAMES).await?, "a");

    // Parsed again under the same name, it replaces the other.
    let events_of = events(client.execute(&named("select 'x'", Parse::Named("a"))).await?).await?;
    assert_eq!(texts(&events_of), [[Some("x".into())]]);
    let events_of = events(client.execute(&named("", Parse::AlreadyNamed("a"))).await?).await?;
    assert_eq!(texts(&events_of), [[Some("x".into())]]);
    assert!(matches!(events_of[0], Event::Columns(_)));

    client.close_statement("a");
    assert!(!client.is_prepared("a"));
    assert_eq!(value(&mut client, NAMES).await?, "");
    let error = events(client.execute(&named("", Parse::AlreadyNamed("a"))).await?).await.expect_err("");
    assert_eq!(code(&error), "26000");
    Ok(())
}

#[tokio::test]
async fn a_simple_query_runs_several_statements() -> Result<()> {
    let mut client = connect_shared().await?;
    let given = events(client.simple_query("select 1, null; create temp table s (); ; select 'b'").await?).await?;
    assert_eq!(tags(&given), ["SELECT 1", "CREATE TABLE", "SELECT 1"]);
    assert_eq!(texts(&given), [vec![Some("1".into()), None], vec![Some("b".into())]]);
    assert_eq!(given.iter().filter(|event| matches!(event, Event::Columns(_))).count(), 2);
    assert_eq!(events(client.simple_query("").await?).await?, [Event::Empty]);

    let mut execution = client.simple_query("create temp table gone (); select 1; select 1 / 0; select 2").await?;
    let mut before = 0;
    let error = loop {
        match execution.next().await {
            Ok(Some(_)) => before += 1,
            Ok(None) => panic!("no error"),
            Err(error) => break error,
        }
    };
    assert_eq!((before, code(&error)), (4, "22012"));
    assert_eq!(execution.finish().await?, "");
    assert_eq!(code(&run(&mut client, "table gone").await.expect_err("rolled back")), "42P01");
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_sent_is_not_sent() -> Result<()> {
    let mut client = connect_shared().await?;
    let error = run(&mut client, "select '\0'").await.expect_err("a NUL");
    assert!(error.is_value() && error.outcome() == Outcome::NotExecuted, "{error:?}");
    assert!(client.simple_query("select '\0'").await.expect_err("a NUL").is_value());
    let values = vec![None; 65_536];
    let many = Statement { params: Params { format: Format::Text, values: &values }, ..Statement::new("select 1") };
    let error = client.execute(&many).await.expect_err("too many parameters");
    assert!(error.is_limit() && error.outcome() == Outcome::NotExecuted, "{error:?}");
    assert_eq!(value(&mut client, "select 'fine'").await?, "fine");
    Ok(())
}

#[tokio::test]
async fn large_values_go_both_ways() -> Result<()> {
    let mut client = connect_shared().await?;
    let large: Vec<u8> = (0..3 << 20).map(|n| b'a' + (n % 26) as u8).collect();
    let values = [Some(Cow::Borrowed(&large[..]))];
    let echo = Statement {
        params: Params { format: Format::Text, values: &values },
        ..Statement::new("select $1, n, $1 from generate_series(1, 3) n")
    };
    let events = events(client.execute(&echo).await?).await?;
    assert_eq!(rows(&events).count(), 3);
    for row in rows(&events) {
        let values: Vec<_> = row.values().flatten().collect();
        assert!(values[0] == large && values[2] == large);
    }
    Ok(())
}

#[tokio::test]
async fn notices_parameters_and_notifications_are_kept() -> Result<()> {
    let mut client = connect_shared().await?;
    run(&mut client, "do $$ begin raise notice 'one'; raise warning 'two'; end $$").await?;
    let notices = client.take_notices();
    let told: Vec<_> = notices.iter().map(|notice| (notice.severity.as_str(), notice.message.as_str())).collect();
    assert_eq!(told, [("NOTICE", "one"), ("WARNING", "two")]);
    assert!(client.take_notices().is_empty());

    run(&mut client, "do $$ begin for n in 1..1000 loop raise notice '%', n; end loop; end $$").await?;
    let notices = client.take_notices();
    assert_eq!((notices.len(), notices[255].message.as_str()), (256, "1000"));

    run(&mut client, "set application_name = 'till'").await?;
    assert_eq!(client.parameter("application_name"), Some("till"));
    assert!(client.parameters().any(|(name, value)| (name, value) == ("application_name", "till")));

    let channel = format!("till{}", client.backend_key().expect("a key").process_id);
    run(&mut client, &format!("listen {channel}")).await?;
    run(&mut client, &format!("notify {channel}, 'paid'")).await?;
    let notifications = client.take_notifications();
    assert_eq!(notifications.len(), 1);
    assert_eq!((notifications[0].channel.as_str(), notifications[0].payload.as_str()), (channel.as_str(), "paid"));
    Ok(())
}
