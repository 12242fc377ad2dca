//! Which kind of case, on the command line.

use std::str::FromStr;

use clap::Args;

use crate::capture::Span;
use crate::capturing::{Reacting, RequestedBook, RequestedKind};
use crate::cli::{Done, Stop};
use crate::model::{ComponentKind, Domain};
use crate::project::Project;

/// Kinds of case besides commands and histories.
#[derive(Debug, Args)]
pub(super) struct KindArguments {
    #[command(flatten)]
    subject: SubjectArguments,
    /// A case of an aggregate that is told that a command which it caused was refused: the newest such one of the log, or
    /// that of --ticket. With a process manager as --component, the root is that of its stream, and it is told.
    #[arg(
        hide_short_help = true,
        long,
        conflicts_with_all = ["upcaster", "fact", "command", "from_log", "each_distinct", "history", "dead_letter"]
    )]
    compensation: bool,
    /// Correlation id of a workflow. By itself: a case of the whole workflow across all domains, which begins at the
    /// aggregate, with a command where one is given, else with its first event. With --from-log: the failure of the log
    /// whose command has it.
    #[arg(hide_short_help = true, long, value_name = "ID")]
    pub(super) correlation: Option<String>,
    /// The events that the component reacts to; the newest that it subscribes to where it is left out.
    #[arg(hide_short_help = true, long, value_name = "SEQUENCE|FIRST-LAST")]
    at: Option<Span>,
    /// Show the component the events before them too.
    #[arg(hide_short_help = true, long)]
    with_history: bool,
    /// What the component was told of an aggregate that it writes to: the sequence of its next event, by domain.
    #[arg(hide_short_help = true, long, value_name = "DOMAIN=SEQUENCE", value_parser = parse_destination)]
    destination: Vec<(Domain, u32)>,
    /// A book that belongs to the case, and where it is cut: the first event that came after, and the last of them that
    /// belongs to the workflow.
    #[arg(
        hide_short_help = true,
        long,
        value_name = "DOMAIN/ROOT[@FIRST[-LAST]]"
    )]
    book: Vec<RequestedBook>,
    /// The effects of the projector's ordinary call do no harm: it may be used where there is no speculative one.
    #[arg(hide_short_help = true, long)]
    harmless: bool,
}

/// What the case is of, where it is not of an aggregate's command: one of them, and none goes with a way to a command but
/// a ticket, which names what is compensated, and a recorded call.
#[derive(Debug, Args)]
#[group(id = "subject", multiple = false, conflicts_with_all = [
    "command", "from_log", "each_distinct", "history", "dead_letter"
])]
struct SubjectArguments {
    /// A case of a saga, process manager or projector.
    ///
    /// It is of what the component makes of the aggregate's events; the configuration knows the kind of the component.
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
    /// A case of what upcasts the domain's pages.
    #[arg(hide_short_help = true, long)]
    upcaster: bool,
    /// A case of an aggregate that takes up facts: the events that --at names, as if they had come from outside.
    #[arg(hide_short_help = true, long)]
    fact: bool,
}

impl KindArguments {
    /// Finds out of which kind the component is that --component names.
    pub(super) fn know_component(&mut self, project: &Project) -> Done {
        let Some(name) = self.subject.component.take() else {
            return Ok(());
        };
        let kind = project.logics().named(&name)?.config.kind;
        let flag = match kind {
            ComponentKind::Saga => &mut self.subject.saga,
            ComponentKind::ProcessManager => &mut self.subject.process_manager,
            ComponentKind::Projector => &mut self.subject.projector,
            ComponentKind::Aggregate | ComponentKind::Upcaster => {
                return Err(Stop::Usage(format!(
                    "--component {name}: logic `{name}` is of kind {}; a saga, process manager or projector is expected",
                    kind.word()
                )));
            }
        };
        *flag = Some(name);
        Ok(())
    }

