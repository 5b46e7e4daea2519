use std::{future::pending, pin::pin, time::Duration};

use http::{HeaderName, HeaderValue, Request, Response};
use http_body_util::BodyExt;
use hyper::body::{Body as HttpBody, Incoming};
use tokio::{
    select,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    injector::{Cut, End, Injector, Strike},
    kind::{Event, Manner, Stage},
    pace::Paced,
    sqlstate,
};
use crate::sql::{self, Body, Fault};

/// Names the faults that a response has met.
const HEADER: HeaderName = HeaderName::from_static("pgferry-fault");

/// How long Postgres is at work on a statement before a client is lost in the middle of it.
pub(super) const IN_FLIGHT: Duration = Duration::from_millis(100);

/// How long a body may pause that is read for nothing.
const PATIENCE: Duration = Duration::from_secs(60);

/// Goes with a request as an extension, and is told when Postgres is given its statement.
#[derive(Clone, Debug, Default)]
pub(crate) struct Started(CancellationToken);

impl Injector {
    /// Answers a request for `/sql` with `answer`, or with what goes wrong instead.
    pub(crate) async fn answer<F>(
        &self,
        request: Request<Incoming>,
        answer: impl FnOnce(Request<Incoming>) -> F,
    ) -> Result<Response<Body>, Cut>
    where
        F: Future<Output = Response<Body>>,
    {
        let mut strike = self.strike(Event::Request);
        strike.delay().await;
        let _running = match &self.cold_start {
            None => None,
            Some(cold_start) => {
                let (running, started) = cold_start.wake().await;
                if started {
                    strike.names.push("cold-start".into());
                }
                Some(running)
            }
        };
        let response = match strike.end {
            None => answer(request).await,
            Some(End::Refused(refusal)) => {
                drain(request.into_body()).await;
                refusal.answer()
            }
            Some(End::Failed(ref code)) => {
                drain(request.into_body()).await;
                let fault = Fault::from_postgres(sqlstate::status(code), sqlstate::error(code));
                sql::json(fault.status, fault.body())
            }
            Some(End::Lost(loss)) => match loss.stage {
                Stage::Connect | Stage::Before => {
                    drain(request.into_body()).await;
                    return Err(self.lose(loss.manner).await);
                }
                Stage::During | Stage::After => return self.lose_in(loss.stage, loss.manner, request, answer).await,
            },
        };
        Ok(strike.mark(response))
    }

    /// Loses a client when its statement runs, or has run. A request that gets no statement to Postgres keeps its answer.
    async fn lose_in<F>(
        &self,
        stage: Stage,
        manner: Manner,
        mut request: Request<Incoming>,
        answer: impl FnOnce(Request<Incoming>) -> F,
    ) -> Result<Response<Body>, Cut>
    where
        F: Future<Output = Response<Body>>,
    {
        let started = Started::default();
        request.extensions_mut().insert(started.clone());
        let mut answering = pin!(answer(request));
        let response = match stage {
            Stage::During => {
                select! {
                    response = &mut answering => Some(response),
                    () = started.in_flight() => None,
                }
            }
            _ => Some(answering.as_mut().await),
        };
        let Some(response) = response else {
            // It goes on as long as the client is there: dropping it cancels the statement.
            return Err(select! {
                cut = self.lose(manner) => cut,
                cut = async { answering.await; pending().await } => cut,
            });
        };
        if !started.0.is_cancelled() {
            return Ok(response);
        }
        if stage == Stage::After {
            drain(response.into_body()).await;
        }
        Err(self.lose(manner).await)
    }

    /// Ends a request without an answer.
    async fn lose(&self, manner: Manner) -> Cut {
        if manner == Manner::Hang {
            self.draining.cancelled().await;
        }
        Cut
    }
}

impl Started {
    pub(crate) fn tell(&self) {
        self.0.cancel();
    }

    async fn in_flight(&self) {
        self.0.cancelled().await;
        sleep(IN_FLIGHT).await;
    }
}

impl Strike {
    /// Says in a response what it has met, and slows it down.
    pub(super) fn mark(&self, response: Response<Body>) -> Response<Body> {
        let mut response = match self.rate {
            Some(rate) => response.map(|body| Body::Paced(Paced::new(body, rate))),
            None => response,
        };
        if !self.names.is_empty()
            && let Ok(names) = HeaderValue::from_str(&self.names.join(", "))
        {
            response.headers_mut().insert(HEADER, names);
        }
        response
    }
}

/// Reads what nobody wants, since a client that is still sending may not hear an answer.
async fn drain<B: HttpBody>(body: B) {
    let mut body = pin!(body);
    while let Ok(Some(Ok(_))) = timeout(PATIENCE, body.frame()).await {}
}
