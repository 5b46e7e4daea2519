use http::{HeaderMap, HeaderName, HeaderValue};
use pgferry::http::wire::{
    ARRAY_MODE, BATCH_DEFERRABLE, BATCH_ISOLATION_LEVEL, BATCH_READ_ONLY, IsolationLevel, RAW_TEXT_OUTPUT,
};

use super::{fault::Fault, output::Mode};

/// What a request's headers choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Options {
    mode: Mode,
    pub(super) batch: Batch,
}

/// The characteristics of a batch's transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Batch {
    pub(super) isolation_level: Option<IsolationLevel>,
    pub(super) read_only: bool,
    pub(super) deferrable: bool,
}

impl Options {
    /// Takes them from the headers, of which all but the isolation level mean "no" when they are not exactly `true`.
    pub(super) fn from_headers(headers: &HeaderMap) -> Result<Self, Fault> {
        let is_true = |name: &str| headers.get(name).is_some_and(|value| value == "true");
        let isolation_level = match headers.get(BATCH_ISOLATION_LEVEL) {
            None => None,
            Some(value) => Some(value.to_str().ok().and_then(IsolationLevel::from_header_value).ok_or_else(|| {
                Fault::bad_request(format!(
                    "invalid isolation level: {BATCH_ISOLATION_LEVEL} takes ReadUncommitted, ReadCommitted, RepeatableRead or Serializable"
                ))
            })?),
        };
        Ok(Self {
            mode: Mode { raw: is_true(RAW_TEXT_OUTPUT), array: is_true(ARRAY_MODE) },
            batch: Batch {
                isolation_level,
                read_only: is_true(BATCH_READ_ONLY),
                deferrable: is_true(BATCH_DEFERRABLE),
            },
        })
    }

    /// The form of one query's rows; what its own entry says goes before the header.
    pub(super) fn mode(&self, array: Option<bool>) -> Mode {
        Mode { array: array.unwrap_or(self.mode.array), ..self.mode }
    }
}

impl Batch {
    /// The headers by which the answer of a batch repeats what was asked for.
    pub(super) fn headers(&self) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
        let yes = HeaderValue::from_static("true");
        [
            self.read_only.then(|| (HeaderName::from_static(BATCH_READ_ONLY), yes.clone())),
            self.deferrable.then(|| (HeaderName::from_static(BATCH_DEFERRABLE), yes.clone())),
            self.isolation_level.map(|level| {
                (HeaderName::from_static(BATCH_ISOLATION_LEVEL), HeaderValue::from_static(level.header_value()))
            }),
        ]
        .into_iter()
        .flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(headers: &[(&'static str, &'static str)]) -> Result<Options, Fault> {
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        Options::from_headers(&headers)
    }

    #[test]
    fn booleans_are_the_exact_word() {
        for word in ["TRUE", "false", "1", "true "] {
            let Ok(options) = options(&[(BATCH_READ_ONLY, word), (ARRAY_MODE, word)]) else { panic!("{word} refused") };
            assert_eq!(options.batch, Batch::default(), "{word}");
            assert!(!options.mode(None).array, "{word}");
        }
        let Ok(options) = options(&[(ARRAY_MODE, "true"), (RAW_TEXT_OUTPUT, "true")]) else { panic!("refused") };
        assert_eq!(options.mode(None), Mode { raw: true, array: true });
        assert_eq!(options.mode(Some(false)), Mode { raw: true, array: false });
    }

    #[test]
    fn batches_repeat_their_headers() {
        let Ok(options) = options(&[
            (BATCH_ISOLATION_LEVEL, "RepeatableRead"),
            (BATCH_READ_ONLY, "true"),
            (BATCH_DEFERRABLE, "false"),
        ]) else {
            panic!("refused")
        };
        let headers: Vec<_> = options.batch.headers().map(|(name, _)| name).collect();
        assert_eq!(headers, [BATCH_READ_ONLY, BATCH_ISOLATION_LEVEL]);
        assert_eq!(options.batch.isolation_level, Some(IsolationLevel::RepeatableRead));
        assert!(self::options(&[(BATCH_ISOLATION_LEVEL, "serializable")]).is_err());
    }
}
