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

/// The programs without which no server can be made and started.
const PROGRAMS: [&str; 2] = ["initdb", "postgres"];

/// The programs of an installed PostgreSQL server.
///
/// # Example
///
/// ```
/// use pgferry_local::Installation;
///
/// let installation = Installation::find()?;
/// assert!(installation.program("initdb").is_file());
/// assert!(installation.version().starts_with(&installation.major().to_string()));
/// # Ok::<(), anyhow::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Installation {
    directory: PathBuf,
    version: String,
    major: u32,
}

impl Installation {
    /// Finds a server on PATH, else where the `pg_config` on PATH says, else in the usual folders, the newest first.
    ///
    /// # Errors
    ///
    /// When there is none, with how to install one, or when the one found does not run.
    pub fn find() -> Result<Self> {
        let directory = candidates().find(|directory| has_a_server(directory)).context(
            "no PostgreSQL server (initdb and postgres) was found on PATH, through pg_config or in the usual folders: \
             install one with `apt install postgresql`, `dnf install postgresql-server` or `brew install postgresql`",
        )?;
        Self::at(&directory)
    }

    /// Takes the server whose programs are in a directory.
    ///
    /// # Errors
    ///
    /// When it has no server, or one that does not run.
    pub fn at(directory: &Path) -> Result<Self> {
        ensure!(
            has_a_server(directory),
            "{} has no PostgreSQL server: name the directory that has initdb and postgres in it",
            directory.display()
        );
        let directory = behind_links(directory)?;
        let server = directory.join("postgres");
        let output = Command::new(&server)
            .arg("--version")
            .output()
            .with_context(|| format!("{} cannot be started", server.display()))?;
        ensure!(output.status.success(), "{} does not run", server.display());
        let line = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        let (version, major) =
            version_of(&line).with_context(|| format!("{} says that it is {line:?}", server.display()))?;
        Ok(Self { version, major, directory })
    }

    /// Returns the directory of the programs.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Returns where a program of the server is.
    #[must_use]
    pub fn program(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Returns where `psql` is, which some packages have apart from the server: beside it, else wherever servers are looked for.
    #[must_use]
    pub fn psql(&self) -> Option<PathBuf> {
        std::iter::once(self.directory.clone())
            .chain(candidates())
            .map(|directory| directory.join("psql"))
            .find(|program| program.is_file())
    }

    /// Returns the version as the server says it: `15.14 (Debian 15.14-0+deb12u1)`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Returns the major version, which data directories belong to: 15.
    #[must_use]
    pub fn major(&self) -> u32 {
        self.major
    }

    /// Returns a name that differs between servers whose data directories may differ.
    #[must_use]
    pub fn key(&self) -> String {
        let name = format!("{} {}", self.version, self.directory.display());
        name.split(|c: char| !c.is_ascii_alphanumeric() && c != '.')
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join("-")
    }
}

fn has_a_server(directory: &Path) -> bool {
    PROGRAMS.iter().all(|program| directory.join(program).is_file())
}

/// Returns where the programs themselves are, which are started from another directory, by another account: links to them may be in a
/// directory of links.
fn behind_links(directory: &Path) -> Result<PathBuf> {
    let server = fs::canonicalize(directory.join("postgres"))?;
    match server.parent().filter(|target| has_a_server(target)) {
        Some(target) => Ok(target.to_owned()),
        None => Ok(fs::canonicalize(directory)?),
    }
}

fn candidates() -> impl Iterator<Item = PathBuf> {
    let on_path = env::var_os("PATH").map(|path| env::split_paths(&path).collect::<Vec<_>>()).unwrap_or_default();
    // One step after the other: pg_config is only started when PATH has no server.
    let told = on_path.clone();
    on_path
        .into_iter()
        .chain(std::iter::once_with(move || told_by_pg_config(&told)).flatten())
        .chain(std::iter::once_with(|| usual_folders(&USUAL_FOLDERS)).flatten())
}

/// Asks the `pg_config` of these directories. Started by its bare name it could be one that PATH does not have.
fn told_by_pg_config(path: &[PathBuf]) -> Option<PathBuf> {
    let program = path.iter().map(|directory| directory.join("pg_config")).find(|program| program.is_file())?;
    let output = Command::new(program).arg("--bindir").output().ok()?;
    let directory = String::from_utf8(output.stdout).ok()?;
    Some(PathBuf::from(directory.trim())).filter(|directory| output.status.success() && directory.is_absolute())
}

/// Takes apart what `postgres --version` prints: `postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)`.
fn version_of(line: &str) -> Option<(String, u32)> {
    let (_, version) = line.split_once("(PostgreSQL) ")?;
    let digits = version.find(|c: char| !c.is_ascii_digit()).unwrap_or(version.len());
    Some((version.to_owned(), version.get(..digits)?.parse().ok()?))
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
        for program in PROGRAMS {
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
        assert_eq!(folders.into_iter().find(|folder| has_a_server(folder)), Some(root.path().join("16/bin")));
    }

    #[test]
    fn pg_config_is_asked_only_where_path_has_it() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(told_by_pg_config(&[]), None);
        assert_eq!(told_by_pg_config(&[root.path().to_owned()]), None);
        let program = root.path().join("pg_config");
        fs::write(&program, "#!/bin/sh\n[ \"$1\" = --bindir ] && echo /opt/somewhere/bin\n").unwrap();
        fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        assert_eq!(told_by_pg_config(&[root.path().to_owned()]), Some("/opt/somewhere/bin".into()));
    }

    #[test]
    fn a_directory_without_a_server_is_refused_by_name() {
        let root = tempfile::tempdir().unwrap();
        let error = Installation::at(root.path()).unwrap_err().to_string();
        assert!(error.contains(&*root.path().to_string_lossy()) && error.contains("initdb and postgres"), "{error}");
    }

    #[test]
    fn links_lead_to_the_programs() {
        let root = tempfile::tempdir().unwrap();
        let [real, links] = ["real", "links"].map(|name| fs::canonicalize(root.path()).unwrap().join(name));
        server_in(&real);
        fs::create_dir(&links).unwrap();
        for program in PROGRAMS {
            std::os::unix::fs::symlink(real.join(program), links.join(program)).unwrap();
        }
        assert_eq!(behind_links(&links).unwrap(), real);
        assert_eq!(behind_links(&real).unwrap(), real);
    }

    #[test]
    fn versions_are_read_from_what_servers_say() {
        for (line, version, major) in [
            ("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)", "15.14 (Debian 15.14-0+deb12u1)", 15),
            ("postgres (PostgreSQL) 18beta1", "18beta1", 18),
        ] {
            assert_eq!(version_of(line), Some((version.to_owned(), major)));
        }
        assert_eq!(version_of("postgres 15"), None);
        assert_eq!(version_of("postgres (PostgreSQL) devel"), None);
    }

    #[test]
    fn versions_are_read_from_paths() {
        assert_eq!(version(Path::new("/usr/pgsql-16/bin")), Some((16, 0)));
        assert_eq!(version(Path::new("/usr/lib/postgresql/9.6/bin")), Some((9, 6)));
        assert_eq!(version(Path::new("/opt/homebrew/opt/postgresql@17/bin")), Some((17, 0)));
        assert_eq!(version(Path::new("/usr/local/pgsql/bin")), None);
    }
}
