//! `capture`: an aggregate's history and the command that failed become a fixture.

use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::{Done, Stop, say};
use crate::capture::ticket::Ticket;
use crate::capture::{
    EditionShape, EventQueries, FailingCommand, Fetched, RootSpec, UpTo, case_name, fetch_history,
    find_root, parse_draft, select_ticket, settle_head,
};
use crate::fixture::{
    Case, CaseStimulus, Fixture, HeadKnowledge, Observed, Probe, Provenance, Rule, Saved, Status,
    render,
};
use crate::model::{CommandBook, Cover, Domain, Edition, FailureClass, Payload, Timestamp};
use crate::project::{CaseRun, OpenSource, Project, read_tickets, run_case, system_clock};
use crate::replay::Target;
use crate::snapshot::{Rules, Verdict, differences, stored};
use crate::wire::Dialect;

/// Capture an aggregate's history, with the command that failed, into a fixture.
///
/// Reads only. The newest failure of the aggregate is taken from the source's failure log; --ticket or --command
/// names another command; without any, the case is of the history alone.
#[derive(Debug, Args)]
pub(super) struct CaptureArguments {
    /// The aggregate: UUID with or without dashes, its first digits, base64, or domain/uuid.
    root: String,
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
    /// Take the command from a failure ticket; without a line, the newest of the aggregate in the file.
    #[arg(long, value_name = "FILE[:LINE]", conflicts_with = "command")]
    ticket: Option<String>,
    /// Take the command from a YAML or JSON file, `-` for standard input (see `cargo xtask command new`).
    #[arg(long, value_name = "FILE")]
    command: Option<PathBuf>,
    /// Capture the history alone, whatever failed.
    #[arg(long, conflicts_with_all = ["ticket", "command"])]
    history: bool,
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
    /// Replace a different case of the same name.
    #[arg(long)]
    force: bool,
    /// Capture without redaction, which this version does not have: secrets would reach the file.
    #[arg(long)]
    unredacted: bool,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

fn parse_probe(text: &str) -> Result<Probe, String> {
    match text {
        "always" => Ok(Probe::Always),
        "never" => Ok(Probe::Never),
        _ => Err("always or never is expected".into()),
    }
}

/// Where the command came from, in words.
struct Stimulus {
    failing: Option<FailingCommand>,
    origin: String,
}

/// What is worth telling, line by line.
#[derive(Default)]
struct Telling {
    lines: Vec<(String, String)>,
}

impl Telling {
    fn add(&mut self, key: &str, text: impl Into<String>) {
        self.lines.push((key.to_owned(), text.into()));
    }

