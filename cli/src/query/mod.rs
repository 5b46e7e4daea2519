mod failure;
mod interrupts;
mod output;
mod params;
mod run;
mod script;
mod session;

use std::{ffi::OsString, path::PathBuf};

use clap::Args;
use pgferry::{Config, Transport};

use self::{
    output::{Choice, Output},
    run::Run,
    script::Script,
    session::Session,
};
use crate::{
    database::{Database, is_url},
    problem::Usage,
};

/// Runs statements over WebSocket or HTTP and prints what they give.
///
/// Statements come from the command line, from --file, or from standard input. Each is a transaction of its own, and the first
/// that fails ends the command.
///
/// The password of a URL that is given as an argument is taken out of the list of processes at once; until then, for some
/// milliseconds, other users of the machine can read it there. DATABASE_URL, .env and PGPASSWORD never show it.
#[derive(Args)]
#[command(after_long_help = EXAMPLES, override_usage = "pgferry query [OPTIONS] [URL] [STATEMENT]")]
pub(crate) struct Query {
    /// The database, as postgresql://user@host/database; defaults to DATABASE_URL, or PGHOST and its like
    #[arg(value_name = "URL")]
    first: Option<String>,

    /// The statement, or several with semicolons between them
    #[arg(value_name = "STATEMENT")]
    second: Option<String>,

    /// There to be refused without being repeated
    #[arg(hide = true)]
    stray: Vec<OsString>,

    #[command(flatten)]
    database: Database,

    /// Runs the statements of this file; - is standard input
    #[arg(short, long, value_name = "FILE")]
    file: Option<PathBuf>,

    /// What carries the statements: http, websocket, or auto, which is http unless one of them needs a session; the URL's own choice
    /// where it is not given
    #[arg(long, value_name = "NAME")]
    transport: Option<Transport>,

    /// The value of the next parameter: of $1, then $2, …; \N is null, \\N the text \N
    #[arg(short, long = "param", value_name = "VALUE", allow_hyphen_values = true)]
    params: Vec<String>,

    /// Runs all statements in one transaction; over HTTP it is one request
    #[arg(short = '1', long)]
    single_transaction: bool,

    /// Goes on behind a statement that failed; the exit status still tells
    #[arg(long, conflicts_with = "single_transaction")]
    continue_on_error: bool,

    #[command(flatten)]
    output: Choice,

    /// Prints how long each statement took until its last row, on standard error
    #[arg(long)]
    timing: bool,
}

const EXAMPLES: &str = "\
Examples:
  The database that DATABASE_URL names, in the environment or in .env:
    pgferry query 'SELECT * FROM post ORDER BY id LIMIT 10'

  Another one, over HTTP:
    pgferry query postgresql://app@db.example/app --transport http 'SELECT version()'

  With parameters, of which one is null:
    pgferry query 'SELECT $1::int + 1, $2::text' -p 41 -p '\\N'

  A script, all of it or nothing:
    pgferry query --single-transaction --file schema.sql

  For other programs:
    pgferry query 'TABLE post' --format csv --output post.csv
    pgferry query 'TABLE post' --format jsonl | jq .title

What is on standard output:
  table  aligned as psql does it, and the command tag of a statement that gives no rows
  csv    as COPY … TO STDOUT (FORMAT csv, HEADER): null is nothing, an empty text is \"\"
  json   an array of objects for each statement that gives rows
  jsonl  an object a line
  In JSON, booleans, smallint, integer, oid, finite real and double precision, json and jsonb are JSON's own values. All else is
  a string as Postgres writes it: bigint and numeric too, since many readers would round them. A second column of the same name
  is called name_2.

What is on standard error:
  errors, notices (over WebSocket; HTTP drops them), times, and with csv, json and jsonl the command tags

COPY from or to the client is refused: use psql for it, or --format csv for a query's rows. Over HTTP, what needs a session is
refused before anything is sent; with --transport auto, the default, such a script goes over WebSocket as a whole.

Exit status:
  0 all went well    1 a statement failed    2 the command line or a setting is wrong
  3 no connection, or no log-in    130 interrupted by Ctrl-C    141 nobody reads the output any more";

impl Query {
    /// Runs the statements.
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let (url, statement) = self.arguments()?;
        let config = self.config(url)?;
        let script = Script::read(statement, self.file.as_deref())?;
        let params = params::read(&self.params);
        let statements = script.statements();
        if !params.is_empty() && statements.len() != 1 {
            let count = statements.len();
            return Err(Usage(format!("parameters go with one statement, and there are {count}: send it alone")).into());
        }
        let config = session::choose(config, &script);
        session::check(config.get_transport(), &script, self.single_transaction)?;
        let output = self.output.open()?;
        if statements.is_empty() {
            return Ok(());
        }
        let run = Run {
            session: Session::open(&config).await?,
            output,
            interrupts: interrupts::listen(),
            script: &script,
            params: &params,
            timing: self.timing,
        };
        run.run(self.single_transaction, self.continue_on_error).await
    }

    /// Tells which argument is the URL and which the statement.
    fn arguments(&self) -> Result<(Option<&str>, Option<&str>), Usage> {
        let usage = |message: &str| Err(Usage(message.to_owned()));
        if !self.stray.is_empty() {
            return usage("there are more arguments than a URL and a statement: put the statement in quotes");
        }
        let given: Vec<&str> = [&self.first, &self.second].into_iter().flatten().map(String::as_str).collect();
        let (urls, statements): (Vec<&str>, Vec<&str>) = given.into_iter().partition(|argument| is_url(argument));
        match (&urls[..], &statements[..]) {
            ([_, _], _) => usage("there are two URLs: a query goes to one database"),
            (_, [_, _]) => usage("there are two statements: put them in one argument, with a semicolon between them"),
            (_, [_]) if self.file.is_some() => usage("there is a statement and a --file: leave one out"),
            _ => Ok((urls.first().copied(), statements.first().copied())),
        }
    }

    fn config(&self, url: Option<&str>) -> anyhow::Result<Config> {
        let mut config = self.database.config(url)?;
        if let Some(transport) = self.transport {
            config = config.transport(transport);
        }
        if !config.is_given("max_response_size") {
            // Rows are written as they come, so that their sum takes no memory.
            config = config.max_response_size(usize::MAX);
        }
        Ok(config)
    }
}
