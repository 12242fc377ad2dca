//! `capture`: an aggregate's history and the command that failed become a fixture.

mod captured_failures;
mod dead_letter;
mod distinct;
mod first_replay;
mod given;
mod kinds;
mod recorded;
mod redaction;
mod report;
mod stimulus;
mod telling;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use clap::Args;

use super::{Done, Stop, say, words};
use crate::capture::{
    Assembled, CaptureError, CaseDialect, DialectKnowledge, EventQueries, Fetched, Labels, Parts,
    Persisted, RootSpec, RootSpecError, UpTo, assemble, case_path, fetch_history, find_root,
    inline_external, kept_unknown_fields, lost_unknown_fields,
};
use crate::fixture::{Fixture, Saved, render, write_atomically};
use crate::model::{
    AnsweredBy, Case, Cover, Domain, Edition, Fingerprints, Probe, Root, Status, Timestamp,
};
use crate::project::{CaseRun, Objects, OpenSource, Project, system_clock};
use crate::redact::{PriorRedaction, Suspect};
use crate::snapshot::stored;
use crate::wire::{Dialect, UnknownFields, unknown_in_command, unknown_in_page};
use captured_failures::CapturedFailures;
pub(super) use distinct::described;
pub(super) use given::{demand_some, read as read_log};
use redaction::Redacting;
use report::Report;
use telling::Telling;
pub(super) use telling::assumed_dialect;

/// Capture an aggregate's history, with the command that failed, into a fixture.
///
/// Reads only. The newest failure of the aggregate is taken from the source's failure log; --ticket, --from-log or
/// --command names another; without any, the case is of the history alone.
#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools, reason = "they are flags")]
pub(in crate::cli) struct CaptureArguments {
    /// The aggregate: UUID with or without dashes, its first digits, base64, or domain/uuid. A ticket and a log name it
    /// themselves.
    #[arg(required_unless_present_any = ["from_log", "each_distinct", "ticket", "correlation", "recorded", "recorded_root", "dead_letter"])]
    root: Option<String>,
    /// Domain of the aggregate.
    #[arg(long)]
    domain: Option<Domain>,
    /// Source in replay.toml; `embedded` is the built-in one.
    #[arg(long)]
    source: Option<String>,
    /// Edition; `main` where it is left out.
    #[arg(long)]
    edition: Option<String>,
    /// Last event that the command saw; -1 for none.
    #[arg(
        long,
        value_name = "SEQUENCE",
        allow_negative_numbers = true,
        conflicts_with = "as_of"
    )]
    to_sequence: Option<i64>,
    /// The history as it was at an instant, as in 2026-11-23T00:01:30Z.
    #[arg(long, value_name = "TIME")]
    as_of: Option<String>,
    /// Take the command from a failure ticket; without a line, the newest of the aggregate in the file, or of the file
    /// where no aggregate is named.
    #[arg(long, value_name = "FILE[:LINE]", conflicts_with = "command")]
    ticket: Option<String>,
    /// Take the command from a YAML or JSON file, `-` for standard input (see `cargo xtask command new`).
    #[arg(long, value_name = "FILE")]
    command: Option<PathBuf>,
    /// Take the newest failure from a log that holds other things too, `-` for standard input: a ticket, or the fields of
    /// a failure, which make a case of the history unless --command brings the command.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["ticket", "history"])]
    from_log: Option<PathBuf>,
    /// Take the command from a dead letter: an encoded `AngzarrDeadLetter`, or its number in the source's
    /// `DlqAdminService`, of which nothing is deleted or sent again.
    #[arg(long, value_name = "FILE|ID", conflicts_with_all = [
        "ticket", "command", "history", "from_log", "each_distinct", "persisted", "saga", "process_manager", "projector",
        "upcaster", "fact", "compensation", "correlation", "recorded", "recorded_root"
    ])]
    dead_letter: Option<String>,
    /// Capture one case for each distinct failure of the log: by domain, command, code and message.
    #[arg(long, conflicts_with_all = [
        "ticket", "command", "history", "name", "title", "to_sequence", "as_of", "persisted"
    ])]
    each_distinct: bool,
    /// How many events production stored for the command that it accepted, where the events do not tell; `unknown` for a
    /// command that was never sent.
    #[arg(long, value_name = "COUNT|unknown", value_parser = parse_persisted, conflicts_with = "history")]
    persisted: Option<PersistedArgument>,
    /// Who gave the failing answer: codes that are the transport's as a rule, such as `RESOURCE_EXHAUSTED`, are then taken
    /// for the logic's own.
    #[arg(long, value_name = "logic", value_parser = parse_answered_by, conflicts_with = "history")]
    answered_by: Option<AnsweredBy>,
    #[command(flatten)]
    kind: kinds::KindArguments,
    #[command(flatten)]
    recorded: recorded::RecordedArguments,
    /// Capture the history alone, whatever failed.
    #[arg(long, conflicts_with_all = ["ticket", "command"])]
    history: bool,
    /// Leave references to events that are stored elsewhere (claim check) as they are, instead of reading the events.
    #[arg(long)]
    keep_external: bool,
    /// Make today's outcome the expectation at once, for characterising.
    #[arg(long)]
    accept: bool,
    /// Folder of the fixtures, instead of the configured one.
    #[arg(long, value_name = "DIR")]
    fixtures: Option<PathBuf>,
    /// Name of the fixture without ending, instead of one made of type, root and head.
    #[arg(long)]
    name: Option<String>,
    /// Title of the case.
    #[arg(long)]
    title: Option<String>,
    /// Issue that the case belongs to.
    #[arg(long)]
    issue: Option<String>,
    /// Whether it is replayed twice to find fields that differ from run to run; never where effects forbid it.
    #[arg(long, value_name = "always|never", value_parser = parse_probe)]
    probe: Option<Probe>,
    /// Write nothing; print what would be written.
    #[arg(long)]
    dry_run: bool,
    /// Replace a different case of the same name; write a case whose outcome redaction changes.
    #[arg(long)]
    force: bool,
    /// Capture without redaction: secrets and personal data reach the file.
    #[arg(long)]
    unredacted: bool,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

