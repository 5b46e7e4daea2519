//! What a session sends while it knows nothing of its server: the question for the server's settings travels with what comes first,
//! where that may be.

use tokio::time;

use super::{
    Event, HttpSession, Output, Rows, ServerInfo, Statement,
    http_session::not_executed,
    prepared::{Means, Prepared, needs_description},
    rows::Awaited,
};
use crate::{
    codec,
    error::{Error, Outcome, Result},
    http,
    sql::{self, Dialect},
    wire::Format,
};

impl HttpSession {
    /// Executes a question whose text and answer mean the same under all settings. Where the server was not asked yet for what
    /// [`server`](Self::server) or [`catalogue`](Self::catalogue) tells, it is asked all in one request, within the configuration's
    /// connect timeout.
    ///
    /// Cancel safe: it reads only.
    ///
    /// # Errors
    ///
    /// As for [`execute`](Self::execute).
    pub(crate) async fn answer_to(&self, question: &Statement) -> Result<Output> {
        let mut answer = None;
        let mut all = async || {
            let (server, output) = self.bounded(Box::pin(self.ask_all(question))).await?;
            answer = Some(output);
            Ok(server)
        };
        let asked = match (self.known_server(), self.catalogue.is_known()) {
            (Some(_), true) => Ok(()),
            (Some(_), false) => Box::pin(all()).await.map(drop),
            (None, _) => Box::pin(self.learnt.server.get_or_try_init(all)).await.map(drop),
        };
        match (asked, answer) {
            (Ok(()), Some(answer)) => Ok(answer),
            (Err(error), _) if !is_of_a_question(&error) => Err(not_executed(error)),
            // It was asked meanwhile for another, or one of the questions is none for this server.
            _ => self.execute(question).await?.collect().await,
        }
    }

    async fn ask_all(&self, question: &Statement) -> Result<(ServerInfo, Output)> {
        let (server, types) = (server_question(), self.catalogue.question());
        let [setting, definitions] = types.statements.clone();
        let statements = [
            http::Statement::new(server.text.as_ref()),
            http::Statement::new(question.text.as_ref()),
            setting,
            definitions,
        ];
        let awaited = statements.each_ref().map(|statement| {
            let statement = Statement { results: Format::Text, ..Statement::new(statement.text.as_ref()) };
            Awaited::of(&statement, Dialect::new())
        });
        let request = http::Request::Batch { statements: &statements, options: http::BatchOptions::new() };
        let mut rows = Rows::new(self.client.stream(request).await?, self.lookup(), awaited);
        let server = ServerInfo::from_answer(&result(&mut rows).await?)?;
        let answer = result(&mut rows).await?;
        result(&mut rows).await?;
        self.catalogue.learn(&types, &result(&mut rows).await?.rows);
        while rows.next().await?.is_some() {}
        Ok((server, answer))
    }

    /// Sends a statement together with the question for the server's settings, of which it must not [depend](depends_on_server): what
    /// decides how its values are written is set in the same request. `None` where the server has an error for it, so that it is
    /// to be sent as others are, which places the error.
    pub(super) async fn execute_first(&self, statement: &Statement) -> Result<Option<Rows>> {
        let means = Means { dialect: Dialect::new(), loaded: None, in_place: false };
        // The usual way has the same error.
        let Ok(prepared) = Prepared::new(statement, &statement.param_types, means) else { return Ok(None) };
        let (server, settings) = (server_question(), Statement::new(ServerInfo::bring_back()));
        let statements = [
            http::Statement::new(server.text.as_ref()),
            http::Statement::new(settings.text.as_ref()),
            prepared.to_sent(),
        ];
        let request = http::Request::Batch { statements: &statements, options: http::BatchOptions::new() };
        let begun = async {
            let stream = self.client.stream(request).await?;
            let awaited = [&server, &settings, statement].map(|statement| Awaited::of(statement, Dialect::new()));
            let mut rows = Rows::new(stream, self.lookup(), awaited);
            let server = ServerInfo::from_answer(&result(&mut rows).await?)?;
            result(&mut rows).await?;
            Ok((server, rows))
        };
        match self.bounded(Box::pin(begun)).await {
            Ok((server, rows)) => {
                // Whoever was faster has learnt the same.
                let _ = self.learnt.server.set(server);
                Ok(Some(rows))
            }
            Err(error) if error.as_db_error().is_some() && !error.is_auth() => Ok(None),
            Err(error) => Err(not_executed(error)),
        }
    }

    pub(super) async fn bounded<T>(&self, run: impl Future<Output = Result<T>>) -> Result<T> {
        let limit = self.connect_timeout;
        let late = || Error::timeout("answer to the first request", limit, Outcome::NotExecuted);
        time::timeout(limit, run).await.unwrap_or_else(|_| Err(late()))
    }
}

/// The statement that asks a server what it says of itself.
pub(super) fn server_question() -> Statement {
    Statement { results: Format::Text, ..Statement::new(ServerInfo::question()) }
}

/// Whether it must be known of the server how it reads a statement, what its types are or how its values are written, or whether the
/// statement does more than read, or may take its time.
pub(super) fn depends_on_server(statement: &Statement) -> bool {
    let text = &statement.text;
    let is_known = |&oid: &u32| sql::is_undeclared(oid) || codec::builtin_name(oid).is_some();
    !sql::gives_builtin_types(text)
        || sql::may_write(text)
        || sql::effect(text) != sql::Effect::None
        || text.to_ascii_lowercase().contains("explain")
        || !statement.param_types.iter().all(is_known)
        || needs_description(statement)
}

/// Whether the server refuses what a question is about, rather than who asks.
fn is_of_a_question(error: &Error) -> bool {
    error.code().is_some_and(|code| ["42", "0A"].iter().any(|class| code.as_str().starts_with(class)))
}

async fn result(rows: &mut Rows) -> Result<Output> {
    let mut output = Output::default();
    while let Some(event) = rows.next().await? {
        let is_last = matches!(event, Event::Complete(_) | Event::Empty);
        output.add(event);
        if is_last {
            return Ok(output);
        }
    }
    Err(Error::protocol("the server gave fewer results than it was sent statements", Outcome::NotExecuted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_depends_on_nothing_is_told() {
        const INT4: u32 = 23;
        let value = || Some(vec![0, 0, 0, 1].into());
        for statement in [
            Statement::new("select 1"),
            Statement::new("select $1 + 1").param(INT4, value()),
            Statement::new("select now(), '2020-01-01'::timestamptz"),
            Statement::new("show server_version"),
        ] {
            assert!(!depends_on_server(&statement), "{}", statement.text);
        }
        for statement in [
            Statement::new("select $1").param(0, value()),
            Statement::new("select $1").param(70_000, value()),
            Statement::new("select * from t"),
            Statement::new(r"select 'a\b'"),
            Statement::new("explain analyze select 1"),
            Statement::new("insert into t values (1)"),
        ] {
            assert!(depends_on_server(&statement), "{}", statement.text);
        }
    }
}
