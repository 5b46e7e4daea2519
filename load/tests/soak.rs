//! The soak for a few seconds.

use std::process::Command;

#[test]
fn every_answer_is_right_and_nothing_is_left() {
    let soak = Command::new(env!("CARGO_BIN_EXE_pgferry-load")).args(["--only", "soak", "--seconds", "3"]).output();
    let soak = soak.expect("the program starts");
    let [out, complaints] = [&soak.stdout, &soak.stderr].map(|text| String::from_utf8_lossy(text).into_owned());
    assert!(soak.status.success(), "{complaints}\n{out}");
}