impl CaptureArguments {
    /// The kind of case that is asked for, where it is another than a command's.
    fn asked_kind(&self) -> Option<kinds::AskedKind<'_>> {
        let asked = self.kind.asked();
        // With a log, the id of a workflow says which of its failures is meant.
        asked.filter(|kind| self.from_log.is_none() || !matches!(kind, kinds::AskedKind::Flow(_)))
    }

    /// Which of a log's failures are meant, by the correlation id of their command.
    fn correlation_in_log(&self) -> Option<&str> {
        self.from_log.as_ref()?;
        self.kind.correlation.as_deref()
    }

    fn answered_by(&self) -> AnsweredBy {
        self.answered_by.unwrap_or_default()
    }

    /// What is to be written with the case.
    fn labels(&self) -> Labels {
        Labels {
            title: self.title.clone(),
            issue: self.issue.clone(),
            is_accepted: self.accept,
            probe: self.probe,
        }
    }
}

/// Now, to the second.
fn captured_at() -> Timestamp {
    Timestamp {
        seconds: system_clock()().seconds,
        nanos: 0,
    }
}

/// How many events a command stored, as somebody says.
#[derive(Debug, Clone, Copy)]
enum PersistedArgument {
    Count(u32),
    Unknown,
}

fn parse_answered_by(text: &str) -> Result<AnsweredBy, String> {
    match text {
        "logic" => Ok(AnsweredBy::Logic),
        _ => Err("only `logic` can be said".into()),
    }
}

fn parse_persisted(text: &str) -> Result<PersistedArgument, String> {
    match text {
        "unknown" => Ok(PersistedArgument::Unknown),
        text => text
            .parse()
            .map(PersistedArgument::Count)
            .map_err(|_| "a number of events or `unknown` is expected".into()),
    }
}

fn parse_probe(text: &str) -> Result<Probe, String> {
    match text {
        "always" => Ok(Probe::Always),
        "never" => Ok(Probe::Never),
        _ => Err("always or never is expected".into()),
    }
}

