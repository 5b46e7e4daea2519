use std::{borrow::Cow, sync::Arc, time::Duration};

use tokio::sync::OnceCell;

use super::{
    Event, Opening, Output, Rows, Script, ServerInfo, Statement,
    catalogue::{Loaded, SharedCatalogue},
    description::{Descriptions, ask, can_be_asked},
    first_request::{depends_on_server, server_question},
    lookup::Lookup,
    prepared::{Means, Prepared, cast_name, check, may_miss_a_type, missing, needs_description, place},
    rows::Awaited,
};
use crate::{
    Oid, codec,
    config::Config,
    error::{Error, Outcome, Result},
    http::{self, forbids_prologue},
    runtime::Runtime,
    sql::{self, is_undeclared},
};

/// Typed statements over HTTP: each is one request, and nothing of a session survives it.
///
/// Before its first statement it asks the server once, for all its clones, for the defaults that decide what text means; with a first
/// statement that reads and names nothing of the database ([`sql::gives_builtin_types`]) the question travels in the same request.
/// Where they differ from those that values are converted under, each statement travels with the right ones, as one batch.
///
/// What values mean it asks for when it must: the database's own types in one request, for all its clones and for those
/// [reopened](Self::reopened), again once they may have changed; the names of objects, as of `regclass`, in another for each result that has them.
///
/// Cheap to clone.
#[derive(Clone, Debug)]
pub struct HttpSession {
    pub(super) client: http::Client,
    pub(super) learnt: Arc<Learnt>,
    pub(super) catalogue: Arc<SharedCatalogue>,
    pub(super) connect_timeout: Duration,
}

/// What was learnt of the server under a session's settings.
#[derive(Debug, Default)]
pub(super) struct Learnt {
    pub(super) server: OnceCell<ServerInfo>,
    /// The client with what the server's defaults make necessary.
    ready: OnceCell<http::Client>,
    descriptions: Descriptions,
}

impl HttpSession {
    /// Makes a session that has sent nothing yet, with the configuration's settings.
    ///
    /// # Errors
    ///
    /// When the configuration has no HTTP endpoint, or a setting is one that HTTP cannot keep.
    pub fn new(config: &Config, runtime: &Runtime) -> Result<Self> {
        Ok(Self {
            client: http::Client::on(config, runtime)?.with_parameters(&Opening::canonical(config).parameters)?,
            learnt: Arc::default(),
            catalogue: Arc::default(),
            connect_timeout: config.get_connect_timeout(),
        })
    }

    /// Returns a session on the same connections with the settings that a client asked for itself, instead of the
    /// configuration's; its database is left as it is.
    ///
    /// # Errors
    ///
    /// When a setting is one that HTTP cannot keep.
    pub fn reopened(&self, opening: &Opening) -> Result<Self> {
        let client = self.client.with_parameters(&opening.parameters)?;
        // What was learnt and verified holds for the same settings only.
        let same = client.has_settings_of(&self.client);
        Ok(Self { client, learnt: if same { Arc::clone(&self.learnt) } else { Arc::default() }, ..self.clone() })
    }

    /// Returns what the server says of itself. The first call sends one request, which proves address, certificate and
    /// password and has the configuration's connect timeout; later ones send nothing.
    ///
    /// Cancel safe: it reads only.
    ///
    /// # Errors
    ///
    /// Those of [`http::Client`]; no statement of the user's was executed.
    pub async fn server(&self) -> Result<&ServerInfo> {
        if let Some(server) = self.known_server() {
            return Ok(server);
        }
        let ask = || async {
            let question = server_question();
            let sent = http::Statement::new(question.text.as_ref());
            let stream = self.client.stream(http::Request::Single(sent)).await?;
            let awaited = [Awaited::of(&question, sql::Dialect::new())];
            ServerInfo::from_answer(&Rows::new(stream, self.lookup(), awaited).collect().await?)
        };
        // On the heap, as all that is done once: it would make every statement's future larger.
        let server = Box::pin(self.learnt.server.get_or_try_init(|| self.bounded(ask()))).await;
        server.map_err(not_executed)
    }

