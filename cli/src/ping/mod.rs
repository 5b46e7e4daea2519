//! `pgferry ping`: what a URL is taken for, and what each step of a connection takes or fails for.

mod chart;
mod distribution;
mod findings;
mod measure;
mod phase;
mod probe;
mod refused;
mod remedy;
mod report;
mod screen;
mod subject;
mod text;

use std::{
    io::{self, IsTerminal, Write},
    time::Duration,
};

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use pgferry::{Config, Transport};

use crate::{database::Database, problem};
use measure::{Plan, measure};
use report::Diagnosed;
use screen::Screen;
use subject::Subject;

/// Says what a URL is taken for, and measures each step of a connection.
///
/// First: provider, endpoints, user, database, where each value came from, how the log-in will go, and what is done with each
/// parameter. Then, for each transport, what DNS, TCP, TLS, upgrade, log-in and first row take on new connections, and what
/// a statement takes on an open one. Where a step fails: which, why, and what to try.
#[derive(Args)]
#[command(after_long_help = DETAILS)]
pub(crate) struct Ping {
    /// The database, as postgresql://user@host/database; defaults to DATABASE_URL, or PGHOST and its like
    #[arg(value_name = "URL")]
    // Text until it is known to be well-formed: clap repeats what it cannot parse, password and all.
    argument: Option<String>,

    #[command(flatten)]
    database: Database,

    /// Which transports are tried; auto, the default, is each that the URL has an endpoint for, since auto uses both
    #[arg(long, value_name = "TRANSPORT")]
    transport: Option<Transports>,

    /// How many new connections are opened, one after the other
    #[arg(short = 'n', long, value_name = "COUNT", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1000))]
    tries: u16,

    /// How many statements are run on an open connection
    #[arg(long, value_name = "COUNT", default_value_t = 50, value_parser = clap::value_parser!(u32).range(0..=100_000))]
    warm: u32,

    /// The statement; it runs once a try and once a warm statement, over each transport
    #[arg(long, value_name = "SQL", default_value = "select 1")]
    statement: String,

    /// How long opening a connection may take, and a statement; defaults to the URL's own limits, or else 10
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    timeout: Option<Duration>,

    /// Only says what the URL is taken for; connects to nothing
    #[arg(long)]
    offline: bool,

    /// Writes one JSON object instead of text
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Transports {
    Auto,
    Http,
    Websocket,
    Both,
}

/// How long a statement may take, where nobody says.
const TIMEOUT: Duration = Duration::from_secs(10);

const DETAILS: &str = "\
Exit status: 0 where all transports that were asked for work, 1 where one does not, 2 where the command line or the URL is not
understood.

How it measures: connections are opened as pgferry's clients open them, one after the other and with nothing kept from the one
before. Over HTTP, the warm statements are the client's own. Round trips are counted on the connection, those of TLS follow from
its version; DNS has none, since the system may have the answer already. \"p90\" is what 90 of 100 do not exceed.

JSON: times are milliseconds.
  ok          whether all that was asked for works
  error       why nothing could be measured; then url is null where it was not understood, and transports is empty
  url         provider, host, port, user, database, password, transport (each with `from`), pooled, http and websocket (url or
              error, log_in), require_auth, password_sent_ahead, parameters (name, value, from, fate, reason)
  statement   what was run
  transports  for each: transport, endpoint, ok, address, tls, http, authentication, server_version, phases, total, warm,
              errors (phase, message, code, remedies)
              phases, total, warm: phase, round_trips (null where unknown), count, min_ms, p50_ms, p90_ms, p99_ms, max_ms
              phase: configuration, dns, tcp, tls, upgrade, log_in, first_row, total, warm
  findings    what the numbers say, in words

Examples:
  pgferry ping
  pgferry ping --offline 'postgresql://app@ep-cool-darkness-a1b2c3d4.us-east-2.aws.neon.tech/app?sslmode=require'
  pgferry ping -n 3 --transport http --json | jq '.transports[].total.p50_ms'";

impl Ping {
    /// Tells, measures and tells.
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let given = self.database.given(self.argument.as_deref());
        let config = match self.database.config(self.argument.as_deref()) {
            Ok(config) => config,
            Err(error) => return Err(self.refused(error, given)),
        };
        // Without a URL, every value says which variable it is from.
        let url_from = given.as_ref().map_or("environment", |(_, from)| *from);
        let subject = match Subject::of(&config, url_from, Vec::new()) {
            Ok(subject) => subject,
            Err(error) => return Err(self.refused(error.into(), None)),
        };
        let plan = self.plan(&config);
        let screen = Screen::of_stdout();
        if !self.json {
            print(&text::subject(&subject, screen))?;
        }
        let mut all: Vec<Diagnosed> = Vec::new();
        if !self.offline {
            let config = config.connect_timeout(plan.connect_timeout).request_timeout(Some(plan.timeout));
            for transport in self.transports(&subject) {
                let diagnosed = diagnose(&config, transport, &plan).await;
                if !self.json {
                    let endpoint = subject.endpoint(transport).as_ref().map_or("", |endpoint| &endpoint.url);
                    print(&format!("\n{}", text::measured(&diagnosed, endpoint, plan.tries, screen)))?;
                }
                all.push(diagnosed);
            }
        }
        let findings = findings::of(all.iter().map(|diagnosed| &diagnosed.measured));
        if self.json {
            print(&format!("{:#}\n", report::json(&subject, &plan, &all, &findings)))?;
        } else if !findings.is_empty() {
            print(&format!("\n{}", text::findings(&findings, screen)))?;
        }
        match all.iter().all(|diagnosed| diagnosed.measured.is_ok()) {
            true => Ok(()),
            // The report has told why.
            false => Err(problem::Told(problem::FAILED).into()),
        }
    }

