//! A whole workflow, gathered from all domains.

use super::{KindCapture, NotedCase, told_book, told_span};
use crate::capture::workflow::{Share, began_at, gather, observed_hops};
use crate::capture::{
    CaptureError, CaseDialect, CaseParts, CutBook, FailingCommand, Fetched, RootPart, RootSpec,
    Span, UpTo, assemble, cut, fetch_history,
};
use crate::capturing::Stop;
use crate::capturing::captured_at;
use crate::capturing::redaction::{demand_of_elsewhere, redactor_of};
use crate::capturing::request::{CaptureRequest, FailureOrigin};
use crate::capturing::stimulus;
use crate::capturing::telling::Telling;
use crate::fixture::Fixture;
use crate::model::{
    Case, CaseStimulus, Cover, Domain, Edition, Fingerprints, FlowCase, FlowStart, HeadKnowledge,
    Observed, Page, Probe, Root, Trigger,
};
use crate::project::{Checked, OpenSource, Project};
use crate::redact::RedactError;
use crate::replay::flow::FlowNote;
use crate::ticket::Ticket;
use crate::wire::{unknown_in_command, unknown_in_page};

/// The aggregate at which a workflow began, where the command line names none.
pub(in crate::capturing) fn find_start(
    project: &Project,
    request: &CaptureRequest,
    source_name: &str,
    id: &str,
) -> Result<RootSpec, Stop> {
    let source = project.source(Some(source_name), None)?;
    let edition = request.edition.clone().unwrap_or(Edition::Main);
    let shares = gather(&source.domains, id, &edition)?;
    let start = began_at(&shares, id)?;
    Ok(RootSpec {
        domain: Some(start.cover.domain.clone()),
        root: RootPart::Full(start.cover.root),
    })
}

/// How often a replay may reach further aggregates.
const ROUNDS: usize = 8;

/// How the flow begins, and what of its first book is left.
struct Beginning {
    case: Case,
    head: u32,
    /// Pages of the first book that came after.
    after: Vec<Page>,
    /// The page that tells when it began, where it begins with one.
    first: Option<Page>,
    /// What redacted its command before.
    redacted_by: Fingerprints,
    dialect: CaseDialect,
}

