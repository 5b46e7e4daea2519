use pgferry_test_support::{GatewayProcess, Postgres, Stage, TestGateway};

use super::{Answer, TRANSPORTS, pgferry, query, run};
use crate::PGFERRY;

#[test]
fn statements_fail_as_psql_tells_it() {
    let stage = Stage::start();
    stage.psql("create table item (id int primary key, name text not null)");
    stage.psql("insert into item values (1, 'one')");
    stage.psql("alter table item owner to app");
    for transport in TRANSPORTS {
        for (statement, said) in [
            (
                "select *\n  from missing where true",
                "ERROR:  42P01: relation \"missing\" does not exist\nLINE 2:   from missing where true\n               ^\n",
            ),
            (
                "select 'é', nmae from item",
                "ERROR:  42703: column \"nmae\" does not exist\nLINE 1: select 'é', nmae from item\n                    ^\n\
                 HINT:  Perhaps you meant to reference the column \"item.name\".\n",
            ),
            (
                "insert into item values (1, 'uno')",
                "ERROR:  23505: duplicate key value violates unique constraint \"item_pkey\"\nDETAIL:  Key (id)=(1) already exists.\n",
            ),
            (
                "do $$begin execute 'select 1/0'; end$$",
                "ERROR:  22012: division by zero\nCONTEXT:  SQL statement \"select 1/0\"\nPL/pgSQL function inline_code_block \
                 line 1 at EXECUTE\n",
            ),
            (
                "do $$begin execute 'select x'; end$$",
                "ERROR:  42703: column \"x\" does not exist\nLINE 1: select x\n               ^\nQUERY:  select x\n\
                 CONTEXT:  PL/pgSQL function inline_code_block line 1 at EXECUTE\n",
            ),
        ] {
            let answer = run(&mut query(&stage, transport, &[statement]));
            assert_eq!((answer.status, answer.out.as_str()), (Some(1), ""), "{transport} {statement}: {}", answer.err);
            assert_eq!(answer.err, said, "{transport}");
        }
    }
}

#[test]
fn mistakes_of_the_command_line_are_told_in_its_own_words() {
    let stage = Stage::start();
    for transport in TRANSPORTS {
        for (args, said) in [
            (
                &["select $1::int + $2::int", "-p", "1"][..],
                "pgferry: the statement has 2 parameters, and 1 was given: give each a -p of its own\n",
            ),
            (&["select $1::int"], "pgferry: the statement has 1 parameter, and none were given: give one -p\n"),
            (
                &["select 1", "-p", "1", "-p", "2"],
                "pgferry: the statement has no parameters, and 2 were given: leave -p out\n",
            ),
        ] {
            let answer = run(&mut query(&stage, transport, args));
            assert_eq!((answer.status, answer.out.as_str(), answer.err.as_str()), (Some(1), "", said), "{transport}");
        }
        for (statement, is_psqls) in [("\\d", true), ("\\dt item;", true), ("selec", false)] {
            let answer = run(&mut query(&stage, transport, &[statement]));
            assert!(answer.err.starts_with("ERROR:  42601: syntax error"), "{}", answer.err);
            assert_eq!(answer.err.contains("\nhint: psql's own commands"), is_psqls, "{}", answer.err);
        }
    }
}

#[test]
fn a_service_that_turns_requests_away_is_not_taken_for_a_wrong_address() {
    let postgres = Postgres::start().expect("a server");
    for (fault, words, hint) in [
        ("status=too-many-connections", "Too many connections", "Try again"),
        ("status=503", "service unavailable", "Try again"),
        ("status=429", "too many requests", "Try again"),
        ("status=404", "not found", "Check the host"),
    ] {
        let gateway = GatewayProcess::start(PGFERRY, &postgres, &["--fault", fault]).expect("a gateway");
        for transport in TRANSPORTS {
            let mut command = pgferry();
            command.args(["query", "--no-env-file", "--transport", transport, "select 1"]);
            let answer = run(command.env("DATABASE_URL", gateway.ferry(&postgres.url())));
            assert_eq!((answer.status, answer.out.as_str()), (Some(3), ""), "{transport}: {}", answer.err);
            assert!(answer.err.contains(words) && answer.err.contains("127.0.0.1"), "{transport}: {}", answer.err);
            let told = answer.err.split_once("\nhint: ").map(|(_, told)| told);
            assert!(told.is_some_and(|told| told.starts_with(hint)), "{transport}: {}", answer.err);
            assert!(!answer.err.contains('{'), "{transport}: {}", answer.err);
        }
    }
}

