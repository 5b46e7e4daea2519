use std::{io, path::PathBuf};

use super::Version;
use crate::Error;

/// Why migrations could not be read, applied or reverted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MigrateError {
    /// The database could not be asked, or what was asked beside a migration failed.
    #[error(transparent)]
    Database(#[from] Error),
    /// A migration's own statements failed. In a transaction nothing of it has taken effect.
    #[error("migration {version} failed{}", at(.line))]
    Script {
        /// The migration.
        version: Version,
        /// The line of the script, from 1, where that is known.
        line: Option<usize>,
        /// What went wrong.
        #[source]
        error: Error,
    },
    /// A migration that runs outside a transaction was begun and not recorded as ended.
    #[error(
        "migration {0} runs outside a transaction and was begun but not ended: either another runner is at it, which is to be waited for, \
         or it failed halfway; then look at what it has done and finish or undo that by hand, and in the table of migrations mark its \
         row as ended or delete it"
    )]
    Dirty(Version),
    /// The database has applied a migration that is not there.
    #[error(
        "migration {0} was applied but is not among those given: is a file missing, or is this another branch's database?"
    )]
    Missing(Version),
    /// A migration was changed after it had been applied.
    #[error("migration {0} was changed after it had been applied: put it back as it was and write another one")]
    Changed(Version),
    /// The migration up to which to go is not there.
    #[error("there is no migration {0} to go to")]
    NoSuchTarget(Version),
    /// A migration cannot be reverted.
    #[error("migration {0} has no script that reverts it")]
    Irreversible(Version),
    /// A script begins or ends a transaction of its own, and so could not be recorded with what it does.
    #[error(
        "migration {version}, line {line}: a migration is one transaction, which begins and ends with it: leave BEGIN, COMMIT and ROLLBACK out, \
         or mark it as running outside a transaction"
    )]
    TransactionControl {
        /// The migration.
        version: Version,
        /// The line of the script, from 1.
        line: usize,
    },
    /// The host is a pooler.
    #[error(
        "{host} is a pooler, behind which locks and settings of a session are lost between two transactions: use the direct host for migrations \
         (at Neon the one without -pooler, at PlanetScale port 5432)"
    )]
    Pooled {
        /// The host, with the port where that tells.
        host: String,
    },
    /// A version is not a number, as sqlx records it.
    #[error("{0} is no version that sqlx records: use digits, up to 19 of them")]
    NotANumber(Version),
    /// A file or folder could not be read.
    #[error("{} cannot be read", .path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        error: io::Error,
    },
    /// A folder holds no migrations, or such as cannot be told apart.
    #[error("{}: {message}", .path.display())]
    Folder {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
}

fn at(line: &Option<usize>) -> String {
    line.map_or_else(String::new, |line| format!(" in line {line}"))
}
