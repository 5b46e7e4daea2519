//! What a URL and the environment are taken for.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{PASSWORD, Ping, url};

fn offline(url: &str) -> Result<Value> {
    let (status, report) = Ping::new(&["--offline", url]).json()?;
    ensure!(status == Some(0) && report["transports"] == Value::Array(vec![]), "{report:#}");
    Ok(report["url"].clone())
}

#[test]
fn what_neons_console_gives_is_understood() -> Result<()> {
    for (host, pooled) in [("ep-cool-darkness-a1b2c3d4", false), ("ep-cool-darkness-a1b2c3d4-pooler", true)] {
        let host = format!("{host}.us-east-2.aws.neon.tech");
        let told =
            offline(&format!("postgresql://alex:{PASSWORD}@{host}/dbname?sslmode=require&channel_binding=require"))?;
        ensure!(told["provider"]["value"] == "neon" && told["provider"]["from"] == "host", "{told:#}");
        ensure!(told["pooled"] == pooled && told["password_sent_ahead"] == true, "{told:#}");
        ensure!(told["http"]["url"] == "https://api.us-east-2.aws.neon.tech/sql", "{told:#}");
        ensure!(told["websocket"]["url"] == format!("wss://{host}/v2"), "{told:#}");
        ensure!(told["password"]["given"] == true && told["password"]["from"] == "URL", "{told:#}");
        ensure!(told["port"]["value"] == 5432 && told["port"]["from"] == "default", "{told:#}");
        let fates: Vec<_> =
            told["parameters"].as_array().context("none")?.iter().map(|each| (&each["name"], &each["fate"])).collect();
        ensure!(
            fates
                == [("sslmode", "applied"), ("channel_binding", "left out")]
                    .map(|(a, b)| (Value::from(a), Value::from(b)))
                    .iter()
                    .map(|(a, b)| (a, b))
                    .collect::<Vec<_>>(),
            "{fates:?}"
        );
        ensure!(
            told["parameters"][1]["reason"].as_str().is_some_and(|reason| reason.contains("TLS ends at the endpoint"))
        );
    }
    Ok(())
}

#[test]
fn people_read_what_a_url_is_taken_for() -> Result<()> {
    let host = "ep-cool-darkness-a1b2c3d4-pooler.us-east-2.aws.neon.tech";
    let url = format!("postgresql://alex:{PASSWORD}@{host}/dbname?sslmode=require&channel_binding=require");
    let said = Ping::new(&["--offline", &url]).run()?;
    let expected = "\
What the URL is taken for
  provider   Neon (by its host)
  host       ep-cool-darkness-a1b2c3d4-pooler.us-east-2.aws.neon.tech (URL)
  port       5432 (default)
  user       alex (URL)
  password   given (URL)
  database   dbname (URL)
  server     pooled: a pooler in transaction mode, so that what a session sets does not last
  transport  auto (default)
  HTTP       https://api.us-east-2.aws.neon.tech/sql
    log-in   the password goes with each request, inside TLS
  WebSocket  wss://ep-cool-darkness-a1b2c3d4-pooler.us-east-2.aws.neon.tech/v2
    log-in   the password in cleartext, inside TLS, sent before it is asked for

Its parameters
  sslmode=require (URL)
      applied
  channel_binding=require (URL)
      left out: TLS ends at the endpoint, so there is no channel to Postgres to bind to; the
      endpoint's certificate is verified instead
";
    ensure!(said.status == Some(0) && said.out == expected, "{}", said.out);
    Ok(())
}

#[test]
fn what_planetscales_console_gives_is_understood() -> Result<()> {
    for (port, pooled) in [(5432, false), (6432, true)] {
        let host = "XXXX.us-east-2.pg.psdb.cloud";
        let url = format!(
            "postgresql://role.branch:pscale_pw_{PASSWORD}@{host}:{port}/postgres?sslmode=verify-full&sslrootcert=system&sslnegotiation=direct"
        );
        let told = offline(&url)?;
        let host = host.to_ascii_lowercase();
        ensure!(told["provider"]["value"] == "planetscale" && told["pooled"] == pooled, "{told:#}");
        ensure!(told["user"]["value"] == "role.branch" && told["database"]["value"] == "postgres", "{told:#}");
        ensure!(told["http"]["url"] == format!("https://{host}/sql"), "{told:#}");
        ensure!(told["websocket"]["url"] == format!("wss://{host}/v2?address={host}:{port}"), "{told:#}");
        ensure!(told["require_auth"] == "scram-sha-256" && told["password_sent_ahead"] == false, "{told:#}");
        ensure!(
            told["parameters"][2]["name"] == "sslnegotiation" && told["parameters"][2]["fate"] == "left out",
            "{told:#}"
        );
    }
    Ok(())
}