    fn print(&self) {
        for (key, text) in &self.lines {
            say(format_args!("  {key:<13}{text}"));
        }
    }
}

pub(super) fn run(project: Project, arguments: &CaptureArguments) -> Done {
    let project = match &arguments.fixtures {
        Some(folder) => project.with_fixtures(folder),
        None => project,
    };
    let spec: RootSpec = arguments.root.parse()?;
    let domain = one_domain(arguments.domain.as_ref(), spec.domain.as_ref())?;
    let source = project.source(arguments.source.as_deref(), domain)?;
    if !source.is_embedded() && !arguments.unredacted {
        return Err(Stop::Usage(format!(
            "source `{}` is not the embedded one: redaction is not built yet, so whatever its events hold would be \
             written to the fixture as it is; if that is acceptable, say --unredacted",
            source.name
        )));
    }
    let (domain, root) = find_root(&spec, &source.domains)?;
    let queries = source.domains[&domain].as_ref();
    let edition = arguments
        .edition
        .as_deref()
        .map_or(Ok(Edition::Main), Edition::from_label);
    let cover = Cover {
        edition: edition.map_err(|error| Stop::Usage(error.to_string()))?,
        ..Cover::main(domain, root)
    };

    let mut telling = Telling::default();
    let up_to = up_to(arguments)?;
    let fetched = fetch(queries, &cover, up_to)?;
    let stimulus = find_command(
        &project,
        arguments,
        &source,
        &cover,
        &fetched,
        queries.dialect(),
    )?;
    if fetched.head == 0 && fetched.history.pages().is_empty() && stimulus.failing.is_none() {
        return Err(Stop::Failed(format!(
            "nothing is stored for {}/{} (edition {}) at {}; an unknown root and an empty history look the same on \
             the wire; looked at the whole history, and at {} failures of the log",
            cover.domain,
            cover.root,
            cover.edition.label(),
            queries.place(),
            source.tickets.len()
        )));
    }
    let case = assemble(
        arguments,
        &source,
        &cover,
        &fetched,
        up_to,
        &stimulus,
        queries.dialect(),
        &mut telling,
    )?;
    Capture {
        project: &project,
        arguments,
        source: &source,
        telling,
    }
    .finish(case)
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

/// Fetches with progress on a terminal. The command may have seen less than what is there now; that is cut later,
/// so everything up to a given point is read.
fn fetch(queries: &dyn EventQueries, cover: &Cover, up_to: UpTo) -> Result<Fetched, Stop> {
    let bar = std::io::stderr().is_terminal().then(|| {
        let bar = indicatif::ProgressBar::new_spinner();
        bar.set_message(format!("reading {}/{}", cover.domain, cover.root));
        bar
    });
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

fn find_command(
    project: &Project,
    arguments: &CaptureArguments,
    source: &OpenSource,
    cover: &Cover,
    fetched: &Fetched,
    dialect: Dialect,
) -> Result<Stimulus, Stop> {
    if let Some(file) = &arguments.command {
        let (text, name) = read_command(file)?;
        let draft = parse_draft(&text, &name)?;
        let prefix = fetched
            .history
            .pages()
            .iter()
            .rev()
            .find_map(|page| page.body.event());
        let prefix = prefix.map_or_else(|| default_prefix(dialect), prefix_of);
        let book = draft.into_book(
            &name,
            project.registry()?,
            cover,
            fetched.history.next_sequence(),
            &prefix,
        )?;
        let failing = FailingCommand {
            command: book,
            failure: None,
            head: None,
        };
        return Ok(Stimulus {
            failing: Some(failing),
            origin: format!("from {name}"),
        });
    }
    if arguments.history {
        return Ok(Stimulus {
            failing: None,
            origin: "left out, as asked".into(),
        });
    }
    if let Some(asked) = &arguments.ticket {
        return ticket_asked_for(asked, cover);
    }
    let Some(selected) = select_ticket(&source.tickets, cover) else {
        let known = source.tickets.len();
        return Ok(Stimulus {
            failing: None,
            origin: format!("none among {known} failures is of this aggregate"),
        });
    };
    let others = match (selected.others.len(), selected.stale) {
        (0, 0) => "the only failure of this aggregate in the log".to_owned(),
        (others, 0) => format!(
            "the newest of {} failures of this aggregate in the log",
            others + 1
        ),
        (others, stale) => format!(
            "the newest of {} failures of this aggregate in the log ({stale} stale left aside)",
            others + 1
        ),
    };
    Ok(Stimulus {
        failing: Some(failing(selected.ticket)),
        origin: others,
    })
}

fn failing(ticket: &Ticket) -> FailingCommand {
    FailingCommand {
        command: ticket.command.clone(),
        failure: Some(ticket.failure.clone()),
        head: ticket.head,
    }
}

fn ticket_asked_for(asked: &str, cover: &Cover) -> Result<Stimulus, Stop> {
    let (file, line) = match asked.rsplit_once(':') {
        Some((file, line)) if !Path::new(asked).exists() => (file, line.parse::<usize>().ok()),
        _ => (asked, None),
    };
    let tickets = read_tickets(&[PathBuf::from(file)])?;
    if line.is_none() {
        let tickets: Vec<Ticket> = tickets.into_iter().map(|(_, ticket)| ticket).collect();
        let selected = select_ticket(&tickets, cover).ok_or_else(|| {
            Stop::Failed(format!(
                "{file}: none of its {} tickets is of {}/{}",
                tickets.len(),
                cover.domain,
                cover.root
            ))
        })?;
        return Ok(Stimulus {
            failing: Some(failing(selected.ticket)),
            origin: format!("from {file}"),
        });
    }
    let found = tickets
        .into_iter()
        .find(|(number, _)| Some(*number) == line);
    let (_, ticket) =
        found.ok_or_else(|| Stop::Failed(format!("{asked}: there is no ticket on that line")))?;
    let of = &ticket.command.cover;
    if (&of.domain, &of.root) != (&cover.domain, &cover.root) {
        return Err(Stop::Failed(format!(
            "{asked}: the ticket is of {}/{}, not of {}/{}",
            of.domain, of.root, cover.domain, cover.root
        )));
    }
    Ok(Stimulus {
        failing: Some(failing(&ticket)),
        origin: format!("from {asked}"),
    })
}

fn read_command(file: &Path) -> Result<(String, String), Stop> {
    if file == Path::new("-") {
        let mut text = String::new();
        let read = std::io::stdin().read_to_string(&mut text);
        read.map_err(|error| Stop::Failed(format!("cannot read standard input: {error}")))?;
        return Ok((text, "standard input".into()));
    }
    let name = file.display().to_string();
    let text = std::fs::read_to_string(file)
        .map_err(|error| Stop::Failed(format!("cannot read {name}: {error}")))?;
    Ok((text, name))
}

fn prefix_of(payload: &Payload) -> String {
    payload.type_url[..payload.type_url.len() - payload.type_name().len()].to_owned()
}

/// What the dialect's client libraries put before a type name.
fn default_prefix(dialect: Dialect) -> String {
    if dialect == Dialect::IO_ANGZARR_V1 {
        "/".into()
    } else {
        "type.googleapis.com/".into()
    }
}

#[allow(
    clippy::too_many_arguments,
    reason = "the parts of a case come from as many places"
)]
fn assemble(
    arguments: &CaptureArguments,
    source: &OpenSource,
    cover: &Cover,
    fetched: &Fetched,
    up_to: UpTo,
    stimulus: &Stimulus,
    dialect: Dialect,
    telling: &mut Telling,
) -> Result<Case, Stop> {
    let given = (up_to != UpTo::Head).then(|| match up_to {
        UpTo::Before(head) => head,
        UpTo::Time(_) | UpTo::Head => fetched.history.next_sequence(),
    });
    let (head, known) = match &stimulus.failing {
        Some(failing) => settle_head(failing, given, fetched.head, dialect),
        None if given.is_some() => (given.unwrap_or_default(), HeadKnowledge::Given),
        None => (fetched.head, HeadKnowledge::Current),
    };
    if head > fetched.head {
        return Err(Stop::Failed(format!(
            "the history has {} events, sequence {} is beyond its head {}; is the source behind, or the root another?",
            fetched.history.pages().len(),
            head - 1,
            fetched.head
        )));
    }
    let history = fetched.history.before(head);
    tell_history(telling, cover, &history, fetched);
    let command = stimulus
        .failing
        .as_ref()
        .map(|failing| restamp(failing, given.is_some(), head, telling));
    let failure = stimulus
        .failing
        .as_ref()
        .and_then(|failing| failing.failure.clone());
    tell_command(telling, command.as_ref(), &stimulus.origin);
    if let Some(failure) = &failure {
        telling.add(
            "production",
            format!("{} {:?}", failure.code, failure.message),
        );
    }
    telling.add("head", format!("{head}, {}", head_in_words(known)));
    let observed = failure.map(Observed::from_failure).transpose().map_err(|failure| {
        Stop::Failed(format!(
            "the failure is of the transport ({}: {:?}), not of the logic: there is nothing to reproduce",
            failure.code, failure.message
        ))
    })?;
    let stimulus = command.map_or(CaseStimulus::History, CaseStimulus::Command);
    let now = system_clock()();
    Ok(Case {
        status: if arguments.accept {
            Status::Closed
        } else {
            Status::Open
        },
        title: arguments
            .title
            .clone()
            .unwrap_or_else(|| title_of(&stimulus, cover, observed.as_ref())),
        issue: arguments.issue.clone(),
        source: Provenance {
            name: source.name.clone(),
            dialect: dialect.name().to_owned(),
            captured_at: Timestamp {
                seconds: now.seconds,
                nanos: 0,
            },
            head: known,
        },
        logic: None,
        probe: arguments.probe,
        cover: cover.clone(),
        snapshot: fetched
            .snapshot
            .clone()
            .filter(|snapshot| snapshot.sequence < head),
        history,
        stimulus,
        observed,
        rules: Vec::new(),
    })
}

/// A head that was given makes the command one for that head; otherwise it stays as it was sent.
fn restamp(
    failing: &FailingCommand,
    is_given: bool,
    head: u32,
    telling: &mut Telling,
) -> CommandBook {
    let is_stale = failing
        .failure
        .as_ref()
        .is_some_and(|failure| failure.class() == FailureClass::StaleSequence);
    if !is_given || is_stale || failing.command.expected_sequence() == Some(head) {
        return failing.command.clone();
    }
    telling.add(
        "",
        format!("the command's own header is replaced: it is sent for sequence {head} now"),
    );
    failing.command.restamped(head)
}

fn tell_history(
    telling: &mut Telling,
    cover: &Cover,
    history: &crate::model::History,
    fetched: &Fetched,
) {
    let pages = history.pages();
    let text = match (pages.first(), pages.last()) {
        (Some(first), Some(last)) => {
            let name = last
                .body
                .event()
                .map_or("a page without an event", Payload::type_name);
            let more = fetched.history.pages().len() - pages.len();
            let later = if more == 0 {
                String::new()
            } else {
                format!("; {more} later ones left out")
            };
            let events = if pages.len() == 1 {
                "1 event".to_owned()
            } else {
                format!("{} events", pages.len())
            };
            format!(
                "{events}, sequence {} to {}, last {name}{later}",
                first.sequence, last.sequence
            )
        }
        _ => "no events".to_owned(),
    };
    telling.add("history", text);
    let gaps = history.gaps();
    if !gaps.is_empty() {
        let gaps: Vec<String> = gaps
            .iter()
            .map(|(first, last)| format!("{first} to {last}"))
            .collect();
        telling.add(
            "",
            format!("gaps in the store, read twice: {}", gaps.join(", ")),
        );
    }
    let edition = cover.edition.label();
    match fetched.edition {
        EditionShape::Main => {}
        EditionShape::DivergesAt(at) => {
            telling.add("edition", format!("{edition} leaves main at sequence {at}"));
        }
        EditionShape::NothingOfItsOwn => telling.add(
            "edition",
            format!(
                "{edition} has no events of its own: what was read is main (is the name right?)"
            ),
        ),
    }
}

fn tell_command(telling: &mut Telling, command: Option<&CommandBook>, origin: &str) {
    match command {
        Some(command) => telling.add("command", format!("{}, {origin}", command.type_name())),
        None => telling.add(
            "command",
            format!("{origin}: this is a case of the history alone"),
        ),
    }
}

const fn head_in_words(known: HeadKnowledge) -> &'static str {
    match known {
        HeadKnowledge::Checked => "which the command's own header says and its coordinator checked",
        HeadKnowledge::Ticket => "as the ticket says",
        HeadKnowledge::Given => "as given",
        HeadKnowledge::Assumed => {
            "assumed: the head that the command saw is not known, this is today's (give it with --to-sequence)"
        }
        HeadKnowledge::Current => "today's",
    }
}

