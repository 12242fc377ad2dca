//! Visits every payload, root, text and encoding in a case or in one of its parts. Structs are destructured in full, so
//! that the compiler points here when a field is added.

use std::fmt::Display;

use super::redactor::RedactError;
use super::spelling::as_correlation_id;
use crate::model::{
    Body, Case, CaseStimulus, CommandBook, CommandPage, Cover, EmittedBook, EmittedCommand,
    ErrorInfo, EventBook, Failure, FlowStart, Header, History, HopOutcome, Notification, Observed,
    ObservedHop, Page, Payload, PayloadReference, ProcessCase, Projection, Reaction,
    ReportedFailure, Root, Snapshot,
};

/// Receives what is visited. An implementation may ignore some kinds.
pub(super) trait Visitor {
    /// A payload; `place` describes its location in errors.
    fn payload(&mut self, payload: &mut Payload, place: &dyn Display) -> Result<(), RedactError>;
    /// The root of an aggregate.
    fn root(&mut self, root: &mut Root);
    /// A text written by production.
    fn text(&mut self, text: &mut String);
    /// A correlation id. Coordinators accept certain spellings only, so the result has to be acceptable if the original
    /// was.
    fn correlation_id(&mut self, id: &mut String) {
        let before = id.clone();
        self.text(id);
        *id = as_correlation_id(&before, std::mem::take(id));
    }
    /// The case's title. It may quote such texts and the first digits of the root.
    fn title(&mut self, title: &mut String) {
        self.text(title);
    }
    /// The original encoding, kept beside the decoded message.
    fn encoding(&mut self, encoding: &mut Option<Vec<u8>>);
    /// Whether this visitor only reads a history's events, through [`Self::event`]. Its pages are then not copied.
    fn only_reads_events(&self) -> bool {
        false
    }
    /// An event of a history that stays as it is.
    fn event(&mut self, _: &Payload, _: &dyn Display) -> Result<(), RedactError> {
        Ok(())
    }
}

type Walked = Result<(), RedactError>;

pub(super) fn case(case: &mut Case, visitor: &mut dyn Visitor) -> Walked {
    cover(&mut case.cover, visitor)?;
    stored(case.snapshot.as_mut(), &mut case.history, "", visitor)?;
    stimulus(&mut case.stimulus, visitor)?;
    if let Some(observed) = &mut case.observed {
        self::observed(observed, visitor)?;
    }
    if let Some(noted) = &mut case.noted {
        let ReportedFailure {
            code: _,
            message,
            sequence: _,
            correlation_id,
            time: _,
        } = noted;
        visitor.text(message);
        visitor.correlation_id(correlation_id);
    }
    visitor.title(&mut case.title);
    Ok(())
}

fn stimulus(stimulus: &mut CaseStimulus, visitor: &mut dyn Visitor) -> Walked {
    match stimulus {
        CaseStimulus::Command(book) | CaseStimulus::Compensation(book) => {
            command_book(book, "the command", visitor)
        }
        CaseStimulus::Fact(book) => emitted_book(book, "the facts", visitor),
        CaseStimulus::ProcessManager(case) | CaseStimulus::ProcessCompensation(case) => {
            let ProcessCase {
                trigger: _,
                destinations: _,
                state,
            } = case;
            event_book(state, "the process manager", visitor)
        }
        CaseStimulus::Flow(flow) => {
            match &mut flow.start {
                FlowStart::Command(book) => command_book(book, "the command", visitor)?,
                FlowStart::Facts(book) => emitted_book(book, "the facts", visitor)?,
                FlowStart::Events(_) => {}
            }
            for book in &mut flow.books {
                let whose = format!("{}/{}", book.cover.domain, book.cover.root);
                event_book(book, &whose, visitor)?;
            }
            Ok(())
        }
        CaseStimulus::History
        | CaseStimulus::Saga { .. }
        | CaseStimulus::Projector { .. }
        | CaseStimulus::Upcaster => Ok(()),
    }
}