    /// Returns what the server said of itself, if it was asked.
    #[must_use]
    pub fn known_server(&self) -> Option<&ServerInfo> {
        self.learnt.server.get()
    }

    /// Returns the types of the database: its own ones, and those row types that values had. Sends one request where they are not
    /// known, or a statement that may have changed them went through the handle since ([`sql::changes_types`]).
    ///
    /// # Limits
    ///
    /// Changes made elsewhere, or inside functions and DO blocks, are noticed where a value or a type's name no longer fits, and
    /// a minute later in any case. Until then a composite type that was given as many attributes of other types is read as before
    /// where its values still can be: `numeric` as the `text` that it was.
    ///
    /// Cancel safe: it reads only.
    ///
    /// # Errors
    ///
    /// Those of [`http::Client`]; no statement of the user's was executed.
    pub async fn catalogue(&self) -> Result<Arc<codec::Catalogue>> {
        self.lookup().catalogue().await.map_err(not_executed)
    }

    /// Returns the types of a statement's parameters as the server infers them where the declared ones are 0 or fewer. It analyses
    /// the statement and does not run it; the answer is kept for the next time.
    ///
    /// A statement that is no query and no change of rows has no parameters but for those declared; nothing is asked.
    ///
    /// Cancel safe: it reads only.
    ///
    /// # Errors
    ///
    /// The server's, with places in the statement's own text, where it does not take the statement. A declared type that the
    /// database does not have is refused. Otherwise those of [`http::Client`]; the statement was not executed.
    pub async fn describe(&self, text: &Arc<str>, declared: &[Oid]) -> Result<Vec<Oid>> {
        self.description(text, declared).await.map_err(not_executed)
    }

    async fn description(&self, text: &Arc<str>, declared: &[Oid]) -> Result<Vec<Oid>> {
        let dialect = self.server().await?.dialect;
        let used = dialect.highest_parameter(text);
        if !can_be_asked(dialect, text) || used <= declared.len() && !declared.iter().copied().any(is_undeclared) {
            return Ok(declared.to_vec());
        }
        let changes = self.catalogue.changes();
        if let Some(types) = self.learnt.descriptions.get(text, declared, changes) {
            return Ok(types);
        }
        let types = self.inferred(dialect, text, declared).await?;
        self.learnt.descriptions.keep(text, declared, changes, types.clone());
        Ok(types)
    }

    /// Has the server take a statement as PREPARE does, which analyses it and does not run it; what cannot be prepared is not looked at.
    ///
    /// Cancel safe: it reads only.
    ///
    /// # Errors
    ///
    /// As for [`describe`](Self::describe).
    pub(crate) async fn check(&self, text: &str, declared: &[Oid]) -> Result<()> {
        let dialect = self.server().await?.dialect;
        if dialect.is_preparable(text) {
            self.inferred(dialect, text, declared).await.map_err(not_executed)?;
        }
        Ok(())
    }

    async fn inferred(&self, dialect: sql::Dialect, text: &str, declared: &[Oid]) -> Result<Vec<Oid>> {
        let mut loaded = self.lookup().holding(declared).await?;
        let names = type_names(declared, loaded.as_deref())?;
        let mut asked = ask(self.ready().await?, dialect, text, declared, &names).await;
        if let (Err(error), Some(wrong)) = (&asked, &loaded)
            && may_miss_a_type(error)
            // Otherwise the server's error says more.
            && let Ok(newer) = self.lookup().after(wrong, declared).await
        {
            loaded = Some(newer);
            let others = type_names(declared, loaded.as_deref())?;
            if others != names {
                asked = ask(self.ready().await?, dialect, text, declared, &others).await;
            }
        }
        asked
    }

    /// Notes that types may have changed by what went another way than through this handle: they are looked up anew.
    pub(crate) fn note_changed_types(&self) {
        self.catalogue.note_change();
    }

    /// Lets later requests go on new connections, because the way to the server was found broken.
    pub(crate) fn forget_connections(&self) {
        self.client.forget_connections();
    }

