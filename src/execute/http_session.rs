use std::{borrow::Cow, sync::Arc, time::Duration};

use tokio::{sync::OnceCell, time};

use super::{Event, Opening, Output, Rows, Script, ServerInfo, Statement, rows::Awaited};
use crate::{
    codec,
    config::Config,
    error::{Error, Outcome, Result},
    http::{self, check_single, forbids_prologue},
    runtime::Runtime,
    sql,
    wire::Format,
};

/// Typed statements over HTTP: each is one request, and nothing of a session survives it.
///
/// Before its first statement it asks the server once, for all its clones, for the defaults that decide what text means.
/// Where they differ from those that values are converted under, each statement travels with the right ones, as one batch.
///
/// Cheap to clone.
#[derive(Clone, Debug)]
pub struct HttpSession {
    client: http::Client,
    /// The client with what the server's defaults make necessary, once they are known.
    ready: Arc<OnceCell<http::Client>>,
    server: Arc<OnceCell<ServerInfo>>,
    connect_timeout: Duration,
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
            ready: Arc::default(),
            server: Arc::default(),
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
        Ok(Self {
            client,
            ready: Arc::default(),
            server: if same { Arc::clone(&self.server) } else { Arc::default() },
            connect_timeout: self.connect_timeout,
        })
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
        let ask = || async {
            let question = http::Statement::new(ServerInfo::question());
            let stream = self.client.stream(http::Request::Single(question.clone())).await?;
            let statement = Statement { results: Format::Text, ..Statement::new(question.text.as_ref()) };
            ServerInfo::from_answer(&Rows::new(stream, [Awaited::of(&statement)]).collect().await?)
        };
        let limit = self.connect_timeout;
        let bounded = || async {
            let late = || Error::timeout("answer to the first request", limit, Outcome::NotExecuted);
            time::timeout(limit, ask()).await.unwrap_or_else(|_| Err(late()))
        };
        let server = self.server.get_or_try_init(bounded).await;
        server.map_err(|error| match error.outcome() {
            Outcome::Unknown => error.with_outcome(Outcome::NotExecuted),
            Outcome::NotExecuted | Outcome::Failed => error,
        })
    }

    /// Returns what the server said of itself, if it was asked.
    #[must_use]
    pub fn known_server(&self) -> Option<&ServerInfo> {
        self.server.get()
    }

    /// The client that sends what statements need.
    async fn ready(&self) -> Result<&http::Client> {
        self.ready.get_or_try_init(|| async { Ok(self.client.with_more(&self.server().await?.canonical)) }).await
    }

    /// Sends a statement as one request.
    ///
    /// Cancel safe in that dropping the future, or the rows, drops the request, which cancels it on the server; whether the
    /// statement had ended by then is unknown.
    ///
    /// # Errors
    ///
    /// A statement that needs a session is refused with its remedy and without being sent; so is a parameter whose type has
    /// no text form here. Otherwise those of [`http::Client`]; positions in them refer to the statement's own text.
    pub async fn execute(&self, statement: &Statement) -> Result<Rows> {
        check_single(&statement.text)?;
        let params = text_params(statement)?;
        let typed = sql::typed(&statement.text, &statement.param_types).map_err(untypable)?;
        let first = self.send(&typed, &params).await;
        let stream = match first {
            Err(error) if typed.has_prologue() && forbids_prologue(&error) => {
                let cast = sql::typed_in_place(&statement.text, &statement.param_types).map_err(untypable)?;
                self.send(&cast, &params).await?
            }
            sent => sent?,
        };
        Ok(Rows::new(stream, [Awaited::of(statement)]))
    }

    /// Sends several statements as one request and one transaction: all take effect or none.
    ///
    /// Cancel safe as [`execute`](Self::execute) is.
    ///
    /// # Errors
    ///
    /// As for [`execute`](Self::execute); transaction control among the statements is refused.
    pub async fn execute_batch(&self, statements: &[Statement], options: http::BatchOptions) -> Result<Rows> {
        let mut texts = Vec::with_capacity(statements.len());
        for statement in statements {
            // What lasts until the transaction's end serves the statements behind it.
            if statements.len() == 1 || !sql::effect(&statement.text).ends_with_transaction() {
                check_single(&statement.text)?;
            }
            let typed = sql::typed(&statement.text, &statement.param_types).map_err(untypable)?;
            let params = sent_params(&typed, &text_params(statement)?);
            texts.push(http::Statement { text: typed.text, params });
        }
        let stream = self.ready().await?.stream(http::Request::Batch { statements: &texts, options }).await?;
        Ok(Rows::new(stream, statements.iter().map(Awaited::of)))
    }

    /// Sends the statements of a script, which take no parameters, as one transaction; what they return is dropped.
    ///
    /// Cancel safe as [`execute`](Self::execute) is.
    ///
    /// # Errors
    ///
    /// As for [`execute_batch`](Self::execute_batch); a position in them is kept where it is certain.
    pub async fn execute_script(&self, script: &str) -> Result<()> {
        let script = Script::new(script);
        let run = async {
            match script.statements() {
                [] => Ok(()),
                [statement] => self.execute(statement).await?.collect().await.map(drop),
                several => self.execute_batch(several, http::BatchOptions::default()).await?.collect().await.map(drop),
            }
        };
        run.await.map_err(|error| script.place(error))
    }

    async fn send(&self, typed: &sql::Typed<'_>, params: &[Option<Cow<'_, str>>]) -> Result<http::ResultStream> {
        let statement = http::Statement { text: Cow::Borrowed(&typed.text), params: sent_params(typed, params) };
        let sent = self.ready().await?.stream(http::Request::Single(statement)).await;
        sent.map_err(|error| error.map_position(|position| typed.position(position)))
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

fn text_params(statement: &Statement) -> Result<Vec<Option<Cow<'_, str>>>> {
    statement
        .params
        .iter()
        .enumerate()
        .map(|(index, value)| {
            let Some(value) = value else { return Ok(None) };
            let unusable = |reason: String| Error::value(format!("parameter ${}: {reason}", index + 1), Outcome::NotExecuted);
            if statement.param_format == Format::Text {
                return match std::str::from_utf8(value) {
                    Ok(text) => Ok(Some(Cow::Borrowed(text))),
                    Err(error) => Err(unusable(error.to_string())),
                };
            }
            let oid = statement.param_types.get(index).copied().unwrap_or(0);
            let Some(conversion) = codec::Type::builtin(oid) else {
                return Err(Error::refused(format!(
                    "parameter ${} is of the type with OID {oid}, which pgferry cannot convert over HTTP: send it as text with a cast in the \
                     statement, or use transport=websocket",
                    index + 1
                )));
            };
            let mut text = String::new();
            conversion.binary_to_text(value, &mut text).map_err(|error| unusable(error.to_string()))?;
            Ok(Some(Cow::Owned(text)))
        })
        .collect()
}

/// Leaves out those that nothing in the text declares.
fn sent_params<'p>(typed: &sql::Typed<'_>, params: &[Option<Cow<'p, str>>]) -> Vec<Option<Cow<'p, str>>> {
    params.iter().enumerate().filter(|(index, _)| typed.sends(*index)).map(|(_, param)| param.clone()).collect()
}

fn untypable(error: sql::Error) -> Error {
    Error::refused(error.to_string())
}
