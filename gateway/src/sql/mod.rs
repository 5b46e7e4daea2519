//! `POST /sql`: SQL over HTTP as the serverless providers speak it (PROTOCOL.md, section 2).

mod array;
mod body;
mod credentials;
mod fault;
mod lenient;
mod look_up;
mod output;
mod param;
mod payload;
mod plain;
mod request;
mod result;
mod run;
mod value_kind;

use std::{pin::pin, time::Duration};

use bytes::BytesMut;
use http::{
    HeaderValue, Request, Response, StatusCode,
    header::{CONTENT_LENGTH, CONTENT_TYPE},
};
use http_body_util::BodyExt;
use hyper::body::{Body as HttpBody, Bytes, Incoming};
use tokio::time::{Instant, timeout};

pub(crate) use body::Body;
pub(crate) use credentials::Credentials;
pub(crate) use fault::Fault;
pub(crate) use value_kind::ValueKinds;

use crate::{
    faults::Started,
    gateway::Shared,
    memory::{Exhausted, Held},
};
use output::Output;
use payload::Payload;
use request::Options;

/// How fast a request's body has to come after the time that a client may be silent, in bytes a second.
const SLOWEST: u64 = 16 * 1024;

/// How large a request and its response may be, in bytes, and how long a client may keep silent while it is to speak.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) request: usize,
    pub(crate) response: usize,
    pub(crate) silence: Duration,
}

/// Answers one request.
///
/// Dropping it while a query runs cancels the query, and so does dropping the answer's body.
pub(crate) async fn answer(shared: &Shared, request: Request<Incoming>) -> Response<Body> {
    result(shared, request).await.unwrap_or_else(|fault| {
        // The message may quote values of the statement, so it is for those who ask for details.
        tracing::debug!(status = fault.status.as_u16(), message = fault.message(), "request failed");
        json(fault.status, fault.body())
    })
}

/// Returns a response whose body is JSON.
pub(crate) fn json(status: StatusCode, body: impl Into<Bytes>) -> Response<Body> {
    response(status, Body::Whole(body.into().into()))
}

fn response(status: StatusCode, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

async fn result(shared: &Shared, request: Request<Incoming>) -> Result<Response<Body>, Fault> {
    let limits = shared.config.limits;
    let mut held = shared.memory.hold();
    let (head, body) = request.into_parts();
    let credentials = Credentials::from_headers(&head.headers)?;
    let options = Options::from_headers(&head.headers)?;
    let announced = head.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    let body = read(body, announced, limits, &mut held).await?;
    shared.metrics.received(body.len());
    // Only who has logged in may have the gateway take a body apart.
    let mut lease = shared.pool.lease(&credentials).await?;
    let (parsed, held) = Payload::parse(&body, held);
    drop(body);
    let payload = match parsed {
        Ok(payload) => payload,
        Err(fault) => {
            lease.finish();
            return Err(fault);
        }
    };
    let repeated: Vec<_> = match &payload {
        Payload::Batch(_) => options.batch.headers().collect(),
        Payload::Single(_) => Vec::new(),
    };
    let started = head.extensions.get::<Started>().cloned();
    let body = Body::of(|parts| async move {
        let (session, kinds) = lease.parts().ok_or_else(Fault::too_many_connections)?;
        let _held = held;
        let mut out = Output::new(limits.response, parts);
        if let Some(started) = started {
            started.tell();
        }
        let result = run::run(session, &payload, &options, kinds, &mut out).await;
        match &result {
            Err(fault) if fault.stops => drop(lease),
            _ => lease.finish(),
        }
        result.map(|()| out.into_rest())
    })
    .await?;
    let mut response = response(StatusCode::OK, body);
    response.headers_mut().extend(repeated);
    Ok(response)
}

/// Reads a request's body, as long as it keeps to the limit: an announced length is checked before anything is read.
async fn read<B>(body: B, announced: Option<usize>, limits: Limits, held: &mut Held) -> Result<Bytes, Fault>
where
    B: HttpBody<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let Limits { request: limit, silence, .. } = limits;
    if announced.is_some_and(|length| length > limit) {
        return Err(Fault::request_too_large(limit));
    }
    let mut body = pin!(body);
    let mut whole = BytesMut::new();
    let began = Instant::now();
    loop {
        // A little now and then is no way to keep the gateway's memory.
        let due = silence.saturating_add(Duration::from_secs(whole.len() as u64 / SLOWEST));
        let patience = silence.min(due.saturating_sub(began.elapsed()));
        let frame = timeout(patience, body.frame()).await.map_err(|_| Fault::request_too_slow(silence))?;
        let Some(frame) = frame else { break };
        let frame = frame
            .map_err(|error| Fault::bad_request(format!("could not read the HTTP request body: {}", error.into())))?;
        let Ok(data) = frame.into_data() else { continue };
        if data.len() > limit - whole.len() {
            return Err(Fault::request_too_large(limit));
        }
        held.grow(data.len()).map_err(|Exhausted| Fault::out_of_memory())?;
        // Copied: to keep the frames costs many times their size when each has one byte.
        whole.extend_from_slice(&data);
    }
    Ok(whole.freeze())
}
