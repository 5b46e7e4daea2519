use std::borrow::Cow;

use super::{Failure, outputs::Outputs};
use crate::{
    error::{Error, Outcome},
    execute::{Output, Statement, WireClient, event_of},
    http::BatchOptions,
    wire,
};

/// Runs statements as one transaction in one flight: a failure keeps those behind it from running, and makes COMMIT a rollback.
///
/// Not cancel safe: what the server makes of it is unknown then, and the session is of no more use.
pub(super) async fn run(
    client: &mut WireClient,
    statements: &[Statement],
    options: BatchOptions,
    outputs: Outputs,
) -> Result<Vec<Output>, Failure> {
    let values: Vec<Vec<Option<Cow<'_, [u8]>>>> = statements
        .iter()
        .map(|statement| statement.params.iter().map(|value| value.as_deref().map(Cow::Borrowed)).collect())
        .collect();
    let flights: Vec<_> = statements
        .iter()
        .zip(&values)
        .map(|(statement, values)| wire::Statement {
            param_types: &statement.param_types,
            params: wire::Params { format: statement.param_format, values },
            results: statement.results,
            ..wire::Statement::new(&statement.text)
        })
        .collect();
    let begin = options.begin();
    client.queue(&wire::Statement::new(&begin)).await?;
    client.queue_together(&flights).await?;
    client.queue(&wire::Statement::new("commit")).await?;

    finish_next(client).await?;
    let results = collect(client, outputs).await;
    // Read in any case, so that the session can be used again.
    let committed = finish_next(client).await;
    let outputs = results?;
    match committed?.as_str() {
        "COMMIT" => Ok(outputs),
        tag => Err(Error::protocol(format!("a batch ended with {tag:?} instead of COMMIT"), Outcome::Unknown).into()),
    }
}

async fn collect(client: &mut WireClient, mut outputs: Outputs) -> Result<Vec<Output>, Failure> {
    let mut execution = client.next_execution().ok_or_else(out_of_step)?;
    loop {
        match execution.next().await {
            Ok(Some(event)) => outputs.add(event_of(event))?,
            Ok(None) => return Ok(outputs.finish()?),
            // Those before it have all ended.
            Err(error) if error.as_db_error().is_some() => return Err(Failure::of(outputs.ended(), error)),
            Err(error) => return Err(error.into()),
        }
    }
}

async fn finish_next(client: &mut WireClient) -> Result<String, Failure> {
    Ok(client.next_execution().ok_or_else(out_of_step)?.finish().await?)
}

fn out_of_step() -> Error {
    Error::protocol("a batch's results are not those of its statements", Outcome::Unknown)
}
