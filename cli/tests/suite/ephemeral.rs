//! `pgferry gateway --ephemeral`: one command that leaves nothing behind.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use diesel::{Connection, RunQueryDsl, sql_types};
use pgferry_diesel::FerryConnection;
use pgferry_sqlx::{Config, Transport};
use sqlx::PgPool;
use tempfile::TempDir;

use crate::running::{Running, gateway};

const TRANSPORTS: [Transport; 2] = [Transport::Http, Transport::WebSocket];

/// Bounds the wait for what a killed process leaves to its watchdog.
const PATIENCE: Duration = Duration::from_secs(30);

/// A directory that takes the place of /tmp, so that all that is left behind would be in it.
struct Folder(TempDir);

impl Folder {
    fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        // PostgreSQL may run as another account.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
        Ok(Self(folder))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn start(&self, args: &[&str]) -> Running {
        self.start_with_password(args, "")
    }

    fn start_with_password(&self, args: &[&str], password: &str) -> Running {
        let args = [&["--ephemeral", "--listen", "127.0.0.1:0"], args].concat();
        Running::start(gateway(&args).env("TMPDIR", self.path()).env("PGFERRY_EPHEMERAL_PASSWORD", password))
    }

    /// Says what is left: files, and processes that name the folder on their command line.
    fn left(&self) -> Result<Vec<String>> {
        let mut left = Vec::new();
        for entry in fs::read_dir(self.path())? {
            left.push(entry?.path().display().to_string());
        }
        left.extend(self.processes());
        Ok(left)
    }

    fn processes(&self) -> Vec<String> {
        let path = self.path().to_string_lossy().into_owned();
        let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
        processes
            .filter_map(|entry| fs::read(entry.ok()?.path().join("cmdline")).ok())
            .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
            .filter(|line| line.contains(&path))
            .collect()
    }

