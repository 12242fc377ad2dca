//! Selects a failure, and determines which head its command saw.

use super::stored_events::StoredCount;
use super::{LetterCommand, LoggedFailure};
use crate::coordination::{is_held_to_head, validate};
use crate::model::{
    AnsweredBy, Body, Case, CaseStimulus, CommandBook, ComponentKind, Cover, Edition, Failure,
    FailureClass, FlowStart, HeadKnowledge, Payload, Redactions, short_name,
};
use crate::ticket::Ticket;
use crate::wire::{DecodeError, Dialect, SpokenDialect, command_book_in};

/// A command that failed, or that the user wants to try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailingCommand {
    /// The command.
    pub command: CommandBook,
    /// How production answered, if that is known.
    pub failure: Option<Failure>,
    /// Which component gave that answer.
    pub answered_by: AnsweredBy,
    /// How many events it stored, if production accepted it.
    pub accepted: Option<StoredCount>,
    /// The head in the ticket, if it has one.
    pub head: Option<u32>,
    /// The dialect in which the command is encoded, if it is known.
    pub dialect: Option<SpokenDialect>,
    /// Redactions that the command already contains.
    pub redacted: Redactions,
    /// The build that answered, if it is known.
    pub revision: Option<String>,
}

impl FailingCommand {
    /// What its failure means for the command; none if it did not fail or the answer is unknown.
    #[must_use]
    pub fn class(&self) -> Option<FailureClass> {
        let sequence = self.command.expected_sequence();
        let failure = self.failure.as_ref()?;
        Some(failure.class_for(sequence, self.answered_by))
    }

    /// Decodes the command's original bytes in another dialect. A command without original bytes is unchanged.
    ///
    /// # Errors
    /// If the original encoding of the command cannot be read.
    pub fn read_in(&self, dialect: Dialect) -> Result<Self, DecodeError> {
        let Some(noted) = self.dialect else {
            return Ok(self.clone());
        };
        Ok(Self {
            command: command_book_in(&self.command, noted.dialect, dialect)?,
            dialect: Some(SpokenDialect { dialect, ..noted }),
            ..self.clone()
        })
    }
}

/// The newest ticket of an aggregate, and what else was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selected<'a> {
    /// The ticket.
    pub ticket: &'a Ticket,
    /// Other failures of the aggregate that could have been selected.
    pub others: Vec<&'a Ticket>,
    /// Number of stale commands, which are selected only on request.
    pub stale: usize,
    /// Number of transport failures, which do not concern the logic.
    pub unreachable: usize,
}

/// Selects the newest failure of an aggregate. Tickets are in log order; times take precedence over that order. Skips
/// stale sequences, which are not a bug of the logic, and transport failures, which do not concern it.
#[must_use]
pub fn select_ticket<'a>(
    tickets: &'a [Ticket],
    cover: &Cover,
    by: AnsweredBy,
) -> Option<Selected<'a>> {
    let of_aggregate: Vec<&Ticket> = tickets
        .iter()
        .filter(|ticket| ticket.command.cover.is_same_stream(cover) && !ticket.is_accepted())
        .collect();
    let of_class = |class| {
        let is_of = |ticket: &&&Ticket| ticket.class(by) == class;
        of_aggregate.iter().filter(is_of).count()
    };
    let passed_over = [FailureClass::StaleSequence, FailureClass::Unreachable];
    let (stale, unreachable) = (of_class(passed_over[0]), of_class(passed_over[1]));
    let mut usable: Vec<&Ticket> = of_aggregate
        .iter()
        .filter(|ticket| !passed_over.contains(&ticket.class(by)))
        .copied()
        .collect();
    // The sort is stable: tickets without times stay in log order.
    usable.sort_by_key(|ticket| ticket.time);
    let ticket = usable.pop()?;
    Some(Selected {
        ticket,
        others: usable,
        stale,
        unreachable,
    })
}

/// A failure of an aggregate that was logged without its command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelectedNoted<'a> {
    /// The failure.
    pub failure: &'a LoggedFailure,
    /// Other such failures of the aggregate that could have been selected.
    pub others: Vec<&'a LoggedFailure>,
}

