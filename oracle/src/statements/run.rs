use anyhow::{Context, Result};
use pgferry::{
    Outcome,
    execute::{BlockingSession, Statement},
};

use super::{
    case::{Case, Params, Refusal},
    families,
    outcome::{difference, is_of_bytes, of_ferry},
    stage::Stage,
};
use crate::{
    report::{Mismatches, say},
    server::{SUPERUSER, Server},
    tcp::{Connection, Format, Question},
};

/// A role before whose `pg_catalog` stands a schema with types and operators of the same names.
const HOSTILE: &str = "hostile";
/// A role whose settings print values in other ways than the codec reads.
const ODD: &str = "odd";

/// Runs every statement on both roads, as a plain role, one with a hostile search path, and one with odd settings.
pub(crate) fn run(server: &Server) -> Result<Mismatches> {
    let mut mismatches = Mismatches::default();
    let cases = families::all(server.major());
    for user in [SUPERUSER, HOSTILE, ODD] {
        let mut roads = Roads::open(server, user)?;
        for case in &cases {
            let difference = roads.compare(case).with_context(|| case.text.clone())?;
            if let Some(difference) = difference {
                mismatches.add(&format!("statement as {user}: {case}"), difference);
            }
        }
    }
    let refused = cases.iter().filter(|case| case.refused.is_some()).count();
    say(&format!(
        "PostgreSQL {}: {} statements compared as three roles, {refused} refused over HTTP as designed",
        server.version,
        cases.len() - refused
    ));
    Ok(mismatches)
}

struct Roads {
    control: Connection,
    ferry: BlockingSession,
    params: Params,
    stage: Stage,
    /// Asks what parameters are in bytes, apart from the control, where names may mean other things.
    neutral: Connection,
}

impl Roads {
    fn open(server: &Server, user: &str) -> Result<Self> {
        Ok(Self {
            control: server.connect_as(user)?,
            ferry: server.ferry_as(user)?,
            params: Params::default(),
            stage: Stage::new(server.connect()?)?,
            neutral: server.connect()?,
        })
    }

    fn compare(&mut self, case: &Case) -> Result<Option<String>> {
        let resolved: Result<Vec<_>> =
            case.params.iter().map(|param| self.params.resolve(&mut self.neutral, param)).collect::<Result<_>>();
        let resolved = match resolved {
            Ok(resolved) => resolved,
            Err(error) => return Ok(Some(format!("cannot be asked: {error:#}"))),
        };
        let (types, params): (Vec<_>, Vec<_>) = resolved.into_iter().unzip();
        let statement =
            Statement { param_types: types.clone(), params: params.clone(), ..Statement::new(case.text.as_str()) };
        let ferry = of_ferry(self.ferry.execute(statement));
        let ferry_left = self.stage.settle()?;
        if let Some(Refusal { remedy, may_have_written }) = case.refused {
            return Ok(match ferry {
                Err(error) if error.is_refused() == may_have_written => Some(format!(
                    "says that it may{} be sent again: {error}",
                    if may_have_written { "" } else { " not" }
                )),
                Err(error) if error.to_string().contains(remedy) => None,
                Err(error) => Some(format!("is refused with other words than {remedy:?}: {error}")),
                Ok(_) => Some("is not refused".into()),
            });
        }
        let control = self.control.ask(&Question {
            text: &case.text,
            types: &types,
            params: &params,
            param_format: Format::Binary,
            results: &[Format::Binary],
        })?;
        let control_left = self.stage.settle()?;
        Ok(match ferry {
            // Bytes that are not of their type have no text that could be sent.
            Err(error) if error.is_value() && error.outcome() == Outcome::NotExecuted && is_of_bytes(&control) => None,
            Err(error) => Some(format!("gives no answer of the server's: {error}")),
            Ok(ferry) => difference(&control, &ferry)
                .or_else(|| (control_left != ferry_left).then(|| format!("leaves {ferry_left}, not {control_left}"))),
        })
    }
}
