use std::{borrow::Cow, sync::Arc};

use pgferry::{
    Config,
    http::{BatchOptions, Client, Event, Field, Request, Statement},
    sql,
};
use tokio::sync::watch;

use super::Finished;
use crate::{
    problem::{INTERRUPTED, Told},
    query::{
        failure,
        output::{Column, Output},
    },
};

/// SQL over HTTP: each request is a session of its own.
pub(in crate::query) struct Http {
    client: Client,
}

impl Http {
    /// Makes a client; nothing is sent.
    pub(super) fn new(config: &Config) -> pgferry::Result<Self> {
        Ok(Self { client: Client::new(config)? })
    }

    /// Runs a statement by itself, or any number as one batch.
    pub(super) async fn run(
        &self,
        texts: &[&str],
        params: &[Option<String>],
        output: &mut Output,
        interrupts: &mut watch::Receiver<bool>,
        batch: bool,
    ) -> Finished {
        tokio::select! {
            result = self.send(texts, params, output, batch) => {
                Finished { count: (texts.len() == 1).then_some(0), result }
            }
            // The request is dropped, which cancels it on the server.
            Ok(_) = interrupts.wait_for(|interrupted| *interrupted) => {
                failure::say("Cancelling…");
                Finished { count: None, result: Err(Told(INTERRUPTED).into()) }
            }
        }
    }

    async fn send(
        &self,
        texts: &[&str],
        params: &[Option<String>],
        output: &mut Output,
        batch: bool,
    ) -> anyhow::Result<()> {
        let params: Vec<_> = params.iter().map(|value| value.as_deref().map(Cow::Borrowed)).collect();
        let statements: Vec<_> =
            texts.iter().map(|text| Statement { text: Cow::Borrowed(*text), params: params.clone() }).collect();
        let request = match statements.first() {
            Some(statement) if !batch => Request::Single(statement.clone()),
            _ => Request::Batch { statements: &statements, options: BatchOptions::new() },
        };
        let mut results = self.client.stream(request).await?;
        let mut texts = texts.iter();
        // Columns that are not announced: those of a statement that gives no rows, or rows of no columns.
        let mut has_columns = false;
        while let Some(event) = results.next().await? {
            match event {
                Event::Fields(fields) => {
                    has_columns = !fields.is_empty();
                    if has_columns {
                        output.begin(columns(&fields))?;
                    }
                }
                Event::Row(row) => {
                    if !has_columns {
                        has_columns = true;
                        output.begin(Vec::new())?;
                    }
                    let values = row.values().collect::<pgferry::Result<Vec<_>>>()?;
                    output.row(values.iter().map(|value| value.as_deref().map(str::as_bytes)))?;
                }
                Event::Complete { command, row_count } => {
                    let text = texts.next().copied().unwrap_or_default();
                    output.end(&sql::command_tag(text, &command, row_count))?;
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn columns(fields: &Arc<[Field]>) -> Vec<Column> {
    fields.iter().map(|field| Column { name: field.name.clone(), type_oid: field.type_oid }).collect()
}