/// Selects the newest failure that was logged without its command: if there is no ticket, or only an older one of
/// another failure. Only times with a zone are compared, because logs without zones may use different clocks. Without
/// such times, the last failure is selected.
#[must_use]
pub fn select_noted<'a>(
    logged: impl IntoIterator<Item = &'a LoggedFailure>,
    cover: &Cover,
    ticket: Option<&Ticket>,
    by: AnsweredBy,
) -> Option<SelectedNoted<'a>> {
    let is_usable = |logged: &&LoggedFailure| {
        let class = logged.class(by);
        logged.fits(cover)
            && !matches!(
                class,
                Some(FailureClass::StaleSequence | FailureClass::Unreachable)
            )
    };
    let mut usable: Vec<&LoggedFailure> = logged.into_iter().filter(is_usable).collect();
    // The sort is stable, so this is the last of the newest.
    usable.sort_by_key(|logged| logged.noted.time);
    let newest = usable.pop()?;
    let is_taken = ticket.is_none_or(|ticket| {
        let is_same = newest.noted.failure().as_ref() == Some(&ticket.failure);
        let is_newer = ticket.time.is_some() && newest.noted.time > ticket.time;
        is_newer && !is_same
    });
    is_taken.then_some(SelectedNoted {
        failure: newest,
        others: usable,
    })
}

/// The head that the command saw, and how it is known.
#[must_use]
pub fn settle_head(
    failing: &FailingCommand,
    given: Option<u32>,
    current: u32,
    dialect: Dialect,
) -> (u32, HeadKnowledge) {
    if let Some(given) = given {
        return (given, HeadKnowledge::Given);
    }
    if let Some(head) = failing
        .head
        .or_else(|| failing.failure.as_ref().and_then(stated_head))
    {
        return (head, HeadKnowledge::Ticket);
    }
    match checked_head(failing, dialect) {
        Some(head) => (head, HeadKnowledge::Checked),
        None => (current, HeadKnowledge::Assumed),
    }
}

/// `… aggregate at 3`: a coordinator that rejects a stale command states the head.
pub(super) fn stated_head(failure: &Failure) -> Option<u32> {
    if failure.class(AnsweredBy::NotKnown) != FailureClass::StaleSequence {
        return None;
    }
    failure
        .message
        .rsplit_once("aggregate at ")?
        .1
        .trim()
        .parse()
        .ok()
}

/// The sequence in the command's own header, if its coordinator compared it with the head and accepted it.
fn checked_head(failing: &FailingCommand, dialect: Dialect) -> Option<u32> {
    let page = failing.command.pages.first()?;
    // Libraries use INVALID_ARGUMENT for bad values too, so the header of a rejected command counts.
    let reached_the_logic = match (failing.class(), failing.accepted) {
        (Some(class), _) => !matches!(
            class,
            FailureClass::StaleSequence | FailureClass::Unreachable
        ),
        (None, accepted) => accepted.is_some(),
    };
    // A command that fails validation is not compared with the head, and a compensation is executed at any head.
    let is_held = is_held_to_head(dialect, &failing.command)
        && !failing.command.is_compensation()
        && validate(&failing.command).is_ok();
    (is_held && reached_the_logic)
        .then(|| page.header.sequence())
        .flatten()
}

impl From<&Ticket> for FailingCommand {
    fn from(ticket: &Ticket) -> Self {
        let stored = ticket
            .persisted
            .map_or(StoredCount::AsPagesTell, StoredCount::Noted);
        Self {
            command: ticket.command.clone(),
            failure: (!ticket.is_accepted()).then(|| ticket.failure.clone()),
            answered_by: ticket.answered_by,
            accepted: ticket.is_accepted().then_some(stored),
            head: ticket.head,
            dialect: Some(ticket.spoken()),
            redacted: ticket.redacted.clone(),
            revision: ticket.service_version.clone(),
        }
    }
}