    fn wait_until(&self, done: impl Fn(&Self) -> Result<bool>) -> Result<()> {
        let began = Instant::now();
        while !done(self)? {
            ensure!(began.elapsed() < PATIENCE, "there still are {:?}", self.left()?);
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

fn scalar(url: &str, transport: Transport, sql: &'static str) -> Result<String> {
    runtime()?.block_on(async {
        let config: Config = url.parse()?;
        let pool: PgPool = pgferry_sqlx::pool(config.transport(transport)).await?;
        let value = sqlx::query_scalar(sql).fetch_one(&pool).await?;
        pool.close().await;
        Ok(value)
    })
}

fn execute(url: &str, sql: &'static str) -> Result<()> {
    runtime()?.block_on(async {
        let pool: PgPool = pgferry_sqlx::pool(url).await?;
        sqlx::raw_sql(sql).execute(&pool).await?;
        pool.close().await;
        Ok(())
    })
}

#[derive(diesel::QueryableByName)]
struct Row {
    #[diesel(sql_type = sql_types::BigInt)]
    sum: i64,
}

fn the_printed_url_is_all_that_clients_need(args: &[&str]) -> Result<()> {
    let folder = Folder::new()?;
    let mut running = folder.start(args);
    let url = running.database_url();
    execute(&url, "create table loads (goods text, tons bigint)")?;
    for transport in TRANSPORTS {
        let config: Config = url.parse()?;
        runtime()?.block_on(async {
            let pool: PgPool = pgferry_sqlx::pool(config.clone().transport(transport)).await?;
            sqlx::query("insert into loads values ($1, $2)").bind("apples").bind(3_i64).execute(&pool).await?;
            pool.close().await;
            anyhow::Ok(())
        })?;
        let mut connection = FerryConnection::connect(config.transport(transport))?;
        diesel::sql_query("insert into loads values ($1, $2)")
            .bind::<sql_types::Text, _>("pears")
            .bind::<sql_types::BigInt, _>(5)
            .execute(&mut connection)?;
    }
    let mut connection = FerryConnection::establish(&url)?;
    let row: Row = diesel::sql_query("select sum(tons)::bigint as sum from loads").get_result(&mut connection)?;
    ensure!(row.sum == 16, "{} t", row.sum);
    drop(connection);

    running.signal("TERM");
    let (status, said) = running.wait();
    ensure!(status.success(), "{status}: {said}");
    let left = folder.left()?;
    ensure!(left.is_empty(), "left behind: {left:?}");
    // The password is in the URL alone.
    let password = url.split(['@', ':']).nth(2).context("no password")?;
    ensure!(password.len() == 32 && !said.contains(password), "{said}");
    ensure!(said.contains("PostgreSQL") && said.contains("vanishes") && said.contains("psql"), "{said}");
    Ok(())
}

fn an_interrupt_ends_it_with_a_session_open(args: &[&str]) -> Result<()> {
    let folder = Folder::new()?;
    let mut running = folder.start(args);
    let mut connection = FerryConnection::establish(&running.database_url())?;
    diesel::sql_query("begin").execute(&mut connection)?;
    running.signal("INT");
    let (status, said) = running.wait();
    ensure!(status.success() && folder.left()?.is_empty(), "{status}: {said} {:?}", folder.left()?);
    Ok(())
}

#[test]
fn ending_it_while_it_starts_leaves_nothing() -> Result<()> {
    let folder = Folder::new()?;
    for signal in ["TERM", "KILL"] {
        let mut running = folder.start(&[]);
        folder.wait_until(|folder| Ok(folder.processes().iter().any(|line| line.contains("initdb"))))?;
        running.signal(signal);
        let (status, said) = running.wait();
        if signal == "TERM" {
            ensure!(status.success() && folder.left()?.is_empty(), "{status}: {said} {:?}", folder.left()?);
        } else {
            folder.wait_until(|folder| Ok(folder.left()?.is_empty()))?;
        }
    }
    Ok(())
}

fn nothing_stays_when_it_is_killed(args: &[&str]) -> Result<()> {
    let folder = Folder::new()?;
    let mut running = folder.start(args);
    running.database_url();
    ensure!(!folder.left()?.is_empty(), "it is elsewhere");
    running.kill();
    folder.wait_until(|folder| Ok(folder.left()?.is_empty()))
}

#[test]
fn it_ends_with_its_server() -> Result<()> {
    let folder = Folder::new()?;
    let mut running = folder.start(&[]);
    running.database_url();
    let directory = fs::read_dir(folder.path())?.next().context("no directory")??.path();
    let pid = fs::read_to_string(directory.join("data/postmaster.pid"))?;
    let pid = pid.lines().next().context("no number")?;
    ensure!(std::process::Command::new("kill").args(["-s", "QUIT", pid]).status()?.success());
    let (status, said) = running.wait();
    ensure!(!status.success() && said.contains("PostgreSQL ended"), "{status}: {said}");
    ensure!(folder.left()?.is_empty(), "{:?}", folder.left()?);
    Ok(())
}

fn kept_data_survive_both_kinds_of_end(args: &[&str]) -> Result<()> {
    let folder = Folder::new()?;
    let data = folder.path().join("data");
    let args = [&["--data", data.to_str().context("no text")?], args].concat();
    let mut running = folder.start(&args);
    let first = running.database_url();
    execute(&first, "create table t (id int); insert into t values (1)")?;
    running.signal("TERM");
    let (status, said) = running.wait();
    ensure!(status.success() && said.contains("stays"), "{status}: {said}");
    ensure!(folder.processes().is_empty(), "{:?}", folder.processes());

    let mut running = folder.start(&args);
    let second = running.database_url();
    let password = |url: &str| Some(url.split('@').next()?.to_owned());
    ensure!(password(&first) == password(&second), "{first} {second}");
    execute(&second, "insert into t values (2)")?;
    running.kill();

    let mut running = folder.start(&args);
    let third = running.database_url();
    for transport in TRANSPORTS {
        ensure!(scalar(&third, transport, "select string_agg(id::text, ',' order by id) from t")? == "1,2");
    }

    let (status, said) = folder.start(&args).wait();
    ensure!(!status.success() && said.contains("is using it"), "{status}: {said}");
    ensure!(scalar(&third, Transport::Http, "select count(*)::text from t")? == "2");
    Ok(())
}

mod installed {
    use super::*;

    #[test]
    fn the_printed_url_is_all_that_clients_need() -> Result<()> {
        super::the_printed_url_is_all_that_clients_need(&[])
    }

    #[test]
    fn an_interrupt_ends_it_with_a_session_open() -> Result<()> {
        super::an_interrupt_ends_it_with_a_session_open(&[])
    }

    #[test]
    fn nothing_stays_when_it_is_killed() -> Result<()> {
        super::nothing_stays_when_it_is_killed(&[])
    }

    #[test]
    fn kept_data_survive_both_kinds_of_end() -> Result<()> {
        super::kept_data_survive_both_kinds_of_end(&[])
    }
}

#[cfg(feature = "embedded")]
mod embedded {
    use super::*;

    const EMBEDDED: [&str; 1] = ["--embedded"];

    #[test]
    fn the_printed_url_is_all_that_clients_need() -> Result<()> {
        super::the_printed_url_is_all_that_clients_need(&EMBEDDED)
    }

    #[test]
    fn an_interrupt_ends_it_with_a_session_open() -> Result<()> {
        super::an_interrupt_ends_it_with_a_session_open(&EMBEDDED)
    }

    #[test]
    fn nothing_stays_when_it_is_killed() -> Result<()> {
        super::nothing_stays_when_it_is_killed(&EMBEDDED)
    }

    #[test]
    fn kept_data_survive_both_kinds_of_end() -> Result<()> {
        super::kept_data_survive_both_kinds_of_end(&EMBEDDED)
    }

    #[test]
    fn neither_server_takes_the_others_data() -> Result<()> {
        let folder = Folder::new()?;
        for (first, second, words) in
            [(&EMBEDDED[..], &[][..], "add --embedded"), (&[], &EMBEDDED, "not made by the embedded PostgreSQL")]
        {
            let data = folder.path().join(format!("data{}", first.len()));
            let data = ["--data", data.to_str().context("no text")?];
            let mut running = folder.start(&[&data, first].concat());
            running.database_url();
            running.signal("TERM");
            running.wait();
            let (status, said) = folder.start(&[&data, second].concat()).wait();
            ensure!(!status.success() && said.contains(words), "{status}: {said}");
        }
        Ok(())
    }
}

#[cfg(not(feature = "embedded"))]
#[test]
fn without_the_embedded_one_both_remedies_are_named() -> Result<()> {
    let (status, said) = Folder::new()?.start(&["--embedded"]).wait();
    ensure!(!status.success() && said.contains("installed") && said.contains("its feature `embedded`"), "{said}");
    Ok(())
}

#[test]
fn the_environment_can_set_the_password() -> Result<()> {
    let folder = Folder::new()?;
    let mut running = folder.start_with_password(&[], "open/sesame");
    let url = running.database_url();
    ensure!(url.starts_with("postgresql://app:open%2Fsesame@127.0.0.1:"), "{url}");
    // Known beforehand but for the gateway's port: that of the server itself does not matter to pgferry's clients.
    let endpoints = url.split_once('?').context("no endpoints")?.1;
    let url = format!("postgresql://app:open%2Fsesame@localhost/app?{endpoints}");
    for transport in TRANSPORTS {
        ensure!(scalar(&url, transport, "select current_user::text")? == "app");
    }
    #[cfg(target_os = "linux")]
    for entry in fs::read_dir("/proc")? {
        let process = entry?.path();
        let [line, variables] = ["cmdline", "environ"].map(|name| fs::read(process.join(name)).unwrap_or_default());
        let holds = |bytes: &[u8], text: &str| String::from_utf8_lossy(bytes).contains(text);
        // Those that it started, of which the command line names the folder.
        if holds(&line, &folder.path().to_string_lossy()) {
            ensure!(!holds(&line, "sesame") && !holds(&variables, "sesame"), "{}", process.display());
        }
    }
    running.signal("TERM");
    let (status, said) = running.wait();
    ensure!(status.success() && !said.contains("sesame"), "{status}: {said}");
    Ok(())
}

#[test]
fn a_flag_goes_before_the_environment() -> Result<()> {
    let folder = Folder::new()?;
    let args = ["--ephemeral", "--listen", "127.0.0.1:0"];
    let mut command = gateway(&args);
    command.env("TMPDIR", folder.path()).env("PGFERRY_UPSTREAM", "postgresql://app@127.0.0.1:1/app");
    let url = Running::start(&mut command).database_url();
    ensure!(!url.contains("127.0.0.1:1/"), "{url}");
    folder.wait_until(|folder| Ok(folder.left()?.is_empty()))
}

#[test]
fn mistakes_are_told_with_what_to_do() -> Result<()> {
    let folder = Folder::new()?;
    let full = folder.path().join("project");
    fs::create_dir(&full)?;
    fs::write(full.join("Cargo.toml"), "")?;
    let full = full.to_str().context("no text")?;
    for (args, words) in [
        (&["--ephemeral", "--upstream", "postgresql://app:sesame@localhost/db"][..], "leave one of them out"),
        (&["--ephemeral", "--upstream=postgresql://app:sesame@localhost/db"], "leave one of them out"),
        (&[], "--ephemeral start a throw-away one"),
        (&["--data", full], "--ephemeral"),
        (&["--ephemeral", "--data", full], "take an empty directory"),
        (&["--ephemeral", "--postgres-bin", full], "initdb and postgres"),
        (&["--ephemeral", "--postgres-port", "0"], "1..=65535"),
    ] {
        let output = gateway(args).env("TMPDIR", folder.path()).output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(!output.status.success() && output.stdout.is_empty(), "{args:?}");
        ensure!(said.contains(words) && !said.contains("sesame"), "{args:?}: {said}");
    }
    ensure!(folder.left()?.len() == 1, "{:?}", folder.left()?);
    Ok(())
}
