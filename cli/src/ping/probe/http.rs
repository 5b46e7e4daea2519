use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response,
    body::Incoming,
    client::conn::{http1, http2},
    header::{ACCEPT, CONTENT_TYPE, HOST, HeaderValue, USER_AGENT},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use pgferry::{
    Config, Error, Outcome,
    http::{
        Client,
        wire::{
            ARRAY_MODE, CONNECTION_STRING, Event, RAW_TEXT_OUTPUT, RequestBody, ResponseDecoder, Statement,
            error_from_response,
        },
    },
    net::{self, Socket, Trace},
};

use super::sample::{Failure, Limit, Sample, within};
use crate::ping::{measure::Plan, phase::Phase};

/// The protocols that the client offers in TLS, and their order.
const ALPN: &[&[u8]] = &[b"h2", b"http/1.1"];

/// How much of an error's body is read, in bytes.
const MAX_ERROR: usize = 1024 * 1024;

/// The client's own windows, which the server may fill before it waits.
const STREAM_WINDOW: u32 = 1024 * 1024;

/// Goes from nothing to the first row by one request, as the client's first request does.
///
/// The client's library does not show its steps; so the connection is opened here, with the same TLS, protocols and body.
/// The sample has what was done, also where this fails.
pub(in crate::ping) async fn open(config: &Config, plan: &Plan, sample: &mut Sample) -> Result<(), Failure> {
    let unset = |error| Failure { phase: Phase::Configuration, error };
    let url = config.endpoint_http().map_err(unset)?;
    let (host, port) = (url.host_str().unwrap_or_default(), url.port());
    let authority = port.map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let secure = url.scheme() == "https";

    let credential = config.credential().await.map_err(unset)?;
    let mut secret = HeaderValue::from_str(config.connection_string(&credential).map_err(unset)?.reveal())
        // It is percent-encoded, so that this cannot be.
        .map_err(|_| unset(Error::protocol("the connection string cannot be sent", Outcome::NotExecuted)))?;
    secret.set_sensitive(true);
    let path = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));

    let began = Instant::now();
    let mut trace = Trace::new();
    let socket = net::connect(config, &url, ALPN, &mut trace).await;
    let socket = sample.opened(&trace, socket)?;
    let is_http2 = socket.handshake().is_some_and(|handshake| handshake.alpn == Some(b"h2"));
    sample.facts.http = Some(if is_http2 { "HTTP/2" } else { "HTTP/1.1" });

    let statement = Statement::new(plan.statement.as_str());
    let body = serde_json::to_vec(&RequestBody::Single(&statement))
        .map_err(|_| unset(Error::protocol("the statement cannot be sent", Outcome::NotExecuted)))?;
    // HTTP/2 names scheme and host in the request's own line.
    let scheme = if secure { "https" } else { "http" };
    let target = if is_http2 { format!("{scheme}://{authority}{path}") } else { path };
    let request = Request::post(target)
        .header(CONTENT_TYPE, "application/json")
        .header(ACCEPT, "application/json")
        .header(USER_AGENT, concat!("pgferry/", env!("CARGO_PKG_VERSION")))
        .header(RAW_TEXT_OUTPUT, "true")
        .header(ARRAY_MODE, "true")
        .header(CONNECTION_STRING, secret);
    let request = if is_http2 { request } else { request.header(HOST, authority) };
    let request = request.body(Full::new(Bytes::from(body))).map_err(|error| {
        unset(Error::protocol("the request cannot be built", Outcome::NotExecuted).with_source(error))
    })?;

    // The opening of HTTP/2 travels with the request.
    let answer = sample
        .take(Phase::FirstRow, Limit::whole(plan.timeout), Some(1), async {
            let mut response = send(socket, is_http2, request).await?;
            let mut decoder = ResponseDecoder::new();
            if response.status() != 200 {
                return Err(refusal(response).await);
            }
            first_row(&mut response, &mut decoder).await?;
            Ok((response, decoder))
        })
        .await?;
    sample.total = Some(began.elapsed());

    let (mut response, mut decoder) = answer;
    let rest = async {
        loop {
            while decoder.next()?.is_some() {}
            match next(&mut response).await? {
                Some(chunk) => decoder.push(chunk),
                None => return decoder.finish(),
            }
        }
    };
    within(Limit::whole(plan.timeout), Phase::FirstRow, rest)
        .await
        .map_err(|error| Failure { phase: Phase::FirstRow, error })
}

/// The HTTP client itself with its connection open, for warm statements.
pub(in crate::ping) struct Session(Client);

impl Session {
    /// Makes a client, whose connection the first statement opens.
    pub(in crate::ping) async fn open(config: &Config, plan: &Plan) -> Result<Self, Error> {
        let client = Client::new(config)?.with_timeout(Some(plan.timeout));
        client.query(&plan.statement, &[]).await?;
        Ok(Self(client))
    }

    /// Runs the statement to its end.
    pub(in crate::ping) async fn warm(&mut self, plan: &Plan) -> Result<(Duration, u32), Error> {
        let began = Instant::now();
        self.0.query(&plan.statement, &[]).await?;
        Ok((began.elapsed(), 1))
    }
}

async fn send(socket: Socket, is_http2: bool, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, Error> {
    let io = TokioIo::new(socket);
    let sent = if is_http2 {
        let opened = http2::Builder::new(TokioExecutor::new())
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(STREAM_WINDOW)
            .handshake(io)
            .await;
        let (mut sender, connection) = opened.map_err(broken)?;
        // It ends with the last of its streams, and the sender hears of its error.
        tokio::spawn(connection);
        sender.send_request(request).await
    } else {
        let (mut sender, connection) = http1::handshake(io).await.map_err(broken)?;
        tokio::spawn(connection);
        sender.send_request(request).await
    };
    sent.map_err(broken)
}

async fn first_row(response: &mut Response<Incoming>, decoder: &mut ResponseDecoder) -> Result<(), Error> {
    loop {
        while let Some(event) = decoder.next()? {
            if !matches!(event, Event::Fields(_)) {
                return Ok(());
            }
        }
        match next(response).await? {
            Some(chunk) => decoder.push(chunk),
            None => return decoder.finish(),
        }
    }
}

/// The next bytes of the body.
async fn next(response: &mut Response<Incoming>) -> Result<Option<Bytes>, Error> {
    while let Some(frame) = response.frame().await {
        if let Ok(bytes) = frame.map_err(broken)?.into_data() {
            return Ok(Some(bytes));
        }
    }
    Ok(None)
}

async fn refusal(mut response: Response<Incoming>) -> Error {
    let status = response.status().as_u16();
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = next(&mut response).await {
        body.extend_from_slice(&chunk);
        if body.len() >= MAX_ERROR {
            body.truncate(MAX_ERROR);
            break;
        }
    }
    error_from_response(status, &body)
}

fn broken(error: hyper::Error) -> Error {
    let what = if error.is_parse() {
        "the answer is not HTTP"
    } else {
        "the connection was lost before the whole response arrived"
    };
    Error::closed(what, Outcome::Unknown).with_source(error)
}