pub(super) fn run(project: Project, arguments: &CaptureArguments) -> Done {
    let project = match &arguments.fixtures {
        Some(folder) => project.with_fixtures(folder),
        None => project,
    };
    up_to(arguments)?;
    edition(arguments)?;
    let given = match (
        recorded::find(&project, arguments)?,
        arguments.each_distinct,
    ) {
        (Some(recorded::Found::Captured), _) => return Ok(()),
        (Some(recorded::Found::Command(given)), _) => Some(*given),
        (None, true) => None,
        (None, false) => match dead_letter::find(&project, arguments)? {
            Some(given) => Some(given),
            None => match given::from_log(arguments)? {
                Some(given) => Some(given),
                None => given::from_ticket(arguments)?,
            },
        },
    };
    let spec = spec(arguments, given.as_ref())?;
    let domain = one_domain(
        arguments.domain.as_ref(),
        spec.as_ref().and_then(|spec| spec.domain.as_ref()),
    )?;
    let source_name = project.source_name(arguments.source.as_deref())?;
    let domain = match (&spec, project.config().sources.get(&source_name)) {
        (Some(spec), Some(config)) if domain.is_none() => {
            spec.only_domain(&source_name, config.domains(), || {
                failed(&project, &source_name)
            })?
        }
        _ => domain,
    };
    redaction::redactor(&project, &source_name, arguments.unredacted)?;
    if arguments.each_distinct {
        return distinct::run(&project, arguments, &source_name);
    }
    arguments.kind.check()?;
    let source = project.source(Some(&source_name), domain)?;
    let captured = capture_from(&project, arguments, &source, given.as_ref(), Naming::Plain);
    // A capture says it among the rest.
    captured.inspect_err(|stop| {
        let of_given = given.as_ref().map_or(&[][..], |given| &given.unusable);
        let mut lines = [&source.failures.unusable[..], of_given].concat();
        let stop = stop.to_string();
        lines.retain(|line| !stop.contains(line.as_str()));
        lines.dedup();
        super::tell_unusable(&lines);
    })?;
    Ok(())
}

/// Aggregates that the failure logs of a source name, as far as the logs can be read.
fn failed(project: &Project, source: &str) -> Vec<(Domain, Root)> {
    let failures = project.failures(Some(source)).unwrap_or_default();
    let logged = failures.entries.iter().map(|entry| &entry.logged);
    logged
        .filter_map(|logged| Some((logged.domain()?.clone(), logged.root())))
        .collect()
}

/// The aggregate that is meant, where one is named.
fn spec(
    arguments: &CaptureArguments,
    given: Option<&given::Given>,
) -> Result<Option<RootSpec>, RootSpecError> {
    match (given, &arguments.root) {
        (Some(given), _) => Ok(Some(given.spec())),
        (None, root) => root.as_deref().map(str::parse).transpose(),
    }
}

fn edition(arguments: &CaptureArguments) -> Result<Option<Edition>, Stop> {
    let edition = arguments.edition.as_deref().map(Edition::from_label);
    edition
        .transpose()
        .map_err(|error| Stop::Usage(error.to_string()))
}

