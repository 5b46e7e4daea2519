use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read, Seek, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, test_kill_process};

/// How long the server of a process that was killed may take to end.
const PATIENCE: Duration = Duration::from_secs(15);

const PAUSE: Duration = Duration::from_millis(50);

/// Takes the lock on a file, which has the number of the process that holds it.
///
/// Where that process has died, its watchdog has the lock until the server has ended, which is waited for.
pub(crate) fn take(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    let mut file = options.open(path).with_context(|| format!("{} cannot be written", path.display()))?;
    let began = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("{} cannot be locked", path.display()));
            }
        }
        match holder(&mut file)? {
            Some(process) if is_alive(process) => bail!("process {process} is using it"),
            _ if began.elapsed() > PATIENCE => bail!("a server that nobody watches any more is using it"),
            _ => thread::sleep(PAUSE),
        }
    }
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())?;
    Ok(file)
}

fn holder(file: &mut File) -> io::Result<Option<i32>> {
    let mut text = String::new();
    file.rewind()?;
    file.take(32).read_to_string(&mut text)?;
    Ok(text.trim().parse().ok())
}

fn is_alive(process: i32) -> bool {
    // What may not be signalled is there too.
    Pid::from_raw(process).is_some_and(|pid| test_kill_process(pid) != Err(rustix::io::Errno::SRCH))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_user_hears_who_the_first_is() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock");
        let first = take(&path).unwrap();
        let error = take(&path).unwrap_err().to_string();
        assert!(error.contains(&format!("process {}", std::process::id())), "{error}");
        drop(first);
        take(&path).unwrap();
    }

    #[test]
    fn the_lock_of_a_dead_process_is_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock");
        let mut first = take(&path).unwrap();
        let mut dead = std::process::Command::new("true").spawn().unwrap();
        dead.wait().unwrap();
        first.rewind().unwrap();
        first.set_len(0).unwrap();
        write!(first, "{}", dead.id()).unwrap();
        let waiting = thread::spawn(move || take(&path).map(drop));
        thread::sleep(PAUSE * 4);
        assert!(!waiting.is_finished());
        drop(first);
        waiting.join().unwrap().unwrap();
    }
}
