use std::time::Duration;

use tokio::{
    sync::oneshot,
    time::{sleep, timeout},
};

use crate::{
    config::{Config, Transport},
    error::{Error, Outcome, Result},
    execute::{Opening, WireClient, cancel, culprit, open},
    http::{BatchOptions, Client, IsolationLevel, Query},
    runtime::Runtime,
    wire::{Event, TransactionStatus},
};

/// Makes a session as if it had just been opened.
const DISCARD: &str = "DISCARD ALL";

/// The rows that a statement gave, each value as text.
pub(super) type Table = Vec<Vec<Option<String>>>;

/// Why a transaction failed, and where, as far as that is known.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: Error,
    /// Which of the statements failed, and at which character, from 0.
    pub(super) place: Option<(usize, usize)>,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { error, place: None }
    }
}

/// What carries a runner's transactions.
#[derive(Debug)]
pub(super) struct Carrier {
    config: Config,
    runtime: Runtime,
    road: Road,
}

#[derive(Debug)]
enum Road {
    Http(Box<Client>),
    /// None while it is on the runtime's thread, and after it was lost: then another is opened.
    WebSocket(Option<Box<WireClient>>),
}

/// In which session something may run.
#[derive(Clone, Copy, Debug)]
pub(super) enum Session {
    /// As if it had just been opened, as over HTTP each is: no migration finds what another one set.
    Fresh,
    /// The one that [`hold`](Carrier::hold) has begun: another one has no lock and none of the settings.
    Same,
}

impl Carrier {
    /// Connects; over HTTP, nothing is sent yet.
    pub(super) async fn connect(config: &Config) -> Result<Self> {
        let runtime = Runtime::start()?;
        let road = match config.resolve_transport()? {
            Transport::Http => Road::Http(Box::new(Client::on(config, &runtime)?)),
            Transport::WebSocket | Transport::Auto => Road::WebSocket(None),
        };
        let mut carrier = Self { config: config.clone(), runtime, road };
        if let Road::WebSocket(session) = &mut carrier.road {
            *session = Some(open_session(&carrier.config, &carrier.runtime).await?);
        }
        Ok(carrier)
    }

    /// Runs statements as one transaction, READ COMMITTED whatever the role's default: a later statement must see what another
    /// runner committed while this one waited for its lock.
    pub(super) async fn transaction(&mut self, statements: &[String], session: Session) -> Result<Vec<Table>, Failure> {
        match &mut self.road {
            Road::Http(client) => {
                let queries: Vec<Query<'_>> = statements.iter().map(Query::new).collect();
                let options = BatchOptions::new().isolation_level(IsolationLevel::ReadCommitted);
                let results = client.batch(&queries, options).await;
                let results = results.map_err(|error| Failure { place: culprit(statements, &error), error })?;
                let table = |result: crate::http::QueryResult| {
                    let rows = result.into_rows();
                    rows.iter()
                        .map(|row| (0..row.len()).map(|at| Ok(row.text(at)?.map(Into::into))).collect())
                        .collect()
                };
                Ok(results.into_iter().map(table).collect::<Result<_>>()?)
            }
            Road::WebSocket(_) => {
                let script = Joined::new(statements);
                let tables = self.simple_query(&script.text, session).await.map_err(|error| script.place(error))?;
                // Without those of BEGIN and COMMIT.
                Ok(tables.into_iter().skip(1).take(statements.len()).collect())
            }
        }
    }

    /// Whether a lock can be held for longer than a transaction.
    pub(super) fn can_hold(&self) -> bool {
        matches!(self.road, Road::WebSocket(_))
    }

    /// Takes the lock for what runs outside a transaction, where a session can hold it: until [`release`](Self::release), or until the
    /// session is lost. Over HTTP nothing is locked.
    pub(super) async fn hold(&mut self, lock: &str) -> Result<()> {
        match &mut self.road {
            Road::Http(_) => Ok(()),
            Road::WebSocket(_) => self.simple_query(lock, Session::Fresh).await.map(drop),
        }
    }

    /// Gives back what [`hold`](Self::hold) took, with all that the session has set since.
    pub(super) async fn release(&mut self) {
        if let Road::WebSocket(Some(_)) = &self.road {
            // Where that fails, the session is lost, and the lock with it.
            let _ = self.simple_query(DISCARD, Session::Same).await;
        }
    }

    /// Runs a statement outside a transaction, in the session that [`hold`](Self::hold) has begun.
    pub(super) async fn alone(&mut self, statement: &str) -> Result<()> {
        match &mut self.road {
            Road::Http(client) => client.execute(statement, &[]).await.map(drop),
            Road::WebSocket(_) => self.simple_query(statement, Session::Same).await.map(drop),
        }
    }

