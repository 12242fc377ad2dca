//! Progress of what takes longer than a second: counts, rate and an estimate, on standard error if it is a terminal.

use std::fmt;
use std::time::Duration;

use indicatif::{HumanBytes, HumanCount, HumanDuration, ProgressBar, ProgressState, ProgressStyle};

use super::one_line;
use super::width::cut;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Amount {
    Bytes,
    /// Things of this name, in the plural.
    Things(&'static str),
}

/// Shows progress. Shows nothing in the first second, and nothing if standard error is not a terminal.
pub(crate) struct Meter {
    bar: ProgressBar,
}

/// Time until progress is shown.
const QUIET: Duration = Duration::from_secs(1);

/// How often the line is drawn while nothing is reported.
const REDRAWN: Duration = Duration::from_millis(500);

/// Maximum width of the activity.
const WIDEST: usize = 40;

impl Meter {
    /// Begins an activity, such as `reading app.log`.
    pub(crate) fn new(activity: &str, amount: Amount) -> Self {
        let activity = cut(&one_line(activity), WIDEST).into_owned();
        let draw = move |state: &ProgressState, line: &mut dyn fmt::Write| {
            if state.elapsed() >= QUIET {
                let counted = Counted {
                    done: state.pos(),
                    of: state.len(),
                    per_second: state.per_sec(),
                    left: state.eta(),
                };
                let _ = write!(line, "{activity}: {}", counted.described(amount));
            }
        };
        let bar = ProgressBar::no_length();
        let style = ProgressStyle::with_template("{line}");
        let style = style.expect("the template is valid").with_key("line", draw);
        bar.set_style(style);
        if !bar.is_hidden() {
            bar.enable_steady_tick(REDRAWN);
        }
        Self { bar }
    }

    /// Sets how much is done, and of how much if that is known.
    pub(crate) fn set(&self, done: u64, of: Option<u64>) {
        if let Some(of) = of {
            self.bar.set_length(of);
        }
        self.bar.set_position(done);
    }

    /// Prints something without breaking the line that shows the progress.
    pub(crate) fn aside(&self, print: impl FnOnce()) {
        self.bar.suspend(print);
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// The progress of an activity.
#[derive(Debug, Clone, Copy)]
struct Counted {
    done: u64,
    of: Option<u64>,
    per_second: f64,
    left: Duration,
}

impl Counted {
    fn described(self, amount: Amount) -> String {
        let number = |count: u64| match amount {
            Amount::Bytes => HumanBytes(count).to_string(),
            Amount::Things(_) => HumanCount(count).to_string(),
        };
        let of = self.of.map(|of| format!(" of {}", number(of)));
        let name = match amount {
            Amount::Bytes => String::new(),
            Amount::Things(name) => format!(" {name}"),
        };
        let rate = self.rate(amount).map(|rate| format!(", {rate}/s"));
        let has_end = rate.is_some() && self.of.is_some_and(|of| of > self.done);
        let left = has_end.then(|| format!(", {} left", HumanDuration(self.left)));
        [Some(number(self.done)), of, Some(name), rate, left]
            .into_iter()
            .flatten()
            .collect()
    }

    /// The rate per second, if something has been done.
    fn rate(self, amount: Amount) -> Option<String> {
        let is_known = self.done > 0 && self.per_second.is_finite() && self.per_second > 0.0;
        is_known.then(|| match amount {
            Amount::Bytes => HumanBytes(whole(self.per_second)).to_string(),
            Amount::Things(_) if self.per_second < 10.0 => format!("{:.1}", self.per_second),
            Amount::Things(_) => HumanCount(whole(self.per_second)).to_string(),
        })
    }
}

/// A rate as a whole number.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rate is not negative, and far below the maximum"
)]
fn whole(rate: f64) -> u64 {
    rate.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGGREGATES: Amount = Amount::Things("aggregates");

    fn described(done: u64, of: Option<u64>, per_second: f64, amount: Amount) -> String {
        let counted = Counted {
            done,
            of,
            per_second,
            left: Duration::from_secs(150),
        };
        counted.described(amount)
    }

    #[test]
    fn counts_rate_and_estimate_are_shown_if_they_are_known() {
        for (text, expected) in [
            (
                described(1_200, Some(5_000), 33.4, AGGREGATES),
                "1,200 of 5,000 aggregates, 33/s, 3 minutes left",
            ),
            (
                described(3, Some(9), 0.25, AGGREGATES),
                "3 of 9 aggregates, 0.2/s, 3 minutes left",
            ),
            (described(0, Some(9), 0.0, AGGREGATES), "0 of 9 aggregates"),
            (
                described(9, Some(9), 5.0, AGGREGATES),
                "9 of 9 aggregates, 5.0/s",
            ),
            (
                described(40_960, None, 2_048.0, Amount::Things("events")),
                "40,960 events, 2,048/s",
            ),
            (
                described(1 << 20, Some(4 << 20), 2048.0, Amount::Bytes),
                "1.00 MiB of 4.00 MiB, 2.00 KiB/s, 3 minutes left",
            ),
        ] {
            assert_eq!(text, expected);
        }
    }
}
