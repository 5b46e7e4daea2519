use std::time::Duration;

use super::{
    Applied, Ledger, MigrateError, Migration, Status, Version,
    carrier::{Carrier, Failure, Session, Table},
    history::History,
    ledger::BEGUN,
    lock::{Lock, is_busy},
    migration::Script,
};
use crate::{
    config::Config,
    error::{Error, Outcome},
    sql::{self, Effect},
};

/// What tells that another runner was here first; no error of Postgres's has it.
const TAKEN: &str = "PGFM1";

/// How often another runner's progress is looked at, where no lock tells.
const GLANCE: Duration = Duration::from_millis(200);

/// Applies and reverts migrations over the configuration's transport.
///
/// With [`Transport::Auto`](crate::Transport::Auto) that is the WebSocket, one session for all, where the configuration has both endpoints.
///
/// Each migration is one transaction with its row in the [`Ledger`], under an advisory lock that ends with it, so that over HTTP
/// it is one request. Several runners may run at once, sqlx's own among them, whose lock it is.
///
/// A migration that runs outside a transaction is recorded as begun, run statement by statement, and recorded as ended. Where it
/// fails in between, or its runner dies, the table goes on to say so, and nothing further is applied: sqlx's in its column `success`,
/// diesel's by ` begun` behind the version. Over WebSocket other runners wait for such a migration; over HTTP, where no lock outlives a
/// request, they wait for it for five seconds from its beginning, and then end with [`MigrateError::Dirty`].
#[derive(Debug)]
pub struct Runner {
    carrier: Carrier,
    ledger: Ledger,
    lock: Lock,
    allows_missing: bool,
}

impl Runner {
    /// Connects. Over HTTP nothing is sent yet.
    ///
    /// Cancel safe.
    ///
    /// # Errors
    ///
    /// * [`MigrateError::Pooled`]: the host is a pooler in transaction mode ([`Config::is_pooled`]).
    /// * [`MigrateError::Database`]: no connection, with nothing executed.
    pub async fn connect(config: &Config, ledger: Ledger) -> Result<Self, MigrateError> {
        if config.is_pooled() {
            return Err(MigrateError::Pooled { host: format!("{}:{}", config.get_host()?, config.get_port()) });
        }
        let lock = Lock::of(config.get_dbname()?);
        let allows_missing = ledger.allows_missing();
        Ok(Self { carrier: Carrier::connect(config).await?, ledger, lock, allows_missing })
    }

    /// Sets whether a migration may be applied that is not among those given. Defaults to no for sqlx's table and to yes for
    /// diesel's, as in both.
    #[must_use]
    pub fn allow_missing(mut self, allow: bool) -> Self {
        self.allows_missing = allow;
        self
    }

    /// Tells how the migrations stand, those included that are applied and not given. Changes nothing.
    ///
    /// Cancel safe.
    ///
    /// # Errors
    ///
    /// [`MigrateError::Database`].
    pub async fn status(&mut self, migrations: &[Migration]) -> Result<Vec<Status>, MigrateError> {
        let applied = match self.locate().await? {
            Some(table) => self.applied(&table).await?,
            None => Vec::new(),
        };
        Ok(History::new(migrations, applied, true).status())
    }

    /// Applies what is pending, up to `target` where one is given, and returns how many migrations that were. `begun` hears of
    /// each before it is applied.
    ///
    /// Where one fails, those before it stay applied and recorded. Dropping the future in between leaves the running one to its
    /// transaction: it is applied and recorded, or neither.
    ///
    /// # Errors
    ///
    /// [`MigrateError`] says what and what to do. Where a connection was lost in the middle, what has happened is looked up, so that
    /// an error means that the migration is not recorded.
    pub async fn run(
        &mut self,
        migrations: &[Migration],
        target: Option<&Version>,
        mut begun: impl FnMut(&Migration),
    ) -> Result<usize, MigrateError> {
        let table = self.prepare().await?;
        let mut count = 0;
        // Another runner may be at work, so what is next is read anew whenever it was here first.
        loop {
            let history = History::new(migrations, self.settled(&table).await?, self.allows_missing);
            let mut overtaken = false;
            for migration in history.pending(target)? {
                begun(migration);
                if self.step(&table, migration, &migration.up, Direction::Up).await? {
                    count += 1;
                } else {
                    overtaken = true;
                    break;
                }
            }
            if !overtaken {
                return Ok(count);
            }
        }
    }

