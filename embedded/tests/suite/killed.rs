//! What is left of a server whose process is killed.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use sqlx::{Connection, Executor, PgConnection};

use crate::text;

/// Bounds the wait for what ends by itself.
const PATIENCE: Duration = Duration::from_secs(60);

/// Starts a server in a process of its own, whose temporary files are in a folder, and returns its URL.
fn serve(folder: &Path, data: Option<&Path>) -> Result<(Child, String)> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pgferry-embedded"));
    command.args(data).env("TMPDIR", folder).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn()?;
    let mut url = String::new();
    BufReader::new(child.stdout.take().context("no output")?).read_line(&mut url)?;
    Ok((child, url.trim_end().to_owned()))
}

/// The command lines of the processes that name a folder on theirs.
fn processes(folder: &Path) -> Vec<String> {
    let folder = folder.to_string_lossy().into_owned();
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries
        .filter_map(|entry| fs::read(entry.ok()?.path().join("cmdline")).ok())
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
        .filter(|line| line.contains(&folder))
        .collect()
}

fn private_directories(folder: &Path) -> Result<usize> {
    let names = fs::read_dir(folder)?.collect::<std::io::Result<Vec<_>>>()?;
    Ok(names.iter().filter(|entry| entry.file_name().to_string_lossy().starts_with("pgferry-embedded-")).count())
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn no_process_stays_and_the_next_start_sweeps() -> Result<()> {
    let folder = std::env::temp_dir().join(format!("pgferry-killed-test-{}", std::process::id()));
    fs::create_dir(&folder)?;
    let data = folder.join("data");
    for data in [None, Some(data.as_path())] {
        let (mut child, url) = serve(&folder, data)?;
        let mut session = PgConnection::connect(&url).await?;
        session.execute("create table t as select 'kept' as word").await?;
        let running = tokio::spawn(async move { text(&mut session, "select pg_sleep(1000)::text").await });
        tokio::time::sleep(Duration::from_millis(300)).await;
        ensure!(processes(&folder).iter().any(|line| line.contains("embedded-postgres")), "{:?}", processes(&folder));
        child.kill()?;
        child.wait()?;
        assert!(running.await?.is_err());

        // Which waits for what is left of the other.
        let (mut child, url) = serve(&folder, data)?;
        if data.is_some() {
            let mut session = PgConnection::connect(&url).await?;
            assert_eq!(text(&mut session, "select word from t").await?.as_deref(), Some("kept"));
        }
        // Closing its input ends it in order.
        drop(child.stdin.take());
        assert!(child.wait()?.success());
        let began = Instant::now();
        while !processes(&folder).is_empty() {
            ensure!(began.elapsed() < PATIENCE, "{:?}", processes(&folder));
            thread::sleep(Duration::from_millis(20));
        }
    }
    // One may have been left to a process that was still ending.
    let (mut child, _) = serve(&folder, None)?;
    assert_eq!(private_directories(&folder)?, 1);
    drop(child.stdin.take());
    assert!(child.wait()?.success());
    assert_eq!(private_directories(&folder)?, 0);
    fs::remove_dir_all(&folder)?;
    Ok(())
}
