//! Which kind of case, on the command line.

use std::str::FromStr;

use clap::Args;

use super::failure::FailureArguments;
use super::flags;
use crate::capture::Span;
use crate::capturing::{
    RequestedBook, RequestedFailure, RequestedKind, RequestedStart, RequestedTrigger,
};
use crate::cli::Stop;
use crate::model::{ComponentKind, Domain};
use crate::project::Project;

/// Kinds of case besides commands and histories.
#[derive(Debug, Args)]
pub(super) struct KindArguments {
    #[command(flatten)]
    subject: SubjectArguments,
    /// A case of an aggregate that is notified of the rejection of a command that it caused: the newest in the log, or
    /// the one of --ticket. With a process manager as --component, the root is that of its stream, and it is notified
    /// instead.
    #[arg(hide_short_help = true, long)]
    compensation: bool,
    /// Correlation id of a workflow. By itself: a case of the whole workflow across all domains. It begins at the aggregate,
    /// with the command of --command or --ticket, otherwise with its first event. With --from-log or --each-distinct: only
    /// failures of this workflow.
    #[arg(hide_short_help = true, long, value_name = "ID")]
    pub(super) correlation: Option<String>,
    /// The events that the component reacts to; by default the newest that it subscribes to.
    #[arg(hide_short_help = true, long, value_name = "SEQUENCE|FIRST-LAST")]
    pub(super) at: Option<Span>,
    /// Also send the component the events before them.
    #[arg(hide_short_help = true, long)]
    pub(super) with_history: bool,
    /// The next sequence of an aggregate that the component writes to, as production gave it to the component, by
    /// domain.
    #[arg(hide_short_help = true, long, value_name = "DOMAIN=SEQUENCE", value_parser = parse_destination)]
    pub(super) destination: Vec<(Domain, u32)>,
    /// A book that belongs to the case, and where to cut it: the first event that came later, and the last that still belongs
    /// to the workflow.
    #[arg(
        hide_short_help = true,
        long,
        value_name = "DOMAIN/ROOT[@FIRST[-LAST]]"
    )]
    pub(super) book: Vec<RequestedBook>,
    /// The ordinary call of the projector has no harmful effects and may be used if there is no speculative one.
    #[arg(hide_short_help = true, long)]
    pub(super) harmless: bool,
}

/// The subject of a case that is not of an aggregate's command: at most one.
#[derive(Debug, Args)]
#[group(id = "subject", multiple = false)]
struct SubjectArguments {
    /// A case of a component other than the aggregate.
    ///
    /// A saga, process manager, projector or upcaster. The case is about its reaction to the aggregate's events. The configuration knows the kind of the component.
    #[arg(long, value_name = "NAME")]
    component: Option<String>,
    /// The same as --component, of a saga.
    #[arg(long, hide = true, value_name = "NAME")]
    saga: Option<String>,
    /// The same as --component, of a process manager.
    #[arg(long, hide = true, value_name = "NAME")]
    process_manager: Option<String>,
    /// The same as --component, of a projector.
    #[arg(long, hide = true, value_name = "NAME")]
    projector: Option<String>,
    /// A case of whatever upcasts the domain's pages.
    #[arg(hide_short_help = true, long)]
    upcaster: bool,
    /// A case of an aggregate that records facts: the events of --at, as if they had come from outside.
    #[arg(hide_short_help = true, long)]
    fact: bool,
}

/// The subject of a case, with the name of the component.
enum CaseSubject {
    Aggregate,
    Saga(String),
    ProcessManager(String),
    Projector(String),
    Upcaster(Option<String>),
    Fact,
}