    fn transports(&self, subject: &Subject) -> Vec<Transport> {
        let both = [Transport::Http, Transport::WebSocket];
        match self.transport {
            Some(Transports::Http) => vec![Transport::Http],
            Some(Transports::Websocket) => vec![Transport::WebSocket],
            Some(Transports::Both) => both.into(),
            None | Some(Transports::Auto) => {
                let known = both.into_iter().filter(|transport| subject.endpoint(*transport).is_ok());
                let known: Vec<_> = known.collect();
                if known.is_empty() { both.into() } else { known }
            }
        }
    }

    /// Where nothing can be measured: says what is done with each parameter, if that is the reason, before the error does.
    fn refused(&self, error: anyhow::Error, given: Option<(String, &str)>) -> anyhow::Error {
        let parted = || {
            let (url, from) = given?;
            let (rest, refused) = refused::part(&url)?;
            Subject::of(&rest.parse().ok()?, from, refused).ok()
        };
        let subject = parted();
        let told = match &subject {
            _ if self.json => {
                let error = problem::told(error.as_ref());
                format!("{:#}\n", report::refused(&error, subject.as_ref(), &self.statement))
            }
            Some(subject) => format!("{}\n", text::subject(subject, Screen::of_stdout())),
            None => return error,
        };
        print(&told).err().unwrap_or(error)
    }

    fn plan(&self, config: &Config) -> Plan {
        Plan {
            tries: self.tries.into(),
            warm: usize::try_from(self.warm).unwrap_or(usize::MAX),
            statement: self.statement.clone(),
            connect_timeout: self.timeout.unwrap_or(config.get_connect_timeout()),
            timeout: self.timeout.or(config.get_request_timeout()).unwrap_or(TIMEOUT),
        }
    }
}

async fn diagnose(config: &Config, transport: Transport, plan: &Plan) -> Diagnosed {
    let progress = progress(transport, plan);
    let measured = measure(config, transport, plan, || progress.inc(1)).await;
    progress.finish_and_clear();
    let remedies = match measured.failures.first() {
        Some(failure) => remedy::of(failure, config, transport).await,
        None => Vec::new(),
    };
    Diagnosed { measured, remedies }
}

/// Hidden where standard error is no terminal.
fn progress(transport: Transport, plan: &Plan) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let steps = plan.tries.saturating_add(plan.warm);
    let style =
        ProgressStyle::with_template("{msg} {bar:30} {pos}/{len}").unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(steps as u64).with_style(style).with_message(findings::name(transport))
}

fn print(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(problem::write_error)
}

/// Reads a number of seconds, which may have a fraction.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "it is not a number of seconds".to_owned())?;
    let duration = Duration::try_from_secs_f64(seconds).map_err(|_| "it is not a time to wait".to_owned())?;
    if duration.is_zero() || duration > Duration::from_secs(3600) {
        return Err("it is not between 0 and 3600 seconds".to_owned());
    }
    Ok(duration)
}