fn title_of(stimulus: &CaseStimulus, cover: &Cover, observed: Option<&Observed>) -> String {
    let CaseStimulus::Command(command) = stimulus else {
        return format!("History of {} {}", cover.domain, &cover.root.hex()[..8]);
    };
    let name = command.type_name().rsplit('.').next().unwrap_or_default();
    match observed.and_then(|observed| Some((observed.word(), observed.failure()?))) {
        Some((word, failure)) => format!("{name} {word}: {}", failure.message),
        None => name.to_owned(),
    }
}

/// The second half: replayed, written, told.
struct Capture<'a> {
    project: &'a Project,
    arguments: &'a CaptureArguments,
    source: &'a OpenSource,
    telling: Telling,
}

impl Capture<'_> {
    fn finish(mut self, case: Case) -> Done {
        if let Some(dialect) = self.source.assumed_dialect {
            let text = format!(
                "{dialect} assumed: older ones have the same package; `dialect` in replay.toml settles it"
            );
            self.telling.add("dialect", text);
        }
        let head = case.history.next_sequence();
        let name = self.arguments.name.clone().unwrap_or_else(|| {
            format!(
                "{}/{}",
                case.cover.domain,
                case_name(&case.stimulus, &case.cover, head)
            )
        });
        let relative = PathBuf::from(format!("{name}.yaml"));
        let path = self.project.folder().root().join(&relative);
        let existing = self
            .project
            .folder()
            .read(&path)
            .ok()
            .filter(|there| there.case.is_same_capture(&case));
        if let Some(existing) = existing.filter(|_| !self.arguments.accept) {
            return self.unchanged(&path, &existing);
        }
        let registry = self.project.registry()?.clone();
        let mut fixture = Fixture {
            case,
            descriptors: registry.clone(),
            descriptors_hash: None,
        };
        let first = self.replay(&mut fixture);
        let text = first.as_ref().ok().and_then(CaseRun::text);
        if let (true, None) = (self.arguments.accept, &text) {
            let reason = first
                .err()
                .unwrap_or_else(|| "the logic offers nothing to compare".to_owned());
            return Err(Stop::Failed(format!(
                "there is no outcome to accept: {reason}; nothing is written"
            )));
        }
        let rendered = render(&fixture.case, &registry)?;
        self.tell_descriptors(&rendered.undescribed, &rendered.inexact);
        let verdict = first
            .as_ref()
            .map_or_else(Clone::clone, |run| run.verdict.to_string());
        let mut saved = "dry-run";
        if !self.arguments.dry_run {
            saved = match self
                .project
                .folder()
                .save(&rendered, &relative, self.arguments.force)?
            {
                Saved::New => "written",
                Saved::Replaced => "replaced",
                Saved::Unchanged => "unchanged",
            };
            if let (true, Some(text)) = (self.arguments.accept, &text) {
                self.accept(&path, text)?;
            }
        }
        let report = Report {
            path: &path,
            case: &fixture.case,
            saved,
            verdict: &verdict,
            first: first.as_ref().ok(),
        };
        self.tell(&report, &rendered.text);
        Ok(())
    }

    fn accept(&self, path: &Path, text: &str) -> Done {
        let failed =
            |error: std::io::Error| Stop::Failed(format!("{}: {error}", Project::shown(path)));
        stored::accept(path, text).map_err(failed)?;
        super::close::mark_closed(path)
    }

    fn unchanged(self, path: &Path, existing: &Fixture) -> Done {
        let report = Report {
            path,
            case: &existing.case,
            saved: "unchanged",
            verdict: "captured before",
            first: None,
        };
        self.tell(&report, "");
        Ok(())
    }

    /// Replays the case, twice unless that is forbidden; fields that differ get a rule.
    fn replay(&mut self, fixture: &mut Fixture) -> Result<CaseRun, String> {
        let logics = self.project.logics();
        let logic = logics
            .of_case(&fixture.case)
            .map_err(|error| error.to_string())?;
        let Some(logic) = logic else {
            return Err(format!(
                "not checked: no logic is configured for the domain `{}`",
                fixture.case.cover.domain
            ));
        };
        let target = logics.target(&logic, &fixture.case.source.dialect);
        let target = target.map_err(|error| format!("not checked: {error}"))?;
        self.telling.add("replayed on", logic.describe());
        let first = self.once(fixture, target.as_ref())?;
        let probe = fixture.case.probe.unwrap_or(self.project.config().probe);
        if probe == Probe::Never {
            return Ok(first);
        }
        let second = self.once(fixture, target.as_ref())?;
        let rules = proposed_rules(&first, &second);
        if rules.is_empty() {
            return Ok(first);
        }
        for rule in &rules {
            self.telling.add(
                "rule",
                format!(
                    "{} of {} differs from run to run: left out",
                    rule.field, rule.type_pattern
                ),
            );
        }
        fixture.case.rules = rules;
        self.once(fixture, target.as_ref())
    }

    fn once(&self, fixture: &Fixture, target: &dyn Target) -> Result<CaseRun, String> {
        let project_rules = Rules::new(self.project.config().rules.clone());
        let own = Rules::new(fixture.case.rules.clone());
        run_case(self.project, fixture, target, &project_rules, &own, true)
            .map_err(|error| format!("not checked: {error}"))
    }

    fn tell_descriptors(&mut self, undescribed: &[String], inexact: &[String]) {
        if !undescribed.is_empty() {
            let names = undescribed.join(", ");
            self.telling.add(
                "descriptors",
                format!("missing for {names}: kept as bytes (add to `descriptors` in replay.toml)"),
            );
        }
        if !inexact.is_empty() {
            let names = inexact.join(", ");
            self.telling.add(
                "descriptors",
                format!("{names}: a view would not give the bytes back; both are kept"),
            );
        }
    }

    fn tell(&self, report: &Report<'_>, text: &str) {
        if self.arguments.json {
            return say(report.json(self.source));
        }
        let cover = &report.case.cover;
        say(format_args!(
            "{} {}, edition {}, from {}",
            cover.domain,
            cover.root,
            cover.edition.label(),
            if self.source.is_embedded() {
                "the embedded deployment"
            } else {
                &self.source.name
            }
        ));
        self.telling.print();
        report.print(text);
    }
}

