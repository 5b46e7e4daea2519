use diesel::{
    QueryResult,
    connection::{InstrumentationEvent, StrQueryHelper},
    pg::Pg,
    query_builder::QueryFragment,
};
use pgferry::{batch::send_on, execute::Statement};

use super::{AsyncFerryConnection, binds::Binds, error};
use crate::{
    Batch, Results,
    batch::{Entry, TakesApart, statement},
};

impl AsyncFerryConnection {
    /// Begins a batch: several queries sent whole as one transaction.
    pub fn batch(&self) -> Batch<&Self> {
        Batch::on(self)
    }
}

impl TakesApart for &AsyncFerryConnection {
    type Binds = Binds;

    fn take_apart(&mut self, query: &dyn QueryFragment<Pg>) -> QueryResult<Binds> {
        Binds::collect(query, &self.types)
    }
}

impl Batch<&AsyncFerryConnection> {
    /// Sends the batch and waits for its end. All results are in memory by then.
    ///
    /// Cancel safe in that nothing is sent when it is dropped before, and what runs ends by itself when it is dropped later.
    ///
    /// # Errors
    ///
    /// Nothing has taken effect, but where an error of the connection or a deadline leaves that unknown:
    ///
    /// - A parameter could not be serialised. Nothing was sent.
    /// - Transaction control, LISTEN and COPY are refused, so is over HTTP whatever needs a session, and so is a batch inside a
    ///   transaction. Nothing was sent.
    /// - Otherwise as the server says.
    pub async fn send(self) -> QueryResult<Results> {
        let (connection, options, entries, id) = self.into_parts();
        let (mut statements, mut reads, mut shown) = (Vec::new(), Vec::new(), Vec::new());
        for Entry { shown: text_shown, text, binds, read } in entries {
            statements.push(connection.statement(text?, binds?).await?);
            reads.push(read);
            shown.push(text_shown);
        }
        for text in &shown {
            connection.tell(InstrumentationEvent::start_query(&StrQueryHelper::new(text)));
        }
        let sent = send_on(&connection.session, statements, options).await;
        let sent = sent.map_err(|failure| error::query_error(failure.into(), connection.session.is_usable()));
        for text in &shown {
            let query = StrQueryHelper::new(text);
            connection.tell(InstrumentationEvent::finish_query(&query, sent.as_ref().err()));
        }
        Ok(Results::new(id, reads, sent?))
    }
}

impl AsyncFerryConnection {
    async fn statement(&self, text: String, mut binds: Binds) -> QueryResult<Statement> {
        binds.resolve(&self.types, &self.session).await?;
        statement(text, &binds.types, binds.values)
    }
}
