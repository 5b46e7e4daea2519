//! The throw-away PostgreSQL that all other tests stand on.

use std::{
    env, fs,
    io::{self, BufRead, BufReader, Write},
    os::unix::net::UnixStream,
    path::PathBuf,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use pgferry_test_support::Postgres;

#[test]
fn it_is_set_up_as_promised() -> Result<()> {
    let postgres =
        Postgres::builder().hba("host all plain 127.0.0.1/32 password").setting("work_mem", "3MB").start()?;
    let settings = "select current_setting('password_encryption'), current_setting('TimeZone'), current_setting('server_encoding'), \
                    current_setting('work_mem'), current_user, current_database()";
    assert_eq!(postgres.psql(settings)?, "scram-sha-256|UTC|UTF8|3MB|postgres|app");
    assert!(UnixStream::connect(postgres.socket_dir().join(format!(".s.PGSQL.{}", postgres.port()))).is_ok());

    let first = postgres.psql("select type, auth_method from pg_hba_file_rules order by line_number limit 1")?;
    assert_eq!(first, "host|password");
    assert_eq!(
        postgres.psql("select rolsuper, rolpassword like 'SCRAM-SHA-256$%' from pg_authid where rolname = 'app'")?,
        "f|t"
    );
    let database = postgres.create_database()?;
    assert_ne!(postgres.create_database()?, database);
    assert_eq!(
        postgres
            .psql_in(&database, "select pg_get_userbyid(datdba) from pg_database where datname = current_database()")?,
        "app"
    );
    assert!(postgres.psql("select 1; selec 2").unwrap_err().to_string().contains("syntax error"));
    Ok(())
}

#[test]
fn many_start_at_the_same_time_and_leave_nothing() -> Result<()> {
    let servers: Vec<_> = thread::scope(|scope| {
        let starting: Vec<_> = (0..4).map(|_| scope.spawn(Postgres::start)).collect();
        starting.into_iter().map(|thread| thread.join().expect("no panic")).collect::<Result<_>>()
    })?;
    for server in servers {
        assert_eq!(server.psql("select 1")?, "1");
        let directory = server.socket_dir().to_owned();
        drop(server);
        assert!(!directory.exists());
    }
    Ok(())
}

/// Says in which process of [`a_killed_process_leaves_nothing`] one is.
const VICTIM: &str = "PGFERRY_TEST_VICTIM";

#[test]
fn a_killed_process_leaves_nothing() -> Result<()> {
    if env::var_os(VICTIM).is_some() {
        let postgres = Postgres::start()?;
        let pid = fs::read_to_string(postgres.socket_dir().join("data/postmaster.pid"))?;
        writeln!(
            io::stdout(),
            "victim {} {}",
            pid.lines().next().context("no process id")?,
            postgres.socket_dir().display()
        )?;
        loop {
            thread::park();
        }
    }
    let mut victim = Command::new(env::current_exe()?)
        .args(["postgres::a_killed_process_leaves_nothing", "--exact", "--nocapture"])
        .env(VICTIM, "1")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let output = BufReader::new(victim.stdout.take().context("no output")?);
    let line = output.lines().map_while(Result::ok).find_map(|line| Some(line.split_once("victim ")?.1.to_owned()));
    victim.kill()?;
    victim.wait()?;
    let line = line.context("the victim did not start its server")?;
    let (server, directory) = line.split_once(' ').context("malformed")?;
    let (server, directory) = (PathBuf::from("/proc").join(server), PathBuf::from(directory));
    for _ in 0..3000 {
        if !directory.exists() {
            // A zombie has no command line, and neither has a process that is gone.
            ensure!(fs::read(server.join("cmdline")).unwrap_or_default().is_empty(), "the server still runs");
            return Ok(());
        }
        thread::sleep(Duration::from_millis(20));
    }
    anyhow::bail!("{} is still there", directory.display())
}