    /// Reverts the migrations after `target`, the last one first; without a target, the last one alone. Returns how many those were.
    /// The target is one of the migrations, or 0, which is before all of them.
    /// `begun` hears of each before it is reverted.
    ///
    /// As to failures and dropping it, it is like [`run`](Self::run).
    ///
    /// # Errors
    ///
    /// As of [`run`](Self::run), and [`MigrateError::Irreversible`], before anything is reverted.
    pub async fn revert(
        &mut self,
        migrations: &[Migration],
        target: Option<&Version>,
        mut begun: impl FnMut(&Migration),
    ) -> Result<usize, MigrateError> {
        let table = self.prepare().await?;
        let history = History::new(migrations, self.settled(&table).await?, self.allows_missing);
        let mut count = 0;
        for migration in history.revertible(target)? {
            let Some(down) = &migration.down else { return Err(MigrateError::Irreversible(migration.version.clone())) };
            begun(migration);
            if self.step(&table, migration, down, Direction::Down).await? {
                count += 1;
            }
        }
        Ok(count)
    }

    /// Applies one migration, whatever others there are; false where it is recorded already.
    ///
    /// As to failures and dropping it, it is like [`run`](Self::run).
    ///
    /// # Errors
    ///
    /// As of [`run`](Self::run).
    pub async fn run_one(&mut self, migration: &Migration) -> Result<bool, MigrateError> {
        let table = self.prepare().await?;
        match self.is_applied(&table, migration).await? {
            true => Ok(false),
            false => self.step(&table, migration, &migration.up, Direction::Up).await,
        }
    }

    /// Reverts one migration, whatever others there are; false where it is not recorded.
    ///
    /// As to failures and dropping it, it is like [`run`](Self::run).
    ///
    /// # Errors
    ///
    /// As of [`revert`](Self::revert).
    pub async fn revert_one(&mut self, migration: &Migration) -> Result<bool, MigrateError> {
        let Some(down) = &migration.down else { return Err(MigrateError::Irreversible(migration.version.clone())) };
        let table = self.prepare().await?;
        match self.is_applied(&table, migration).await? {
            true => self.step(&table, migration, down, Direction::Down).await,
            false => Ok(false),
        }
    }

    /// Whether a migration is recorded, where none has begun and not ended.
    async fn is_applied(&mut self, table: &str, migration: &Migration) -> Result<bool, MigrateError> {
        let applied = self.settled(table).await?;
        match applied.iter().find(|applied| !applied.ended) {
            Some(dirty) => Err(MigrateError::Dirty(dirty.version.clone())),
            None => Ok(applied.iter().any(|applied| applied.version == migration.version)),
        }
    }

    /// Takes one step and records it; false where another runner has taken it.
    async fn step(
        &mut self,
        table: &str,
        migration: &Migration,
        script: &Script,
        direction: Direction,
    ) -> Result<bool, MigrateError> {
        let taken = if script.transactional {
            self.in_transaction(table, migration, script, direction).await
        } else {
            self.piecemeal(table, migration, script, direction).await
        };
        match taken {
            Ok(()) => Ok(true),
            Err(error) if is_taken(&error) => Ok(false),
            Err(error) if is_unknown(&error) && script.transactional => {
                // It was committed as a whole or not at all, and its row tells, once the lock says that it has ended.
                match self.applied_at_rest(table).await {
                    Ok(applied) => {
                        let recorded = applied.iter().any(|applied| applied.version == migration.version);
                        if recorded == (direction == Direction::Up) { Ok(true) } else { Err(error) }
                    }
                    // The first error says more than that the second question had no answer.
                    Err(_) => Err(error),
                }
            }
            Err(error) => Err(error),
        }
    }

