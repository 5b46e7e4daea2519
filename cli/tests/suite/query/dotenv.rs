use std::fs;

use pgferry_test_support::Stage;

use super::{pgferry, run};

#[test]
fn the_nearest_env_file_is_read_and_never_overrides() {
    let stage = Stage::start();
    let (mine, others) = (stage.url(), stage.gateway().ferry(&stage.postgres().database_url("nowhere")));
    let directory = tempfile::tempdir().expect("a directory");
    let below = directory.path().join("src/bin");
    fs::create_dir_all(&below).expect("made");
    fs::write(directory.path().join(".env"), format!("# mine\nDATABASE_URL='{mine}'\nPGAPPNAME=from-file\n"))
        .expect("written");
    let other = directory.path().join("other.env");
    fs::write(&other, format!("export DATABASE_URL=\"{others}\"\n")).expect("written");
    let other = other.to_str().expect("text");

    let statement = "select current_database(), current_setting('application_name')";
    let run = |args: &[&str], variables: &[(&str, &str)]| {
        let mut command = pgferry();
        command.current_dir(&below).args(["query", "--format=csv", "--no-header", statement]).args(args);
        run(command.envs(variables.iter().copied()))
    };
    let database = stage.database();
    let answer = run(&[], &[]);
    assert_eq!(answer.out, format!("{database},from-file\n"), "{}", answer.err);
    let answer = run(&[], &[("PGAPPNAME", "from-environment")]);
    assert_eq!(answer.out, format!("{database},from-environment\n"), "{}", answer.err);
    let answer = run(&["--env-file", other], &[]);
    assert!(
        answer.status == Some(3) && answer.err.contains("\"nowhere\" does not exist"),
        "{:?} {}{}",
        answer.status,
        answer.out,
        answer.err
    );
    let answer = run(&["--env-file", other], &[("DATABASE_URL", &mine)]);
    // Neither names an application, and over HTTP nobody else does.
    assert_eq!(answer.out, format!("{database},\"\"\n"), "{}", answer.err);
    let answer = run(&["--no-env-file"], &[]);
    assert!(answer.status == Some(2) && answer.err.contains("DATABASE_URL"), "{}", answer.err);
}

#[test]
fn mistakes_in_it_are_told_without_the_line() {
    let directory = tempfile::tempdir().expect("a directory");
    fs::write(directory.path().join(".env"), "A=1\nPGPASSWORD=open sesame\n").expect("written");
    let answer = run(pgferry().current_dir(directory.path()).args(["query", "select 1"]));
    assert_eq!((answer.status, answer.out.as_str()), (Some(2), ""));
    assert!(answer.err.contains(".env:2: "), "{}", answer.err);
    assert!(!answer.err.contains("sesame"), "{}", answer.err);
}
