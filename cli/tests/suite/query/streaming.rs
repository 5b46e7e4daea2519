use std::{
    fs,
    io::{BufRead, BufReader, Read},
    process::{Child, Stdio},
    thread,
    time::Duration,
};

use pgferry_test_support::Stage;

use super::{TRANSPORTS, query};

#[cfg(target_os = "linux")]
#[test]
fn a_million_rows_take_little_memory() {
    let stage = Stage::start();
    for transport in TRANSPORTS {
        let mut child = start(&stage, transport, "select n, 'row ' || n as text from generate_series(1, 1000000) n");
        let mut out = BufReader::new(child.stdout.take().expect("piped"));
        let mut lines = 0;
        let mut peak = 0;
        let mut line = String::new();
        while line != "1000000,row 1000000\n" {
            line.clear();
            assert_ne!(out.read_line(&mut line).expect("text"), 0, "only {lines} lines came");
            lines += 1;
            // More is left than a pipe holds, so that it still runs.
            if lines == 900_000 {
                peak = peak_memory(child.id());
            }
        }
        // The names are a line too.
        assert_eq!(lines, 1_000_001);
        assert_eq!(child.wait().expect("it ends").code(), Some(0));
        assert!((1..100 * 1024).contains(&peak), "{transport}: {peak} kB");
    }
}

/// The most memory that a running process had so far, in kB.
#[cfg(target_os = "linux")]
fn peak_memory(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("it runs");
    line.trim().strip_suffix(" kB").and_then(|kilobytes| kilobytes.parse().ok()).expect("a number of kB")
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    let stage = Stage::start();
    for transport in TRANSPORTS {
        let mut child = start(&stage, transport, "select n from generate_series(1, 10000000) n");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("text");
        assert_eq!(line, "n\n");
        let mut err = String::new();
        child.stderr.take().expect("piped").read_to_string(&mut err).expect("text");
        assert_eq!((child.wait().expect("it ends").code(), err.as_str()), (Some(141), ""), "{transport}");
    }
}

fn start(stage: &Stage, transport: &str, statement: &str) -> Child {
    query(stage, transport, &["--format=csv", statement])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts")
}

/// Waits until a condition holds on the server.
#[track_caller]
pub(super) fn until(stage: &Stage, condition: &str) {
    for _ in 0..600 {
        if stage.psql(condition) == "t" {
            return;
        }
        thread::sleep(Duration::from_millis(50));
    }
    panic!("it never came true: {condition}");
}
