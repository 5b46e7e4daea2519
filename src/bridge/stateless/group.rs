use std::io;

use tokio::io::{AsyncRead, AsyncWrite};

use super::{connection::Connection, hand_over::Served};
use crate::{bridge::statement::Prepared, wire::server::Frontend};

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Connection<'_, S> {
    /// Serves one group of messages, unless it turns out to be none for HTTP: then nothing of it has taken effect, and the client
    /// has heard nothing.
    pub(in crate::bridge) async fn serve_group(&mut self, messages: Vec<Frontend>) -> io::Result<Served> {
        let before = self.statements_named_in(&messages);
        self.hand_over.begin();
        for message in messages {
            self.take(message).await?;
        }
        let served = self.hand_over.end();
        if served.unserved.is_some() {
            for (name, prepared) in before {
                match prepared {
                    Some(prepared) => self.client.statements.insert(name, prepared),
                    None => self.client.statements.remove(&name),
                }
            }
        }
        Ok(served)
    }

    /// The client's statements under the names that these messages may give to others.
    fn statements_named_in(&self, messages: &[Frontend]) -> Vec<(String, Option<Prepared>)> {
        let names = messages.iter().filter_map(|message| match message {
            Frontend::Parse { name, .. } | Frontend::CloseStatement(name) => Some(name.as_str()),
            Frontend::Query(_) => Some(""),
            _ => None,
        });
        names.map(|name| (name.to_owned(), self.client.statements.get(name).cloned())).collect()
    }
}
