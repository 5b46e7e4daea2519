use std::collections::BTreeSet;

use super::{HttpSession, Statement};
use crate::{error::Result, sql::literal, wire::Format};

impl HttpSession {
    /// Returns whether texts can be executed again unnoticed: whether they do not write themselves, and every function of a name that
    /// they call is declared not to be volatile.
    ///
    /// Sends one request where anything is called. Cancel safe: it reads only.
    pub(crate) async fn only_reads(&self, texts: &[impl AsRef<str>]) -> Result<bool> {
        let dialect = self.dialect();
        if texts.iter().any(|text| dialect.may_write(text.as_ref())) {
            return Ok(false);
        }
        let names: BTreeSet<String> = texts.iter().flat_map(|text| dialect.called(text.as_ref())).collect();
        if names.is_empty() {
            return Ok(true);
        }
        let names: Vec<String> = names.iter().map(|name| literal(name)).collect();
        let question = format!(
            "select 1 from pg_catalog.pg_proc where provolatile = 'v' and proname in ({}) limit 1",
            names.join(", ")
        );
        let statement = Statement { results: Format::Text, ..Statement::new(question) };
        Ok(self.execute(&statement).await?.collect().await?.rows.is_empty())
    }
}
