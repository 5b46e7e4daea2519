use std::time::Duration;

/// The eighths of a character cell, from none to all.
const EIGHTHS: [&str; 9] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"];

/// A chart of one bar a line, each of which begins where the one before it ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chart {
    /// In cells.
    pub(super) width: usize,
    /// What the whole width stands for.
    pub(super) whole: Duration,
    pub(super) is_unicode: bool,
}

impl Chart {
    /// The bar of what lasts so long and begins so late.
    pub(super) fn bar(&self, start: Duration, length: Duration) -> String {
        let cells = |time: Duration| match self.whole.is_zero() {
            true => 0.0,
            false => (time.as_secs_f64() / self.whole.as_secs_f64()).clamp(0.0, 1.0) * self.width as f64,
        };
        if !self.is_unicode {
            let (from, to) = (cells(start).round() as usize, cells(start + length).round() as usize);
            let from = from.min(self.width.saturating_sub(1));
            return format!("{}{}", " ".repeat(from), "#".repeat(to.saturating_sub(from).max(1)));
        }
        // A bar begins with a whole cell, since there are no blocks that are empty on their left.
        let from = (cells(start) as usize).min(self.width.saturating_sub(1));
        let eighths = ((cells(start + length) - from as f64) * 8.0).round().max(1.0) as usize;
        format!("{}{}{}", " ".repeat(from), EIGHTHS[8].repeat(eighths / 8), EIGHTHS[eighths % 8])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(is_unicode: bool) -> Chart {
        Chart { width: 8, whole: Duration::from_millis(80), is_unicode }
    }

    fn ms(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    #[test]
    fn bars_follow_each_other() {
        let bars = [(0, 20), (20, 35), (55, 25)].map(|(start, length)| chart(true).bar(ms(start), ms(length)));
        assert_eq!(bars, ["██", "  ███▌", "     ███"]);
        let bars = [(0, 20), (20, 35), (55, 25)].map(|(start, length)| chart(false).bar(ms(start), ms(length)));
        assert_eq!(bars, ["##", "  ####", "      ##"]);
    }

    #[test]
    fn whatever_was_measured_is_within_the_width_and_seen() {
        for is_unicode in [true, false] {
            for (start, length) in [(0, 0), (80, 0), (80, 80), (500, 500), (79, 1)] {
                let bar = chart(is_unicode).bar(ms(start), ms(length));
                assert!(bar.chars().count() <= 8 && !bar.trim().is_empty(), "{start} {length}: {bar:?}");
            }
            let nothing = Chart { width: 0, whole: Duration::ZERO, is_unicode };
            assert!(nothing.bar(ms(1), ms(1)).chars().count() <= 1);
        }
    }
}
