//! The end of a bridge, with sessions open.

use std::io::Read;

use pgferry_test_support::Stage;

use super::{Bridge, FAITHFUL, TRANSPORTS, psql, until};
use crate::running::Running;

#[test]
fn a_signal_ends_it_and_what_its_clients_run() {
    let stage = Stage::start();
    let count = format!(
        "select count(*) from pg_stat_activity where datname = '{}' and query like 'select pg_sleep(600)%'",
        stage.database()
    );
    for (transport, signal) in TRANSPORTS.into_iter().zip(["TERM", "INT", "TERM"]) {
        let mut bridge = Bridge::start(&stage, transport);
        let mut busy = Running::start(psql(bridge.url()).args(["-c", "select pg_sleep(600)"]));
        until(&stage, &format!("{count} and state = 'active'").replace("count(*)", "count(*) = 1"));
        bridge.running.signal(signal);
        let (status, said) = bridge.running.wait();
        assert!(status.success(), "{transport} {status} {said}");
        assert_eq!(said, "", "{transport}");
        until(&stage, &count.replace("count(*)", "count(*) = 0"));
        let (status, said) = busy.wait();
        assert_eq!(status.code(), Some(2), "{transport} {said}");
        assert!(said.contains("the bridge was told to end"), "{transport} {said}");
    }
}

#[test]
fn a_transaction_that_is_open_is_rolled_back() {
    let stage = Stage::start();
    stage.psql("create table kept (); grant all on kept to app");
    for transport in FAITHFUL {
        let mut bridge = Bridge::start(&stage, transport);
        let mut open = psql(bridge.url()).stdin(std::process::Stdio::piped()).spawn().unwrap();
        std::io::Write::write_all(
            open.stdin.as_mut().unwrap(),
            b"begin; insert into kept default values;\n\\echo begun\n",
        )
        .unwrap();
        let mut begun = [0; 6];
        open.stdout.as_mut().unwrap().read_exact(&mut begun).unwrap();
        bridge.running.signal("TERM");
        assert!(bridge.running.wait().0.success(), "{transport}");
        open.kill().unwrap();
        open.wait().unwrap();
        until(
            &stage,
            &format!(
                "select count(*) = 0 from pg_stat_activity where datname = '{}' and state like 'idle in%'",
                stage.database()
            ),
        );
        assert_eq!(stage.psql("select count(*) from kept"), "0", "{transport}");
    }
}
