use std::collections::BTreeSet;

use crate::{
    error::Result,
    execute::{HttpSession, Statement},
    sql::literal,
    wire::Format,
};

/// Whether statements that call functions of these names, and whose texts do not write, can be executed again unnoticed: whether
/// every function of such a name is declared not to be volatile.
///
/// Sends one request where anything is called. Cancel safe: it reads only.
pub(super) async fn only_reads(session: &HttpSession, called: impl IntoIterator<Item = String>) -> Result<bool> {
    let names: BTreeSet<String> = called.into_iter().collect();
    if names.is_empty() {
        return Ok(true);
    }
    let names: Vec<String> = names.iter().map(|name| literal(name)).collect();
    let question = format!(
        "select 1 from pg_catalog.pg_proc where provolatile = 'v' and proname in ({}) limit 1",
        names.join(", ")
    );
    let statement = Statement { results: Format::Text, ..Statement::new(question) };
    Ok(session.execute(&statement).await?.collect().await?.rows.is_empty())
}
