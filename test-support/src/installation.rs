use std::{
    cmp::Reverse,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

/// Where distributions and installers put servers; `*` stands for one name, mostly a version.
const USUAL_FOLDERS: [&str; 12] = [
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/lib/postgresql*/bin",
    "/usr/libexec/postgresql*",
    "/usr/local/pgsql/bin",
    "/usr/local/pgsql-*/bin",
    "/opt/pgsql*/bin",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
    "/home/linuxbrew/.linuxbrew/opt/postgresql*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
    "/Library/PostgreSQL/*/bin",
];

/// The programs of an installed PostgreSQL server.
#[derive(Debug)]
pub(crate) struct Installation {
    directory: PathBuf,
    psql: PathBuf,
    version: String,
}

impl Installation {
    /// Finds a server on PATH, else where `pg_config` says, else in the usual folders, the newest first.
    pub(crate) fn find() -> Result<Self> {
        let on_path = env::var_os("PATH").map(|path| env::split_paths(&path).collect::<Vec<_>>()).unwrap_or_default();
        let candidates = on_path.into_iter().chain(told_by_pg_config()).chain(usual_folders(&USUAL_FOLDERS));
        let directory = first_with_a_server(candidates).context(
            "no PostgreSQL server (initdb, postgres and psql) was found on PATH, through pg_config or in the usual folders: \
             install one with `apt install postgresql`, `dnf install postgresql-server` or `brew install postgresql`",
        )?;
        Self::of(directory)
    }

    /// Takes the server whose programs are in a directory, which the account must be able to read; where it has no `psql`, the
    /// one of [`find`](Self::find) serves.
    pub(crate) fn at(directory: &Path) -> Result<Self> {
        let found = Self::of(directory.to_owned())?;
        let psql = if found.psql.is_file() { found.psql } else { Self::find()?.psql };
        Ok(Self { psql, ..found })
    }

    fn of(directory: PathBuf) -> Result<Self> {
        let server = directory.join("postgres");
        let output = Command::new(&server)
            .arg("--version")
            .output()
            .with_context(|| format!("{} cannot be started", server.display()))?;
        ensure!(output.status.success(), "{} does not run", server.display());
        let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        Ok(Self { psql: directory.join("psql"), directory, version })
    }

    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    pub(crate) fn psql(&self) -> &Path {
        &self.psql
    }

    /// Returns a name that differs between servers whose data directories may differ.
    pub(crate) fn key(&self) -> String {
        let name = format!("{} {}", self.version, self.directory.display());
        name.split(|c: char| !c.is_ascii_alphanumeric() && c != '.')
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join("-")
    }
}

fn first_with_a_server(candidates: impl IntoIterator<Item = PathBuf>) -> Option<PathBuf> {
    candidates
        .into_iter()
        .find(|directory| ["initdb", "postgres", "psql"].iter().all(|program| directory.join(program).is_file()))
}

fn told_by_pg_config() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    let directory = String::from_utf8(output.stdout).ok()?;
    Some(PathBuf::from(directory.trim())).filter(|directory| output.status.success() && directory.is_absolute())
}

fn usual_folders(patterns: &[&str]) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = patterns.iter().flat_map(|pattern| expand(pattern)).collect();
    // Stable: folders without a version keep their order, behind the others.
    folders.sort_by_key(|folder| Reverse(version(folder)));
    folders
}

/// Finds the directories that a pattern with at most one `*` stands for.
fn expand(pattern: &str) -> Vec<PathBuf> {
    let Some((before, after)) = pattern.split_once('*') else { return vec![pattern.into()] };
    let (parent, prefix) = before.rsplit_once('/').unwrap_or(("", before));
    let (suffix, rest) = after.split_once('/').map_or((after, None), |(suffix, rest)| (suffix, Some(rest)));
    let Ok(entries) = fs::read_dir(Path::new(parent)) else { return Vec::new() };
    entries
        .filter_map(|entry| Some(entry.ok()?.file_name()))
        .filter(|name| name.to_str().is_some_and(|name| name.starts_with(prefix) && name.ends_with(suffix)))
        .map(|name| {
            let directory = Path::new(parent).join(name);
            rest.map_or_else(|| directory.clone(), |rest| directory.join(rest))
        })
        .collect()
}

/// Returns the last number with its fraction in a path, as major and minor.
fn version(folder: &Path) -> Option<(u32, u32)> {
    let path = folder.to_str()?;
    let number = path
        .rsplit(|c: char| !c.is_ascii_digit() && c != '.')
        .find(|part| part.contains(|c: char| c.is_ascii_digit()))?;
    let mut parts = number.split('.').filter_map(|part| part.parse().ok());
    Some((parts.next()?, parts.next().unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server_in(directory: &Path) {
        fs::create_dir_all(directory).unwrap();
        for program in ["initdb", "postgres", "psql"] {
            fs::write(directory.join(program), "").unwrap();
        }
    }

    #[test]
    fn the_newest_of_the_usual_folders_comes_first() {
        let root = tempfile::tempdir().unwrap();
        for version in ["9.6", "14", "16", "15"] {
            server_in(&root.path().join(version).join("bin"));
        }
        fs::create_dir_all(root.path().join("17/bin")).unwrap();
        let pattern = format!("{}/*/bin", root.path().display());
        let folders = usual_folders(&["/nowhere/*/bin", &pattern]);
        let versions: Vec<_> =
            folders.iter().map(|folder| folder.strip_prefix(root.path()).unwrap().to_str().unwrap()).collect();
        assert_eq!(versions, ["17/bin", "16/bin", "15/bin", "14/bin", "9.6/bin"]);
        // A client's folder alone is not enough.
        assert_eq!(first_with_a_server(folders), Some(root.path().join("16/bin")));
    }

    #[test]
    fn versions_are_read_from_paths() {
        assert_eq!(version(Path::new("/usr/pgsql-16/bin")), Some((16, 0)));
        assert_eq!(version(Path::new("/usr/lib/postgresql/9.6/bin")), Some((9, 6)));
        assert_eq!(version(Path::new("/opt/homebrew/opt/postgresql@17/bin")), Some((17, 0)));
        assert_eq!(version(Path::new("/usr/local/pgsql/bin")), None);
    }
}
