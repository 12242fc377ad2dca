//! The arguments of `capture`, under the headings of its help, and the request that they make.

mod failure;
mod flags;
mod kind;

use std::path::{Path, PathBuf};

use clap::Args;

use crate::capture::{Labels, RootSpec, UpTo};
use crate::capturing::CaptureRequest;
use crate::cli::Stop;
use crate::model::{Domain, Probe, Timestamp};
use crate::project::Project;
use failure::FailureArguments;
use kind::KindArguments;

/// Capture an aggregate's history, with the command that failed, into a fixture.
///
/// Reads only. Takes the newest failure of the aggregate from the source's failure log, unless a ticket, a log or a command
/// is named. Without any failure, the case is about the history alone.
#[derive(Debug, Args)]
pub(in crate::cli) struct CaptureArguments {
    /// The aggregate: UUID, its first digits, base64 or domain/uuid.
    ///
    /// A UUID may be written with or without dashes. A ticket and a log name the aggregate themselves.
    #[arg(required_unless_present_any = [
        "from_log", "each_distinct", "ticket", "correlation", "recorded", "recorded_root", "dead_letter", "from_bundle"
    ])]
    root: Option<String>,
    #[command(flatten, next_help_heading = "Which aggregate")]
    aggregate: AggregateArguments,
    #[command(flatten, next_help_heading = "Which failure")]
    failure: FailureArguments,
    #[command(flatten, next_help_heading = "Which kind of case")]
    kind: KindArguments,
    #[command(flatten, next_help_heading = "How much history")]
    history: HistoryArguments,
    #[command(flatten, next_help_heading = "How it is written")]
    written: WrittenArguments,
    #[command(flatten, next_help_heading = "Redaction")]
    redaction: RedactionArguments,
}

#[derive(Debug, Args)]
struct AggregateArguments {
    /// Domain of the aggregate.
    #[arg(hide_short_help = true, long)]
    domain: Option<Domain>,
    /// Source in replay.toml; `embedded` is the built-in one.
    #[arg(hide_short_help = true, long)]
    source: Option<String>,
    /// Edition; `main` by default.
    #[arg(hide_short_help = true, long)]
    edition: Option<String>,
}

#[derive(Debug, Args)]
struct HistoryArguments {
    /// Last event that the command saw; -1 for none.
    #[arg(
        hide_short_help = true,
        long,
        value_name = "SEQUENCE",
        allow_negative_numbers = true,
        conflicts_with = "as_of"
    )]
    to_sequence: Option<i64>,
    /// The history as it was at an instant, as in 2026-11-23T00:01:30Z.
    #[arg(hide_short_help = true, long, value_name = "TIME")]
    as_of: Option<String>,
    /// Keep references to external events (claim check), instead of reading the events.
    #[arg(hide_short_help = true, long)]
    keep_external: bool,
}

#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools, reason = "they are flags")]
struct WrittenArguments {
    /// Make today's outcome the expectation at once.
    ///
    /// For cases that characterise the logic.
    #[arg(long)]
    accept: bool,
    /// The failure is a rejection that is right: make it the expectation at once, counted apart.
    #[arg(hide_short_help = true, long, conflicts_with = "accept")]
    intended: bool,
    /// Folder of the fixtures, instead of the configured one.
    #[arg(hide_short_help = true, long, value_name = "DIR")]
    fixtures: Option<PathBuf>,
    /// Name of the fixture without ending, instead of one made of type, root and head.
    #[arg(hide_short_help = true, long)]
    name: Option<String>,
    /// Title of the case.
    #[arg(hide_short_help = true, long)]
    title: Option<String>,
    /// Issue that the case belongs to.
    #[arg(hide_short_help = true, long)]
    issue: Option<String>,
    /// Build that production ran: a version, tag or commit. Otherwise that of the ticket or log, if it says one.
    #[arg(hide_short_help = true, long, value_name = "REVISION")]
    revision: Option<String>,
    /// Whether to replay the case twice to find fields that differ from run to run; `never` if side effects forbid it.
    #[arg(hide_short_help = true, long, value_name = "always|never", value_parser = parse_probe)]
    probe: Option<Probe>,
    /// Write nothing; print what would be written.
    #[arg(long)]
    dry_run: bool,
    /// Write a bundle instead of a fixture, for `capture --from-bundle` on another machine; `-` is standard output.
    ///
    /// Nothing is replayed, so no logic is needed.
    #[arg(
        hide_short_help = true,
        long,
        value_name = "FILE",
        conflicts_with_all = ["accept", "intended", "fixtures", "name", "dry_run", "from_bundle", "each_distinct"]
    )]
    bundle: Option<PathBuf>,
    /// Replace a different case of the same name; write a case even if redaction changes its outcome.
    #[arg(hide_short_help = true, long)]
    force: bool,
    /// Print the result as JSON.
    #[arg(hide_short_help = true, long)]
    json: bool,
}

