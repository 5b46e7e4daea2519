//! Results larger than memory should be: what they add to it, and that they are read while they arrive.

use std::{
    env, fs,
    net::{Ipv4Addr, SocketAddr},
    process::Command,
    time::Duration,
};

use pgferry::{
    Config,
    execute::{Event, HttpSession, Rows, Statement},
    runtime::Runtime,
};
use pgferry_test_support::{Stage, TestGateway};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    time::timeout,
};

const MIB: u64 = 1024 * 1024;

/// How much a stream may add to the peak of memory, apart from its largest row, in bytes.
const BOUND: u64 = 8 * MIB;

/// Tells the test, started again as a process of its own, where its database is.
const URL: &str = "PGFERRY_STREAMED_URL";

/// How many MiB are streamed where 128 do not do.
const SIZE: &str = "PGFERRY_STREAMED_MIB";

#[test]
fn a_stream_adds_little_to_memory_however_long_it_is() {
    const ROW: u64 = 16 * 1024;
    let size = env::var(SIZE).map_or(128, |size| size.parse().unwrap()) * MIB;
    let count = size / ROW;
    stream_apart(
        "a_stream_adds_little_to_memory_however_long_it_is",
        &format!("select n, '\"' || repeat('x', {ROW}) from generate_series(1, {count}) n"),
        Expected { rows: count, bytes: size, added: BOUND + ROW },
    );
}

#[test]
fn small_rows_leave_nothing_behind() {
    stream_apart(
        "small_rows_leave_nothing_behind",
        "select n, n::numeric, now() from generate_series(1, 300000) n",
        Expected { rows: 300_000, bytes: 0, added: BOUND },
    );
}

/// It is twice there while it is converted: as it arrived and as the row. A copy more would break the bound.
#[test]
fn a_huge_value_is_copied_once() {
    const VALUE: u64 = 48 * MIB;
    stream_apart(
        "a_huge_value_is_copied_once",
        &format!("select repeat('x', {VALUE}) union all select 'y'"),
        Expected { rows: 2, bytes: VALUE, added: BOUND + 2 * VALUE },
    );
}

#[tokio::test]
async fn rows_are_read_before_the_response_has_ended() {
    /// What the held connection lets through at first, in bytes.
    const FIRST: usize = 300 * 1024;
    let stage = Stage::start();
    let (release, held) = oneshot::channel();
    let address = hold_behind(stage.gateway().address(), FIRST, held).await;
    let config = stage.config().http_url(format!("http://{address}/sql"));
    let statement = Statement::new("select n, repeat('x', 1000) from generate_series(1, 2000) n");
    let mut rows = execute(&config, &statement).await;
    let mut count = 0;
    // The rest is not sent before these were read.
    while count < 200 {
        let event = timeout(Duration::from_secs(60), rows.next()).await.expect("no row while the rest is held back");
        count += u64::from(matches!(event.unwrap().unwrap(), Event::Row(_)));
    }
    release.send(()).unwrap();
    while let Some(event) = rows.next().await.unwrap() {
        count += u64::from(matches!(event, Event::Row(_)));
    }
    assert_eq!(count, 2000);
}

#[derive(Clone, Copy)]
struct Expected {
    rows: u64,
    /// The least that all values make together.
    bytes: u64,
    /// The most that the stream may add to the peak of memory.
    added: u64,
}

/// Runs the test `name` again in a process of its own, whose memory is the client's alone; PostgreSQL and the gateway stay in
/// this one.
fn stream_apart(name: &str, sql: &str, expected: Expected) {
    if let Ok(url) = env::var(URL) {
        return stream(&url, sql, expected);
    }
    let stage =
        Stage::with(|postgres| TestGateway::with(TestGateway::config(postgres).max_response_size(4096 * MIB as usize)));
    let child = Command::new(env::current_exe().unwrap())
        .args([&format!("streaming::{name}"), "--exact", "--nocapture"])
        .env(URL, stage.url())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout).into_owned() + &String::from_utf8_lossy(&child.stderr);
    assert!(child.status.success() && said.contains("added"), "{said}");
}

#[tokio::main(flavor = "current_thread")]
async fn stream(url: &str, sql: &str, expected: Expected) {
    let config = url.parse::<Config>().unwrap().max_response_size(4096 * MIB as usize);
    let runtime = Runtime::start().unwrap();
    let session = HttpSession::new(&config, &runtime).unwrap();
    // What any statement needs is not the stream's.
    drop(session.execute(&Statement::new("select 1, 1::numeric, now()")).await.unwrap().collect().await.unwrap());

    let before = peak();
    let mut rows = session.execute(&Statement::new(sql)).await.unwrap();
    let (mut count, mut bytes) = (0, 0);
    while let Some(event) = rows.next().await.unwrap() {
        if let Event::Row(row) = event {
            count += 1;
            bytes += row.as_bytes().len() as u64;
        }
    }
    let added = peak() - before;
    let (mib, added_kib, before_kib) = (bytes / MIB, added / 1024, before / 1024);
    report(&format!("{mib} MiB in {count} rows added {added_kib} KiB to a peak of {before_kib} KiB"));
    assert_eq!(count, expected.rows);
    assert!(bytes >= expected.bytes, "only {bytes} bytes came");
    assert!(added <= expected.added, "{added} bytes are more than {}", expected.added);
}

#[expect(clippy::print_stdout, reason = "the process that started this one reads it")]
fn report(measured: &str) {
    println!("{measured}");
}

/// The peak of this process's memory until now, in bytes.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    1024 * line.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap()
}

async fn execute(config: &Config, statement: &Statement) -> Rows {
    let runtime = Runtime::start().unwrap();
    HttpSession::new(config, &runtime).unwrap().execute(statement).await.unwrap()
}

/// Listens before `target`, and holds back what comes after the first so many bytes of answers until it is released.
async fn hold_behind(target: SocketAddr, first: usize, released: oneshot::Receiver<()>) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut released = Some(released);
        let mut left = first;
        // One after the other: each request's connection is kept for the next.
        let (client, _) = listener.accept().await.unwrap();
        let server = TcpStream::connect(target).await.unwrap();
        let (mut from_client, mut to_client) = client.into_split();
        let (mut from_server, mut to_server) = server.into_split();
        tokio::spawn(async move { copy(&mut from_client, &mut to_server).await });
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(length @ 1..) = from_server.read(&mut buffer).await {
            if length > left
                && let Some(released) = released.take()
            {
                released.await.unwrap();
            }
            left = left.saturating_sub(length);
            if to_client.write_all(&buffer[..length]).await.is_err() {
                break;
            }
        }
    });
    address
}