impl SubjectArguments {
    /// The subject. The configuration knows the kind of the component that --component names.
    fn subject(&self, project: &Project) -> Result<CaseSubject, Stop> {
        if let Some(name) = &self.component {
            return component(project, name);
        }
        let saga = self.saga.clone().map(CaseSubject::Saga);
        let process_manager = self
            .process_manager
            .clone()
            .map(CaseSubject::ProcessManager);
        let projector = self.projector.clone().map(CaseSubject::Projector);
        let upcaster = self.upcaster.then_some(CaseSubject::Upcaster(None));
        let fact = self.fact.then_some(CaseSubject::Fact);
        let named = saga.or(process_manager).or(projector).or(upcaster).or(fact);
        Ok(named.unwrap_or(CaseSubject::Aggregate))
    }
}

fn component(project: &Project, name: &str) -> Result<CaseSubject, Stop> {
    let kind = project.logics().named(name)?.config.kind;
    let name = name.to_owned();
    match kind {
        ComponentKind::Saga => Ok(CaseSubject::Saga(name)),
        ComponentKind::ProcessManager => Ok(CaseSubject::ProcessManager(name)),
        ComponentKind::Projector => Ok(CaseSubject::Projector(name)),
        ComponentKind::Upcaster => Ok(CaseSubject::Upcaster(Some(name))),
        ComponentKind::Aggregate => Err(Stop::Usage(format!(
            "--component {name}: logic `{name}` is of kind {}; a saga, process manager, projector or upcaster is expected",
            kind.word()
        ))),
    }
}

impl CaseSubject {
    /// Its name in the configuration.
    fn into_name(self) -> Option<String> {
        match self {
            Self::Saga(name) | Self::ProcessManager(name) | Self::Projector(name) => Some(name),
            Self::Upcaster(name) => name,
            Self::Aggregate | Self::Fact => None,
        }
    }

    /// The subject and its name, in words.
    fn in_words(&self) -> String {
        match self {
            Self::Aggregate => "the aggregate".to_owned(),
            Self::Saga(name) => format!("the saga `{name}`"),
            Self::ProcessManager(name) => format!("the process manager `{name}`"),
            Self::Projector(name) => format!("the projector `{name}`"),
            Self::Upcaster(Some(name)) => format!("the upcaster `{name}`"),
            Self::Upcaster(None) => "--upcaster".to_owned(),
            Self::Fact => "--fact".to_owned(),
        }
    }
}

impl KindArguments {
    /// The requested kind, with what belongs to it. Refuses flags that belong to another kind.
    pub(super) fn requested(
        &self,
        failure: &FailureArguments,
        project: &Project,
    ) -> Result<RequestedKind, Stop> {
        failure.check()?;
        let subject = self.subject.subject(project)?;
        let kind = if let Some(bundle) = failure.bundle() {
            self.bundled(bundle, &subject)?
        } else if failure.recorded(None).is_some() {
            self.recorded(failure, subject)?
        } else if self.compensation {
            self.notified(failure, subject)?
        } else {
            self.of_subject(failure, subject)
        };
        flags::refuse_others(&kind, self, failure)?;
        Ok(kind)
    }

    /// The case of a bundle, whose kind the bundle knows.
    fn bundled(
        &self,
        bundle: RequestedFailure,
        subject: &CaseSubject,
    ) -> Result<RequestedKind, Stop> {
        if self.compensation || !matches!(subject, CaseSubject::Aggregate) {
            return Err(Stop::Usage(
                "--from-bundle: a bundle says itself which kind of case it holds".into(),
            ));
        }
        Ok(RequestedKind::Command(bundle))
    }

    /// A case of a recorded call, whose kind the recording knows.
    fn recorded(
        &self,
        failure: &FailureArguments,
        subject: CaseSubject,
    ) -> Result<RequestedKind, Stop> {
        let flag = match subject {
            _ if self.compensation => "--compensation",
            CaseSubject::Fact => "--fact",
            CaseSubject::Upcaster(None) => "--upcaster",
            subject => {
                let requested = failure.recorded(subject.into_name()).unwrap_or_default();
                return Ok(RequestedKind::Command(requested));
            }
        };
        Err(Stop::Usage(format!(
            "{flag} and a recording: a recorded call says itself which kind of case it is"
        )))
    }

