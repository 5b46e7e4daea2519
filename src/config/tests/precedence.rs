use std::time::Duration;

use super::{super::*, config, from_variables};

const URL: (&str, &str) = ("DATABASE_URL", "postgresql://app@db.example/app");

#[test]
fn the_url_wins_over_single_variables() {
    let config = from_variables(&[
        URL,
        ("PGHOST", "other.example"),
        ("PGUSER", "someone"),
        ("PGPASSWORD", "secret"),
        ("DATABASE_HOST", "third.example"),
        ("DATABASE_NAME", "third"),
    ])
    .unwrap();
    assert_eq!(config.get_host().unwrap(), "db.example");
    assert_eq!(config.get_user().unwrap(), "app");
    assert_eq!(config.get_dbname().unwrap(), "app");
    let told: Vec<_> =
        config.parameters().into_iter().map(|report| (report.origin, report.value, report.fate)).collect();
    let stripped = Fate::Stripped("DATABASE_URL gives it");
    assert_eq!(
        told,
        [
            ("PGHOST".to_owned(), "other.example".to_owned(), stripped.clone()),
            ("PGUSER".to_owned(), "someone".to_owned(), stripped),
            ("PGPASSWORD".to_owned(), "…".to_owned(), Fate::Applied),
        ]
    );
}

#[test]
fn libpqs_set_wins_over_planet_scales_and_they_do_not_mix() {
    let config = from_variables(&[
        ("PGHOST", "db.example"),
        ("PGUSER", "app"),
        ("DATABASE_HOST", "third.example"),
        ("DATABASE_NAME", "third"),
        ("DATABASE_PORT", "1"),
    ])
    .unwrap();
    assert_eq!((config.get_host().unwrap(), config.get_dbname().unwrap()), ("db.example", "app"));
    assert_eq!(config.get_port(), 5432);

    let config = from_variables(&[
        ("PGUSER", "app"),
        ("PGPASSWORD", "secret"),
        ("DATABASE_HOST", "third.example"),
        ("DATABASE_USERNAME", "third"),
        ("PGAPPNAME", "shop"),
    ])
    .unwrap();
    assert_eq!(config.get_user().unwrap(), "third");
    assert!(matches!(config.credential, credentials::Secret::None));
    assert_eq!(config.get_application_name(), Some("shop"));
}

#[test]
fn ours_fill_in_what_the_url_leaves_out() {
    let ours = [
        ("PGFERRY_TRANSPORT", "http"),
        ("PGFERRY_HTTP_URL", "https://proxy.example/{host}/sql"),
        ("PGFERRY_WS_URL", "wss://proxy.example/{host}"),
        ("PGFERRY_PROVIDER", "planetscale"),
        ("PGFERRY_REQUEST_TIMEOUT", "7"),
    ];
    let config = from_variables(&[&[URL], &ours[..]].concat()).unwrap();
    assert_eq!(config.get_transport(), Transport::Http);
    assert_eq!(config.get_provider(), Provider::PlanetScale);
    assert_eq!(config.get_request_timeout(), Some(Duration::from_secs(7)));
    assert_eq!(config.endpoint_http().unwrap().as_str(), "https://proxy.example/db.example/sql");
    assert_eq!(config.endpoint_ws().unwrap().as_str(), "wss://proxy.example/db.example");

    let url = ("DATABASE_URL", "postgresql://app@db.example/app?transport=websocket&http_url=https://mine.example/sql");
    let config = from_variables(&[&[url], &ours[..]].concat()).unwrap();
    assert_eq!(config.get_transport(), Transport::WebSocket);
    assert_eq!(config.endpoint_http().unwrap().as_str(), "https://mine.example/sql");
}

/// Says that the process is the child of [`only_what_asks_for_the_environment_reads_it`], with variables set.
const CHILD: &str = "PGFERRY_TEST_CHILD";

#[test]
fn only_what_asks_for_the_environment_reads_it() {
    if std::env::var_os(CHILD).is_some() {
        let from_environment = Config::from_env().unwrap();
        assert_eq!(from_environment.get_transport(), Transport::Http);
        assert_eq!(from_environment.get_host().unwrap(), "variable.example");

        let in_code = config("postgresql://app@db.example/app");
        assert!(in_code.parameters().is_empty());
        assert_eq!(in_code.get_transport(), Transport::Auto);
        assert_eq!(in_code.get_application_name(), None);
        return;
    }
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["config::tests::precedence::only_what_asks_for_the_environment_reads_it", "--exact"])
        .envs([
            (CHILD, "1"),
            ("DATABASE_URL", "postgresql://app@variable.example/app"),
            ("PGFERRY_TRANSPORT", "http"),
            ("PGAPPNAME", "shop"),
        ])
        .output()
        .unwrap();
    let report = String::from_utf8_lossy(&child.stdout);
    // A runner that finds no test succeeds as well.
    assert!(child.status.success() && report.contains("1 passed"), "{report}");
}

#[test]
fn a_later_setter_wins() {
    let config = config("postgresql://app:x@db.example/app?http_url=https://one.example/sql")
        .host("two.example")
        .http_url("https://{host}:{port}/q")
        .port(81);
    assert_eq!(config.endpoint_http().unwrap().as_str(), "https://two.example:81/q");
}

#[test]
fn empty_variables_count_as_missing() {
    let config = from_variables(&[
        ("DATABASE_URL", ""),
        ("PGHOST", ""),
        ("DATABASE_HOST", "third.example"),
        ("PGFERRY_TRANSPORT", ""),
        ("DATABASE_USERNAME", "third"),
    ])
    .unwrap();
    assert_eq!(config.get_host().unwrap(), "third.example");
}

#[test]
fn a_config_is_taken_where_a_url_is() {
    fn pool<C>(config: C) -> crate::Result<Config>
    where
        C: TryInto<Config>,
        crate::Error: From<C::Error>,
    {
        Ok(config.try_into()?)
    }
    let url = "postgresql://app@db.example/app";
    let config = pool(url).unwrap();
    let owned = url.to_owned();
    for same in [pool(&owned), pool(owned), pool(&config), pool(config.clone())] {
        assert_eq!(same.unwrap().get_host().unwrap(), "db.example");
    }
}
