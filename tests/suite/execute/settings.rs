use pgferry::{SqlState, execute::Statement, http::Client};

use super::{Place, hex, run, text};

#[tokio::test]
async fn values_are_the_servers_whatever_a_role_prefers() {
    let place = Place::with("create type event as (at timestamptz, took interval, raw bytea, f float8, on_ date)");
    let config = place.role(&[
        "datestyle = 'SQL, DMY'",
        "intervalstyle = 'sql_standard'",
        "bytea_output = 'escape'",
        "timezone = 'Asia/Kathmandu'",
        "extra_float_digits = -15",
        "standard_conforming_strings = off",
    ]);
    let session = place.session(&config);
    for (send, value) in [
        ("timestamptz_send", "'2024-02-29 12:00:00+00'::timestamptz"),
        ("interval_send", "'-1 days 02:03:04'::interval"),
        ("byteasend", "decode('00ff5c27', 'hex')"),
        ("float8send", "0.1::float8 + 0.2"),
        ("cash_send", "'1234.5'::money"),
        ("array_send", "array['2024-02-29 12:00:00+00'::timestamptz]"),
        (
            "record_send",
            "row('2024-02-29 12:00+00', '-1 days 02:03:04', decode('00ff5c27', 'hex'), 1e-7, '2024-02-03')::event",
        ),
    ] {
        let output = run(&session, Statement::new(format!("select {value}"))).await.unwrap();
        assert_eq!(hex(&output), place.sent(send, value), "{value}");
    }
    // A backslash escapes, so that the second parameter is none.
    let statement = Statement::new(r"select $1 || 'it\'s $2'").param(25, Some(b"so ".to_vec().into()));
    assert_eq!(text(&run(&session, statement).await.unwrap()), "so it's $2");
    session.execute_script(r"create table a (); comment on table a is 'x\'; y'").await.unwrap();
    run(&session, Statement::new("vacuum")).await.unwrap();
}

#[tokio::test]
async fn the_zone_is_shown_as_the_one_that_tcp_asks_for() {
    let place = Place::with("");
    let session = place.session(&place.role(&["timezone = 'GMT'"]));
    let shown = Statement::new("select current_setting('TimeZone') || to_char(now(), ' TZ')");
    assert_eq!(text(&run(&session, shown).await.unwrap()), "UTC UTC");
}

#[tokio::test]
async fn what_runs_outside_transactions_only_never_loses_a_setting() {
    let place = Place::with("");
    run(&place.session, Statement::new("vacuum")).await.unwrap();
    let error = run(&place.reopened("work_mem", "3MB"), Statement::new("vacuum")).await.unwrap_err();
    assert!(error.is_refused() && error.message().contains("work_mem"), "{error}");
    let client = Client::new(&place.stage.config().application_name("x")).unwrap();
    assert!(client.execute("vacuum", &[]).await.unwrap_err().is_refused());
}

#[tokio::test]
async fn a_setting_that_the_server_does_not_take_is_told_as_such() {
    let place = Place::with("");
    for (name, value, code) in [("no_such_thing", "1", "42704"), ("work_mem", "plenty", "22023")] {
        let error = place.reopened(name, value).server().await.unwrap_err();
        assert_eq!(error.code().map(SqlState::as_str), Some(code), "{error}");
        let detail = error.as_db_error().unwrap().detail.clone().unwrap_or_default();
        assert!(detail.contains(&format!("the setting {name} is one that the connection asks for")), "{error}");
    }
}