fn observed(observed: &mut Observed, visitor: &mut dyn Visitor) -> Walked {
    const PLACE: &str = "what production stored";
    match observed {
        Observed::Accepted(events) => {
            let events = events.iter_mut().map(|event| &mut event.body);
            bodies(events, PLACE, visitor)
        }
        Observed::Rejected(failure)
        | Observed::Revoked(failure)
        | Observed::Crashed(failure)
        | Observed::Unimplemented(failure)
        | Observed::Refused(failure) => {
            self::failure(failure, visitor);
            Ok(())
        }
        Observed::Notified => Ok(()),
        Observed::Reacted(reaction) => self::reaction(reaction, visitor),
        Observed::Projected(projection) => {
            let Projection {
                cover: of,
                projector: _,
                sequence: _,
                payload,
            } = projection;
            optional_cover(of.as_mut(), visitor)?;
            optional(payload.as_mut(), "the projection", visitor)
        }
        Observed::Upcast(pages) => pages
            .iter_mut()
            .try_for_each(|page| self::page(page, "of the upcaster", visitor)),
        Observed::Flow(hops) => {
            for (number, hop) in (1..).zip(hops) {
                let ObservedHop {
                    domain: _,
                    root,
                    outcome,
                } = hop;
                visitor.root(root);
                match outcome {
                    HopOutcome::Events(events) => {
                        bodies(events, &format!("hop {number} of the flow"), visitor)?;
                    }
                    HopOutcome::Failed(failure) => self::failure(failure, visitor),
                }
            }
            Ok(())
        }
    }
}

fn reaction(reaction: &mut Reaction, visitor: &mut dyn Visitor) -> Walked {
    const PLACE: &str = "what production emitted";
    let Reaction {
        process_events,
        commands,
        facts,
        notification,
    } = reaction;
    for book in process_events.iter_mut().chain(facts) {
        emitted_book(book, PLACE, visitor)?;
    }
    for EmittedCommand { cover, pages } in commands {
        optional_cover(cover.as_mut(), visitor)?;
        command_pages(pages, PLACE, visitor)?;
    }
    if let Some(Notification {
        cover,
        payload,
        sent_at: _,
        metadata,
    }) = notification
    {
        optional_cover(cover.as_mut(), visitor)?;
        optional(payload.as_mut(), "the notification", visitor)?;
        pairs(metadata, visitor);
    }
    Ok(())
}

pub(super) fn command_book(
    book: &mut CommandBook,
    place: &str,
    visitor: &mut dyn Visitor,
) -> Walked {
    let CommandBook {
        cover: addressed,
        pages,
        original,
    } = book;
    cover(addressed, visitor)?;
    visitor.encoding(original);
    command_pages(pages, place, visitor)
}

fn command_pages(pages: &mut [CommandPage], place: &str, visitor: &mut dyn Visitor) -> Walked {
    for (number, page) in (1..).zip(pages) {
        let CommandPage {
            header: of,
            sync_mode: _,
            merge_strategy: _,
            command,
            external,
        } = page;
        header(of, visitor)?;
        optional(
            command.as_mut(),
            &format!("page {number} of {place}"),
            visitor,
        )?;
        if let Some(external) = external {
            reference(external, visitor);
        }
    }
    Ok(())
}

fn header(header: &mut Header, visitor: &mut dyn Visitor) -> Walked {
    match header {
        Header::Absent | Header::Sequence(_) => {}
        Header::ExternalDeferred {
            external_id,
            description,
        } => {
            visitor.text(external_id);
            visitor.text(description);
        }
        Header::AngzarrDeferred {
            source,
            source_sequence: _,
            source_component: _,
            command_index: _,
            basis_sequence: _,
        } => optional_cover(source.as_deref_mut(), visitor)?,
    }
    Ok(())
}

fn emitted_book(book: &mut EmittedBook, place: &str, visitor: &mut dyn Visitor) -> Walked {
    let EmittedBook {
        cover: of,
        snapshot: state,
        pages,
        next_sequence: _,
    } = book;
    optional_cover(of.as_mut(), visitor)?;
    if let Some(state) = state {
        snapshot(state, place, visitor)?;
    }
    for (number, page) in (1..).zip(pages) {
        header(&mut page.header, visitor)?;
        let place = format_args!("page {number} of {place}");
        body(&mut page.body, &place, visitor)?;
    }
    Ok(())
}

