use std::{fmt, str::FromStr};

use pgferry::{Error, Result};

use super::rule::Rule;

/// Trouble on purpose, for testing what an application does about it: slow networks, lost connections, refusals, errors.
///
/// It is written as faults with spaces or commas between them, `name=value`, each with any number of conditions behind it:
///
/// | fault | what it does |
/// |---|---|
/// | `latency=50ms`, `latency=50ms..200ms` | a request waits so long before anything is done about it; over a WebSocket each log-in, and each flight of messages: what the client sends before it hears again |
/// | `rate=64KiB/s` | an answer's body, or what a WebSocket's session is told, comes no faster (`B`, `kB`, `KiB`, `MB`, `MiB`) |
/// | `status=503` | the request, or the upgrade to a WebSocket, is refused with this status, from 400 to 599 |
/// | `status=too-many-connections`, `control-plane`, `no-compute` | the same with the providers' own status 500 and message |
/// | `error=40001` | Postgres's error with this SQLSTATE instead of the statement, which is not run; `53300` and `57P03` refuse the log-in, `57P01` and `57P02` end the session |
/// | `drop=connect` | the connection is closed as soon as it is accepted |
/// | `drop=before` | the connection is closed when the statement has come, and Postgres never hears of it |
/// | `drop=during` | the connection is closed 100 ms after Postgres was given the statement, or when its answer begins; what still runs then is cancelled, as for any client that is lost |
/// | `drop=after` | the statement runs to its end, and the connection is closed instead of an answer |
/// | `hang=connect`, `before`, `during`, `after` | the same, but the connection stays open and nothing comes: a half-open connection |
/// | `cold-start=3s`, `cold-start=3s/60s` | whatever comes first waits so long, as for a compute that starts; and again when nothing has run for the second time, when sessions that are open are ended with 57P01 |
/// | `seed=7` | the same requests in the same order meet the same faults; otherwise each run has a seed of its own, which the log tells |
///
/// | condition | which requests |
/// |---|---|
/// | `@5%` | of a hundred, five by chance |
/// | `@first=3` | only the first three |
/// | `@every=10` | the tenth, the twentieth, … |
/// | `@http`, `@websocket` | only those |
///
/// Each fault counts for itself, and counts only what it could strike: a `drop` over a WebSocket counts what executes something, and
/// not what only prepares it. Of several that would end the same request, the first that was named does.
///
/// A WebSocket's client that sends a message of more than 64 MiB is cut off where there are faults.
///
/// What was injected is logged at `info`, and an answer over HTTP has it in the header `pgferry-fault`.
///
/// # Example
///
/// ```
/// use pgferry_gateway::{Faults, GatewayConfig};
///
/// let faults: Faults = "latency=50ms..200ms status=503@5% drop=after@every=10@http seed=7".parse()?;
/// let config = GatewayConfig::new("postgresql://localhost:5432".parse()?).faults(faults);
///
/// let error = "status=200".parse::<Faults>().unwrap_err();
/// assert!(error.message().contains("status=503"));
/// # Ok::<(), pgferry::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Faults {
    pub(super) rules: Vec<Rule>,
    pub(super) seed: Option<u64>,
}

impl Faults {
    /// Adds more, written the same way. A later seed replaces an earlier one.
    ///
    /// # Errors
    ///
    /// When a part is none of the forms above; the message names it, and the right form.
    pub fn and(mut self, text: &str) -> Result<Self> {
        for part in text.split([' ', ',', '\n', '\t']).filter(|part| !part.is_empty()) {
            if part.contains("://") {
                return Err(Error::refused("a URL stands where a fault is expected, such as status=503"));
            }
            let malformed = |reason: String| Error::refused(format!("in the fault {part:?}: {reason}"));
            if let Some(seed) = part.strip_prefix("seed=") {
                let seed = seed.parse().map_err(|_| malformed(format!("{seed:?} is no seed: write seed=7")))?;
                self.seed = Some(seed);
                continue;
            }
            self.rules.push(Rule::parse(part).map_err(malformed)?);
        }
        Ok(self)
    }

    /// Returns whether nothing goes wrong on purpose.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }
}

impl FromStr for Faults {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::default().and(text)
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rules, seed } = self;
        let seed = seed.map(|seed| format!("seed={seed}"));
        let parts: Vec<_> = rules.iter().map(ToString::to_string).chain(seed).collect();
        f.write_str(&parts.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_understood_and_shown() {
        for (text, shown) in [
            ("latency=50ms", "latency=50ms"),
            ("latency=50ms..0.2s@http", "latency=50ms..200ms@http"),
            ("status=503@5%", "status=503@5%"),
            ("status=too-many-connections,status=control-plane", "status=too-many-connections status=control-plane"),
            ("error=40001@every=10@first=30", "error=40001@first=30@every=10"),
            ("drop=during@0.5% hang=connect", "drop=during@0.5% hang=connect"),
            ("cold-start=3s/1m", "cold-start=3s/60s"),
            ("rate=64KiB/s@websocket seed=7", "rate=65536B/s@websocket seed=7"),
            ("seed=1 seed=2", "seed=2"),
            ("", ""),
        ] {
            let faults: Faults = text.parse().unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(faults.to_string(), shown);
            assert_eq!(shown.parse::<Faults>().ok(), Some(faults));
        }
    }

    #[test]
    fn a_url_in_the_wrong_place_is_not_repeated() {
        let error = "postgresql://app:sesame@localhost/app".parse::<Faults>().err();
        assert!(error.is_some_and(|error| error.message().contains("URL") && !error.message().contains("sesame")));
    }

    #[test]
    fn mistakes_are_named_with_the_right_form() {
        for (text, words) in [
            ("latency=fast", ["\"fast\"", "latency=50ms..200ms"]),
            ("latency=200ms..50ms", ["\"200ms..50ms\"", "latency=50ms"]),
            ("status=200", ["\"200\"", "status=503"]),
            ("status=503@5", ["\"5\"", "@5%"]),
            ("status=503@500%", ["\"500%\"", "100%"]),
            ("status=503@first=x", ["\"x\"", "@first=3"]),
            ("status=503@every=0", ["\"0\"", "@every=10"]),
            ("status=503@1%@2%", ["\"2%\"", "second"]),
            ("error=oops", ["\"oops\"", "error=40001"]),
            ("drop=sometimes", ["\"sometimes\"", "drop=during"]),
            ("hang", ["\"\"", "hang=before"]),
            ("drop=connect@http", ["drop=connect@http", "leave the condition out"]),
            ("cold-start=3s/0s", ["\"3s/0s\"", "cold-start=3s/60s"]),
            ("cold-start=3s@5%", ["cold-start=3s@5%", "no condition"]),
            ("rate=fast", ["\"fast\"", "rate=64KiB/s"]),
            ("seed=x", ["\"x\"", "seed=7"]),
            ("latency=1ms explode=now", ["\"explode\"", "cold-start"]),
        ] {
            let error = text.parse::<Faults>().err().unwrap_or_else(|| panic!("{text} was understood"));
            assert!(error.is_refused());
            for word in words {
                assert!(error.message().contains(word), "{text}: {}", error.message());
            }
        }
    }
}