/// Captures one aggregate of an open source; `given` is the failure, where a log names it.
fn capture_from(
    project: &Project,
    arguments: &CaptureArguments,
    source: &OpenSource,
    given: Option<&given::Given>,
    naming: Naming<'_>,
) -> Result<Finished, Stop> {
    let spec = match (spec(arguments, given)?, arguments.asked_kind()) {
        (Some(spec), _) => spec,
        (None, Some(kinds::AskedKind::Flow(id))) => {
            kinds::find_start(project, arguments, &source.name, id)?
        }
        (None, _) => {
            return Err(Stop::Usage(
                "name the aggregate: its root is missing".into(),
            ));
        }
    };
    let up_to = up_to(arguments)?;
    let edition = match (edition(arguments)?, given) {
        (Some(edition), _) => edition,
        (None, Some(given)) => given.logged.edition().clone(),
        (None, None) => Edition::Main,
    };
    let (domain, root) = find_root(&spec, &edition, &source.domains, &source.tickets)?;
    let queries = source.domains[&domain].as_ref();
    let cover = Cover {
        edition,
        ..Cover::main(domain, root)
    };
    let fetched = fetch(queries, &cover, up_to)?;
    if let Some(asked) = arguments.asked_kind() {
        let capture = kinds::KindCapture {
            project,
            arguments,
            source,
            queries,
            cover,
            fetched: &fetched,
        };
        return capture.run(&asked, naming);
    }
    let stimulus = stimulus::find(
        project,
        arguments,
        source,
        &cover,
        &fetched,
        queries.dialect(),
        given,
    )?;
    let is_of_source = arguments.each_distinct && arguments.from_log.is_none();
    let is_elsewhere = arguments.ticket.is_some() || (given.is_some() && !is_of_source);
    if let (Some(failing), true) = (&stimulus.failing, is_elsewhere) {
        redaction::demand_of_elsewhere(
            project,
            source,
            arguments.unredacted,
            &failing.command.cover,
            &stimulus.origin,
        )?;
    }
    if fetched.head == 0 && stimulus.failing.is_none() {
        return Err(nothing(&cover, queries, source).into());
    }
    let assembled = assemble(Parts {
        cover: &cover,
        fetched: &fetched,
        up_to,
        failing: stimulus.failing.as_ref(),
        noted: stimulus.noted.as_ref(),
        source: &source.name,
        dialect: source.spoken(queries),
        captured_at: captured_at(),
        labels: arguments.labels(),
    })?;
    project
        .unknown()
        .add(not_kept(&assembled, &fetched, &stimulus));
    let mut telling = Telling::default();
    telling.capture(&assembled, &fetched, &stimulus);
    telling.unusable(&unusable_lines(source, &stimulus));
    Capture {
        project,
        arguments,
        source,
        dialect: assembled.dialect,
        telling,
        naming,
        redacted_by: stimulus
            .failing
            .map(|failing| failing.redacted.by)
            .unwrap_or_default(),
        redacting: None,
        suspects: Vec::new(),
        unknown: UnknownFields::new(),
    }
    .finish(assembled.case, assembled.head)
}

/// Says that nothing is stored, and nothing failed.
fn nothing(cover: &Cover, queries: &dyn EventQueries, source: &OpenSource) -> CaptureError {
    CaptureError::Nothing {
        spec: format!(
            "{}/{} (edition {})",
            cover.domain,
            cover.root,
            cover.edition.label()
        ),
        place: queries.place(),
        tickets: source.tickets.len(),
    }
}

/// Lines that were passed over, in the source's logs and in the one that was named, which may be one of them.
fn unusable_lines(source: &OpenSource, stimulus: &stimulus::Found) -> Vec<String> {
    let known = &source.failures.unusable;
    let more = stimulus
        .unusable
        .iter()
        .filter(|line| !known.contains(line));
    known.iter().chain(more).cloned().collect()
}

/// Unknown fields of a command whose header was replaced, and of the pages that production stored, of which only the events
/// are kept.
fn not_kept(assembled: &Assembled, fetched: &Fetched, stimulus: &stimulus::Found) -> UnknownFields {
    let restamped = stimulus.failing.as_ref();
    let restamped = restamped.filter(|_| assembled.is_restamped);
    let mut unknown = restamped.map_or_else(UnknownFields::new, |failing| {
        unknown_in_command(&failing.command)
    });
    if let Some(Persisted::Known { events, .. }) = &assembled.persisted {
        let pages = fetched.history.pages().iter().chain(&fetched.later);
        let stored = pages.filter(|page| page.sequence >= assembled.head);
        unknown.extend(stored.take(events.len()).flat_map(unknown_in_page));
    }
    unknown
}

fn one_domain<'a>(
    flag: Option<&'a Domain>,
    spec: Option<&'a Domain>,
) -> Result<Option<&'a Domain>, Stop> {
    match (flag, spec) {
        (Some(flag), Some(spec)) if flag != spec => Err(Stop::Usage(format!(
            "the root names the domain `{spec}`, --domain names `{flag}`"
        ))),
        (flag, spec) => Ok(flag.or(spec)),
    }
}

