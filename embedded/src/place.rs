use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

/// What marks a directory as one of ours, and says what wrote it.
const MARK: &str = "pgferry-embedded";

/// Where the engine keeps its data and its private socket.
#[derive(Debug)]
pub(crate) struct Place {
    directory: PathBuf,
    private: PathBuf,
}

impl Place {
    /// Opens the directory of kept data, or makes a temporary one.
    pub(crate) fn open(kept: Option<&Path>) -> Result<Self> {
        // The path of a socket has to be short, so it is never below the directory of the data.
        let private = std::env::temp_dir().join(format!("pgferry-{}", crate::message::random()?));
        make_private(&private)?;
        let place = Self { directory: kept.map_or_else(|| private.join("data"), Path::to_path_buf), private };
        place.claim()?;
        Ok(place)
    }

    /// Returns where the engine keeps its files.
    pub(crate) fn root(&self) -> PathBuf {
        self.directory.join("engine")
    }

    /// Returns the path of the engine's socket, which nobody else can reach.
    pub(crate) fn socket(&self) -> PathBuf {
        self.private.join(".s.PGSQL.5432")
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    fn claim(&self) -> Result<()> {
        let shown = self.directory.display();
        let mark = self.directory.join(MARK);
        match fs::read_dir(&self.directory) {
            Ok(mut entries) => {
                if entries.next().is_some() && !mark.exists() {
                    bail!(
                        "{shown} is not empty and was not made by the embedded PostgreSQL: name another directory, or one that does \
                         not exist"
                    );
                }
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                make_private(&self.directory)?;
            }
            Err(error) => return Err(error).with_context(|| format!("{shown} cannot be read")),
        }
        fs::write(&mark, "PostgreSQL 17, 32 bits: a data directory that no installed server can open\n")
            .with_context(|| format!("{shown} cannot be written to"))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Temporary data are in it, kept ones are not. There is nobody to tell, and nothing else to do.
        let _ = fs::remove_dir_all(&self.private);
    }
}

fn make_private(directory: &Path) -> Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory).with_context(|| format!("{} cannot be made", directory.display()))
}
