use std::path::Path;

use anyhow::Result;

use crate::{account::Account, installation::Installation, run::run, watchdog::Watchdog};

/// A data directory of PostgreSQL, while no server runs on it.
#[derive(Debug)]
pub struct Cluster<'a> {
    /// The programs of the version that it is of.
    pub installation: &'a Installation,
    /// Who owns it.
    pub account: &'a Account,
    /// Where it is.
    pub data: &'a Path,
}

impl Cluster<'_> {
    /// Makes it, with a superuser `postgres` whose password is the first line of a file, in UTF-8 and without a language of its own.
    ///
    /// `arguments` are those of `initdb` besides. A watchdog ends it with this process.
    ///
    /// # Errors
    ///
    /// When `initdb` fails, with the end of what it says.
    pub fn make(&self, password: &Path, arguments: &[&str], mut watchdog: Option<&mut Watchdog>) -> Result<()> {
        let mut initdb = |locale: &str| {
            let mut command = self.account.command(self.installation.program("initdb"));
            command.args(["--username=postgres", "--auth=scram-sha-256", "--encoding=UTF8"]).args(arguments);
            command.arg(format!("--locale={locale}")).arg("--pwfile").arg(password).arg("-D").arg(self.data);
            run(command.env("TZ", "UTC"), "", watchdog.as_deref_mut())
        };
        // Not every system has the locale C.UTF-8.
        if initdb("C.UTF-8").is_err() {
            initdb("C")?;
        }
        Ok(())
    }

    /// Executes statements of one line each as the superuser. A watchdog ends it with this process.
    ///
    /// # Errors
    ///
    /// At the first that fails, with the server's message; those before it have been executed.
    pub fn execute(&self, statements: &[&str], settings: &[&str], watchdog: Option<&mut Watchdog>) -> Result<()> {
        let mut command = self.account.command(self.installation.program("postgres"));
        command.arg("--single").args(["-c", "password_encryption=scram-sha-256"]);
        // Otherwise an error would be a line in the output alone.
        command.args(["-c", "exit_on_error=on"]);
        // Statements have passwords in them, and what is said of an error is repeated.
        command.args(["-c", "log_min_error_statement=panic"]);
        for setting in settings {
            command.arg("-c").arg(setting);
        }
        command.arg("-D").arg(self.data).arg("postgres");
        run(&mut command, &statements.iter().flat_map(|statement| [statement, "\n"]).collect::<String>(), watchdog)
    }
}
