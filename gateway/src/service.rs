//! What becomes of a request: a query, a WebSocket, a browser's question, or none of the gateway's business.

use std::{sync::Arc, time::Instant};

use http::{
    HeaderValue, Method, Request, Response, StatusCode,
    header::{CONTENT_TYPE, HOST, ORIGIN, UPGRADE},
};
use hyper::body::Incoming;
use pgferry::http::wire::{PATH, REQUEST_ID};
use tokio::select;
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;
use tracing::Instrument;
use uuid::Uuid;

use crate::{
    address,
    client_socket::ClientSocket,
    delivery::Delivery,
    faults::{Cut, Injector},
    gateway::Shared,
    metrics::{Connections, Kind},
    record::Record,
    session,
    sql::{self, Body, Fault},
};

type Answer = Response<Body>;

/// Where a load balancer or a person asks whether the gateway can serve.
const HEALTH: &str = "/health";

/// The text form that Prometheus asks for first (OpenMetrics, version 1).
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Where Prometheus asks for the metrics.
const METRICS: &str = "/metrics";

/// Answers one request, whatever it is, unless its connection is to be closed instead.
pub(crate) async fn respond(
    shared: Arc<Shared>,
    client: ClientSocket,
    request: Request<Incoming>,
) -> Result<Response<Delivery>, Cut> {
    let began = Instant::now();
    let id = Uuid::new_v4().to_string();
    let kind = kind(&request);
    let span = tracing::debug_span!("request", %id, method = %request.method(), path = request.uri().path());
    let origin = request.headers().get(ORIGIN).cloned();

    let mut response = match admit(&shared, kind, &request) {
        Err(fault) => sql::json(fault.status, fault.body()),
        Ok(()) => match kind {
            Kind::Sql => query(&shared, request).instrument(span).await?,
            Kind::Preflight => Response::new(Body::default()),
            Kind::WebSocket => upgrade(shared.clone(), client, request, &id)
                .unwrap_or_else(|fault| sql::json(fault.status, fault.body())),
            Kind::Health => shared.health.answer(&shared.upstream, shared.draining.is_cancelled()).await,
            Kind::Metrics => metrics(&shared),
            Kind::Other => sql::json(StatusCode::BAD_REQUEST, &br#""query is not supported""#[..]),
        },
    };

    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, id);
    }
    if matches!(kind, Kind::Sql | Kind::Preflight) {
        shared.config.origins.add_cors(origin.as_ref(), headers);
    }
    if kind == Kind::Preflight {
        shared.config.origins.add_preflight(headers);
    }
    let record = Record { id, kind, status: response.status(), began, sent: 0, metrics: Arc::clone(&shared.metrics) };
    let patience = shared.config.limits.silence;
    Ok(response.map(|body| Delivery::new(body, patience, record)))
}

async fn query(shared: &Shared, request: Request<Incoming>) -> Result<Answer, Cut> {
    let answer = |request| sql::answer(shared, request);
    match &shared.faults {
        None => Ok(answer(request).await),
        Some(faults) => faults.answer(request, answer).await,
    }
}

fn kind(request: &Request<Incoming>) -> Kind {
    match (request.uri().path(), request.method()) {
        (PATH, &Method::POST) => Kind::Sql,
        (PATH, &Method::OPTIONS) => Kind::Preflight,
        _ if is_upgrade(request) => Kind::WebSocket,
        (HEALTH, &Method::GET | &Method::HEAD) => Kind::Health,
        (METRICS, &Method::GET) => Kind::Metrics,
        _ => Kind::Other,
    }
}

fn metrics(shared: &Shared) -> Answer {
    if !shared.config.metrics {
        let off = "metrics are off, since whoever reaches the gateway can read them without logging in: turn them on with --metrics (GatewayConfig::metrics)";
        let fault = Fault::new(StatusCode::NOT_FOUND, off);
        return sql::json(fault.status, fault.body());
    }
    let connections = Connections {
        limit: shared.slots.limit(),
        in_use: shared.slots.in_use(),
        idle: shared.pool.idle(),
        waiting: shared.slots.waiting(),
    };
    match shared.metrics.text(&connections) {
        Ok(text) => {
            let mut response = sql::json(StatusCode::OK, text);
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(OPEN_METRICS));
            response
        }
        Err(_) => sql::json(StatusCode::INTERNAL_SERVER_ERROR, &br#""the metrics could not be written""#[..]),
    }
}

/// Refuses what a browser should never have sent here.
fn admit(shared: &Shared, kind: Kind, request: &Request<Incoming>) -> Result<(), Fault> {
    if shared.config.origins.any() {
        return Ok(());
    }
    match kind {
        // As load balancers ask.
        Kind::Health => shared.config.hosts.check_name(request)?,
        _ => shared.config.hosts.check(request)?,
    }
    shared.config.origins.check(request)
}

fn is_upgrade(request: &Request<Incoming>) -> bool {
    request.method() == Method::GET
        && request.headers().get(UPGRADE).is_some_and(|to| to.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// Accepts a WebSocket on whatever path, without a subprotocol or an extension, and starts its session.
fn upgrade(
    shared: Arc<Shared>,
    client: ClientSocket,
    mut request: Request<Incoming>,
    id: &str,
) -> Result<Answer, Fault> {
    let called = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    let upstream = address::choose(request.uri().query(), called, &shared.upstream, &shared.config.addresses)?;
    if let Some(refused) = shared.faults.as_ref().and_then(Injector::refuse_upgrade) {
        return Ok(refused);
    }
    let upgrade = hyper::upgrade::on(&mut request);
    let response = create_response_with_body(&request, Body::default)
        .map_err(|error| Fault::bad_request(format!("this is no WebSocket's opening handshake: {error}")))?;
    let session = session::run(Arc::clone(&shared), upgrade, upstream, id.to_owned());
    shared.spawn(async move {
        select! {
            () = session => {}
            () = client.gone() => {}
        }
    });
    Ok(response)
}