#[derive(Debug, Args)]
struct RedactionArguments {
    /// Capture without redaction: secrets and personal data reach the file.
    #[arg(hide_short_help = true, long)]
    unredacted: bool,
}

impl CaptureArguments {
    /// Whether there is to be a case for each distinct failure.
    pub(super) const fn is_of_each_distinct(&self) -> bool {
        self.failure.each_distinct
    }

    pub(super) const fn wants_json(&self) -> bool {
        self.written.json
    }

    /// Where the bundle goes, if there is to be one, and whether it may replace a file.
    pub(super) fn bundle(&self) -> Option<(&Path, bool)> {
        let file = self.written.bundle.as_deref()?;
        Some((file, self.written.force))
    }

    /// The request that the arguments make. The configuration knows the kind of a component.
    pub(super) fn request(&self, project: &Project) -> Result<CaptureRequest, Stop> {
        let CaptureArguments {
            root,
            aggregate,
            failure,
            kind,
            history,
            written,
            redaction,
        } = self;
        let up_to = history.up_to()?;
        let edition = crate::cli::edition(aggregate.edition.as_deref())?;
        let named = failure.recorded_root.as_ref().or(root.as_ref());
        let spec: Option<RootSpec> = named.map(|root| root.parse()).transpose()?;
        Ok(CaptureRequest {
            aggregate: spec,
            domain: aggregate.domain.clone(),
            source: aggregate.source.clone(),
            edition,
            up_to,
            kind: kind.requested(failure, project)?,
            correlation: kind.correlation.clone(),
            keeps_external: history.keep_external,
            labels: Labels {
                title: written.title.clone(),
                issue: written.issue.clone(),
                is_accepted: written.accept,
                is_intended: written.intended,
                probe: written.probe,
            },
            revision: written.revision.clone(),
            name: written.name.clone(),
            fixtures: written.fixtures.clone(),
            is_dry_run: written.dry_run,
            is_bundle: written.bundle.is_some(),
            is_forced: written.force,
            is_unredacted: redaction.unredacted,
        })
    }
}

impl HistoryArguments {
    fn up_to(&self) -> Result<UpTo, Stop> {
        match (self.to_sequence, &self.as_of) {
            (Some(last), _) => {
                let head = last
                    .checked_add(1)
                    .and_then(|head| u32::try_from(head).ok());
                head.map(UpTo::Before)
                    .ok_or_else(|| Stop::Usage(format!("--to-sequence {last} is no sequence")))
            }
            (None, Some(text)) => {
                let instant: jiff::Timestamp = text.parse().map_err(|_| {
                    Stop::Usage(format!(
                        "--as-of {text}: an instant such as 2026-11-23T00:01:30Z is expected"
                    ))
                })?;
                Ok(UpTo::Time(Timestamp {
                    seconds: instant.as_second(),
                    nanos: instant.subsec_nanosecond(),
                }))
            }
            (None, None) => Ok(UpTo::Head),
        }
    }
}

fn parse_probe(text: &str) -> Result<Probe, String> {
    match text {
        "always" => Ok(Probe::Always),
        "never" => Ok(Probe::Never),
        _ => Err("always or never is expected".into()),
    }
}