    /// Returns how the server reads texts, as far as it was asked.
    pub(crate) fn dialect(&self) -> sql::Dialect {
        self.known_server().map_or_else(sql::Dialect::new, |server| server.dialect)
    }

    /// The client that sends what statements need.
    async fn ready(&self) -> Result<&http::Client> {
        self.learnt.ready.get_or_try_init(|| async { Ok(self.client.with_more(&self.server().await?.canonical)) }).await
    }

    pub(super) fn lookup(&self) -> Lookup {
        Lookup::new(self.client.clone(), Arc::clone(&self.catalogue))
    }

    /// Sends a statement as one request.
    ///
    /// Where parameters in binary have no declared type, the server is asked for it first.
    ///
    /// Cancel safe in that dropping the future, or the rows, drops the request, which cancels it on the server; whether the
    /// statement had ended by then is unknown.
    ///
    /// # Errors
    ///
    /// A statement that needs a session is refused with its remedy and without being sent; so is a parameter whose type has
    /// no text form here. Otherwise those of [`http::Client`]; positions in them refer to the statement's own text.
    pub async fn execute(&self, statement: &Statement) -> Result<Rows> {
        let statements = std::slice::from_ref(statement);
        self.run(statements, None).await
    }

    /// Sends several statements as one request and one transaction: all take effect or none.
    ///
    /// Cancel safe as [`execute`](Self::execute) is.
    ///
    /// # Errors
    ///
    /// As for [`execute`](Self::execute); transaction control among the statements is refused. A position in them is kept where
    /// it is certain.
    pub async fn execute_batch(&self, statements: &[Statement], options: http::BatchOptions) -> Result<Rows> {
        self.run(statements, Some(options)).await
    }

    /// Sends the statements of a script, which take no parameters, as one transaction; what they return is dropped.
    ///
    /// Cancel safe as [`execute`](Self::execute) is.
    ///
    /// # Errors
    ///
    /// As for [`execute_batch`](Self::execute_batch); a position in them is kept where it is certain.
    pub async fn execute_script(&self, script: &str) -> Result<()> {
        let script = Script::new(self.server().await?.dialect, script);
        let run = async {
            match script.statements() {
                [] => Ok(()),
                [statement] => self.execute(statement).await?.collect().await.map(drop),
                several => self.execute_batch(several, http::BatchOptions::default()).await?.collect().await.map(drop),
            }
        };
        run.await.map_err(|error| script.place(error))
    }

    async fn run(&self, statements: &[Statement], options: Option<http::BatchOptions>) -> Result<Rows> {
        if let ([only], None, None) = (statements, options, self.known_server())
            && !depends_on_server(only)
            && let Some(rows) = Box::pin(self.execute_first(only)).await?
        {
            return Ok(rows);
        }
        let stream = self.send(statements, options).await?;
        let dialect = self.dialect();
        Ok(Rows::new(stream, self.lookup(), statements.iter().map(|statement| Awaited::of(statement, dialect))))
    }