    /// Waits, on the runtime's clock.
    pub(super) async fn pause(&self, time: Duration) -> Result<()> {
        on(&self.runtime, async move {
            sleep(time).await;
            Ok(())
        })
        .await
    }

    async fn simple_query(&mut self, text: &str, wanted: Session) -> Result<Vec<Table>> {
        let Road::WebSocket(session) = &mut self.road else { return Ok(Vec::new()) };
        let mut client = match (session.take().filter(|client| client.is_usable()), wanted) {
            (Some(client), _) => client,
            (None, Session::Fresh) => open_session(&self.config, &self.runtime).await?,
            (None, Session::Same) => {
                return Err(Error::closed("the session was lost, and its lock with it", Outcome::NotExecuted));
            }
        };
        let text = text.to_owned();
        let (limit, config) = (self.config.get_request_timeout(), self.config.clone());
        let (client, result) = on(&self.runtime, async move {
            let running = run(&mut client, &text, wanted);
            let result = match limit {
                Some(limit) => timeout(limit, running).await.unwrap_or_else(|_| Err(late(limit))),
                None => running.await,
            };
            if result.as_ref().is_err_and(Error::is_timeout) {
                // It would go on, and be committed behind the error.
                if let Some(key) = client.backend_key() {
                    let _ = timeout(config.get_connect_timeout(), cancel(&config, key)).await;
                }
                return Ok((None, result));
            }
            let client =
                (client.is_usable() && client.transaction_status() == TransactionStatus::Idle).then_some(client);
            Ok((client, result))
        })
        .await?;
        *session = client;
        result
    }
}

fn late(limit: Duration) -> Error {
    Error::timeout("answer to a migration", limit, Outcome::Unknown)
}

async fn open_session(config: &Config, runtime: &Runtime) -> Result<Box<WireClient>> {
    let config = config.clone();
    on(runtime, async move {
        let own = [("application_name", config.get_application_name()), ("options", config.get_options())];
        let opening = Opening {
            database: None,
            parameters: own
                .into_iter()
                .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
                .collect(),
        };
        Ok(Box::new(open(&config, &opening).await?))
    })
    .await
}

/// Runs a text of several statements and collects what each gave.
async fn run(client: &mut WireClient, text: &str, session: Session) -> Result<Vec<Table>> {
    let mut tables = Vec::new();
    let mut rows = Table::new();
    if let Session::Fresh = session {
        client.queue_simple_query(DISCARD).await?;
    }
    let mut execution = client.simple_query(text).await?;
    let ended = loop {
        match execution.next().await {
            Ok(Some(Event::Row(row))) => {
                let values = row.values().map(|value| value.map(|value| String::from_utf8_lossy(value).into_owned()));
                rows.push(values.collect());
            }
            Ok(Some(Event::Complete(_) | Event::Empty)) => tables.push(std::mem::take(&mut rows)),
            Ok(Some(Event::Columns(_))) => {}
            Ok(None) => break Ok(tables),
            Err(error) => break Err(error),
        }
    };
    if client.is_usable() && client.transaction_status() != TransactionStatus::Idle {
        client.simple_query("ROLLBACK").await?.finish().await?;
    }
    client.take_notices();
    ended
}

/// Runs a future on the runtime's thread, whatever executor the caller is on.
async fn on<T: Send + 'static>(
    runtime: &Runtime,
    future: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    let (sender, receiver) = oneshot::channel();
    runtime.spawn(async move {
        // The receiver is gone when the caller was dropped, who then wants no answer.
        let _ = sender.send(future.await);
    });
    receiver.await.unwrap_or_else(|_| {
        Err(Error::closed("the task on pgferry's thread ended before it answered", Outcome::Unknown))
    })
}

/// Statements in one text, between BEGIN and COMMIT.
struct Joined {
    text: String,
    /// At which character each begins.
    starts: Vec<usize>,
}

impl Joined {
    fn new(statements: &[String]) -> Self {
        let mut text = String::from("BEGIN ISOLATION LEVEL READ COMMITTED;\n");
        let mut characters = text.chars().count();
        let mut starts = Vec::new();
        for statement in statements {
            starts.push(characters);
            // A statement can end with a comment, which a new line ends.
            let part = format!("{statement}\n;\n");
            characters += part.chars().count();
            text.push_str(&part);
        }
        text.push_str("COMMIT");
        Self { text, starts }
    }

    fn place(&self, error: Error) -> Failure {
        let position = error
            .as_db_error()
            .and_then(|error| error.position)
            .and_then(|position| usize::try_from(position).ok()?.checked_sub(1));
        let place = position.and_then(|position| {
            let index = self.starts.partition_point(|start| *start <= position).checked_sub(1)?;
            Some((index, position - self.starts.get(index)?))
        });
        Failure { error, place }
    }
}
