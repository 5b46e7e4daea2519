//! What to try when a phase fails.

use std::{env, time::Duration};

use pgferry::{Config, Error, Outcome, Transport, config::Provider, net};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};

use super::{phase::Phase, probe::Failure};
use crate::problem;

/// How long a server may take to answer whether it is Postgres.
const PATIENCE: Duration = Duration::from_secs(2);

/// What to try where the service in front of Postgres takes nothing for now.
const TURNED_AWAY: &str = "what answers there turned it away before anything was run: try again in a moment";

/// Says what to try, where there is something true to say beyond the error's own words.
pub(super) async fn of(failure: &Failure, config: &Config, transport: Transport) -> Vec<String> {
    let Failure { phase, error } = failure;
    let mut remedies = Vec::new();
    let url = match transport {
        Transport::Http => config.endpoint_http(),
        _ => config.endpoint_ws(),
    };
    let Ok(url) = url else { return remedies };
    let (host, port) = (url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default());
    let key = if transport == Transport::Http { "http_url" } else { "ws_url" };

    let answers_otherwise = error.is_closed() || error.is_timeout() || error.is_tls() || *phase == Phase::Upgrade;
    let asks_for_what_it_is = matches!(phase, Phase::Tls | Phase::Upgrade | Phase::FirstRow) && answers_otherwise;
    if asks_for_what_it_is && is_postgres(config, host, port).await {
        remedies.push(format!(
            "{host} port {port} is Postgres itself, which speaks neither HTTP nor WebSocket: run `pgferry gateway` in front of \
             it and use the URL that it prints"
        ));
        return remedies;
    }
    match phase {
        Phase::Warm => {}
        // Whatever else it is, its message says what to set.
        Phase::Configuration if !error.is_auth() => {}
        Phase::Dns => {
            remedies.push(format!("compare {host} with what the provider's console shows, and try it from another network"));
            if config.get_provider() == Provider::Neon && transport == Transport::Http {
                remedies.push("Neon's HTTP endpoint has a name of its own, which an allow-list must have too".to_owned());
            }
        }
        Phase::Tcp if is_refused(error) => remedies.push(if is_loopback(host) {
            format!("nothing listens on port {port} of this machine: is `pgferry gateway` running, and on that port?")
        } else {
            format!("the host answers, but nothing listens on port {port}: is it the port of {key}?")
        }),
        Phase::Tcp => remedies.push(format!("a firewall may drop what goes to port {port}, or the host may be down")),
        Phase::Tls => {
            if error.message().contains("name its root certificate") {
                remedies.push(
                    "where a proxy of your network inspects TLS, or the authority is your own: add sslrootcert=FILE to the URL, with \
                     that authority's certificate in PEM"
                        .to_owned(),
                );
            } else if error.message().contains("does not speak TLS") || error.message().contains("speak TLS on this port?") {
                remedies.push(format!("where the endpoint has no TLS, name it in {key} with a plain scheme"));
            } else if error.is_timeout() {
                remedies.push(silent(host, port));
            }
        }
        Phase::Upgrade if problem::passes(error) => remedies.push(TURNED_AWAY.to_owned()),
        Phase::Upgrade if error.is_timeout() => remedies.push(silent(host, port)),
        Phase::Upgrade => remedies.push(format!(
            "what listens on {host} port {port} takes no WebSocket for Postgres at this path, or something in between does not \
             let it through: check {key}, or try --transport http"
        )),
        Phase::FirstRow if error.is_timeout() && transport == Transport::Http => {
            remedies.push(silent(host, port));
            remedies.push("a compute that wakes takes seconds, and so may the statement: try a longer --timeout".to_owned());
        }
        Phase::Configuration | Phase::LogIn | Phase::FirstRow => remedies.extend(of_log_in(*phase, error, config, key)),
    }
    if matches!(phase, Phase::Dns | Phase::Tcp) && !is_loopback(host) && proxy().is_some() {
        remedies.push(format!(
            "{} is set, but pgferry connects without a proxy: the host must be within reach directly",
            proxy().unwrap_or_default()
        ));
    }
    remedies
}

