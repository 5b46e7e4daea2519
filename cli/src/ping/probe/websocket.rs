use std::time::{Duration, Instant};

use pgferry::{
    Config, Error,
    execute::{self, Opening},
    net::{self, Trace},
    websocket,
    wire::{Client, Event, Statement},
};

use super::{
    observed::{Observed, Observer},
    sample::{Failure, Limit, Sample, within},
};
use crate::ping::{measure::Plan, phase::Phase};

/// A session that is open, for warm statements.
pub(in crate::ping) struct Session {
    client: Client<Observed<websocket::Stream>>,
    observer: Observer,
}

/// Goes from nothing to the first row, as every session of the clients does.
///
/// The sample has what was done, also where this fails.
pub(in crate::ping) async fn open(config: &Config, plan: &Plan, sample: &mut Sample) -> Result<Session, Failure> {
    let limit = plan.connect_timeout;
    let began = Instant::now();
    let url = config.endpoint_ws().map_err(|error| Failure { phase: Phase::Configuration, error })?;
    let mut trace = Trace::new();
    let socket = net::connect(config, &url, websocket::ALPN, &mut trace).await;
    let socket = sample.opened(&trace, socket)?;

    let left = || Limit { left: limit.saturating_sub(began.elapsed()), whole: limit };
    let upgrade = websocket::connect_on(socket, &url);
    let stream = sample.take(Phase::Upgrade, left(), Some(1), upgrade).await?;

    let (stream, observer) = Observed::new(stream);
    let opening = Opening::canonical(config);
    let log_in = execute::open_on(stream, config, &opening);
    let logged_in = sample.take(Phase::LogIn, left(), None, log_in).await;
    let seen = observer.seen();
    sample.facts.method = seen.method();
    let client = logged_in?;
    sample.counted(seen.round_trips);
    sample.facts.server_version = client.parameter("server_version").map(str::to_owned);

    let mut session = Session { client, observer };
    sample.take(Phase::FirstRow, Limit::whole(plan.timeout), None, session.first_row(&plan.statement)).await?;
    sample.counted(session.observer.seen().round_trips - seen.round_trips);
    sample.total = Some(began.elapsed());
    // What is left of the result is read before anything else is measured.
    let rest = within(Limit::whole(plan.timeout), Phase::FirstRow, session.client.ping()).await;
    rest.map_err(|error| Failure { phase: Phase::FirstRow, error })?;
    Ok(session)
}

impl Session {
    async fn first_row(&mut self, sql: &str) -> Result<(), Error> {
        let mut execution = self.client.execute(&Statement::new(sql)).await?;
        while let Some(event) = execution.next().await? {
            if !matches!(event, Event::Columns(_)) {
                break;
            }
        }
        Ok(())
    }

    /// Runs the statement to its end, on this session, and tells how long it took and in how many round trips.
    pub(in crate::ping) async fn warm(&mut self, plan: &Plan) -> Result<(Duration, u32), Error> {
        let (began, before) = (Instant::now(), self.observer.seen().round_trips);
        within(Limit::whole(plan.timeout), Phase::Warm, async {
            self.client.execute(&Statement::new(&plan.statement)).await?.finish().await
        })
        .await?;
        Ok((began.elapsed(), self.observer.seen().round_trips - before))
    }

    /// Ends the session; how it ends decides nothing any more.
    pub(in crate::ping) async fn close(self) {
        let _ = tokio::time::timeout(Duration::from_secs(2), self.client.close()).await;
    }
}
