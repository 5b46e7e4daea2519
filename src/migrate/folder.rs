use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{Ledger, MigrateError, Migration, Script, Version};

/// A folder of migrations, laid out as sqlx's tools or as diesel's lay it out.
///
/// * sqlx: files `<version>_<description>.sql`, or pairs of `….up.sql` and `….down.sql`. One that begins with `-- no-transaction`
///   runs outside a transaction.
/// * diesel: folders `<version>_<name>` with an `up.sql`, maybe a `down.sql`, and maybe a `metadata.toml` that says
///   `run_in_transaction = false`.
#[derive(Clone, Debug)]
pub struct Folder {
    layout: Layout,
    migrations: Vec<Migration>,
}

/// Whose layout a folder of migrations has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Layout {
    /// That of sqlx's tools.
    Sqlx,
    /// That of diesel's.
    Diesel,
}

impl Folder {
    /// Reads a folder, whose layout is found out.
    ///
    /// # Errors
    ///
    /// * [`MigrateError::Unreadable`]: it is not there, or something in it cannot be read.
    /// * [`MigrateError::Folder`]: it holds no migrations, or both layouts, or two migrations of one version.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, MigrateError> {
        let path = path.as_ref();
        let (mut files, mut folders) = (Vec::new(), Vec::new());
        let entries = fs::read_dir(path).map_err(unreadable(path))?;
        for entry in entries {
            let entry = entry.map_err(unreadable(path))?.path();
            if entry.is_dir() && entry.join("up.sql").is_file() {
                folders.push(entry);
            } else if entry.is_file() && named(&entry).is_some_and(|(_, rest)| rest.ends_with(".sql")) {
                files.push(entry);
            }
        }
        let (layout, mut migrations) = match (files.is_empty(), folders.is_empty()) {
            (false, true) => (Layout::Sqlx, from_files(&files)?),
            (true, false) => (Layout::Diesel, from_folders(&folders)?),
            (true, true) => {
                return Err(wrong(
                    path,
                    "no migrations are there: neither files such as 20240101000000_users.sql nor folders such as \
                     2024-01-01-000000_users with an up.sql",
                ));
            }
            (false, false) => {
                return Err(wrong(path, "it holds sqlx's files and diesel's folders: keep them in two folders"));
            }
        };
        migrations.sort_by(|a, b| a.version.cmp(&b.version));
        if let Some(twice) = migrations.windows(2).find_map(|pair| match pair {
            [a, b] if a.version == b.version => Some(&a.version),
            _ => None,
        }) {
            return Err(wrong(path, &format!("two migrations have the version {twice}: rename one")));
        }
        Ok(Self { layout, migrations })
    }

    /// Returns whose layout it has.
    #[must_use]
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// Returns the migrations, the oldest first.
    #[must_use]
    pub fn migrations(&self) -> &[Migration] {
        &self.migrations
    }

    /// Returns the ledger that the layout's own tools keep.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        match self.layout {
            Layout::Sqlx => Ledger::sqlx(),
            Layout::Diesel => Ledger::diesel(),
        }
    }
}

fn from_files(files: &[PathBuf]) -> Result<Vec<Migration>, MigrateError> {
    let mut migrations: Vec<Migration> = Vec::new();
    let mut downs = Vec::new();
    for file in files {
        let Some((version, rest)) = named(file) else { continue };
        let version = Version::new(version);
        if version.as_number().is_none() {
            return Err(wrong(file, "its name must begin with a number and an underscore, as in 01_users.sql"));
        }
        let script = script(file)?;
        match rest.strip_suffix(".down.sql") {
            Some(_) => downs.push((version, script, file)),
            None => {
                let name = rest.strip_suffix(".up.sql").or_else(|| rest.strip_suffix(".sql")).unwrap_or(rest);
                let up = Migration::new(version, name.replace('_', " "), script.text.clone());
                migrations.push(Migration { up: script, ..up });
            }
        }
    }
    for (version, down, file) in downs {
        let up = migrations.iter_mut().find(|migration| migration.version == version);
        let up = up.ok_or_else(|| wrong(file, "there is no .up.sql beside it"))?;
        if up.down.replace(down).is_some() {
            return Err(wrong(file, "another .down.sql has its version: rename one"));
        }
    }
    Ok(migrations)
}

fn from_folders(folders: &[PathBuf]) -> Result<Vec<Migration>, MigrateError> {
    folders.iter().map(|folder| from_folder(folder)).collect()
}

