use pgferry_test_support::Stage;

use super::{TRANSPORTS, pgferry, streaming::until};

#[cfg(target_os = "linux")]
#[test]
fn no_password_stays_in_the_list_of_processes() {
    let stage = Stage::start();
    let url = stage.url();
    let flag = format!("--url={url}");
    let database = stage.database();
    let is_running = format!(
        "select count(*) = 1 from pg_stat_activity where datname = '{database}' and state = 'active' and query like '%pg_sleep(600)%' \
         and pid <> pg_backend_pid()"
    );
    for transport in TRANSPORTS {
        for place in [&[url.as_str()][..], &["--url", &url], &[&flag]] {
            let mut child = pgferry()
                .args(["query", "--transport", transport])
                .args(place)
                .args(["select pg_sleep(600), $1", "-p", "kept"])
                .spawn()
                .expect("the command starts");
            until(&stage, &is_running);
            let command_line = std::fs::read(format!("/proc/{}/cmdline", child.id())).expect("it runs");
            child.kill().expect("it runs");
            child.wait().expect("it ends");
            until(&stage, &is_running.replace("= 1", "= 0"));
            let command_line = String::from_utf8_lossy(&command_line);
            assert!(command_line.contains("//app@") && command_line.contains("kept"), "{command_line}");
            assert!(!command_line.contains(stage.password()), "{command_line}");
        }
    }
}
