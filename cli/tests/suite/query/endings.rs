use std::{
    io::Read,
    process::{Command, Stdio},
};

use pgferry_test_support::Stage;

use super::{TRANSPORTS, query, run, streaming::until};

#[test]
fn an_interrupt_cancels_the_statement() {
    let stage = Stage::start();
    let database = stage.database();
    let running = format!(
        "select count(*) = 1 from pg_stat_activity where datname = '{database}' and state = 'active' and query like '%pg_sleep(600)%' \
         and pid <> pg_backend_pid()"
    );
    for transport in TRANSPORTS {
        let mut child = query(&stage, transport, &["select pg_sleep(600); select 2 as never"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command starts");
        until(&stage, &running);
        let status = Command::new("kill").args(["-s", "INT", &child.id().to_string()]).status().expect("kill starts");
        assert!(status.success());
        let mut err = String::new();
        child.stderr.take().expect("piped").read_to_string(&mut err).expect("text");
        let mut out = String::new();
        child.stdout.take().expect("piped").read_to_string(&mut out).expect("text");
        assert_eq!((child.wait().expect("it ends").code(), out.as_str()), (Some(130), ""), "{transport}: {err}");
        assert_eq!(err.contains("ERROR:  57014: canceling statement"), transport == "websocket", "{err}");
        until(&stage, &running.replace("= 1", "= 0"));
    }
}

#[test]
fn a_deadline_cancels_the_statement() {
    let stage = Stage::start();
    for transport in TRANSPORTS {
        let url = format!("{}&request_timeout=1", stage.url());
        let answer = run(query(&stage, transport, &["select pg_sleep(600)"]).env("DATABASE_URL", url));
        assert_eq!(answer.status, Some(1), "{transport}: {}", answer.err);
        assert!(answer.err.contains("within 1s"), "{transport}: {}", answer.err);
        let database = stage.database();
        until(
            &stage,
            &format!(
                "select count(*) = 0 from pg_stat_activity where datname = '{database}' and state = 'active' and query like \
                 '%pg_sleep(600)%' and pid <> pg_backend_pid()"
            ),
        );
    }
}