    /// The kind with what belongs to it. Refuses flags that belong to another.
    pub(super) fn requested(&self, has_log: bool, has_ticket: bool) -> Result<RequestedKind, Stop> {
        let kind = self.named_kind(has_log);
        let told = [
            ("saga", &self.subject.saga),
            ("projector", &self.subject.projector),
        ];
        if let (true, Some((what, Some(name)))) = (
            self.compensation,
            told.into_iter().find(|(_, name)| name.is_some()),
        ) {
            return Err(Stop::Usage(format!(
                "--compensation and the {what} `{name}`: a case is of one kind, and only an aggregate or a process manager \
                 is told of a refused command"
            )));
        }
        let allowed: &[Flag] = match &kind {
            RequestedKind::Saga { .. } => &[AT, WITH_HISTORY, DESTINATION],
            RequestedKind::ProcessManager { .. } => &[AT, WITH_HISTORY, DESTINATION, BOOK],
            RequestedKind::Projector { .. } => &[AT, WITH_HISTORY, HARMLESS],
            RequestedKind::Fact { .. } => &[AT],
            RequestedKind::Compensation {
                process_manager: Some(_),
                ..
            } => &[DESTINATION],
            RequestedKind::Flow { .. } => &[AT, BOOK],
            RequestedKind::Compensation { .. }
            | RequestedKind::Upcaster
            | RequestedKind::Command => &[],
        };
        let is_refused = |flag: &&Flag| {
            (flag.is_there)(self) && allowed.iter().all(|other| other.name != flag.name)
        };
        let flags = [AT, WITH_HISTORY, DESTINATION, BOOK, HARMLESS];
        if let Some(Flag {
            name, goes_with, ..
        }) = flags.iter().find(is_refused)
        {
            return Err(Stop::Usage(format!("{name} goes with {goes_with}")));
        }
        let subject = match &kind {
            RequestedKind::Saga { .. } => "a saga reacts to events",
            RequestedKind::ProcessManager { .. } => "a process manager reacts to events",
            RequestedKind::Projector { .. } => "a projector reacts to events",
            RequestedKind::Upcaster => "an upcaster is shown events",
            RequestedKind::Fact { .. } => "a fact is an event",
            _ => return Ok(kind),
        };
        if has_ticket {
            return Err(Stop::Usage(format!(
                "--ticket goes with --compensation here: {subject}"
            )));
        }
        Ok(kind)
    }

    fn named_kind(&self, has_log: bool) -> RequestedKind {
        let (at, books) = (self.at, self.book.clone());
        let destinations = self.destination.clone();
        let reacting = Reacting {
            at,
            with_history: self.with_history,
        };
        let process_manager = self.subject.process_manager.clone();
        if self.compensation {
            return RequestedKind::Compensation {
                process_manager,
                destinations,
            };
        }
        match (
            self.subject.saga.clone(),
            process_manager,
            self.subject.projector.clone(),
        ) {
            (Some(name), _, _) => RequestedKind::Saga {
                name,
                reacting,
                destinations,
            },
            (_, Some(name), _) => RequestedKind::ProcessManager {
                name,
                reacting,
                destinations,
                books,
            },
            (_, _, Some(name)) => RequestedKind::Projector {
                name,
                reacting,
                is_harmless: self.harmless,
            },
            (None, None, None) if self.subject.upcaster => RequestedKind::Upcaster,
            (None, None, None) if self.subject.fact => RequestedKind::Fact { at },
            (None, None, None) => match self.correlation.clone() {
                Some(id) if !has_log => RequestedKind::Flow { id, at, books },
                _ => RequestedKind::Command,
            },
        }
    }
}

/// A flag that belongs to some kinds of case only.
struct Flag {
    name: &'static str,
    is_there: fn(&KindArguments) -> bool,
    goes_with: &'static str,
}

const AT: Flag = Flag {
    name: "--at",
    is_there: |kind| kind.at.is_some(),
    goes_with: "a case of a saga, process manager, projector, fact or workflow",
};

const WITH_HISTORY: Flag = Flag {
    name: "--with-history",
    is_there: |kind| kind.with_history,
    goes_with: "a case of a saga, process manager or projector",
};

const DESTINATION: Flag = Flag {
    name: "--destination",
    is_there: |kind| !kind.destination.is_empty(),
    goes_with: "a case of a saga or process manager",
};

const BOOK: Flag = Flag {
    name: "--book",
    is_there: |kind| !kind.book.is_empty(),
    goes_with: "a case of a process manager or workflow",
};

const HARMLESS: Flag = Flag {
    name: "--harmless",
    is_there: |kind| kind.harmless,
    goes_with: "a case of a projector",
};

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