fn from_folder(folder: &Path) -> Result<Migration, MigrateError> {
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
    let (version, _) = name.split_once('_').unwrap_or((&name, ""));
    let version = Version::new(version.replace('-', ""));
    let transactional = match fs::read_to_string(folder.join("metadata.toml")) {
        Ok(metadata) => runs_in_transaction(&metadata),
        Err(error) if error.kind() == io::ErrorKind::NotFound => true,
        Err(error) => return Err(unreadable(&folder.join("metadata.toml"))(error)),
    };
    let up = read(&folder.join("up.sql"))?;
    let down = folder.join("down.sql");
    let down = if down.is_file() { Some(Script { text: read(&down)?.into(), transactional }) } else { None };
    let migration = Migration::new(version, name, up);
    Ok(Migration { up: Script { transactional, ..migration.up }, down, ..migration })
}

/// The one setting that diesel's `metadata.toml` has for a migration.
fn runs_in_transaction(metadata: &str) -> bool {
    let setting = metadata.lines().find_map(|line| {
        let (key, value) = line.split('#').next()?.split_once('=')?;
        (key.trim() == "run_in_transaction").then(|| value.trim())
    });
    setting != Some("false")
}

fn script(file: &Path) -> Result<Script, MigrateError> {
    let text = read(file)?;
    let transactional = !text.starts_with("-- no-transaction");
    Ok(Script { text: text.into(), transactional })
}

/// The parts of a name before and behind its first underscore.
fn named(path: &Path) -> Option<(&str, &str)> {
    path.file_name()?.to_str()?.split_once('_')
}

fn read(file: &Path) -> Result<String, MigrateError> {
    fs::read_to_string(file).map_err(unreadable(file))
}

fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> MigrateError {
    let path = path.to_owned();
    move |error| MigrateError::Unreadable { path, error }
}

fn wrong(path: &Path, message: &str) -> MigrateError {
    MigrateError::Folder { path: path.to_owned(), message: message.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let file = root.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        root
    }

    #[test]
    fn sqlx_has_files() {
        let root = folder(&[
            ("0002_posts.up.sql", "-- no-transaction\ncreate table posts ()"),
            ("0002_posts.down.sql", "drop table posts"),
            ("1_the_users.sql", "create table users ()"),
            ("README.md", "x"),
        ]);
        let read = Folder::read(root.path()).unwrap();
        assert_eq!(read.layout(), Layout::Sqlx);
        let [users, posts] = read.migrations() else { panic!("{read:?}") };
        assert_eq!((users.version.as_str(), &*users.description), ("1", "the users"));
        assert!(users.up.transactional && users.down.is_none() && !posts.up.transactional);
        assert_eq!(posts.down.as_ref().map(|down| (&*down.text, down.transactional)), Some(("drop table posts", true)));
    }

    #[test]
    fn diesel_has_folders() {
        let root = folder(&[
            ("2024-01-02-030405_users/up.sql", "create table users ()"),
            ("2024-01-02-030405_users/down.sql", "drop table users"),
            ("00000000000000_first/up.sql", "vacuum"),
            ("00000000000000_first/metadata.toml", "# x\nrun_in_transaction = false # y\n"),
            (".git/config", ""),
        ]);
        let read = Folder::read(root.path()).unwrap();
        assert_eq!(read.layout(), Layout::Diesel);
        let [first, users] = read.migrations() else { panic!("{read:?}") };
        assert_eq!((first.version.as_str(), first.up.transactional), ("00000000000000", false));
        assert_eq!((users.version.as_str(), &*users.description), ("20240102030405", "2024-01-02-030405_users"));
        assert!(users.up.transactional && users.down.is_some());
    }

    #[test]
    fn what_is_unclear_is_refused() {
        for (files, message) in [
            (&[("README", "")][..], "no migrations are there"),
            (&[("1_a.sql", ""), ("2_b/up.sql", "")], "keep them in two folders"),
            (&[("1_a.sql", ""), ("01_b.sql", "")], "two migrations have the version"),
            (&[("a_b.sql", "")], "must begin with a number"),
            (&[("1_b.down.sql", "")], "no .up.sql beside it"),
        ] {
            let root = folder(files);
            let error = Folder::read(root.path()).expect_err(message).to_string();
            assert!(error.contains(message), "{error}");
        }
        assert!(matches!(Folder::read("/nowhere/at/all"), Err(MigrateError::Unreadable { .. })));
    }
}
