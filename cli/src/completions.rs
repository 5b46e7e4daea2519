use std::io::{self, Write};

use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};

use crate::problem::write_error;

/// Prints what completes pgferry's commands and flags in a shell.
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

const EXAMPLES: &str = "\
Examples:
  bash, with the package bash-completion:
    pgferry completions bash > ~/.local/share/bash-completion/completions/pgferry

  zsh, where ~/.zfunc is in $fpath:
    pgferry completions zsh > ~/.zfunc/_pgferry

  fish:
    pgferry completions fish > ~/.config/fish/completions/pgferry.fish";

impl Completions {
    /// Prints the script.
    pub(crate) fn run(self) -> anyhow::Result<()> {
        // The generator panics where it cannot write, so that it writes to memory.
        let mut script = Vec::new();
        generate(self.shell, &mut crate::Cli::command(), "pgferry", &mut script);
        let mut out = io::stdout().lock();
        out.write_all(&script).and_then(|()| out.flush()).map_err(write_error)
    }
}