    /// Sends what is prepared, and once more where the server refused it as a whole for how its types were fixed, so that nothing
    /// has run: a table's rules allow no prologue, or a type has another name by now.
    async fn send(&self, statements: &[Statement], options: Option<http::BatchOptions>) -> Result<http::ResultStream> {
        let mut dialect = self.server().await?.dialect;
        let mut dialects = Vec::with_capacity(statements.len());
        for statement in statements {
            check(dialect, statement, statements.len() == 1)?;
            dialects.push(dialect);
            dialect = dialect.after(&statement.text);
        }
        let types = self.types(statements).await?;
        let all: Vec<Oid> = types.iter().flat_map(|types| types.iter().copied()).collect();
        let mut loaded = self.lookup().holding(&all).await.map_err(not_executed)?;
        let prepare = |loaded: Option<&Loaded>, in_place: bool| -> Result<Vec<Prepared<'_>>> {
            let each = statements.iter().zip(&types).zip(&dialects);
            let prepared = each.map(|((statement, types), &dialect)| {
                let in_place = in_place && (options.is_none() || http::may_meet_rules(&statement.text));
                Prepared::new(statement, types, Means { dialect, loaded, in_place })
            });
            prepared.collect()
        };
        let mut in_place = false;
        let mut refreshed = false;
        let mut prepared = match prepare(loaded.as_deref(), in_place) {
            // A composite's attributes may have changed.
            Err(error) if error.is_value() && loaded.is_some() => {
                let wrong = loaded.as_deref();
                if let Some(wrong) = wrong {
                    loaded = Some(self.lookup().after(wrong, &all).await.map_err(not_executed)?);
                }
                refreshed = true;
                prepare(loaded.as_deref(), in_place)?
            }
            prepared => prepared?,
        };
        loop {
            let error = match self.send_once(&prepared, options).await {
                Ok(stream) => return Ok(stream),
                Err(error) => error,
            };
            match &loaded {
                _ if !in_place && forbids_prologue(&error) && prepared.iter().any(Prepared::has_prologue) => {
                    in_place = true;
                }
                Some(wrong) if !refreshed && may_miss_a_type(&error) => {
                    refreshed = true;
                    match self.lookup().after(wrong, &all).await {
                        Ok(newer) => loaded = Some(newer),
                        // The server's error says more.
                        Err(_) => return Err(place(&prepared, error)),
                    }
                }
                _ => return Err(place(&prepared, error)),
            }
            let again = prepare(loaded.as_deref(), in_place)?;
            if again.iter().map(Prepared::text).eq(prepared.iter().map(Prepared::text)) {
                return Err(place(&prepared, error));
            }
            prepared = again;
        }
    }

    async fn send_once(
        &self,
        prepared: &[Prepared<'_>],
        options: Option<http::BatchOptions>,
    ) -> Result<http::ResultStream> {
        let client = self.ready().await?;
        match (prepared, options) {
            ([only], None) => client.stream(http::Request::Single(only.to_sent())).await,
            (all, options) => {
                let statements: Vec<_> = all.iter().map(Prepared::to_sent).collect();
                let options = options.unwrap_or_default();
                client.stream(http::Request::Batch { statements: &statements, options }).await
            }
        }
    }

    /// The types of each statement's parameters, asked for where a value in binary has none.
    async fn types<'s>(&self, statements: &'s [Statement]) -> Result<Vec<Cow<'s, [Oid]>>> {
        let mut types = Vec::with_capacity(statements.len());
        for statement in statements {
            types.push(match needs_description(statement) {
                true => Cow::Owned(self.describe(&statement.text, &statement.param_types).await?),
                false => Cow::Borrowed(&statement.param_types[..]),
            });
        }
        Ok(types)
    }
}

impl Rows {
    /// Waits for the whole result of the last statement.
    ///
    /// Cancel safe as the rows themselves are: dropping it cancels the request.
    ///
    /// # Errors
    ///
    /// Those of [`Rows::next`].
    pub async fn collect(mut self) -> Result<Output> {
        let mut output = Output::default();
        while let Some(event) = self.next().await? {
            if matches!(event, Event::Columns(_)) {
                output = Output::default();
            }
            output.add(event);
        }
        Ok(output)
    }
}

/// The names of declared types as PREPARE takes them.
fn type_names(declared: &[Oid], loaded: Option<&Loaded>) -> Result<Vec<String>> {
    let name = |(index, &oid): (usize, &Oid)| match oid {
        _ if is_undeclared(oid) => Ok("pg_catalog.unknown".to_owned()),
        _ => cast_name(oid, loaded).map(Cow::into_owned).ok_or_else(|| missing(index + 1, oid)),
    };
    declared.iter().enumerate().map(name).collect()
}

/// Of an error that came before the user's statement was sent.
pub(super) fn not_executed(error: Error) -> Error {
    match error.outcome() {
        Outcome::Unknown => error.with_outcome(Outcome::NotExecuted),
        Outcome::NotExecuted | Outcome::Failed => error,
    }
}
