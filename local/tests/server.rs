//! Servers for local development, as psql sees them.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
    process::Command,
};

use anyhow::{Context, Result, ensure};
use pgferry_local::{Installation, Options, Server};
use tempfile::TempDir;

/// A directory for directories of data, which the account that PostgreSQL runs as can reach.
fn folder() -> Result<TempDir> {
    let folder = tempfile::tempdir()?;
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
    Ok(folder)
}

fn start(options: Options) -> Result<Server> {
    Server::start(&Installation::find()?, options)
}

fn psql_as(server: &Server, user: &str, password: &str, database: &str, sql: &str) -> Result<String> {
    let program = Installation::find()?.psql().context("no psql")?;
    let output = Command::new(program)
        .args([
            "--no-psqlrc",
            "--no-align",
            "--tuples-only",
            "--quiet",
            "--no-password",
            "--set=ON_ERROR_STOP=1",
            "-c",
            sql,
        ])
        .args(["-h", "127.0.0.1", "-p", &server.port().to_string(), "-U", user, "-d", database])
        .env("PGPASSWORD", password)
        .output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

fn psql(server: &Server, sql: &str) -> Result<String> {
    psql_as(server, server.user(), server.password(), server.database(), sql)
}

#[test]
fn the_role_may_do_what_a_developer_does_and_is_no_superuser() -> Result<()> {
    let server = start(Options::new())?;
    assert_eq!(psql(&server, "select current_user, current_database(), version() like 'PostgreSQL %'")?, "app|app|t");
    for sql in [
        "create table t (id int); insert into t values (1); drop table t",
        "create extension pgcrypto",
        "create database another",
        "create role reader login",
        "grant select on all tables in schema public to reader",
    ] {
        psql(&server, sql).with_context(|| sql.to_owned())?;
    }
    assert_eq!(psql(&server, "select rolsuper or rolbypassrls from pg_roles where rolname = current_user")?, "f");
    assert_eq!(psql(&server, "show timezone")?, "UTC");
    assert_eq!(
        psql_as(
            &server,
            "postgres",
            server.password(),
            "app",
            "select rolsuper from pg_roles where rolname = current_user"
        )?,
        "t"
    );
    let refused = psql_as(&server, "app", "wrong", "app", "select 1").unwrap_err().to_string();
    assert!(refused.contains("password authentication failed"), "{refused}");

    let directory = server.directory().to_owned();
    assert_eq!(fs::metadata(&directory)?.mode() & 0o777, 0o700);
    server.stop()?;
    assert!(!directory.exists());
    Ok(())
}

#[test]
fn passwords_of_any_kind_are_taken() -> Result<()> {
    let password = r#"it's \ a "p%ss" wörd"#;
    let server = start(Options::new().password(password))?;
    assert_eq!(psql(&server, "select 1")?, "1");
    assert!(!format!("{server:?}").contains("it's"));
    Ok(())
}

#[test]
fn kept_data_stay_with_their_password_and_port() -> Result<()> {
    let folder = folder()?;
    let data = folder.path().join("made/as/needed");
    let server = start(Options::new().data(&data))?;
    psql(&server, "create table t (id int); insert into t values (42)")?;
    let (port, password) = (server.port(), server.password().to_owned());
    assert_eq!(fs::metadata(data.join("password"))?.mode() & 0o777, 0o600);
    assert_eq!(psql(&server, "show fsync")?, "on");
    server.stop()?;

    let server = start(Options::new().data(&data))?;
    assert_eq!((server.port(), server.password()), (port, &*password));
    assert_eq!(psql(&server, "select id from t")?, "42");
    server.stop()?;

    // Another password is the role's from then on.
    start(Options::new().data(&data).password("se'same"))?.stop()?;
    let server = start(Options::new().data(&data))?;
    assert_eq!(server.password(), "se'same");
    assert_eq!(psql(&server, "select id from t")?, "42");
    assert_eq!(psql_as(&server, "postgres", "se'same", "app", "select 1")?, "1");
    assert!(psql_as(&server, "app", &password, "app", "select 1").is_err());
    Ok(())
}

#[test]
fn a_changed_password_that_was_interrupted_is_finished() -> Result<()> {
    let folder = folder()?;
    let data = folder.path().join("data");
    start(Options::new().data(&data).password("before"))?.stop()?;
    // As it is when the process ends between the two.
    fs::write(data.join("password.new"), "after\n")?;
    let server = start(Options::new().data(&data))?;
    assert_eq!(server.password(), "after");
    assert_eq!(psql(&server, "select 1")?, "1");
    assert!(!data.join("password.new").exists());
    Ok(())
}

#[test]
fn kept_data_are_one_users() -> Result<()> {
    let folder = folder()?;
    let data = folder.path().join("data");
    let first = start(Options::new().data(&data))?;
    let refused = format!("{:#}", start(Options::new().data(&data)).unwrap_err());
    assert!(refused.contains(&format!("process {} is using it", std::process::id())), "{refused}");
    assert_eq!(psql(&first, "select 1")?, "1");
    drop(first);
    start(Options::new().data(&data))?.stop()
}

#[test]
fn directories_of_others_are_left_alone() -> Result<()> {
    let folder = folder()?;
    let refused = |name: &str, words: &str| -> Result<()> {
        let directory = folder.path().join(name);
        let before: Vec<_> = names(&directory)?;
        let error = format!("{:#}", start(Options::new().data(&directory)).unwrap_err());
        ensure!(error.contains(words) && error.contains(name), "{error}");
        ensure!(names(&directory)? == before, "{name} was changed");
        Ok(())
    };
    for (name, file) in [("project", "Cargo.toml"), ("cluster", "PG_VERSION"), ("embedded", "pgferry-embedded")] {
        fs::create_dir(folder.path().join(name))?;
        fs::write(folder.path().join(name).join(file), "15\n")?;
    }
    refused("project", "Cargo.toml")?;
    refused("cluster", "--upstream")?;
    refused("embedded", "add --embedded")?;

    let file = folder.path().join("file");
    fs::write(&file, "")?;
    let error = format!("{:#}", start(Options::new().data(&file)).unwrap_err());
    ensure!(error.contains("no directory"), "{error}");

    let other = folder.path().join("other");
    start(Options::new().data(&other))?.stop()?;
    let version = other.join("data/PG_VERSION");
    let made_by = fs::read_to_string(&version)?;
    fs::write(&version, "9\n")?;
    refused("other", "PostgreSQL 9")?;
    fs::write(&version, made_by)?;
    start(Options::new().data(&other))?.stop()
}

fn names(directory: &Path) -> Result<Vec<String>> {
    let mut names = fs::read_dir(directory)?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

#[test]
fn data_that_the_server_could_not_reach_are_refused_before_anything_is_made() -> Result<()> {
    // Only root starts it as somebody else.
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700))?;
    let data = folder.path().join("data");
    let refused = format!("{:#}", start(Options::new().data(&data)).unwrap_err());
    ensure!(refused.contains("/var/tmp") && !data.exists(), "{refused}");
    Ok(())
}

#[test]
fn a_chosen_port_is_taken_or_refused() -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let port = listener.local_addr()?.port();
    let refused = start(Options::new().port(port)).unwrap_err().to_string();
    assert!(refused.contains(&format!("port {port}")), "{refused}");
    drop(listener);
    assert_eq!(start(Options::new().port(port))?.port(), port);
    Ok(())
}

#[test]
fn a_server_that_ended_by_itself_is_noticed() -> Result<()> {
    let mut server = start(Options::new())?;
    server.check()?;
    let pid = fs::read_to_string(server.directory().join("data/postmaster.pid"))?;
    let pid = pid.lines().next().context("no number")?;
    ensure!(Command::new("kill").args(["-QUIT", pid]).status()?.success());
    for _ in 0..600 {
        if let Err(error) = server.check() {
            let error = error.to_string();
            ensure!(error.contains("PostgreSQL ended") && error.contains("immediate shutdown"), "{error}");
            return Ok(());
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    anyhow::bail!("the end was not noticed")
}