#[test]
fn where_each_value_came_from_is_told() -> Result<()> {
    let mut ping = Ping::new(&["--offline"]);
    ping.command.envs([
        ("DATABASE_URL", "postgresql://app@db.example/shop"),
        ("PGPASSWORD", PASSWORD),
        ("PGPORT", "6432"),
        ("PGUSER", "other"),
        ("PGFERRY_TRANSPORT", "http"),
    ]);
    let (_, report) = ping.json()?;
    let told = &report["url"];
    for (key, from) in [
        ("host", "DATABASE_URL"),
        ("user", "DATABASE_URL"),
        ("database", "DATABASE_URL"),
        ("port", "PGPORT"),
        ("password", "PGPASSWORD"),
        ("transport", "PGFERRY_TRANSPORT"),
    ] {
        ensure!(told[key]["from"] == from, "{key}: {told:#}");
    }
    ensure!(told["user"]["value"] == "app" && told["pooled"] == true, "{told:#}");

    let mut ping = Ping::new(&["--offline"]);
    ping.command.envs([("PGHOST", "db.example"), ("PGUSER", "app")]);
    let (_, report) = ping.json()?;
    ensure!(
        report["url"]["host"]["from"] == "PGHOST" && report["url"]["database"]["from"] == "the user's name",
        "{report:#}"
    );
    Ok(())
}

#[test]
fn mistakes_are_told_with_every_refused_parameter() -> Result<()> {
    let url = format!("postgresql://app:{PASSWORD}@db.example/app?search_path=x&sslmode=require&sslcert=a.pem");
    let said = Ping::new(&["--offline", &url]).run()?;
    ensure!(said.status == Some(2), "{} {}", said.out, said.err);
    for words in ["search_path", "refused: a session's settings go into options", "sslcert", "sslmode=require"] {
        ensure!(said.out.contains(words), "{words}: {}", said.out);
    }
    ensure!(said.err.contains("search_path"), "{}", said.err);
    let said = Ping::new(&["--offline", "--json", &url]).run()?;
    let report: Value = serde_json::from_str(&said.out)?;
    let fates: Vec<_> =
        report["url"]["parameters"].as_array().context("none")?.iter().map(|each| &each["fate"]).collect();
    ensure!(
        said.status == Some(2)
            && report["ok"] == false
            && report["error"].is_string()
            && fates == ["applied", "refused", "refused"],
        "{report:#}"
    );

    for args in [
        &["--tries", "0", "postgresql://app@db.example/app"][..],
        &["--timeout", "0", "postgresql://app@db.example/app"],
        &["--transport", "tcp", "postgresql://app@db.example/app"],
        &["--offline", "mysql://app:sesame@db.example/app"],
        &["--offline", "postgresql://app:se/same@db.example/app"],
        &["--offline"],
    ] {
        let said = Ping::new(args).run()?;
        ensure!(
            said.status == Some(2) && said.out.is_empty() && !said.err.is_empty(),
            "{args:?}: {} {}",
            said.out,
            said.err
        );
    }
    Ok(())
}

#[test]
fn programs_read_json_also_where_nothing_can_be_measured() -> Result<()> {
    for (url, words) in [
        ("mysql://app:sesame@db.example/app", "must begin postgresql://"),
        ("postgresql://app@db.example:x/app", "the URL's port: it is not a number"),
        ("postgresql:///app", "host"),
    ] {
        let said = Ping::new(&["--json", url]).run()?;
        ensure!(said.status == Some(2), "{} {}", said.out, said.err);
        let report: Value = serde_json::from_str(&said.out).with_context(|| said.err.clone())?;
        ensure!(report["ok"] == false && report["url"].is_null(), "{report:#}");
        let error = report["error"].as_str().context("no error")?;
        ensure!(error.contains(words) && said.err == format!("pgferry: {error}\n"), "{report:#} {}", said.err);
    }
    Ok(())
}

#[test]
fn a_plain_endpoint_is_not_told_to_be_applied() -> Result<()> {
    let url = url("http://db.example/sql", "wss://db.example/v2");
    let said = Ping::new(&["--offline", &url]).run()?;
    ensure!(
        said.out.contains("http_url=http://db.example/sql (URL)\n      refused: plain http: would show"),
        "{}",
        said.out
    );
    ensure!(said.out.contains("ws_url=wss://db.example/v2 (URL)\n      applied\n"), "{}", said.out);
    Ok(())
}
