//! What a run of the harness was asked to do: the arguments of libtest, as `cargo test` and nextest pass them on, and ours.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::{Args, Parser, ValueEnum};
use libtest_mimic::{Arguments, ColorSetting, FormatSetting};

use crate::terminal::Colours;

/// Replay every case and compare its outcome with the accepted one.
#[allow(clippy::struct_excessive_bools, reason = "they are flags")]
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct TestArguments {
    /// Replay the cases whose names contain one of these; or a FIXTURE as other commands take it: a file, a folder, a
    /// pattern in quotes.
    #[arg(value_name = "FILTER")]
    pub(crate) filters: Vec<String>,
    /// Take a FILTER as a whole name.
    #[arg(long)]
    pub(crate) exact: bool,
    /// Leave out the cases whose names contain this.
    #[arg(long, value_name = "FILTER")]
    pub(crate) skip: Vec<String>,
    /// Replay the i-th of n equal parts, to share the cases between jobs.
    #[arg(long, value_name = "I/N")]
    pub(crate) shard: Option<Shard>,
    /// Replay only the cases that failed in the last run; all where none did.
    #[arg(long)]
    pub(crate) last_failed: bool,
    /// Replay again whenever a fixture, a snapshot, the configuration or a file of the logic changes, until Ctrl+C.
    #[arg(long, conflicts_with = "list")]
    pub(crate) watch: bool,
    /// Start no further case after one has failed.
    #[arg(long)]
    pub(crate) fail_fast: bool,
    /// First delete snapshots, descriptor sets and histories that no fixture uses, as `clean` does.
    #[arg(long)]
    pub(crate) delete_orphans: bool,
    /// Compile the descriptors, even if an earlier run has kept them.
    #[arg(long)]
    pub(crate) no_cache: bool,
    /// Write the results as JUnit XML.
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
    /// List the cases and replay none.
    #[arg(long)]
    pub(crate) list: bool,
    /// Replay only the cases that are left out.
    #[arg(long)]
    pub(crate) ignored: bool,
    /// Replay also the cases that are left out.
    #[arg(long)]
    pub(crate) include_ignored: bool,
    /// Cases that are replayed at once.
    #[arg(long, value_name = "N")]
    pub(crate) test_threads: Option<usize>,
    /// Shape of the output.
    #[arg(long, value_enum, conflicts_with = "quiet")]
    format: Option<Format>,
    /// One letter for each case, as `--format terse`.
    #[arg(short, long)]
    quiet: bool,
    /// Colours in the output.
    #[arg(long, value_enum, value_name = "WHEN")]
    pub(super) color: Option<Colours>,
    /// Write the output to a file.
    #[arg(long, value_name = "PATH")]
    logfile: Option<String>,
    /// For callers of libtest; each case is a test.
    #[arg(long, hide = true)]
    test: bool,
    /// For callers of libtest; no case is a benchmark.
    #[arg(long, hide = true, conflicts_with = "test")]
    bench: bool,
    /// For callers of libtest; nothing is captured.
    #[arg(long, hide = true)]
    nocapture: bool,
    /// For callers of libtest; nothing is captured.
    #[arg(long, hide = true)]
    show_output: bool,
    /// For callers of libtest; nothing here is unstable.
    #[arg(short = 'Z', hide = true, value_name = "FLAG")]
    unstable: Vec<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Pretty,
    Terse,
    Json,
}

/// The whole command line of a test target.
#[derive(Debug, Parser)]
#[command(
    name = "cargo test --test replay --",
    bin_name = "cargo test --test replay --"
)]
pub(crate) struct HarnessCommandLine {
    #[command(flatten)]
    pub(crate) arguments: TestArguments,
}

impl TestArguments {
    /// Libtest's part. Several filters are applied before libtest sees the cases: it takes one.
    pub(crate) fn libtest(&self) -> Arguments {
        let filter = match self.filters.as_slice() {
            [filter] if !is_fixture(filter) => Some(filter.clone()),
            _ => None,
        };
        Arguments {
            exact: self.exact && filter.is_some(),
            filter,
            skip: self.skip.clone(),
            list: self.list,
            ignored: self.ignored,
            include_ignored: self.include_ignored,
            test: self.test,
            bench: self.bench,
            nocapture: self.nocapture,
            test_threads: self.test_threads,
            quiet: self.quiet,
            logfile: self.logfile.clone(),
            format: self.format.map(|format| match format {
                Format::Pretty => FormatSetting::Pretty,
                Format::Terse => FormatSetting::Terse,
                Format::Json => FormatSetting::Json,
            }),
            color: self.color.map(|color| match color {
                Colours::Auto => ColorSetting::Auto,
                Colours::Always => ColorSetting::Always,
                Colours::Never => ColorSetting::Never,
            }),
            ..Arguments::default()
        }
    }

    /// Whether every case is replayed, so that what never fired or is nowhere used can be told.
    pub(crate) fn is_whole(&self) -> bool {
        self.filters.is_empty()
            && self.skip.is_empty()
            && self.shard.is_none()
            && !self.last_failed
            && !self.ignored
    }
}

/// Whether a filter is a FIXTURE rather than a part of a name: no name of a case has these letters.
pub(super) fn is_fixture(filter: &str) -> bool {
    filter.contains(['/', '*', '\\'])
        || Path::new(filter).extension().is_some_and(|it| it == "yaml")
}

/// One of several equal parts of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shard {
    /// From 1 to `of`.
    index: usize,
    of: usize,
}

impl Shard {
    /// Whether the case at a place in the sorted list belongs to this part.
    pub(super) const fn has(self, place: usize) -> bool {
        place % self.of == self.index - 1
    }
}

/// A text that names no part of a run.
#[derive(Debug, thiserror::Error)]
#[error("a part is I/N with I from 1 to N, such as 1/3")]
pub(crate) struct NotAShard;

impl FromStr for Shard {
    type Err = NotAShard;

    fn from_str(text: &str) -> Result<Self, NotAShard> {
        let (index, of) = text.split_once('/').ok_or(NotAShard)?;
        let number = |text: &str| text.parse::<usize>().map_err(|_| NotAShard);
        let shard = Self {
            index: number(index)?,
            of: number(of)?,
        };
        if (1..=shard.of).contains(&shard.index) {
            Ok(shard)
        } else {
            Err(NotAShard)
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_share_out_every_place_once() {
        let parts = ["1/3", "2/3", "3/3"].map(|text| text.parse::<Shard>().expect("a part"));
        for place in 0..10 {
            assert_eq!(parts.iter().filter(|part| part.has(place)).count(), 1);
        }
        for text in ["0/3", "4/3", "1", "1/0", "a/b", "-1/2"] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }
}
