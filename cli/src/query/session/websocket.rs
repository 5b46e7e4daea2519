use std::{borrow::Cow, future, time::Duration};

use pgferry::{
    Config, Error, Outcome,
    execute::{self, Opening, WireClient},
    wire::{Event, Format, Params, Statement},
};
use tokio::{
    sync::watch,
    time::{self, Instant},
};

use super::Finished;
use crate::{
    problem::{INTERRUPTED, Told},
    query::{
        failure,
        output::{Column, Output},
    },
};

/// How often rows that trickle in are shown, and notices of a statement that gives none.
const TICK: Duration = Duration::from_millis(100);

/// A session over WebSocket.
pub(in crate::query) struct WebSocket {
    client: WireClient,
    config: Config,
}

impl WebSocket {
    /// Opens the session and logs in, with the role's own settings, as psql does.
    pub(super) async fn open(config: &Config) -> pgferry::Result<Self> {
        let own = [
            ("client_encoding", Some("UTF8")),
            ("application_name", config.get_application_name().or(Some("pgferry"))),
            ("options", config.get_options()),
        ];
        let parameters =
            own.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))).collect();
        let opening = Opening { database: None, parameters };
        Ok(Self { client: execute::open(config, &opening).await?, config: config.clone() })
    }

    /// Runs a statement; Ctrl-C asks the server to cancel it.
    pub(super) async fn run(
        &mut self,
        text: &str,
        params: &[Option<String>],
        output: &mut Output,
        interrupts: &mut watch::Receiver<bool>,
    ) -> anyhow::Result<()> {
        let values: Vec<_> =
            params.iter().map(|value| value.as_ref().map(|value| Cow::Borrowed(value.as_bytes()))).collect();
        let statement = Statement { params: Params { format: Format::Text, values: &values }, ..Statement::new(text) };
        let limit = self.config.get_request_timeout();
        let deadline = limit.map(|limit| Instant::now() + limit);
        let key = self.client.backend_key();
        let cancel = || {
            let config = self.config.clone();
            tokio::spawn(async move {
                if let Some(key) = key {
                    // What comes of it shows in what the statement answers.
                    let _ = time::timeout(config.get_connect_timeout(), execute::cancel(&config, key)).await;
                }
            })
        };
        let mut tick = time::interval(TICK);
        let mut cancelled = false;
        let mut execution = self.client.execute(&statement).await?;
        let result = loop {
            tokio::select! {
                event = execution.next() => match event {
                    Ok(Some(Event::Columns(columns))) => output.begin(
                        columns.iter().map(|column| Column { name: column.name.clone(), type_oid: column.type_oid }).collect(),
                    )?,
                    Ok(Some(Event::Row(row))) => output.row(row.values())?,
                    Ok(Some(Event::Complete(tag))) => output.end(&tag)?,
                    Ok(Some(Event::Empty)) => {}
                    Ok(None) => break Ok(()),
                    Err(error) => break Err(error),
                },
                _ = tick.tick() => {
                    failure::notices(execution.take_notices());
                    output.flush()?;
                }
                Ok(_) = interrupts.wait_for(|interrupted| *interrupted), if !cancelled => {
                    cancelled = true;
                    failure::say("Cancelling…");
                    cancel();
                }
                () = until(deadline) => {
                    // Waited for, since the process ends now.
                    let _ = cancel().await;
                    break Err(Error::timeout("answer", limit.unwrap_or_default(), Outcome::Unknown));
                }
            }
        };
        failure::notices(execution.take_notices());
        result.map_err(Into::into)
    }

    /// Runs statements between BEGIN and COMMIT.
    pub(super) async fn run_together(
        &mut self,
        texts: &[&str],
        params: &[Option<String>],
        output: &mut Output,
        interrupts: &mut watch::Receiver<bool>,
    ) -> Finished {
        if let Err(error) = self.control("begin").await {
            return Finished { count: None, result: Err(error.into()) };
        }
        for (index, text) in texts.iter().enumerate() {
            if let Err(error) = self.run(text, params, output, interrupts).await {
                return Finished { count: Some(index), result: Err(error) };
            }
            if *interrupts.borrow() {
                return Finished { count: None, result: Err(Told(INTERRUPTED).into()) };
            }
        }
        Finished { count: None, result: self.control("commit").await.map_err(Into::into) }
    }

    /// Returns whether another statement can follow.
    pub(super) fn is_usable(&self) -> bool {
        self.client.is_usable()
    }

    /// Says goodbye; that the connection was lost before is nobody's concern any more.
    pub(super) async fn close(self) {
        let _ = time::timeout(self.config.get_connect_timeout(), self.client.close()).await;
    }

    async fn control(&mut self, text: &str) -> pgferry::Result<()> {
        self.client.simple_query(text).await?.finish().await?;
        failure::notices(self.client.take_notices());
        Ok(())
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => time::sleep_until(deadline).await,
        None => future::pending().await,
    }
}
