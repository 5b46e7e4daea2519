//! Typed statements over HTTP, with PostgreSQL's own functions as the oracle of every binary form.

use pgferry::{
    Config, Oid, Result,
    execute::{HttpSession, Opening, Output, Statement},
    runtime::Runtime,
};
use pgferry_test_support::Stage;

mod auto;
mod batches;
mod changes;
mod descriptions;
mod refusals;
mod settings;
mod user_types;

/// A database of its own, and a session over HTTP.
struct Place {
    stage: Stage,
    runtime: Runtime,
    session: HttpSession,
}

impl Place {
    /// Runs a script as the superuser and opens a session.
    fn with(script: &str) -> Self {
        let stage = Stage::start();
        stage.psql(script);
        let runtime = Runtime::start().unwrap();
        let session = HttpSession::new(&stage.config(), &runtime).unwrap();
        Self { stage, runtime, session }
    }

    /// Opens a session for a configuration of its own.
    fn session(&self, config: &Config) -> HttpSession {
        HttpSession::new(config, &self.runtime).unwrap()
    }

    /// Opens a session of the same handle that asks for a setting.
    fn reopened(&self, name: &str, value: &str) -> HttpSession {
        let parameters = vec![(name.to_owned(), value.to_owned())];
        self.session.reopened(&Opening { parameters, ..Opening::default() }).unwrap()
    }

    /// Makes a role with settings of its own, and returns the configuration that logs it in.
    fn role(&self, settings: &[&str]) -> Config {
        let role = format!("odd_{}", self.stage.database());
        self.stage.psql(&format!("create role {role} login superuser password 'pw-of-it'"));
        for setting in settings {
            self.stage.psql(&format!("alter role {role} set {setting}"));
        }
        self.stage.config().user(role).password("pw-of-it")
    }

    fn oid(&self, type_name: &str) -> Oid {
        self.stage.psql(&format!("select '{type_name}'::regtype::oid")).parse().unwrap()
    }

    /// The binary form of a value, as the server's own send function makes it.
    fn sent(&self, send: &str, value: &str) -> String {
        self.stage.psql(&format!("select coalesce(encode({send}({value}), 'hex'), 'null')"))
    }

    /// Checks that a value means over HTTP what it means to the server, as a column and as a parameter.
    #[track_caller]
    fn check(&self, type_name: &str, send: &str, value: &str) -> impl Future<Output = ()> {
        let binary = self.sent(send, &format!("({value})::{type_name}"));
        let text = self.stage.psql(&format!("select format('%s', ({value})::{type_name})"));
        let oid = self.oid(type_name);
        // A column of a domain is told to be of the type below it.
        let told =
            self.stage.psql(&format!("select coalesce(nullif(typbasetype, 0), oid) from pg_type where oid = {oid}"));
        let session = self.session.clone();
        let column = Statement::new(format!("select ({value})::{type_name}"));
        let parameter = Statement::new("select format('%s', $1)").param(oid, Some(bytes(&binary).into()));
        async move {
            let output = run(&session, column.clone()).await.unwrap_or_else(|error| panic!("{column:?}: {error:?}"));
            assert_eq!(output.columns[0].type_oid.to_string(), told);
            assert_eq!(hex(&output), binary, "{}", column.text);
            let output = run(&session, parameter).await.unwrap_or_else(|error| panic!("{}: {error:?}", column.text));
            assert_eq!(self::text(&output), text, "{}", column.text);
        }
    }
}

async fn run(session: &HttpSession, statement: Statement) -> Result<Output> {
    session.execute(&statement).await?.collect().await
}

fn first(output: &Output) -> Option<&[u8]> {
    output.rows[0].values().next().unwrap()
}

fn hex(output: &Output) -> String {
    first(output).map_or("null".to_owned(), |value| value.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn text(output: &Output) -> String {
    String::from_utf8(first(output).unwrap().to_vec()).unwrap()
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}