    async fn in_transaction(
        &mut self,
        table: &str,
        migration: &Migration,
        script: &Script,
        direction: Direction,
    ) -> Result<(), MigrateError> {
        let (ledger, version) = (&self.ledger, &migration.version);
        let mut statements = vec![
            self.lock.for_transaction(),
            ledger.expect(table, version, direction == Direction::Down, TAKEN)?,
            match direction {
                Direction::Up => ledger.record(table, migration, true)?,
                Direction::Down => ledger.forget(table, version)?,
            },
        ];
        let before = statements.len();
        let parts = sql::split_ranges(&script.text);
        for part in &parts {
            let statement = script.text.get(part.clone()).unwrap_or_default();
            if sql::effect(statement) == Effect::TransactionControl {
                let line = line_of(&script.text, part.start);
                return Err(MigrateError::TransactionControl { version: version.clone(), line });
            }
            statements.push(statement.to_owned());
        }
        if direction == Direction::Up {
            statements.extend(ledger.note_time(table, version)?);
        }
        self.locked(&statements, Session::Fresh).await.map(drop).map_err(|Failure { error, place }| {
            let line = place.and_then(|(index, character)| {
                let part = parts.get(index.checked_sub(before)?)?;
                let statement = script.text.get(part.clone())?;
                let bytes: usize = statement.chars().take(character).map(char::len_utf8).sum();
                Some(line_of(&script.text, part.start + bytes))
            });
            failed(version, line, error)
        })
    }

    /// Runs a script statement by statement; what is recorded says that it has begun, and then that it has ended.
    async fn piecemeal(
        &mut self,
        table: &str,
        migration: &Migration,
        script: &Script,
        direction: Direction,
    ) -> Result<(), MigrateError> {
        let unplaced = |error| failed(&migration.version, None, error);
        self.hold().await.map_err(unplaced)?;
        let done = self.held_piecemeal(table, migration, script, direction).await;
        self.carrier.release().await;
        done
    }

    async fn held_piecemeal(
        &mut self,
        table: &str,
        migration: &Migration,
        script: &Script,
        direction: Direction,
    ) -> Result<(), MigrateError> {
        let version = &migration.version;
        let unplaced = |failure: Failure| failed(version, None, failure.error);
        let begin = [
            self.lock.for_transaction(),
            self.ledger.expect(table, version, direction == Direction::Down, TAKEN)?,
            match direction {
                Direction::Up => self.ledger.record(table, migration, false)?,
                Direction::Down => self.ledger.reopen(table, version)?,
            },
        ];
        self.locked(&begin, Session::Same).await.map_err(unplaced)?;
        for part in sql::split_ranges(&script.text) {
            let statement = script.text.get(part.clone()).unwrap_or_default();
            let done = self.carrier.alone(statement).await;
            done.map_err(|error| failed(version, Some(line_of(&script.text, part.start)), error))?;
        }
        let end = match direction {
            Direction::Up => self.ledger.end(table, version)?,
            Direction::Down => self.ledger.forget(table, version)?,
        };
        self.carrier.transaction(&[end], Session::Same).await.map(drop).map_err(unplaced)
    }

    /// Makes the table where it is missing, and returns its full name.
    async fn prepare(&mut self) -> Result<String, MigrateError> {
        if let Some(table) = self.locate().await? {
            return Ok(table);
        }
        let mut statements = vec![self.lock.for_transaction()];
        statements.extend(self.ledger.create());
        statements.push(self.ledger.locate());
        let tables = self.locked(&statements, Session::Fresh).await.map_err(|failure| failure.error)?;
        tables.last().and_then(single).ok_or_else(|| unreadable().into())
    }

    async fn locate(&mut self) -> Result<Option<String>, MigrateError> {
        let statement = self.ledger.locate();
        let tables = self.carrier.transaction(&[statement], Session::Fresh).await.map_err(|failure| failure.error)?;
        Ok(tables.first().and_then(single))
    }