impl From<&LetterCommand> for FailingCommand {
    fn from(letter: &LetterCommand) -> Self {
        Self {
            command: letter.book.clone(),
            // A dead letter contains a reason but no status.
            failure: None,
            answered_by: AnsweredBy::NotKnown,
            accepted: None,
            head: letter.head,
            // A dead letter does not contain its dialect; it was decoded in that of its source.
            dialect: Some(SpokenDialect::assumed(letter.dialect)),
            redacted: Redactions::default(),
            revision: None,
        }
    }
}

/// Path of a case in the fixtures folder, without extension: `player/withdraw-funds-6513270e-3`. The folder is named
/// after the domain or component, or is `flow`.
#[must_use]
pub fn case_path(case: &Case, head: u32) -> String {
    let folder = match (&case.stimulus, &case.logic) {
        (CaseStimulus::Flow(_), _) => FLOWS.to_owned(),
        (stimulus, Some(component)) if stimulus.component_kind() != ComponentKind::Aggregate => {
            own_folder(component, stimulus.component_kind())
        }
        _ => own_folder(case.cover.domain.as_str(), ComponentKind::Aggregate),
    };
    let what = kebab(&subject(case));
    let what = if what.is_empty() {
        "command".to_owned()
    } else {
        what
    };
    let edition = match &case.cover.edition {
        Edition::Main => String::new(),
        Edition::Named { name, .. } => format!("-{name}"),
    };
    let root = case.cover.root.short();
    // A case with its history differs from a case with the new pages only.
    let shown = match case.stimulus.trigger() {
        Some(trigger) if trigger.with_history => "-with-history",
        _ => "",
    };
    format!("{folder}/{what}-{root}{edition}-{head}{shown}")
}

/// Folder for flows.
const FLOWS: &str = "flow";

/// Folder for a domain or component. Avoids names that have another purpose.
fn own_folder(name: &str, kind: ComponentKind) -> String {
    if [FLOWS, "descriptors", "histories"].contains(&name) {
        format!("{name}-{}", kind.word())
    } else {
        name.to_owned()
    }
}

/// The subject of a case, in a word or two.
fn subject(case: &Case) -> String {
    let event = |body: Option<&Body>| body.and_then(Body::event).map(last);
    let triggering = case.stimulus.trigger().and_then(|trigger| {
        let pages = case.history.pages().iter();
        let mut new = pages.filter(|page| page.sequence >= trigger.from);
        event(new.next().map(|page| &page.body))
    });
    match &case.stimulus {
        CaseStimulus::Command(command) => short_name(command.type_name()).to_owned(),
        CaseStimulus::Fact(facts) => {
            let first = facts.pages.first().map(|page| &page.body);
            format!("Fact{}", event(first).unwrap_or_default())
        }
        CaseStimulus::Flow(flow) => match &flow.start {
            FlowStart::Command(command) => short_name(command.type_name()).to_owned(),
            FlowStart::Facts(facts) => {
                let first = facts.pages.first().map(|page| &page.body);
                event(first).unwrap_or_default()
            }
            FlowStart::Events(_) => triggering.unwrap_or_default(),
        },
        stimulus @ (CaseStimulus::History
        | CaseStimulus::Saga { .. }
        | CaseStimulus::ProcessManager(_)
        | CaseStimulus::Projector { .. }
        | CaseStimulus::Upcaster
        | CaseStimulus::Compensation(_)
        | CaseStimulus::ProcessCompensation(_)) => {
            triggering.unwrap_or_else(|| stimulus.word().to_owned())
        }
    }
}

fn last(payload: &Payload) -> String {
    short_name(payload.type_name()).to_owned()
}

fn kebab(name: &str) -> String {
    let mut text = String::new();
    let mut previous_is_lower = false;
    for c in name.chars() {
        if c.is_ascii_uppercase() && previous_is_lower {
            text.push('-');
        }
        previous_is_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
        text.push(if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '-'
        });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_shares_no_folder_with_flows_or_files() {
        assert_eq!(own_folder("flow", ComponentKind::Saga), "flow-saga");
        assert_eq!(
            own_folder("descriptors", ComponentKind::Aggregate),
            "descriptors-aggregate"
        );
        assert_eq!(own_folder("flows", ComponentKind::Saga), "flows");
    }
}