/// What was made of a capture.
struct Report<'a> {
    path: &'a Path,
    case: &'a Case,
    saved: &'a str,
    verdict: &'a str,
    first: Option<&'a CaseRun>,
}

impl Report<'_> {
    fn print(&self, text: &str) {
        let fixture = Project::shown(self.path);
        if let Some(run) = self.first {
            say(format_args!("  {:<13}{}", "verdict", self.verdict));
            if let Verdict::NotReproduced { differences, .. } = &run.verdict {
                for difference in differences {
                    say(format_args!("  {:<13}{difference}", ""));
                }
            }
        } else {
            say(format_args!("  {:<13}{}", "verdict", self.verdict));
        }
        say("");
        match self.saved {
            "dry-run" => say(format_args!("would write {fixture}:\n\n{text}")),
            "unchanged" => say(format_args!(
                "unchanged {fixture} ({})",
                self.case.status.word()
            )),
            saved => say(format_args!(
                "{saved} {fixture} ({})",
                self.case.status.word()
            )),
        }
        let is_judged = self
            .first
            .is_some_and(|run| run.verdict == Verdict::Reproduced);
        let is_closed = self.case.status == Status::Closed;
        let next = match self.saved {
            "dry-run" => return,
            _ if is_closed => "cargo test".to_owned(),
            "unchanged" => format!("cargo xtask replay {fixture}"),
            _ if is_judged => {
                format!("cargo xtask replay {fixture}    # then fix the bug, and: cargo test")
            }
            _ if self.first.is_some() => format!(
                "cargo xtask replay {fixture}    # look; then accept: cargo xtask close {fixture}"
            ),
            _ => format!(
                "cargo xtask replay {fixture}    # once its logic is configured in replay.toml"
            ),
        };
        say(format_args!("next: {next}"));
    }

    fn json(&self, source: &OpenSource) -> serde_json::Value {
        let case = self.case;
        let failure = case.observed.as_ref().and_then(Observed::failure);
        let command = match &case.stimulus {
            CaseStimulus::Command(command) => Some(command.type_name()),
            CaseStimulus::History => None,
        };
        json!({
            "fixture": Project::shown(self.path),
            "result": self.saved,
            "status": case.status.word(),
            "kind": case.stimulus.word(),
            "source": source.name,
            "domain": case.cover.domain.as_str(),
            "root": case.cover.root.to_string(),
            "edition": case.cover.edition.label(),
            "events": case.history.pages().len(),
            "head": case.history.next_sequence(),
            "head_known": head_word(case.source.head),
            "command": command,
            "production": failure.map(|failure| json!({"code": failure.code.name(), "message": failure.message})),
            "verdict": self.verdict,
        })
    }
}