fn of_log_in(phase: Phase, error: &Error, config: &Config, key: &str) -> Option<String> {
    let code = error.code().map(|code| code.as_str());
    let message = error.message();
    Some(match code {
        Some("3D000") => match config.is_given("dbname") {
            true => "create the database, or name another as the URL's path".to_owned(),
            false => "name the database as the URL's path: without one it is the user's name".to_owned(),
        },
        Some("53300") => "the server has no connection left: close some, or use a pooler".to_owned(),
        Some("57P03") => "the server is starting or stopping: try again in a moment".to_owned(),
        Some("08P01") if message.contains("startup parameter") => {
            "a pooler refuses settings at the start: leave out options=, set them with ALTER ROLE … SET, or use the direct host or \
             port"
                .to_owned()
        }
        _ if message.contains("none is configured") || message.contains("no password is configured") => {
            "put the password into the URL (percent-encoded) or into PGPASSWORD".to_owned()
        }
        _ if message.contains("require_auth allows") => {
            "is it the right server? If so, require_auth=… in the URL allows what it asks for".to_owned()
        }
        _ if error.is_auth() => {
            "check user and password: in a URL, what is neither a letter nor a digit is percent-encoded (`@` is %40)".to_owned()
        }
        _ if message.contains("Couldn't connect to compute node") || code.is_some_and(|code| code.starts_with("08")) => {
            match config.get_provider() {
                Provider::Other => {
                    "the endpoint works, but does not reach its Postgres: is that running, where the gateway's --upstream says?"
                }
                _ => "the endpoint works, but does not reach the database: the provider's status page may say why",
            }
            .to_owned()
        }
        None if problem::passes(error) => TURNED_AWAY.to_owned(),
        Some(_) if phase == Phase::FirstRow && error.outcome() == Outcome::Failed => {
            "the connection itself works: it is the statement that failed".to_owned()
        }
        Some(_) => return None,
        None if error.is_timeout() && phase == Phase::LogIn => {
            "the endpoint answers, but the database behind it does not: a compute that wakes takes seconds, so try a longer --timeout"
                .to_owned()
        }
        None if error.is_timeout() => {
            "the connection is open, but no result comes: try a longer --timeout, or a lighter --statement".to_owned()
        }
        None if phase == Phase::LogIn && error.is_closed() => {
            format!("the WebSocket opens, but what is behind it ends the log-in without a word: check {key} and its ?address=, and the endpoint's log")
        }
        // An answer that is neither Postgres's nor in its form.
        None if error.as_db_error().is_none() && (error.status().is_some() || message.contains("not HTTP")) => {
            format!("this answer is not that of SQL over HTTP: check {key}, and whether a proxy stands in between")
        }
        None => return None,
    })
}

fn silent(host: &str, port: u16) -> String {
    format!("something took the connection to {host} port {port} and says nothing: is it the endpoint, and is it well?")
}

/// Asks as libpq does whether TLS may begin, to which only Postgres answers with one letter (manual, section 55.2.10).
async fn is_postgres(config: &Config, host: &str, port: u16) -> bool {
    const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];
    let config = config.clone().connect_timeout(PATIENCE);
    let asking = async {
        let mut tcp = net::connect_tcp(&config, host, port).await.ok()?;
        tcp.write_all(&SSL_REQUEST).await.ok()?;
        let mut answer = [0; 2];
        // A longer answer that begins with the letter would be another protocol's.
        let count = timeout(PATIENCE / 2, tcp.read(&mut answer)).await.ok()?.ok()?;
        answer.get(..count).map(|answer| answer == b"S" || answer == b"N")
    };
    timeout(PATIENCE, asking).await.ok().flatten().unwrap_or(false)
}

fn is_refused(error: &Error) -> bool {
    error.message().contains("refused")
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The variable that names a proxy, if one does.
fn proxy() -> Option<&'static str> {
    ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]
        .into_iter()
        .find(|name| env::var_os(name).is_some_and(|value| !value.is_empty()))
}
