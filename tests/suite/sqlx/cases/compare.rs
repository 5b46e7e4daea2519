use std::{fmt::Write as _, sync::Arc, time::Duration};

use sqlx::{Connection, PgConnection};

use super::{
    case::{Case, Seen},
    differences::{self, Refusal},
    ground::Ground,
    seen,
};
use crate::sqlx::Road;
use pgferry_test_support::Stage;

/// What a case may take on one road before it is taken for hanging.
const LIMIT: Duration = Duration::from_secs(60);

const ROADS: [Road; 4] = [Road::Tcp, Road::WebSocket, Road::Auto, Road::Http];

/// Runs each case on each road, in a database that holds nothing of the cases before, and reports all that differs.
pub(super) async fn compare(cases: &[Case]) {
    let stage = Arc::new(Stage::start());
    let lanes = ROADS.map(|road| tokio::spawn(Lane::new(road, stage.clone()).run(cases.to_vec())));
    let mut columns = Vec::new();
    for lane in lanes {
        columns.push(lane.await.unwrap());
    }
    let mut report = String::new();
    for (index, case) in cases.iter().enumerate() {
        let control = &columns[0][index];
        for (road, column) in ROADS.into_iter().zip(&columns) {
            if let Some(fault) = fault(road, case, control, &column[index]) {
                let (control, seen) = (&control.text, &column[index].text);
                writeln!(report, "{} over {road:?} {fault}\n  Tcp: {control}\n  {road:?}: {seen}", case.name).unwrap();
            }
        }
    }
    assert!(report.is_empty(), "\n{report}");
}

/// What is wrong with what was seen on a road.
fn fault(road: Road, case: &Case, control: &Observed, seen: &Observed) -> Option<String> {
    if seen.is_broken {
        return Some("is broken".to_owned());
    }
    let refusal = differences::refusal(case.name).filter(|_| road == Road::Http);
    let otherwise = differences::otherwise(road, case.name);
    match (seen == control, refusal, otherwise) {
        (true, None, None) => None,
        (true, ..) => Some("is listed and no longer differs".to_owned()),
        (false, Some(refusal), _) if seen.is(refusal) => None,
        (false, Some(refusal), _) => Some(format!("is listed as {} {:?}", refusal.code, refusal.says)),
        (false, None, Some(otherwise)) if seen.text.contains(otherwise.gives) => None,
        (false, None, Some(otherwise)) => Some(format!("is listed to give {:?}", otherwise.gives)),
        (false, None, None) => Some("differs".to_owned()),
    }
}

/// What was seen of a case on one road.
#[derive(Debug)]
struct Observed {
    text: String,
    /// The SQLSTATE that it ended with.
    code: Option<String>,
    /// It hung or panicked, which is wrong on each road.
    is_broken: bool,
}

impl PartialEq for Observed {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Observed {
    fn is(&self, refusal: &Refusal) -> bool {
        self.code.as_deref() == Some(refusal.code) && self.text.contains(refusal.says)
    }

    fn broken(text: String) -> Self {
        Self { text, code: None, is_broken: true }
    }

    fn of(seen: Seen) -> Self {
        match seen {
            Ok(text) => Self { text, code: None, is_broken: false },
            Err(error) => Self {
                text: format!("ended with {}", seen::error(&error)),
                code: error.as_database_error().and_then(|error| Some(error.code()?.into_owned())),
                is_broken: false,
            },
        }
    }
}

/// One road, and a database that the cases use one after the other.
struct Lane {
    road: Road,
    stage: Arc<Stage>,
    database: String,
}

impl Lane {
    fn new(road: Road, stage: Arc<Stage>) -> Self {
        let database = stage.postgres().create_database().unwrap();
        Self { road, stage, database }
    }

    async fn run(self, cases: Vec<Case>) -> Vec<Observed> {
        let mut observed = Vec::new();
        for case in cases {
            // A bridge of its own, so that no case profits from what another taught it.
            let ground = Ground::new(self.road, &self.stage, &self.database);
            let mut task = tokio::spawn((case.run)(ground));
            observed.push(match tokio::time::timeout(LIMIT, &mut task).await {
                Ok(Ok(seen)) => Observed::of(seen),
                Ok(Err(panic)) => Observed::broken(format!("panicked: {panic}")),
                Err(_) => {
                    task.abort();
                    Observed::broken("hung".to_owned())
                }
            });
            self.clear().await;
        }
        observed
    }

    /// Takes away all that a case has left in the database.
    async fn clear(&self) {
        let postgres = self.stage.postgres();
        let url = postgres.url_for("postgres", postgres.superuser_password(), &self.database);
        let mut superuser = PgConnection::connect(&url).await.unwrap();
        let script = format!(
            "set lock_timeout = '20s'; drop owned by app cascade; alter database {0} reset all; alter role app in database {0} reset all",
            self.database
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(script)).execute(&mut superuser).await.unwrap();
        superuser.close().await.unwrap();
    }
}
