use std::{path::Path, process::Command};

use anyhow::{Context, Result};

use crate::command::run;

/// Installs the JavaScript driver as its lock file says, where it is not.
pub(crate) fn install_driver() -> Result<()> {
    let tests = Path::new("tests/js");
    // npm writes this file last; it is older than the lock file where that has changed since.
    let modified = |path: &Path| path.metadata().and_then(|metadata| metadata.modified()).ok();
    let installed = modified(&tests.join("node_modules/.package-lock.json"));
    if installed.is_some() && installed >= modified(&tests.join("package-lock.json")) {
        return Ok(());
    }
    run(Command::new("npm").arg("ci").current_dir(tests)).context(
        "the JavaScript driver cannot be installed; Node.js 20 or later and npm are needed (`apt install nodejs npm`, \
         `dnf install nodejs`, `brew install node`)",
    )
}
