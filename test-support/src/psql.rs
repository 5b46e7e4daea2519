use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
    thread,
};

use anyhow::{Result, bail};

/// Runs statements through `psql` and returns what they print: columns separated by `|`, rows by newlines.
pub(crate) fn psql(program: &Path, url: &str, password: &str, sql: &str) -> Result<String> {
    let mut child = Command::new(program)
        .args([
            "--no-psqlrc",
            "--no-align",
            "--tuples-only",
            "--quiet",
            "--no-password",
            "--set=ON_ERROR_STOP=1",
            "--dbname",
        ])
        .arg(url)
        .env("PGPASSWORD", password)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    // Written from elsewhere, so that neither side waits for the other with its pipe full.
    let writer = child.stdin.take().map(|mut stdin| {
        let sql = sql.to_owned();
        thread::spawn(move || stdin.write_all(sql.as_bytes()))
    });
    let output = child.wait_with_output()?;
    // psql stops reading at an error, which its own message tells better.
    let _ = writer.map(thread::JoinHandle::join);
    if !output.status.success() {
        bail!("psql: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8(output.stdout)?.trim_end_matches('\n').to_owned())
}
