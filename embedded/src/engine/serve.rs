use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read, Write},
    mem,
    path::Path,
    process::{self, ExitCode},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use super::{launch::Launch, postgres::Postgres};
use crate::place;

/// The line that says that the engine listens.
pub(super) const READY: &str = "ready";

/// What the line begins with that says why it does not.
pub(super) const FAILED: &str = "failed: ";

/// How long one waits for another on the same files, whose owner was killed.
const LOCK: Duration = Duration::from_secs(10);
/// How long the engine may take to write down kept data.
const END: Duration = Duration::from_secs(3);

/// Runs the engine, if this process was started by an [`Embedded`](crate::Embedded) for that; `None` if not.
///
/// The engine has a process of its own, since nothing less ends a statement that does not end by itself. It is the same program, or
/// the one that [`Options::program`](crate::Options::program) names, and has to call this before all else, at best outside of an
/// async runtime. It ends when whoever started it does.
///
/// # Example
///
/// ```no_run
/// use std::process::ExitCode;
///
/// fn main() -> ExitCode {
///     if let Some(ended) = pgferry_embedded::engine() {
///         return ended;
///     }
///     // What else the program does.
///     ExitCode::SUCCESS
/// }
/// ```
#[must_use = "the process has no other purpose, and should end with this code"]
pub fn engine() -> Option<ExitCode> {
    let launch = Launch::given()?;
    let Err(error) = serve(&launch) else { return Some(ExitCode::SUCCESS) };
    // Whoever started it tells it to the user, or has ended.
    let _ = writeln!(io::stdout(), "{FAILED}{error:#}");
    Some(ExitCode::FAILURE)
}

fn serve(launch: &Launch) -> Result<()> {
    let owner = watch_owner(launch.is_kept)?;
    // Locked until the process has ended, since the engine may go on where it is not waited for.
    mem::forget((place::share(&launch.socket)?, take(&launch.root)?));
    let postgres = Postgres::start(launch)?;
    writeln!(io::stdout(), "{READY}").context("nobody waits for the embedded PostgreSQL")?;
    // Nothing is ever sent: it comes when the owner has gone.
    let _ = owner.recv();
    postgres.stop(END)
}

/// Watches standard input, which ends when the owner does, in whatever way.
fn watch_owner(is_kept: bool) -> Result<mpsc::Receiver<()>> {
    let (goes, gone) = mpsc::channel::<()>();
    thread::Builder::new().name("pgferry-embedded-owner".into()).spawn(move || {
        // An error is an end too.
        let _ = io::stdin().read_to_end(&mut Vec::new());
        drop(goes);
        // Whatever the engine is in the middle of, even its start.
        thread::sleep(if is_kept { END } else { Duration::ZERO });
        process::exit(0);
    })?;
    Ok(gone)
}

/// Takes the files for this process alone, once no other has them.
fn take(root: &Path) -> Result<File> {
    let path = root.with_extension("lock");
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true);
    let file = options.open(&path).with_context(|| format!("{} cannot be written", path.display()))?;
    let deadline = Instant::now() + LOCK;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => thread::sleep(Duration::from_millis(20)),
            Err(TryLockError::WouldBlock) => {
                bail!(
                    "the data cannot be kept in {}: another process is using it",
                    root.parent().unwrap_or(root).display()
                )
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).context(format!("{} cannot be locked", path.display()));
            }
        }
    }
}