fn event_book(book: &mut EventBook, whose: &str, visitor: &mut dyn Visitor) -> Walked {
    let EventBook {
        cover: of,
        snapshot,
        history,
        next_sequence: _,
    } = book;
    cover(of, visitor)?;
    stored(snapshot.as_mut(), history, &format!(" of {whose}"), visitor)
}

/// What an aggregate has stored: its snapshot and its history.
fn stored(
    state: Option<&mut Snapshot>,
    history: &mut History,
    whose: &str,
    visitor: &mut dyn Visitor,
) -> Walked {
    if let Some(state) = state {
        snapshot(state, whose, visitor)?;
    }
    let place = format!("of the history{whose}");
    if visitor.only_reads_events() {
        return events(history.pages(), &place, visitor);
    }
    let mut pages = std::mem::take(history).into_pages();
    for page in &mut pages {
        self::page(page, &place, visitor)?;
    }
    *history = History::new(pages).expect("sequences are left alone");
    Ok(())
}

/// The events of a history, for a visitor that only reads events.
pub(super) fn events(pages: &[Page], place: &str, visitor: &mut dyn Visitor) -> Walked {
    pages.iter().try_for_each(|page| {
        let place = format_args!("page {} {place}", page.sequence);
        let event = page.body.event();
        event.map_or(Ok(()), |event| visitor.event(event, &place))
    })
}

fn snapshot(snapshot: &mut Snapshot, whose: &str, visitor: &mut dyn Visitor) -> Walked {
    let Snapshot {
        sequence: _,
        state,
        retention: _,
        created_at: _,
        original,
    } = snapshot;
    visitor.encoding(original);
    optional(
        state.as_mut(),
        &format!("the stored snapshot{whose}"),
        visitor,
    )
}

fn page(page: &mut Page, place: &str, visitor: &mut dyn Visitor) -> Walked {
    let Page {
        sequence,
        created_at: _,
        body: carried,
        provisional: _,
        cascade_id,
        original,
    } = page;
    let mut encoding = original.take().map(|original| *original);
    visitor.encoding(&mut encoding);
    *original = encoding.map(Box::new);
    if let Some(cascade_id) = cascade_id {
        visitor.text(cascade_id);
    }
    body(carried, &format_args!("page {sequence} {place}"), visitor)
}

fn bodies<'b>(
    bodies: impl IntoIterator<Item = &'b mut Body>,
    place: &str,
    visitor: &mut dyn Visitor,
) -> Walked {
    (1..).zip(bodies).try_for_each(|(number, one)| {
        body(one, &format_args!("event {number} of {place}"), visitor)
    })
}

fn body(body: &mut Body, place: &dyn Display, visitor: &mut dyn Visitor) -> Walked {
    match body {
        Body::Event(event) => visitor.payload(event, place),
        Body::External(external) => {
            reference(external, visitor);
            Ok(())
        }
        Body::Empty => Ok(()),
    }
}

fn reference(reference: &mut PayloadReference, visitor: &mut dyn Visitor) {
    visitor.text(&mut reference.uri);
}

fn optional(payload: Option<&mut Payload>, place: &str, visitor: &mut dyn Visitor) -> Walked {
    payload.map_or(Ok(()), |payload| visitor.payload(payload, &place))
}

fn optional_cover(of: Option<&mut Cover>, visitor: &mut dyn Visitor) -> Walked {
    of.map_or(Ok(()), |of| cover(of, visitor))
}

pub(super) fn cover(cover: &mut Cover, visitor: &mut dyn Visitor) -> Walked {
    let Cover {
        domain: _,
        root,
        correlation_id,
        edition: _,
        ext,
    } = cover;
    visitor.root(root);
    visitor.correlation_id(correlation_id);
    optional(ext.as_mut(), "the extension of a cover", visitor)
}

pub(super) fn failure(failure: &mut Failure, visitor: &mut dyn Visitor) {
    let Failure {
        code: _,
        message,
        info,
    } = failure;
    visitor.text(message);
    if let Some(ErrorInfo {
        reason,
        domain: _,
        metadata,
    }) = info
    {
        visitor.text(reason);
        pairs(metadata, visitor);
    }
}

fn pairs(pairs: &mut [(String, String)], visitor: &mut dyn Visitor) {
    for (key, value) in pairs {
        visitor.text(key);
        visitor.text(value);
    }
}