impl KindCapture<'_> {
    pub(super) fn flow(&self, id: &str, telling: &mut Telling) -> Result<NotedCase, Stop> {
        let everywhere = self.project.source(Some(&self.source.name), None)?;
        let shares = gather(&everywhere.domains, id, &self.cover.edition)?;
        let (own, others): (Vec<&Share>, Vec<&Share>) = shares
            .iter()
            .partition(|share| share.cover.is_same_stream(&self.cover));
        let own: &[Page] = own.first().map_or(&[], |share| &share.pages);
        let beginning = self.begin(id, own, &everywhere, telling)?;
        let books = self.other_books(&everywhere, &others, beginning.first.as_ref())?;
        for (position, book) in books.iter().enumerate() {
            let key = if position == 0 { "books" } else { "" };
            let on = match book.after.len() {
                0 => String::new(),
                1 => "; production went on with 1 event".to_owned(),
                count => format!("; production went on with {count} events"),
            };
            telling.add(key, format!("{}{on}", told_book(book)));
        }
        let redactor = redactor_of(self.project, self.source, self.request.is_unredacted)?;
        let tickets = everywhere
            .tickets
            .iter()
            .filter(|ticket| ticket.command.cover.correlation_id == id)
            .map(|ticket| match &redactor {
                None => Ok(ticket.clone()),
                // Only their failures get into the case, which knows nothing of what their commands declare.
                Some(redactor) => Ok(Ticket {
                    failure: redactor.ticket(ticket)?.failure,
                    ..ticket.clone()
                }),
            });
        let tickets: Vec<Ticket> = tickets
            .collect::<Result<_, RedactError>>()
            .map_err(|error| Stop::Failed(error.to_string()))?;
        if redactor.is_some() {
            // What is reached is found out with what was captured.
            self.project.logics().hush();
        }
        // Of what production stored only the events are kept.
        let stored = beginning.after.iter();
        let stored = stored.chain(books.iter().flat_map(|book| &book.after));
        let unknown = self.project.unknown();
        unknown.add(stored.flat_map(unknown_in_page).collect());
        let hops = observed_hops((&self.cover, &beginning.after), &books, &tickets);
        if others
            .iter()
            .any(|share| share.cover.domain == self.cover.domain)
        {
            let hint =
                "several flows may share one correlation id: --book names the books of this one";
            telling.add("", hint);
        }
        let mut case = beginning.case;
        if let CaseStimulus::Flow(flow) = &mut case.stimulus {
            flow.books = books.into_iter().map(|cut| cut.book).collect();
        }
        if !hops.is_empty() {
            case.observed = Some(Observed::Flow(hops));
        }
        for note in self.project.unsubscribed() {
            telling.add("left out", note);
        }
        self.add_what_is_reached(&mut case, &everywhere, telling)?;
        Ok(NotedCase {
            case,
            head: beginning.head,
            redacted_by: beginning.redacted_by,
            dialect: beginning.dialect,
        })
    }

    /// The books of aggregates that the flow reaches today, and that nothing of the workflow named: it may have been
    /// refused there. They are taken as they are now.
    fn add_what_is_reached(
        &self,
        case: &mut Case,
        everywhere: &OpenSource,
        telling: &mut Telling,
    ) -> Result<(), Stop> {
        if self.project.probe_of(case) == Probe::Never {
            telling.add(
                "reached",
                "not looked for, as `probe` forbids a second replay: --book names the books that are missing",
            );
            return Ok(());
        }
        for _ in 0..ROUNDS {
            let mut found = Vec::new();
            for cover in self.reached(case) {
                if !everywhere.domains.contains_key(&cover.domain) {
                    continue;
                }
                let cover = self.of_stream(&cover.domain, cover.root);
                let fetched = self.fetch_other(everywhere, &cover)?;
                if fetched.head == 0 {
                    continue;
                }
                let cover = Cover {
                    correlation_id: String::new(),
                    ..cover
                };
                let book = cut(cover, &fetched, &[], None, None);
                telling.add(
                    "reached",
                    format!("{}; the flow comes to it today", told_book(&book)),
                );
                found.push(book.book);
            }
            let CaseStimulus::Flow(flow) = &mut case.stimulus else {
                return Ok(());
            };
            if found.is_empty() {
                return Ok(());
            }
            flow.books.extend(found);
        }
        Ok(())
    }

    /// Streams that a replay of the flow misses the books of; none where it cannot be replayed, which the first replay
    /// tells.
    fn reached(&self, case: &Case) -> Vec<Cover> {
        let Ok(registry) = self.project.registry_for(&case.source.dialect) else {
            return Vec::new();
        };
        let fixture = Fixture {
            case: case.clone(),
            descriptors: registry.clone(),
            descriptors_hash: None,
        };
        let logics = self.project.logics();
        let Ok(Some(logic)) = logics.of_case(case) else {
            return Vec::new();
        };
        let run = logics
            .target(&logic, &case.source.dialect)
            .ok()
            .and_then(|target| self.project.run_case(&fixture, target.as_ref(), false).ok());
        let Some(Checked::Flow(run)) = run.map(|run| run.checked) else {
            return Vec::new();
        };
        let mut missing: Vec<Cover> = Vec::new();
        for note in run.steps.iter().flat_map(|step| &step.notes) {
            if let FlowNote::BookMissing { cover } = note
                && !missing.iter().any(|known| known.is_same_stream(cover))
            {
                missing.push(cover.clone());
            }
        }
        missing
    }

    /// With a command where one is given, else with the first event that is named or carries the correlation id.
    fn begin(
        &self,
        id: &str,
        own: &[Page],
        everywhere: &OpenSource,
        telling: &mut Telling,
    ) -> Result<Beginning, Stop> {
        let request = self.request;
        if let FailureOrigin::Written { .. } | FailureOrigin::Ticket(_) = &request.failure {
            let found = stimulus::find(
                self.project,
                request,
                everywhere,
                &self.cover_alone(),
                self.fetched,
                self.queries.dialect(),
                None,
            )?;
            if let Some(failing) = &found.failing {
                if request.failure.is_ticket() {
                    demand_of_elsewhere(
                        self.project,
                        everywhere,
                        request.is_unredacted,
                        &failing.command.cover,
                        &found.origin,
                    )?;
                }
                return self.begin_with(failing, &found.origin, id, own, telling);
            }
        }
        let span = match (request.kind.at(), own.first()) {
            (Some(span), _) => span,
            (None, Some(first)) => Span {
                first: first.sequence,
                last: first.sequence,
            },
            (None, None) => {
                return Err(CaptureError::NoStart {
                    aggregate: format!("{}/{}", self.cover.domain, self.cover.root),
                    id: id.to_owned(),
                }
                .into());
            }
        };
        let (span, rule) =
            crate::capture::find_trigger(&self.fetched.history, Some(span), &|_| true, false)?;
        let start = FlowStart::Events(Trigger {
            from: span.first,
            with_history: false,
        });
        let stimulus = CaseStimulus::Flow(FlowCase {
            start,
            books: Vec::new(),
        });
        let case = self.case(
            span.last + 1,
            crate::capture::knowledge(rule),
            None,
            stimulus,
            None,
        );
        self.tell(&case, telling, &[]);
        let how = if request.kind.at().is_some() {
            "as given"
        } else {
            "the first with the correlation id (a command with --command or --ticket goes before)"
        };
        telling.add("begins", format!("with {}, {how}", told_span(span)));
        let pages = self.fetched.history.pages().iter();
        Ok(Beginning {
            redacted_by: Fingerprints::new(),
            dialect: self.dialect(),
            head: span.first,
            first: pages
                .clone()
                .find(|page| page.sequence == span.first)
                .cloned(),
            after: own
                .iter()
                .filter(|page| page.sequence > span.last)
                .cloned()
                .collect(),
            case,
        })
    }

    fn begin_with(
        &self,
        failing: &FailingCommand,
        origin: &str,
        id: &str,
        own: &[Page],
        telling: &mut Telling,
    ) -> Result<Beginning, Stop> {
        // What production stored is found by the correlation id here, hop by hop.
        let spoken = self.source.spoken(self.queries);
        let settled = CaseDialect::settle(spoken, failing.dialect)?;
        let read = failing.read_in(settled.dialect);
        let mut failing = FailingCommand {
            accepted: None,
            ..read.map_err(CaptureError::from)?
        };
        if failing.command.cover.correlation_id != id {
            id.clone_into(&mut failing.command.cover.correlation_id);
            self.project
                .unknown()
                .add(unknown_in_command(&failing.command));
            failing.command.original = None;
        }
        let up_to = match (self.request.up_to, own.first()) {
            (given @ UpTo::Before(_), _) => given,
            (_, Some(first)) => UpTo::Before(first.sequence),
            (_, None) => UpTo::Head,
        };
        let assembled = assemble(CaseParts {
            cover: &self.cover,
            fetched: self.fetched,
            up_to,
            failing: Some(&failing),
            noted: None,
            source: &self.source.name,
            dialect: spoken,
            captured_at: captured_at(),
            labels: self.request.labels.clone(),
        })?;
        if assembled.is_restamped {
            self.project
                .unknown()
                .add(unknown_in_command(&failing.command));
        }
        let mut case = assembled.case;
        case.stimulus = match case.stimulus {
            CaseStimulus::Command(command) => CaseStimulus::Flow(FlowCase {
                start: FlowStart::Command(command),
                books: Vec::new(),
            }),
            other => other,
        };
        case.observed = None;
        self.tell_history(&case, telling, &[]);
        telling.dialect(settled);
        let name = failing.command.type_name();
        telling.add("begins", format!("with {name}, {origin}"));
        let how = match (self.request.up_to, own.first(), case.source.head) {
            (UpTo::Before(_), _, _) => "as given",
            (_, Some(_), _) => "its first event with the correlation id comes there",
            (_, None, HeadKnowledge::Checked) => {
                "which the command's own header says and its coordinator checked"
            }
            (_, None, _) => "assumed: today's (give it with --to-sequence)",
        };
        telling.add("head", format!("{}, {how}", assembled.head));
        Ok(Beginning {
            redacted_by: failing.redacted.by,
            dialect: settled,
            head: assembled.head,
            first: own.first().cloned(),
            after: own
                .iter()
                .filter(|page| page.sequence >= assembled.head)
                .cloned()
                .collect(),
            case,
        })
    }

    /// The books of the other aggregates that have a part in the workflow, and those that somebody named.
    fn other_books(
        &self,
        everywhere: &OpenSource,
        others: &[&Share],
        first: Option<&Page>,
    ) -> Result<Vec<CutBook>, Stop> {
        let named = self.request.kind.books().iter();
        let mut wanted: Vec<(Domain, Root)> = others
            .iter()
            .map(|share| (share.cover.domain.clone(), share.cover.root))
            .chain(named.map(|book| (book.domain.clone(), book.root)))
            .filter(|(domain, root)| (domain, *root) != (&self.cover.domain, self.cover.root))
            .collect();
        wanted.sort();
        wanted.dedup();
        let is_chosen = |(domain, root): &&(Domain, Root)| {
            // Whoever names books means these: several flows may share one correlation id.
            self.request.kind.books().is_empty()
                || self
                    .request
                    .kind
                    .books()
                    .iter()
                    .any(|book| (&book.domain, book.root) == (domain, *root))
        };
        let mut books = Vec::new();
        for (domain, root) in wanted.iter().filter(is_chosen) {
            let cover = self.of_stream(domain, *root);
            let fetched = self.fetch_other(everywhere, &cover)?;
            let share = others
                .iter()
                .find(|share| share.cover.is_same_stream(&cover));
            let given = self.request.kind.books().iter();
            let given = given
                .filter(|book| (&book.domain, book.root) == (domain, *root))
                .find_map(|book| book.cut);
            let pages = share.map_or(&[][..], |share| &share.pages);
            // A correlation id is of commands, not of stored books.
            let cover = Cover {
                correlation_id: String::new(),
                ..cover
            };
            books.push(cut(cover, &fetched, pages, given, first));
        }
        Ok(books)
    }

    fn fetch_other(&self, everywhere: &OpenSource, cover: &Cover) -> Result<Fetched, Stop> {
        let queries = everywhere.domains.get(&cover.domain).ok_or_else(|| {
            Stop::Failed(format!(
                "source `{}` has no domain `{}`, of which {} is",
                self.source.name, cover.domain, cover.root
            ))
        })?;
        Ok(fetch_history(
            queries.as_ref(),
            cover,
            UpTo::Head,
            &mut |_| {},
        )?)
    }

    /// The aggregate without the workflow, as failures of the log are found by.
    fn cover_alone(&self) -> Cover {
        Cover {
            correlation_id: String::new(),
            ..self.cover.clone()
        }
    }
}
