use std::{
    path::PathBuf,
    process::{Command, Stdio},
};

/// Says to a program that it is started to run the engine.
const VARIABLE: &str = "PGFERRY_EMBEDDED_ENGINE";

/// What the engine has to see of the environment, in which there may be passwords: where its cache and temporary files are.
const INHERITED: [&str; 7] =
    ["HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "TMPDIR", "PATH", "LD_LIBRARY_PATH", "RUST_BACKTRACE"];

/// What the list of processes shows in front of the paths.
const NAME: &str = "embedded-postgres";
const KEPT: &str = "kept";
const THROW_AWAY: &str = "throw-away";

/// How the engine's process is started.
#[derive(Clone, Debug)]
pub(crate) struct Launch {
    pub(crate) program: PathBuf,
    /// Where it keeps its files.
    pub(crate) root: PathBuf,
    /// Where it listens.
    pub(crate) socket: PathBuf,
    /// Whether the data are of use when it has ended.
    pub(crate) is_kept: bool,
}

impl Launch {
    /// Returns the command, with standard input and output to be read and written.
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.arg(NAME).arg(if self.is_kept { KEPT } else { THROW_AWAY }).arg(&self.root).arg(&self.socket);
        command.env_clear();
        command.envs(INHERITED.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
        command.env(VARIABLE, "1");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        // An interrupt from the terminal is for whoever started it, which then ends it in order.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command
    }

    /// Returns what this program is started with, if it is started to run the engine.
    pub(super) fn given() -> Option<Self> {
        if !is_engine() {
            return None;
        }
        let mut args = std::env::args_os();
        let program = args.next()?.into();
        args.next().filter(|name| name == NAME)?;
        let is_kept = args.next()? == KEPT;
        Some(Self { program, root: args.next()?.into(), socket: args.next()?.into(), is_kept })
    }
}

/// Whether this program is started to run the engine.
pub(super) fn is_engine() -> bool {
    std::env::var_os(VARIABLE).is_some()
}