    /// What is recorded, once no other runner is at a migration that runs outside a transaction, as far as that can be waited for.
    async fn settled(&mut self, table: &str) -> Result<Vec<Applied>, MigrateError> {
        let mut applied = self.applied(table).await?;
        if self.carrier.can_hold() && applied.iter().any(|applied| !applied.ended) {
            self.hold().await?;
            self.carrier.release().await;
            applied = self.applied(table).await?;
        }
        while applied.iter().any(|applied| applied.begun_just_now) {
            self.carrier.pause(GLANCE).await?;
            applied = self.applied(table).await?;
        }
        Ok(applied)
    }

    /// Runs statements that begin with taking the lock, once it can be had.
    async fn locked(&mut self, statements: &[String], session: Session) -> Result<Vec<Table>, Failure> {
        loop {
            match self.carrier.transaction(statements, session).await {
                Err(failure) if is_busy(&failure.error) => {}
                done => return done,
            }
        }
    }

    /// Takes the lock until it is released, where a session can hold it.
    async fn hold(&mut self) -> Result<(), Error> {
        let lock = self.lock.for_session();
        loop {
            match self.carrier.hold(&lock).await {
                Err(error) if is_busy(&error) => {}
                done => return done,
            }
        }
    }

    async fn applied(&mut self, table: &str) -> Result<Vec<Applied>, MigrateError> {
        let statement = self.ledger.list(table);
        let tables = self.carrier.transaction(&[statement], Session::Fresh).await.map_err(|failure| failure.error)?;
        read(tables)
    }

    /// Reads what is applied while no migration is under way.
    async fn applied_at_rest(&mut self, table: &str) -> Result<Vec<Applied>, MigrateError> {
        let statements = [self.lock.for_transaction(), self.ledger.list(table)];
        read(self.locked(&statements, Session::Fresh).await.map_err(|failure| failure.error)?)
    }
}

/// Reads what the last statement has listed.
fn read(tables: Vec<Table>) -> Result<Vec<Applied>, MigrateError> {
    let rows = tables.into_iter().next_back().ok_or_else(unreadable)?;
    Ok(rows.into_iter().map(|row| applied(row).ok_or_else(unreadable)).collect::<Result<_, Error>>()?)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Up,
    Down,
}

fn failed(version: &Version, line: Option<usize>, error: Error) -> MigrateError {
    MigrateError::Script { version: version.clone(), line, error }
}

fn is_taken(error: &MigrateError) -> bool {
    matches!(error, MigrateError::Script { error, .. } if error.code().is_some_and(|code| code.as_str() == TAKEN))
}

fn is_unknown(error: &MigrateError) -> bool {
    matches!(error, MigrateError::Script { error, .. } if error.outcome() == Outcome::Unknown)
}

fn single(table: &Table) -> Option<String> {
    table.first()?.first()?.clone()
}

fn applied(row: Vec<Option<String>>) -> Option<Applied> {
    let mut values = row.into_iter();
    let recorded = values.next()??;
    let (version, only_begun) = match recorded.strip_suffix(BEGUN) {
        Some(version) => (version, true),
        None => (recorded.as_str(), false),
    };
    let version = Version::new(version);
    let checksum = match values.next()? {
        Some(hex) => Some(bytes(&hex)?),
        None => None,
    };
    let ended = values.next()??.starts_with('t') && !only_begun;
    let recent = values.next()??.starts_with('t');
    Some(Applied { version, checksum, ended, begun_just_now: recent && !ended })
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = hex.chars().map(|digit| digit.to_digit(16)?.try_into().ok()).collect::<Option<_>>()?;
    Some(digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect())
}

fn unreadable() -> Error {
    Error::protocol("the table of applied migrations could not be read", Outcome::Unknown)
}

fn line_of(text: &str, at: usize) -> usize {
    text.get(..at).map_or(0, |before| before.matches('\n').count()) + 1
}
