//! The private socket: who can connect, and where it is when the environment is odd.

use std::{
    collections::HashMap,
    ffi::OsString,
    fs::{self, File},
    io::{self, BufRead, BufReader, Read, Write},
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Output, Stdio},
    time::{Duration, SystemTime},
};

use pgferry::{
    Config, Transport,
    bridge::{Address, Bridge, Verification},
};
use tempfile::TempDir;

/// A user that is not this one, where this one is root.
const NOBODY: &str = "65534";

/// The variable by which a test tells the copy of itself that it runs as another process to go on until it is left.
const STAY: &str = "PGFERRY_TEST_STAYS";

/// A bridge to a server that does not exist, which is enough for whatever comes before the first statement.
fn bridge() -> Bridge {
    let config: Config = "postgresql://app:hunter2@127.0.0.1:1/app".parse().unwrap();
    let config = config.transport(Transport::Http).http_url("http://127.0.0.1:1/sql");
    Bridge::start(&config, Verification::FirstStatement).unwrap()
}

/// Runs itself as a process of its own in the tests below.
#[test]
fn a_bridge_finds_a_place_wherever_it_is_started() {
    let bridge = bridge();
    let (host, port) = match bridge.address() {
        Address::Unix { directory, port } => (directory.display().to_string(), *port),
        Address::Tcp(address) => (address.ip().to_string(), address.port()),
        other => panic!("{other:?}"),
    };
    let password = bridge.password().reveal();
    expect_logged_in(&psql(&host, port, password));
    expect_turned_away(&psql(&host, port, "guessed"));
    if std::env::var_os(STAY).is_some() {
        let mut out = io::stdout();
        writeln!(out, "\nhost={host}\nport={port}\npassword={password}\nready=").unwrap();
        out.flush().unwrap();
        io::stdin().read_line(&mut String::new()).unwrap();
    }
}

/// A process that has a bridge.
struct Process {
    child: Child,
    /// The rest of what it says.
    out: BufReader<ChildStdout>,
    said: HashMap<String, String>,
}

impl Process {
    fn start(environment: &[(&str, OsString)]) -> Self {
        Self::of(Command::new(std::env::current_exe().unwrap()), environment)
    }

    fn of(mut command: Command, environment: &[(&str, OsString)]) -> Self {
        let mut child = command
            .args(["sqlx::socket::a_bridge_finds_a_place_wherever_it_is_started", "--exact", "--nocapture"])
            .env_remove("XDG_RUNTIME_DIR")
            .env(STAY, "yes")
            .envs(environment.iter().cloned())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = HashMap::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        for line in out.by_ref().lines() {
            match line.unwrap().split_once('=') {
                Some(("ready", _)) => break,
                Some((name, value)) => drop(said.insert(name.to_owned(), value.to_owned())),
                None => {}
            }
        }
        let process = Self { child, out, said };
        assert!(process.said.contains_key("password"), "no bridge was started");
        process
    }

    fn directory(&self) -> PathBuf {
        let directory = PathBuf::from(&self.said["host"]);
        assert!(directory.is_absolute(), "{directory:?} is no directory");
        directory
    }

    fn psql(&self, password: &str) -> Output {
        psql(&self.said["host"], self.said["port"].parse().unwrap(), password)
    }

    fn end(mut self) {
        drop(self.child.stdin.take());
        io::copy(&mut self.out, &mut io::sink()).unwrap();
        assert!(self.child.wait().unwrap().success());
    }

    fn crash(mut self) -> PathBuf {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.directory()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn psql(host: &str, port: u16, password: &str) -> Output {
    psql_by(Command::new("psql"), host, port, password)
}

fn psql_by(mut command: Command, host: &str, port: u16, password: &str) -> Output {
    command
        .args(["--no-psqlrc", "-U", "app", "-d", "app", "-c", ";", "-h", host, "-p", &port.to_string()])
        .env("PGPASSWORD", password)
        .output()
        .unwrap()
}

/// An empty statement needs no server.
fn expect_logged_in(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn expect_turned_away(output: &Output) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("the bridge has a password of its own"), "{said}");
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A directory that everybody may enter, unlike those of `tempfile`.
fn open_directory() -> TempDir {
    let directory = tempfile::tempdir_in("/tmp").unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    directory
}

#[test]
fn another_user_cannot_connect() {
    let place = open_directory();
    let process = Process::start(&[("XDG_RUNTIME_DIR", place.path().into())]);
    let directory = process.directory();
    let found = fs::metadata(&directory).unwrap();
    assert_eq!((found.mode() & 0o7777, found.uid()), (0o700, rustix::process::geteuid().as_raw()));
    if !is_root() {
        // That is the rule by which the kernel keeps others out, and no other user is at hand to be kept out.
        return;
    }
    let nobody = || {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", "psql"]);
        command
    };
    let said = |output: &Output| String::from_utf8_lossy(&output.stderr).into_owned();
    let (host, password) = (&process.said["host"], &process.said["password"]);
    let kept_out = psql_by(nobody(), host, 5432, password);
    assert!(said(&kept_out).contains("Permission denied"), "{}", said(&kept_out));

    // Were the directory opened by mistake, it is still asked who they are.
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o777)).unwrap();
    fs::set_permissions(directory.join(".s.PGSQL.5432"), fs::Permissions::from_mode(0o777)).unwrap();
    let sent_away = psql_by(nobody(), host, 5432, password);
    assert!(said(&sent_away).contains("closed the connection unexpectedly"), "{}", said(&sent_away));
    expect_logged_in(&process.psql(password));
    process.end();
}

