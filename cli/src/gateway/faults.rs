use clap::Args;
use pgferry_gateway as gateway;

/// Trouble on purpose.
#[derive(Args)]
#[command(next_help_heading = "Trouble on purpose")]
pub(super) struct Faults {
    /// Makes something go wrong on purpose, to test what an application does about it; can be repeated
    ///
    /// What goes wrong:
    ///   latency=50ms          requests wait so long; latency=50ms..200ms: between the two
    ///   rate=64KiB/s          answers come no faster
    ///   status=503            refused over HTTP, from 400 to 599; also status=too-many-connections, control-plane
    ///                         and no-compute, with the providers' messages
    ///   error=40001           Postgres's error instead of the statement; 57P01 ends the session, 53300 refuses the log-in
    ///   drop=before           the connection is closed, and the statement never runs
    ///   drop=during           the connection is closed while the statement runs, 100 ms after it was sent
    ///   drop=after            the connection is closed when the statement has run, instead of an answer
    ///   drop=connect          the connection is closed as soon as it is accepted
    ///   hang=before           as drop, but the connection stays open and nothing comes; also during, after and connect
    ///   cold-start=3s/60s     what comes first waits 3 s, and again after 60 s in which nothing ran
    ///   seed=7                the same faults for the same requests, each time
    ///
    /// Which requests it strikes, behind any of them but the last two:
    ///   @5%                   five of a hundred, by chance
    ///   @first=3              only the first three
    ///   @every=10             the tenth, the twentieth, and so on
    ///   @http, @websocket     only those
    #[arg(long = "fault", value_name = "FAULT", verbatim_doc_comment)]
    faults: Vec<String>,
}

impl Faults {
    /// Returns what is to go wrong.
    pub(super) fn faults(&self) -> pgferry::Result<gateway::Faults> {
        self.faults.iter().try_fold(gateway::Faults::default(), |faults, text| faults.and(text))
    }
}