#[test]
fn what_a_transport_cannot_do_is_refused_with_the_remedy() {
    let stage = Stage::start();
    for (transport, script, words) in [
        ("http", "create table t (a int); begin", "--transport websocket"),
        ("http", "create table t (a int); listen x", "--transport websocket"),
        ("http", "create table t (a int); copy t to stdout", "--transport websocket"),
        ("websocket", "copy (select 1) to stdout", "COPY"),
    ] {
        let answer = run(&mut query(&stage, transport, &[script]));
        assert_eq!((answer.status, answer.out.as_str()), (Some(1), ""), "{script}: {}", answer.err);
        assert!(answer.err.contains(words), "{script}: {}", answer.err);
    }
    // Nothing was sent of what had to be refused.
    assert_eq!(stage.psql("select to_regclass('t') is null"), "t");
}

#[test]
fn whoever_cannot_connect_hears_why_and_what_to_try() {
    let stage = Stage::start();
    let nobody = "http_url=http%3A%2F%2F127.0.0.1%3A1%2Fsql&ws_url=ws%3A%2F%2F127.0.0.1%3A1";
    let plain = stage.postgres_url();
    let with_password = |password: &str| stage.url().replace(stage.password(), password);
    for (url, words) in [
        (format!("{plain}?{nobody}"), &["127.0.0.1", "refused", "hint: "][..]),
        (
            format!("{plain}?{}", nobody.replace("127.0.0.1%3A1", "host.invalid") + "&allow_plaintext=true"),
            &["host.invalid", "hint: "],
        ),
        (with_password("sesame"), &["password authentication failed", "PGPASSWORD"]),
        (stage.gateway().ferry(&stage.postgres().database_url("nowhere")), &["\"nowhere\" does not exist"]),
    ] {
        for transport in TRANSPORTS {
            let answer = run(query(&stage, transport, &["select 1"]).env("DATABASE_URL", &url));
            assert_eq!((answer.status, answer.out.as_str()), (Some(3), ""), "{transport}: {}", answer.err);
            assert!(answer.err.matches("refused").count() <= 1, "{transport}, told twice: {}", answer.err);
            for word in words {
                assert!(answer.err.contains(word), "{transport}, no {word:?}: {}", answer.err);
            }
            assert!(!answer.err.contains(stage.password()) && !answer.err.contains("sesame"), "{}", answer.err);
        }
    }
}

#[test]
fn a_postgres_that_is_down_is_no_connection() {
    let stage = Stage::with(|_| {
        use pgferry_gateway::{GatewayConfig, Upstream};
        TestGateway::with(GatewayConfig::new(Upstream::new("127.0.0.1", 1)))
    });
    for transport in TRANSPORTS {
        let answer = run(&mut query(&stage, transport, &["select 1"]));
        assert_eq!((answer.status, answer.out.as_str()), (Some(3), ""), "{transport}: {}", answer.err);
    }
}

#[test]
fn mistakes_are_told_without_what_may_be_secret() {
    let url = "postgresql://app:sesame@127.0.0.1:1/app";
    for (args, words) in [
        (&[][..], "DATABASE_URL"),
        (&["select 1"], "DATABASE_URL"),
        (&["mysql://app:sesame@host/db", "select 1"], "postgresql"),
        (&["postgresql://app:se/same@host/db", "select 1"], "%2F"),
        (&[url, url], "two URLs"),
        (&[url, "select 1", "select 2"], "quotes"),
        (&["select 1", "select 2"], "semicolon"),
        (&["--url", url, url, "select 1"], "twice"),
        (&[url, "select 1", "--file", "a.sql"], "--file"),
        (&[url, "--file", "/nowhere/a.sql"], "/nowhere/a.sql"),
        (&[url, "select 1; select 2", "-p", "sesame"], "one statement"),
        (&[url, "select 1", "--format", url], "URL"),
        (&[url, "select 1", "--transport", "pigeon"], "websocket"),
        (&[url, "select 1", "--format", "csv", "--expanded"], "--expanded"),
        (&[url, "select 1", "--output", "/nowhere/out"], "/nowhere/out"),
        (&[url, "select 1", "--single-transaction", "--continue-on-error"], "--continue-on-error"),
        (&["--env-file", "/nowhere/.env", "select 1"], "/nowhere/.env"),
    ] {
        let Answer { status, out, err } = run(pgferry().current_dir("/").arg("query").args(args));
        assert_eq!((status, out.as_str()), (Some(2), ""), "{args:?}: {err}");
        assert!(err.contains(words), "{args:?}: {err}");
        assert!(!err.contains("sesame") && !err.contains("se/same"), "{args:?}: {err}");
    }
}
