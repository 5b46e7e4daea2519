use diesel::{
    QueryResult,
    connection::{Connection, InstrumentationEvent, StrQueryHelper},
    pg::Pg,
    query_builder::{QueryFragment, bind_collector::RawBytesBindCollector},
};
use pgferry::{Error, batch::send_on};

use super::{Batch, Entry, Results, TakesApart, statement};
use crate::{FerryConnection, error};

impl FerryConnection {
    /// Begins a batch: several queries sent whole as one transaction.
    pub fn batch(&mut self) -> Batch<&mut Self> {
        Batch::on(self)
    }
}

impl TakesApart for &mut FerryConnection {
    type Binds = RawBytesBindCollector<Pg>;

    fn take_apart(&mut self, query: &dyn QueryFragment<Pg>) -> QueryResult<RawBytesBindCollector<Pg>> {
        let mut binds = RawBytesBindCollector::new();
        query.collect_binds(&mut binds, *self, &Pg)?;
        Ok(binds)
    }
}

impl Batch<&mut FerryConnection> {
    /// Sends the batch and waits for its end.
    ///
    /// # Errors
    ///
    /// Nothing has taken effect, but where an error of the connection or a deadline leaves that unknown:
    ///
    /// - A parameter could not be serialised. Nothing was sent.
    /// - Transaction control, LISTEN and COPY are refused, so is over HTTP whatever needs a session, and so is a batch inside a
    ///   transaction. Nothing was sent.
    /// - Otherwise as the server says.
    pub fn send(self) -> QueryResult<Results> {
        let (connection, options, entries, id) = self.into_parts();
        let (mut statements, mut reads, mut shown) = (Vec::new(), Vec::new(), Vec::new());
        for Entry { shown: text_shown, text, binds, read } in entries {
            let RawBytesBindCollector { metadata, binds, .. } = binds?;
            statements.push(statement(text?, &metadata, binds)?);
            reads.push(read);
            shown.push(text_shown);
        }
        for text in &shown {
            let query = StrQueryHelper::new(text);
            connection.instrumentation().on_connection_event(InstrumentationEvent::start_query(&query));
        }
        let sent = connection
            .session
            .run(move |session| async move { send_on(&session, statements, options).await.map_err(Error::from) });
        let sent = sent.map_err(|error| error::query_error(error, connection.session.is_usable()));
        connection.note_transaction_status(sent.is_err());
        for text in &shown {
            let query = StrQueryHelper::new(text);
            let event = InstrumentationEvent::finish_query(&query, sent.as_ref().err());
            connection.instrumentation().on_connection_event(event);
        }
        Ok(Results::new(id, reads, sent?))
    }
}
