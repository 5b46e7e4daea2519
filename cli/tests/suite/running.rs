use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, Command, ExitStatus, Stdio},
};

use crate::PGFERRY;

/// Returns the command `pgferry gateway`, free of what the environment of the tests says.
pub(crate) fn gateway(args: &[&str]) -> Command {
    let mut command = Command::new(PGFERRY);
    command.arg("gateway").args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let variables = std::env::vars_os().map(|(name, _)| name);
    for name in variables.filter(|name| name == "RUST_LOG" || name.as_encoded_bytes().starts_with(b"PG")) {
        command.env_remove(name);
    }
    command
}

/// A command that runs, until its test ends in whatever way.
pub(crate) struct Running(Child);

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        Self(command.spawn().expect("the command starts"))
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    /// Waits for the three lines by which it says that it is ready; fewer where it ends before.
    pub(crate) fn lines(&mut self) -> Vec<String> {
        self.first_lines(3)
    }

    /// Waits for so many lines; fewer where it ends before.
    pub(crate) fn first_lines(&mut self, count: usize) -> Vec<String> {
        let out = BufReader::new(self.0.stdout.take().expect("piped"));
        out.lines().take(count).map(|line| line.expect("text")).collect()
    }

    /// Waits for the three lines and returns the URL that the third one has; panics with what it said where there is none.
    pub(crate) fn database_url(&mut self) -> String {
        let lines = self.lines();
        match lines.get(2).and_then(|line| line.strip_prefix("DATABASE_URL=")) {
            Some(url) => url.to_owned(),
            None => panic!("{lines:?} {}", self.kill()),
        }
    }

    /// Sends a signal by name.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").args(["-s", name, &self.id().to_string()]).status().expect("kill starts");
        assert!(status.success());
    }

    /// Waits for its end, and returns what it said on standard error.
    pub(crate) fn wait(&mut self) -> (ExitStatus, String) {
        let mut said = String::new();
        self.0.stderr.take().expect("piped").read_to_string(&mut said).expect("text");
        (self.0.wait().expect("it can be waited for"), said)
    }

    /// Ends it at once, and returns what it said on standard error.
    pub(crate) fn kill(&mut self) -> String {
        // It may have ended already.
        let _ = self.0.kill();
        self.wait().1
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
