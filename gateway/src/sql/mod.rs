//! `POST /sql`: SQL over HTTP as the serverless providers speak it (PROTOCOL.md, section 2).

mod array;
mod body;
mod credentials;
mod fault;
mod json_value;
mod lenient;
mod look_up;
mod output;
mod param;
mod payload;
mod plain;
mod request;
mod result;
mod room;
mod run;
mod upload;
mod value_kind;

use std::time::Duration;

use bytes::BytesMut;
use http::{
    HeaderValue, Request, Response, StatusCode,
    header::{CONTENT_LENGTH, CONTENT_TYPE},
};
use hyper::body::{Body as HttpBody, Bytes, Incoming};

pub(crate) use body::Body;
pub(crate) use credentials::Credentials;
pub(crate) use fault::Fault;
pub(crate) use value_kind::ValueKinds;

use crate::{
    faults::Started,
    gateway::Shared,
    memory::{Held, SMALL},
};
use output::Output;
use payload::Payload;
use request::Options;
use upload::Upload;

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
        tracing::debug!(status = fault.status.as_u16(), reason = fault.reason(), "request failed");
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
    let upload = Upload::new(body, announced, limits)?;
    let body = read(upload, shared, &credentials, &mut held).await?;
    shared.metrics.received(body.len());
    // Only who has logged in may have the gateway take a body apart.
    let mut lease = shared.pool.lease(&credentials).await?;
    held.log_in();
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

/// Reads a request's body. Its caller has logged in before more of it is kept than a small request has, or when there is no more
/// memory for small ones.
async fn read<B>(
    mut upload: Upload<B>,
    shared: &Shared,
    credentials: &Credentials,
    held: &mut Held,
) -> Result<Bytes, Fault>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut whole = BytesMut::new();
    let mut logged_in = false;
    if upload.announced().is_some_and(|length| length > SMALL) {
        log_in(&mut upload, shared, credentials, held).await?;
        logged_in = true;
    }
    while let Some(data) = upload.next().await? {
        let is_small = whole.len().saturating_add(data.len()) <= SMALL;
        let mut grown = held.grow(data.len());
        if !logged_in && (!is_small || grown.is_err()) {
            log_in(&mut upload, shared, credentials, held).await?;
            logged_in = true;
            if grown.is_err() {
                grown = held.grow(data.len());
            }
        }
        if grown.is_err() {
            upload.discard().await;
            return Err(Fault::out_of_memory());
        }
        // Copied: to keep the frames costs many times their size when each has one byte.
        whole.extend_from_slice(&data);
    }
    Ok(whole.freeze())
}

/// Logs a request's caller in, and keeps no connection for it while its body comes.
async fn log_in<B>(
    upload: &mut Upload<B>,
    shared: &Shared,
    credentials: &Credentials,
    held: &mut Held,
) -> Result<(), Fault>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    match shared.pool.lease(credentials).await {
        Ok(lease) => lease.finish(),
        Err(fault) => {
            upload.discard().await;
            return Err(fault);
        }
    }
    held.log_in();
    upload.restart();
    Ok(())
}