fn up_to(arguments: &CaptureArguments) -> Result<UpTo, Stop> {
    match (arguments.to_sequence, &arguments.as_of) {
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

/// Fetches, with progress on a terminal.
fn fetch(queries: &dyn EventQueries, cover: &Cover, up_to: UpTo) -> Result<Fetched, Stop> {
    let bar = std::io::stderr()
        .is_terminal()
        .then(indicatif::ProgressBar::new_spinner);
    let fetched = fetch_history(queries, cover, up_to, &mut |pages| {
        if let Some(bar) = &bar {
            bar.set_message(format!(
                "reading {}/{}: {pages} events",
                cover.domain, cover.root
            ));
            bar.tick();
        }
    });
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    Ok(fetched?)
}

/// The second half: replayed, written, told.
struct Capture<'a> {
    project: &'a Project,
    arguments: &'a CaptureArguments,
    source: &'a OpenSource,
    dialect: CaseDialect,
    telling: Telling,
    naming: Naming<'a>,
    /// What redacted the call or the command before it was written, as far as that is known.
    redacted_by: Fingerprints,
    redacting: Option<Redacting>,
    suspects: Vec<Suspect>,
    /// Fields of a later revision that are not kept.
    unknown: UnknownFields,
}

/// How a case is named and told.
#[derive(Clone, Copy)]
enum Naming<'a> {
    /// Its own name, told in full.
    Plain,
    /// One of many: a failure that was captured before is left alone, a number is added where another case has its
    /// name, and the caller tells.
    Distinct(&'a CapturedFailures),
}

/// What became of a capture.
struct Finished {
    saved: &'static str,
    fixture: String,
    verdict: String,
    /// What to commit.
    files: Vec<String>,
    json: serde_json::Value,
    redacting: Option<Redacting>,
    unknown: UnknownFields,
    /// A dialect that had to be assumed.
    assumed: Option<Dialect>,
}

impl Capture<'_> {
    fn finish(mut self, mut case: Case, head: u32) -> Result<Finished, Stop> {
        // Before events join it that were stored elsewhere.
        let before = PriorRedaction::of_case(&case, &self.redacted_by);
        let kept = kept_unknown_fields(&case);
        if !self.arguments.keep_external && !self.source.keeps_external {
            let read = inline_external(
                &mut case,
                &Objects::of_environment(),
                self.project.config().file_limit,
            );
            let count = read.map_err(|error| self.without_values(&case, &error.to_string()))?;
            self.telling.inlined(count);
        }
        let case = self.redacted(case, before)?;
        self.unknown = self.project.unknown().take();
        self.unknown.append(&mut lost_unknown_fields(&kept, &case));
        self.telling.unknown(&self.unknown);
        if let Naming::Distinct(captured) = self.naming
            && let Some((path, existing)) = captured.of(&case)
            && !self.arguments.force
            && self.is_done(path, existing)
        {
            return Ok(self.tell(&Report::unchanged(self.project, path, existing), ""));
        }
        let name = match &self.arguments.name {
            Some(name) => file_name(name)?.to_owned(),
            None => case_path(&case, head),
        };
        let relative = self.free_place(&name, &case);
        let path = self.project.folder().root().join(&relative);
        if !self.arguments.dry_run {
            self.project.folder().tidy(&relative);
        }
        if let Some(existing) = self.captured_before(&path, &case) {
            return Ok(self.tell(&Report::unchanged(self.project, &path, &existing), ""));
        }
        let registry = self.project.registry_for(&case.source.dialect)?.clone();
        self.look_for_personal_data(&case);
        let case = self.with_what_people_wrote(&path, case);
        let mut fixture = Fixture {
            case,
            descriptors: registry.clone(),
            descriptors_hash: None,
        };
        let first = first_replay::replay(self.project, &mut fixture, &mut self.telling);
        let replied = first.as_ref().ok();
        if let Some(note) = replied.and_then(|run| run.checked.unknown_in_replies()) {
            self.telling.add("unknown", note.to_string());
        }
        let text = first.as_ref().ok().and_then(CaseRun::text);
        self.refuse_changed_outcome(&fixture)?;
        if self.arguments.accept && text.is_none() {
            let reason = first
                .err()
                .unwrap_or_else(|| "the logic offers nothing to compare".to_owned());
            return Err(Stop::Failed(format!(
                "there is no outcome to accept: {reason}; nothing is written"
            )));
        }
        let rendered = render(&fixture.case, &registry)?;
        self.telling.descriptors(
            &rendered.undescribed,
            &rendered.inexact,
            registry.left_out(),
        );
        let mut saved = "dry-run";
        if !self.arguments.dry_run {
            let before = std::fs::read(&path).ok();
            saved = match self
                .project
                .folder()
                .save(&rendered, &relative, self.arguments.force)?
            {
                Saved::New => "written",
                Saved::Replaced => "replaced",
                Saved::Unchanged => "unchanged",
            };
            if saved == "replaced" && fixture.case.status == Status::Open {
                discard_snapshot(&path)?;
            }
            if let (true, Some(text)) = (self.arguments.accept, &text) {
                accept(&path, text).inspect_err(|_| restore(&path, before.as_deref()))?;
            }
        }
        Ok(self.tell(
            &Report::of(self.project, &path, &fixture.case, saved, &first),
            &rendered.text,
        ))
    }

    /// Where the case goes: of many captures, two may have one name.
    fn free_place(&self, name: &str, case: &Case) -> PathBuf {
        let plain = PathBuf::from(format!("{name}.yaml"));
        if matches!(self.naming, Naming::Plain) || self.arguments.force {
            return plain;
        }
        let numbered = (2..).map(|number| PathBuf::from(format!("{name}-{number}.yaml")));
        let is_free = |relative: &PathBuf| {
            let path = self.project.folder().root().join(relative);
            !path.exists() || self.captured_before(&path, case).is_some()
        };
        std::iter::once(plain.clone())
            .chain(numbered)
            .find(is_free)
            .unwrap_or(plain)
    }

    /// An error that may repeat what the case holds, such as the address of an event.
    fn without_values(&self, case: &Case, error: &str) -> Stop {
        let is_unredacted = self.arguments.unredacted;
        let text = match redaction::redactor_of(self.project, self.source, is_unredacted) {
            Err(stop) => return stop,
            Ok(None) => error.to_owned(),
            Ok(Some(redactor)) => match redactor.redact_case(case) {
                Ok(redacted) => redactor.text_after(&redacted.report, error),
                Err(unreadable) => unreadable.to_string(),
            },
        };
        Stop::Failed(text)
    }

    /// Before anything of it is told or written.
    fn redacted(&mut self, mut case: Case, before: PriorRedaction) -> Result<Case, Stop> {
        let is_unredacted = self.arguments.unredacted;
        let redactor = redaction::redactor_of(self.project, self.source, is_unredacted)?;
        self.redacting = redaction::apply(redactor, &mut case, before, &mut self.telling)?;
        Ok(case)
    }

    /// Of the demonstration nothing is asked that nobody configured.
    fn look_for_personal_data(&mut self, case: &Case) {
        if self.redacting.is_some() || !self.source.is_embedded() {
            self.suspects = redaction::suspects(self.project, self.redacting.as_ref(), case);
            redaction::tell_suspects(&self.suspects, &mut self.telling);
        }
    }

    /// A case that redaction made another one is written only with --force.
    fn refuse_changed_outcome(&mut self, fixture: &Fixture) -> Done {
        let Some(redacting) = &self.redacting else {
            return Ok(());
        };
        let changed = redacting.changed_outcome(self.project, fixture, &mut self.telling);
        match changed {
            Some(changed) if !self.arguments.force => Err(Stop::Failed(format!(
                "{changed}; choose another action or form for the field (docs/redaction.md), or write the case all \
                 the same with --force; nothing is written"
            ))),
            Some(changed) => {
                self.telling.add("redaction", changed);
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// A forced capture of the same thing brings its bytes and views up to date, and keeps the rest.
    fn with_what_people_wrote(&self, path: &Path, case: Case) -> Case {
        let there = self
            .project
            .folder()
            .read(path)
            .ok()
            .map(|there| there.case);
        let is_same = |there: &Case| {
            (&there.cover, &there.history, &there.stimulus)
                == (&case.cover, &case.history, &case.stimulus)
        };
        let Some(there) = there.filter(is_same) else {
            return case;
        };
        let status = if self.arguments.accept {
            case.status
        } else {
            there.status
        };
        Case {
            status,
            title: match (&self.arguments.title, &self.redacting) {
                (Some(title), _) => title.clone(),
                // It may be of a time before the rules.
                (None, Some(redacting)) => redacting.text(&there.title),
                (None, None) => there.title,
            },
            issue: case.issue.clone().or(there.issue),
            logic: there.logic,
            probe: case.probe.or(there.probe),
            rules: there.rules,
            ..case
        }
    }

    /// The same capture, where it is there already and stays as it is.
    fn captured_before(&self, path: &Path, case: &Case) -> Option<Fixture> {
        let there = self.project.folder().read(path).ok()?;
        if self.arguments.force {
            return None;
        }
        (self.is_done(path, &there) && there.case.is_same_capture(case)).then_some(there)
    }

    /// Whether nothing is left to do. A capture that was interrupted before its snapshot was written is not done.
    fn is_done(&self, path: &Path, there: &Fixture) -> bool {
        !self.arguments.accept
            || (there.case.status == Status::Closed && Project::snapshot_path(path).exists())
    }

    fn tell(&mut self, report: &Report<'_>, text: &str) -> Finished {
        let mut finished = report.finished(self.source);
        for (key, value) in redaction::json(report.case, self.redacting.as_ref(), &self.suspects) {
            finished.json[key] = value;
        }
        let unknown = self.unknown.iter().map(ToString::to_string);
        finished.json["unknown_fields"] = unknown.collect();
        finished.json["dialect"] = self.dialect.dialect.name().into();
        let is_assumed = self.dialect.known == DialectKnowledge::Assumed;
        finished.json["dialect_assumed"] = is_assumed.into();
        if matches!(self.naming, Naming::Distinct(_)) {
            finished.redacting = self.redacting.take();
            finished.unknown = std::mem::take(&mut self.unknown);
            finished.assumed = is_assumed.then_some(self.dialect.dialect);
            return finished;
        }
        if self.arguments.json {
            say(&finished.json);
            return finished;
        }
        let cover = &report.case.cover;
        let source = if self.source.is_embedded() {
            "the embedded deployment"
        } else {
            &self.source.name
        };
        say(format_args!(
            "{} {}, edition {}, from {source}",
            cover.domain,
            cover.root,
            cover.edition.label()
        ));
        self.telling.print();
        report.print(text);
        finished
    }
}

/// A snapshot of the case that was there before would make the open one a closed one.
fn discard_snapshot(fixture: &Path) -> Done {
    for ending in ["snap", "snap.new"] {
        let path = fixture.with_extension(ending);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Stop::Failed(format!("{}: {error}", Project::shown(&path))));
            }
            _ => {}
        }
    }
    Ok(())
}

/// A closed case without its snapshot is half a case.
fn restore(path: &Path, before: Option<&[u8]>) {
    let _ = match before {
        Some(bytes) => write_atomically(path, bytes, true),
        None => std::fs::remove_file(path),
    };
}

/// A name becomes a file and a trial, both of which have signs of their own.
fn file_name(name: &str) -> Result<&str, Stop> {
    let name = name.strip_suffix(".yaml").unwrap_or(name);
    let is_plain = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && !part.contains(['@', ':', '\\', '*'])
            && !part.contains(char::is_control)
    };
    if name.split('/').all(is_plain) {
        return Ok(name);
    }
    Err(Stop::Usage(format!(
        "--name {name}: a path below the folder of fixtures is expected, as in player/my-case; no part of it begins \
         with a dot, and @ : * \\ are not for names"
    )))
}

fn accept(path: &Path, text: &str) -> Done {
    let failed = |error: std::io::Error| {
        let snapshot = Project::shown(&Project::snapshot_path(path));
        Stop::Failed(format!("{snapshot} cannot be written: {}", words(&error)))
    };
    stored::accept(path, text).map_err(failed)?;
    super::close::mark_closed(path)
}
