//! The private directory of a bridge's Unix socket.

use std::{
    env, fs,
    io::{self, ErrorKind},
    os::unix::{
        fs::{DirBuilderExt, MetadataExt},
        net::{UnixListener, UnixStream},
    },
    path::{Path, PathBuf},
    time::Duration,
};

use rustix::process::geteuid;

use super::secret;

/// The number in the socket's name: any will do, since the directory is the bridge's own.
pub(super) const PORT: u16 = 5432;

/// How the directories of bridges begin; what follows is random.
const PREFIX: &str = "pgferry-bridge-";

/// Younger directories without a socket may belong to a process that is about to listen.
const SETTLED: Duration = Duration::from_secs(10);

/// Those who may write in a directory besides its owner, and the bit that keeps them from each other's entries.
const OTHERS_WRITE: u32 = 0o022;
const STICKY: u32 = 0o1000;

/// Where a private directory may be made, the best place first. Behind those of the environment come two short ones: a socket's
/// path has 108 bytes at most, and containers with a read-only root can often write to `/dev/shm` alone.
pub(super) fn parents() -> impl Iterator<Item = PathBuf> {
    let runtime = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let others = [env::temp_dir(), PathBuf::from("/tmp"), PathBuf::from("/dev/shm")];
    runtime.into_iter().chain(others).filter(|parent| keeps_apart(parent))
}

/// Makes a directory that nobody else can enter from its first moment on.
pub(super) fn create_in(parent: &Path) -> io::Result<PathBuf> {
    let name = secret::random(6).map_err(io::Error::other)?;
    let directory = parent.join(format!("{PREFIX}{name}"));
    fs::DirBuilder::new().mode(0o700).create(&directory)?;
    Ok(directory)
}

/// The socket's path, as libpq makes it.
pub(super) fn socket_in(directory: &Path) -> PathBuf {
    directory.join(format!(".s.PGSQL.{PORT}"))
}

/// Listens on a directory's socket. It gets its name when it listens: a socket of that name at which nobody does is a dead process's.
pub(super) fn listen_in(directory: &Path) -> io::Result<UnixListener> {
    let name = socket_in(directory);
    // A longer name, since a path that is too long must be refused here and not when clients come.
    let unnamed = directory.join(format!(".s.PGSQL.{PORT}.new"));
    let socket = UnixListener::bind(&unnamed)?;
    fs::rename(unnamed, name)?;
    Ok(socket)
}

/// Removes the directories of this user's bridges whose process has died: nobody listens there any more.
pub(super) fn remove_abandoned(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(PREFIX)
            && entry.metadata().is_ok_and(|found| is_own(&found) && is_abandoned(&entry.path(), &found))
        {
            // Another process may be doing the same.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Whether no other user can put something else in the place of an entry of a directory. A relative path would mean another
/// place after a change of the working directory.
fn keeps_apart(parent: &Path) -> bool {
    let trusted = |found: fs::Metadata| {
        let owner = found.uid();
        (owner == 0 || owner == geteuid().as_raw()) && (found.mode() & OTHERS_WRITE == 0 || found.mode() & STICKY != 0)
    };
    parent.is_absolute() && fs::metadata(parent).is_ok_and(trusted)
}

fn is_own(found: &fs::Metadata) -> bool {
    found.is_dir() && found.uid() == geteuid().as_raw()
}

fn is_abandoned(directory: &Path, found: &fs::Metadata) -> bool {
    let settled = || found.modified().is_ok_and(|time| time.elapsed().is_ok_and(|age| age > SETTLED));
    match UnixStream::connect(socket_in(directory)) {
        Ok(_) => false,
        Err(error) => match error.kind() {
            ErrorKind::ConnectionRefused => true,
            ErrorKind::NotFound => settled(),
            _ => false,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_dead_process_leaves_is_removed_and_what_a_live_one_has_is_not() {
        let parent = tempfile::tempdir().unwrap();
        let (dead, live, new) =
            (create_in(parent.path()).unwrap(), create_in(parent.path()).unwrap(), create_in(parent.path()).unwrap());
        drop(listen_in(&dead).unwrap());
        let socket = listen_in(&live).unwrap();
        remove_abandoned(parent.path());
        assert!(!dead.exists());
        assert!(live.exists() && new.exists());
        assert!(UnixStream::connect(socket_in(&live)).is_ok());
        drop(socket);
        remove_abandoned(parent.path());
        assert!(!live.exists() && new.exists());
    }

    #[test]
    fn where_it_can_listen_clients_can_connect() {
        let root = tempfile::tempdir().unwrap();
        let mut refused = 0;
        for length in 1..100 {
            let parent = root.path().join("x".repeat(length));
            fs::create_dir(&parent).unwrap();
            let directory = create_in(&parent).unwrap();
            match listen_in(&directory) {
                Ok(_socket) => drop(UnixStream::connect(socket_in(&directory)).unwrap()),
                Err(_) => refused += 1,
            }
        }
        assert!((1..99).contains(&refused), "{refused} of 99 were refused");
    }
}
