//! `pgferry completions`, `--help` and `--version`.

use std::process::{Command, Output};

use crate::PGFERRY;

fn pgferry(args: &[&str]) -> Output {
    Command::new(PGFERRY).args(args).output().expect("the command starts")
}

#[test]
fn every_shell_gets_its_script() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = pgferry(&["completions", shell]);
        let script = String::from_utf8(output.stdout).expect("text");
        assert!(output.status.success() && output.stderr.is_empty(), "{shell}");
        for word in ["gateway", "query", "completions", "single-transaction"] {
            assert!(script.contains(word), "{shell} does not know {word}");
        }
    }
}

#[test]
fn bash_completes_what_is_begun() {
    let output = pgferry(&["completions", "bash"]);
    let script = String::from_utf8(output.stdout).expect("text");
    let ask =
        "COMP_WORDS=(pgferry query --format c); COMP_CWORD=3; _pgferry pgferry c --format; echo \"${COMPREPLY[@]}\"";
    let output =
        Command::new("bash").args(["--norc", "-c", &format!("{script}\n{ask}")]).output().expect("bash starts");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "csv\n", "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn help_has_examples_and_the_version_is_told() {
    for command in ["gateway", "query", "completions"] {
        let output = pgferry(&[command, "--help"]);
        let help = String::from_utf8(output.stdout).expect("text");
        assert!(output.status.success() && help.contains("\nExamples:\n"), "{help}");
        assert!(help.contains(&format!("    pgferry {command} ")), "{help}");
        assert!(!help.contains('\u{1b}'), "colours for what is no terminal");
    }
    let output = pgferry(&["--version"]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("pgferry {}\n", env!("CARGO_PKG_VERSION")));
}