#[test]
fn two_bridges_have_nothing_in_common() {
    let place = open_directory();
    let [one, other] = [0; 2].map(|_| Process::start(&[("XDG_RUNTIME_DIR", place.path().into())]));
    assert_ne!(one.directory(), other.directory());
    for (bridge, another) in [(&one, &other), (&other, &one)] {
        expect_logged_in(&bridge.psql(&bridge.said["password"]));
        expect_turned_away(&bridge.psql(&another.said["password"]));
    }
    let here = [bridge(), bridge()];
    assert_ne!(here[0].address(), here[1].address());
    assert_ne!(here[0].password().reveal(), here[1].password().reveal());
    for process in [one, other] {
        let directory = process.directory();
        process.end();
        assert!(!directory.exists());
    }
}

#[test]
fn what_a_crash_has_left_is_removed_by_the_next_start() {
    let place = open_directory();
    let environment = [("XDG_RUNTIME_DIR", place.path().into())];
    let alive = Process::start(&environment);
    let left = Process::start(&environment).crash();
    // Those of processes that came no further than to make it.
    let [old, young] = ["old", "young"].map(|name| place.path().join(format!("pgferry-bridge-{name}")));
    for (directory, time) in [
        (&old, SystemTime::now() - Duration::from_secs(60)),
        // However slow the machine is.
        (&young, SystemTime::now() + Duration::from_secs(600)),
    ] {
        fs::create_dir(directory).unwrap();
        File::open(directory).unwrap().set_modified(time).unwrap();
    }
    assert!(left.exists());
    Process::start(&environment).end();
    assert!(!left.exists() && !old.exists());
    assert!(alive.directory().exists() && young.exists());
    expect_logged_in(&alive.psql(&alive.said["password"]));
}

#[test]
fn a_place_that_cannot_be_used_is_passed_over() {
    let long = open_directory();
    let long_path = long.path().join("x".repeat(100));
    fs::create_dir(&long_path).unwrap();
    // Whoever may write there could put another socket in its place.
    let shared = open_directory();
    fs::set_permissions(shared.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let missing = Path::new("/nowhere/at/all");
    let good = open_directory();
    for unusable in [&*long_path, shared.path(), missing, Path::new(""), Path::new("target"), Path::new("/proc")] {
        let environment = [("XDG_RUNTIME_DIR", unusable.into()), ("TMPDIR", good.path().into())];
        let process = Process::start(&environment);
        assert_eq!(process.directory().parent(), Some(good.path()), "{unusable:?}");
        process.end();
        let process = Process::start(&[("TMPDIR", unusable.into())]);
        assert_eq!(process.directory().parent(), Some(Path::new("/tmp")), "{unusable:?}");
        process.end();
    }
    for directory in [&*long_path, shared.path(), good.path()] {
        assert_eq!(fs::read_dir(directory).unwrap().count(), 0, "something was left behind in {directory:?}");
    }
}

/// With the file systems read-only there is no place for a directory at all.
#[test]
fn where_nothing_can_be_written_a_loopback_port_serves() {
    let can_unshare = Command::new("unshare").args(["--map-root-user", "--mount", "true"]).output();
    if !can_unshare.is_ok_and(|output| output.status.success()) {
        writeln!(io::stderr(), "this needs a mount namespace of its own, which the system does not give").unwrap();
        return;
    }
    let read_only = "for place in /tmp /dev/shm; do
                         mount --bind $place $place && mount -o remount,bind,ro $place || exit 1
                     done
                     exec \"$0\" \"$@\"";
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c", read_only]).arg(std::env::current_exe().unwrap());
    let process = Process::of(command, &[("TMPDIR", "/nowhere".into())]);
    assert_eq!(process.said["host"], "127.0.0.1");
    expect_logged_in(&process.psql(&process.said["password"]));
    expect_turned_away(&process.psql("guessed"));
    process.end();
}

#[test]
fn nothing_of_a_bridge_shows_a_password() {
    let bridge = bridge();
    let shown = format!("{bridge:?} {:?}", bridge.address());
    assert!(!shown.contains(bridge.password().reveal()) && !shown.contains("hunter2"), "{shown}");
}
