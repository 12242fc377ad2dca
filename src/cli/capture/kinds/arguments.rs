//! Which kind of case is asked for, on the command line.

use std::str::FromStr;

use clap::Args;

use crate::capture::Span;
use crate::cli::Stop;
use crate::model::{Domain, Root};

/// Kinds of case besides commands and histories.
#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools, reason = "they are flags")]
pub(in crate::cli::capture) struct KindArguments {
    /// A case of a saga: what it makes of the aggregate's events.
    #[arg(long, value_name = "NAME", conflicts_with_all = OTHER_SOURCES)]
    saga: Option<String>,
    /// A case of a process manager: what it makes of the aggregate's events.
    #[arg(long, value_name = "NAME", conflicts_with_all = WRITTEN_SOURCES)]
    process_manager: Option<String>,
    /// A case of a projector: its view of the aggregate's events.
    #[arg(long, value_name = "NAME", conflicts_with_all = OTHER_SOURCES)]
    projector: Option<String>,
    /// A case of what upcasts the domain's pages.
    #[arg(long, conflicts_with_all = OTHER_SOURCES)]
    upcaster: bool,
    /// A case of an aggregate that takes up facts: the events that --at names, as if they had come from outside.
    #[arg(long, conflicts_with_all = OTHER_SOURCES)]
    fact: bool,
    /// A case of an aggregate that is told that a command which it caused was refused: the newest such one of the log, or
    /// that of --ticket. With --process-manager the root is that of its stream, and it is told.
    #[arg(long, conflicts_with_all = ["command", "from_log", "each_distinct", "history"])]
    compensation: bool,
    /// Correlation id of a workflow. By itself: a case of the whole workflow across all domains, which begins at the
    /// aggregate, with a command where one is given, else with its first event. With --from-log: the failure of the log
    /// whose command has it.
    #[arg(long, value_name = "ID")]
    pub(in crate::cli::capture) correlation: Option<String>,
    /// The events that the component reacts to; the newest that it subscribes to where it is left out.
    #[arg(long, value_name = "SEQUENCE|FIRST-LAST")]
    pub(super) at: Option<Span>,
    /// Show the component the events before them too.
    #[arg(long)]
    pub(super) with_history: bool,
    /// What the component was told of an aggregate that it writes to: the sequence of its next event, by domain.
    #[arg(long, value_name = "DOMAIN=SEQUENCE", value_parser = parse_destination)]
    pub(super) destination: Vec<(Domain, u32)>,
    /// A book that belongs to the case, and where it is cut: the first event that came after, and the last of them that
    /// belongs to the workflow.
    #[arg(long, value_name = "DOMAIN/ROOT[@FIRST[-LAST]]")]
    pub(super) book: Vec<BookArgument>,
    /// The effects of the projector's ordinary call do no harm: it may be used where there is no speculative one.
    #[arg(long, requires = "projector")]
    pub(super) harmless: bool,
}

/// Where a command comes from, which these kinds have none of.
const OTHER_SOURCES: [&str; 5] = ["ticket", "command", "from_log", "each_distinct", "history"];

/// The same where a refused command may be named.
const WRITTEN_SOURCES: [&str; 4] = ["command", "from_log", "each_distinct", "history"];

/// A kind that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli::capture) enum AskedKind<'a> {
    Saga(&'a str),
    ProcessManager(&'a str),
    Projector(&'a str),
    Upcaster,
    Fact,
    /// Of a process manager where one is named.
    Compensation(Option<&'a str>),
    Flow(&'a str),
}

impl KindArguments {
    /// What is asked for; none for a command or a history.
    pub(in crate::cli::capture) fn asked(&self) -> Option<AskedKind<'_>> {
        if self.compensation {
            return Some(AskedKind::Compensation(self.process_manager.as_deref()));
        }
        let named = [
            self.saga.as_deref().map(AskedKind::Saga),
            self.process_manager
                .as_deref()
                .map(AskedKind::ProcessManager),
            self.projector.as_deref().map(AskedKind::Projector),
            self.upcaster.then_some(AskedKind::Upcaster),
            self.fact.then_some(AskedKind::Fact),
        ];
        let named = named.into_iter().flatten().next();
        named.or_else(|| self.correlation.as_deref().map(AskedKind::Flow))
    }

    /// Refuses what does not go together.
    pub(in crate::cli::capture) fn check(&self) -> Result<(), Stop> {
        let kinds = [
            ("--saga", self.saga.is_some()),
            (
                "--process-manager",
                self.process_manager.is_some() && !self.compensation,
            ),
            ("--compensation", self.compensation),
            ("--projector", self.projector.is_some()),
            ("--upcaster", self.upcaster),
            ("--fact", self.fact),
        ];
        let mut named = kinds.iter().filter(|(_, named)| *named);
        if let (Some((one, _)), Some((other, _))) = (named.next(), named.next()) {
            return Err(Stop::Usage(format!(
                "{one} and {other}: a case is of one kind"
            )));
        }
        let asked = self.asked();
        let reacts = matches!(
            asked,
            Some(AskedKind::Saga(_) | AskedKind::ProcessManager(_) | AskedKind::Projector(_))
        );
        let has_books = matches!(
            asked,
            Some(AskedKind::ProcessManager(_) | AskedKind::Flow(_))
        );
        let is_told = matches!(
            asked,
            Some(
                AskedKind::Saga(_)
                    | AskedKind::ProcessManager(_)
                    | AskedKind::Compensation(Some(_))
            )
        );
        let misplaced = [
            (
                "--at",
                self.at.is_some()
                    && matches!(
                        asked,
                        None | Some(AskedKind::Upcaster | AskedKind::Compensation(_))
                    ),
                "a case of a saga, process manager, projector, fact or workflow",
            ),
            (
                "--with-history",
                self.with_history && !reacts,
                "a case of a saga, process manager or projector",
            ),
            (
                "--destination",
                !self.destination.is_empty() && !is_told,
                "a case of a saga or process manager",
            ),
            (
                "--book",
                !self.book.is_empty() && !has_books,
                "a case of a process manager or workflow",
            ),
        ];
        match misplaced.into_iter().find(|(_, wrong, _)| *wrong) {
            Some((flag, _, of)) => Err(Stop::Usage(format!("{flag} goes with {of}"))),
            None => Ok(()),
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

/// A book as somebody names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli::capture) struct BookArgument {
    pub(super) domain: Domain,
    pub(super) root: Root,
    /// First sequence that came after, and the last that belongs to the workflow.
    pub(super) cut: Option<(u32, Option<u32>)>,
}

impl FromStr for BookArgument {
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
