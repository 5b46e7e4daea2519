use std::time::Duration;

/// The longest pause that is worth asking for.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Reads `50ms`, `1.5s` or `2m`; also what a [`Duration`] shows of itself.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let number = text.trim_end_matches(|letter: char| letter.is_alphabetic());
    let seconds = match text.get(number.len()..)? {
        "ns" => 1e-9,
        "us" | "µs" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    let duration = Duration::try_from_secs_f64(decimal(number)? * seconds).ok()?;
    (duration <= LONGEST).then_some(duration)
}

/// Reads `64KiB/s`, `10kB/s` or `500B/s`, in bytes a second.
pub(super) fn rate(text: &str) -> Option<u64> {
    let size = text.strip_suffix("/s")?;
    let number = size.trim_end_matches(|letter: char| letter.is_alphabetic());
    let unit: u64 = match size.get(number.len()..)? {
        "B" => 1,
        "kB" | "KB" => 1000,
        "KiB" => 1024,
        "MB" => 1_000_000,
        "MiB" => 1024 * 1024,
        _ => return None,
    };
    number.parse::<u32>().ok().and_then(|number| u64::from(number).checked_mul(unit)).filter(|rate| *rate > 0)
}

/// Reads `5%` or `0.1%`, as the number before the sign.
pub(super) fn percent(text: &str) -> Option<f64> {
    decimal(text.strip_suffix('%')?).filter(|percent| *percent <= 100.0)
}

/// Digits and at most one point: no sign, no exponent, no infinity.
fn decimal(text: &str) -> Option<f64> {
    text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.').then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit() {
        for (text, millis) in [("50ms", 50), ("1.5s", 1500), ("2m", 120_000), ("0ms", 0), ("24h", 86_400_000)] {
            assert_eq!(duration(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "5", "ms", "-1s", "1e3s", "infs", "25h", "1.2.3s", "1 s", "1d"] {
            assert_eq!(duration(text), None, "{text}");
        }
        let odd = Duration::from_nanos(1_234_567);
        assert_eq!(duration(&format!("{odd:?}")), Some(odd));
    }

    #[test]
    fn rates_are_whole_bytes_a_second() {
        for (text, bytes) in [("64KiB/s", 65_536), ("10kB/s", 10_000), ("500B/s", 500), ("1MiB/s", 1 << 20)] {
            assert_eq!(rate(text), Some(bytes), "{text}");
        }
        for text in ["", "/s", "64", "64KiB", "0B/s", "-1B/s", "1.5MB/s", "99999999999B/s"] {
            assert_eq!(rate(text), None, "{text}");
        }
    }

    #[test]
    fn percentages_end_at_a_hundred() {
        assert_eq!(percent("5%"), Some(5.0));
        assert_eq!(percent("100%"), Some(100.0));
        for text in ["", "%", "5", "101%", "-1%", "NaN%", "1e1%"] {
            assert_eq!(percent(text), None, "{text}");
        }
    }
}
