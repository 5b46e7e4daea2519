//! What becomes of a request: a query, a WebSocket, a browser's question, or none of the gateway's business.

use std::sync::Arc;

use http::{
    HeaderValue, Method, Request, Response, StatusCode,
    header::{HOST, ORIGIN, UPGRADE},
};
use hyper::body::Incoming;
use pgferry::http::wire::{PATH, REQUEST_ID};
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;
use tracing::Instrument;
use uuid::Uuid;

use crate::{
    address,
    faults::{Cut, Injector},
    gateway::Shared,
    session,
    sql::{self, Body, Fault},
};

type Answer = Response<Body>;

/// Answers one request, whatever it is, unless its connection is to be closed instead.
pub(crate) async fn respond(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Answer, Cut> {
    let id = Uuid::new_v4().to_string();
    let span = tracing::debug_span!("request", %id, method = %request.method(), path = request.uri().path());
    let origin = request.headers().get(ORIGIN).cloned();
    let is_sql = request.uri().path() == PATH;
    let is_preflight = is_sql && request.method() == Method::OPTIONS;
    let is_query = is_sql && request.method() == Method::POST;

    let mut response = match admit(&shared, &request) {
        Err(fault) => sql::json(fault.status, fault.body()),
        Ok(()) if is_query => query(&shared, request).instrument(span).await?,
        Ok(()) if is_preflight => Response::new(Body::default()),
        Ok(()) if is_upgrade(&request) => {
            upgrade(shared.clone(), request).unwrap_or_else(|fault| sql::json(fault.status, fault.body()))
        }
        Ok(()) => sql::json(StatusCode::BAD_REQUEST, &br#""query is not supported""#[..]),
    };

    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, id);
    }
    if is_query || is_preflight {
        shared.config.origins.add_cors(origin.as_ref(), headers);
    }
    if is_preflight {
        shared.config.origins.add_preflight(headers);
    }
    Ok(response)
}

async fn query(shared: &Shared, request: Request<Incoming>) -> Result<Answer, Cut> {
    let answer = |request| sql::answer(&shared.pool, shared.config.limits, request);
    match &shared.faults {
        None => Ok(answer(request).await),
        Some(faults) => faults.answer(request, answer).await,
    }
}

/// Refuses what a browser should never have sent here.
fn admit(shared: &Shared, request: &Request<Incoming>) -> Result<(), Fault> {
    if shared.config.origins.any() {
        return Ok(());
    }
    shared.config.hosts.check(request)?;
    shared.config.origins.check(request.headers())
}

fn is_upgrade(request: &Request<Incoming>) -> bool {
    request.method() == Method::GET
        && request.headers().get(UPGRADE).is_some_and(|to| to.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// Accepts a WebSocket on whatever path, without a subprotocol or an extension, and starts its session.
fn upgrade(shared: Arc<Shared>, mut request: Request<Incoming>) -> Result<Answer, Fault> {
    let called = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    let upstream = address::choose(request.uri().query(), called, &shared.upstream, &shared.config.addresses)?;
    if let Some(refused) = shared.faults.as_ref().and_then(Injector::refuse_upgrade) {
        return Ok(refused);
    }
    let upgrade = hyper::upgrade::on(&mut request);
    let response = create_response_with_body(&request, Body::default)
        .map_err(|error| Fault::bad_request(format!("this is no WebSocket's opening handshake: {error}")))?;
    let task = session::run(Arc::clone(&shared), upgrade, upstream);
    shared.spawn(task);
    Ok(response)
}
