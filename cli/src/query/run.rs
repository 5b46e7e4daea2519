use std::{
    io::{self, IsTerminal},
    time::Instant,
};

use indicatif::{ProgressBar, ProgressStyle};
use tokio::sync::watch;

use super::{Output, Script, Session, failure, session::Finished};
use crate::problem::{self, FAILED, INTERRUPTED, Told};

/// A script on its way through a session to an output.
pub(super) struct Run<'a> {
    pub(super) session: Session,
    pub(super) output: Output,
    pub(super) interrupts: watch::Receiver<bool>,
    pub(super) script: &'a Script,
    pub(super) params: &'a [Option<String>],
    pub(super) timing: bool,
}

impl Run<'_> {
    /// Runs all statements, or those up to the first that fails.
    pub(super) async fn run(mut self, single_transaction: bool, continue_on_error: bool) -> anyhow::Result<()> {
        let statements = self.script.statements();
        let bar = self.bar(statements.len());
        let done = if single_transaction {
            self.in_one_transaction(&statements, &bar).await
        } else {
            self.one_by_one(&statements, continue_on_error, &bar).await
        };
        bar.finish_and_clear();
        // In the middle of a result, only a lost connection ends it at once.
        let between = done.as_ref().map_or_else(|error| matches!(error.downcast_ref(), Some(Told(FAILED))), |()| true);
        if between {
            self.session.close().await;
        }
        // What ended it matters more than that its last rows cannot be written.
        done.and(self.output.abandon())
    }

    async fn one_by_one(
        &mut self,
        statements: &[&str],
        continue_on_error: bool,
        bar: &ProgressBar,
    ) -> anyhow::Result<()> {
        let mut failed = None;
        for (index, statement) in statements.iter().enumerate() {
            let began = Instant::now();
            let done = self.session.run(statement, self.params, &mut self.output, &mut self.interrupts).await;
            self.time(began, bar);
            bar.inc(1);
            if let Err(error) = done {
                self.output.abandon()?;
                let told = self.tell(error, index, Some(statement), bar)?;
                if !continue_on_error || !self.session.is_usable() {
                    return Err(told.into());
                }
                failed = Some(told);
            }
            // What Ctrl-C came too late for has ended well, and nothing follows it.
            if *self.interrupts.borrow() {
                return Err(Told(INTERRUPTED).into());
            }
        }
        failed.map_or(Ok(()), |told| Err(told.into()))
    }

    async fn in_one_transaction(&mut self, statements: &[&str], bar: &ProgressBar) -> anyhow::Result<()> {
        let began = Instant::now();
        let Finished { count, result } =
            self.session.run_together(statements, self.params, &mut self.output, &mut self.interrupts).await;
        self.time(began, bar);
        let Err(error) = result else { return Ok(()) };
        // Over HTTP nothing tells which of several statements failed.
        let statement = count.and_then(|index| statements.get(index)).copied();
        Err(self.tell(error, count.unwrap_or(usize::MAX), statement, bar)?.into())
    }

    /// Says which statement failed and why; returns what else went wrong, such as an output that nobody reads.
    fn tell(
        &self,
        error: anyhow::Error,
        index: usize,
        statement: Option<&str>,
        bar: &ProgressBar,
    ) -> anyhow::Result<Told> {
        let error: pgferry::Error = error.downcast()?;
        let status = if *self.interrupts.borrow() { INTERRUPTED } else { problem::exit_status(&error) };
        let place = self.script.place(index);
        bar.suspend(|| failure::tell(&error, &place, statement, self.params.len(), status != FAILED));
        Ok(Told(status))
    }

    fn time(&self, began: Instant, bar: &ProgressBar) {
        if self.timing {
            let milliseconds = began.elapsed().as_secs_f64() * 1000.0;
            bar.suspend(|| failure::say(&format!("Time: {milliseconds:.3} ms")));
        }
    }

    /// A bar for scripts that take their time, where it disturbs nothing.
    fn bar(&self, statements: usize) -> ProgressBar {
        if statements < 2 || io::stdout().is_terminal() || !io::stderr().is_terminal() {
            return ProgressBar::hidden();
        }
        let style = ProgressStyle::with_template("{bar:40} {pos}/{len} statements, {elapsed}");
        let bar = ProgressBar::new(u64::try_from(statements).unwrap_or(u64::MAX));
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar
    }
}