const fn head_word(known: HeadKnowledge) -> &'static str {
    match known {
        HeadKnowledge::Checked => "checked",
        HeadKnowledge::Ticket => "ticket",
        HeadKnowledge::Given => "given",
        HeadKnowledge::Assumed => "assumed",
        HeadKnowledge::Current => "current",
    }
}

/// A rule for each field of an event or state that differs between two runs.
fn proposed_rules(first: &CaseRun, second: &CaseRun) -> Vec<Rule> {
    let (Some(first), Some(second)) = (&first.view, &second.view) else {
        return Vec::new();
    };
    let mut rules: Vec<Rule> = Vec::new();
    for difference in differences(first, second) {
        let Some((type_name, field)) = typed_field(first, &difference.path) else {
            continue;
        };
        if !rules
            .iter()
            .any(|rule| rule.type_pattern == type_name && rule.field == field)
        {
            rules.push(Rule {
                type_pattern: type_name,
                field,
                reason: "differs from run to run".into(),
            });
        }
    }
    rules
}

/// `events[1].event.seats[2].since` of a view as the type of that event and `seats.since`.
fn typed_field(view: &serde_yaml::Value, path: &str) -> Option<(String, String)> {
    for key in [".event.", ".state.", "state.state."] {
        let Some((before, field)) = path.split_once(key) else {
            continue;
        };
        let holder = if key == "state.state." {
            view.get("state")?
        } else {
            at(view, before)?
        };
        let type_name = holder.get("type")?.as_str()?.to_owned();
        let field: Vec<&str> = field
            .split('.')
            .map(|part| part.split('[').next().unwrap_or(part))
            .collect();
        return Some((type_name, field.join(".")));
    }
    None
}

fn at<'a>(mut view: &'a serde_yaml::Value, path: &str) -> Option<&'a serde_yaml::Value> {
    for part in path.split('.').filter(|part| !part.is_empty()) {
        let (key, index) = part
            .split_once('[')
            .map_or((part, None), |(key, rest)| (key, Some(rest)));
        if !key.is_empty() {
            view = view.get(key)?;
        }
        if let Some(index) = index {
            view = view.get(index.trim_end_matches(']').parse::<usize>().ok()?)?;
        }
    }
    Some(view)
}