    /// A case of a rejected command. The subject is notified of the rejection.
    fn notified(
        &self,
        failure: &FailureArguments,
        subject: CaseSubject,
    ) -> Result<RequestedKind, Stop> {
        let process_manager = match subject {
            CaseSubject::Aggregate => None,
            CaseSubject::ProcessManager(name) => Some(name),
            subject => {
                return Err(Stop::Usage(format!(
                    "--compensation and {}: a case is of one kind, and only an aggregate or a process manager is told of a \
                     refused command",
                    subject.in_words()
                )));
            }
        };
        Ok(RequestedKind::Compensation {
            ticket: failure.ticket(),
            process_manager,
            destinations: self.destination.clone(),
        })
    }

    fn of_subject(&self, failure: &FailureArguments, subject: CaseSubject) -> RequestedKind {
        let destinations = self.destination.clone();
        let books = self.book.clone();
        let trigger = RequestedTrigger {
            at: self.at,
            with_history: self.with_history,
        };
        match subject {
            CaseSubject::Saga(name) => RequestedKind::Saga {
                name,
                trigger,
                destinations,
            },
            CaseSubject::ProcessManager(name) => RequestedKind::ProcessManager {
                name,
                trigger,
                destinations,
                books,
            },
            CaseSubject::Projector(name) => RequestedKind::Projector {
                name,
                trigger,
                is_harmless: self.harmless,
            },
            CaseSubject::Upcaster(name) => RequestedKind::Upcaster { name },
            CaseSubject::Fact => RequestedKind::Fact { at: self.at },
            // With a log, the correlation id selects failures.
            CaseSubject::Aggregate
                if self.correlation.is_some()
                    && failure.from_log.is_none()
                    && !failure.each_distinct =>
            {
                RequestedKind::Flow {
                    start: self.start(failure),
                    books,
                }
            }
            CaseSubject::Aggregate => RequestedKind::Command(failure.requested()),
        }
    }

    fn start(&self, failure: &FailureArguments) -> RequestedStart {
        match (&failure.command, failure.ticket(), self.at) {
            (Some(file), ..) => RequestedStart::Written(file.clone()),
            (None, Some(ticket), _) => RequestedStart::Ticket(ticket),
            (None, None, Some(span)) => RequestedStart::Events(span),
            (None, None, None) => RequestedStart::FirstEvent,
        }
    }
}

fn parse_destination(text: &str) -> Result<(Domain, u32), String> {
    let refused = || "DOMAIN=SEQUENCE is expected, as in player=4".to_owned();
    let (domain, sequence) = text.split_once('=').ok_or_else(refused)?;
    let domain = domain
        .parse()
        .map_err(|error: crate::model::IdError| error.to_string())?;
    Ok((domain, sequence.parse().map_err(|_| refused())?))
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || format!("`{text}`: a sequence is expected, or two as in 3-5");
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let first = first.parse().map_err(|_| refused())?;
        let last = last.parse().map_err(|_| refused())?;
        if first > last {
            return Err(format!("`{text}`: the second sequence is before the first"));
        }
        Ok(Self { first, last })
    }
}

impl FromStr for RequestedBook {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || {
            format!(
                "`{text}`: DOMAIN/ROOT is expected, with the whole root, and where to cut it as in …@3 or …@3-5"
            )
        };
        let (aggregate, cut) = match text.split_once('@') {
            Some((aggregate, cut)) => (aggregate, Some(cut)),
            None => (text, None),
        };
        let (domain, root) = aggregate.split_once('/').ok_or_else(refused)?;
        let cut = match cut {
            None => None,
            Some(cut) => Some(match cut.split_once('-') {
                Some(_) => {
                    let span: Span = cut.parse()?;
                    (span.first, Some(span.last))
                }
                None => (cut.parse().map_err(|_| refused())?, None),
            }),
        };
        Ok(Self {
            domain: domain.parse().map_err(|_| refused())?,
            root: root.parse().map_err(|_| refused())?,
            cut,
        })
    }
}
