//! Where a case and its parts hold what may be redacted. Everything is taken apart here: a field that a later version
//! adds is named by the compiler.

use super::redactor::RedactError;
use super::spelling::as_correlation_id;
use crate::model::{
    Body, Book, Case, CaseStimulus, CommandBook, CommandPage, Cover, EmittedBook, EmittedCommand,
    ErrorInfo, Failure, FlowStart, Header, History, HopOutcome, Notification, Observed,
    ObservedHop, Page, Payload, PayloadReference, ProcessCase, Projection, Reaction,
    ReportedFailure, Root, Snapshot,
};

/// What is done with the parts; a walk may be about some of them only.
pub(super) trait Parts {
    /// A payload; `place` says where it is.
    fn payload(&mut self, payload: &mut Payload, place: &str) -> Result<(), RedactError>;
    /// The root of an aggregate.
    fn root(&mut self, root: &mut Root);
    /// A text that production wrote.
    fn text(&mut self, text: &mut String);
    /// A correlation id, which coordinators take only in a certain spelling: it keeps it.
    fn correlation_id(&mut self, id: &mut String) {
        let before = id.clone();
        self.text(id);
        *id = as_correlation_id(&before, std::mem::take(id));
    }
    /// The title, made of such texts and of the first digits of the root.
    fn title(&mut self, title: &mut String) {
        self.text(title);
    }
    /// An encoding that is kept beside what it says.
    fn encoding(&mut self, encoding: &mut Option<Vec<u8>>);
}

type Walked = Result<(), RedactError>;

pub(super) fn case(case: &mut Case, parts: &mut dyn Parts) -> Walked {
    cover(&mut case.cover, parts)?;
    stored(case.snapshot.as_mut(), &mut case.history, "", parts)?;
    stimulus(&mut case.stimulus, parts)?;
    if let Some(observed) = &mut case.observed {
        self::observed(observed, parts)?;
    }
    if let Some(noted) = &mut case.noted {
        let ReportedFailure {
            code: _,
            message,
            sequence: _,
            correlation_id,
            time: _,
        } = noted;
        parts.text(message);
        parts.correlation_id(correlation_id);
    }
    parts.title(&mut case.title);
    Ok(())
}

fn stimulus(stimulus: &mut CaseStimulus, parts: &mut dyn Parts) -> Walked {
    match stimulus {
        CaseStimulus::Command(book) | CaseStimulus::Compensation(book) => {
            command_book(book, "the command", parts)
        }
        CaseStimulus::Fact(book) => emitted_book(book, "the facts", parts),
        CaseStimulus::ProcessManager(case) | CaseStimulus::ProcessCompensation(case) => {
            let ProcessCase {
                trigger: _,
                destinations: _,
                state,
            } = case;
            event_book(state, "the process manager", parts)
        }
        CaseStimulus::Flow(flow) => {
            match &mut flow.start {
                FlowStart::Command(book) => command_book(book, "the command", parts)?,
                FlowStart::Facts(book) => emitted_book(book, "the facts", parts)?,
                FlowStart::Events(_) => {}
            }
            for book in &mut flow.books {
                let whose = format!("{}/{}", book.cover.domain, book.cover.root);
                event_book(book, &whose, parts)?;
            }
            Ok(())
        }
        CaseStimulus::History
        | CaseStimulus::Saga { .. }
        | CaseStimulus::Projector { .. }
        | CaseStimulus::Upcaster => Ok(()),
    }
}

fn observed(observed: &mut Observed, parts: &mut dyn Parts) -> Walked {
    const PLACE: &str = "what production stored";
    match observed {
        Observed::Accepted(events) => {
            let events = events.iter_mut().map(|event| &mut event.body);
            bodies(events, PLACE, parts)
        }
        Observed::Rejected(failure)
        | Observed::Revoked(failure)
        | Observed::Crashed(failure)
        | Observed::Unimplemented(failure)
        | Observed::Refused(failure) => {
            self::failure(failure, parts);
            Ok(())
        }
        Observed::Notified => Ok(()),
        Observed::Reacted(reaction) => self::reaction(reaction, parts),
        Observed::Projected(projection) => {
            let Projection {
                cover: of,
                projector: _,
                sequence: _,
                payload,
            } = projection;
            optional_cover(of.as_mut(), parts)?;
            optional(payload.as_mut(), "the projection", parts)
        }
        Observed::Upcast(pages) => pages
            .iter_mut()
            .try_for_each(|page| self::page(page, "of the upcaster", parts)),
        Observed::Flow(hops) => {
            for (number, hop) in (1..).zip(hops) {
                let ObservedHop {
                    domain: _,
                    root,
                    outcome,
                } = hop;
                parts.root(root);
                match outcome {
                    HopOutcome::Events(events) => {
                        bodies(events, &format!("hop {number} of the flow"), parts)?;
                    }
                    HopOutcome::Failed(failure) => self::failure(failure, parts),
                }
            }
            Ok(())
        }
    }
}

fn reaction(reaction: &mut Reaction, parts: &mut dyn Parts) -> Walked {
    const PLACE: &str = "what production emitted";
    let Reaction {
        process_events,
        commands,
        facts,
        notification,
    } = reaction;
    for book in process_events.iter_mut().chain(facts) {
        emitted_book(book, PLACE, parts)?;
    }
    for EmittedCommand { cover, pages } in commands {
        optional_cover(cover.as_mut(), parts)?;
        command_pages(pages, PLACE, parts)?;
    }
    if let Some(Notification {
        cover,
        payload,
        sent_at: _,
        metadata,
    }) = notification
    {
        optional_cover(cover.as_mut(), parts)?;
        optional(payload.as_mut(), "the notification", parts)?;
        pairs(metadata, parts);
    }
    Ok(())
}

pub(super) fn command_book(book: &mut CommandBook, place: &str, parts: &mut dyn Parts) -> Walked {
    let CommandBook {
        cover: addressed,
        pages,
        original,
    } = book;
    cover(addressed, parts)?;
    parts.encoding(original);
    command_pages(pages, place, parts)
}

fn command_pages(pages: &mut [CommandPage], place: &str, parts: &mut dyn Parts) -> Walked {
    for (number, page) in (1..).zip(pages) {
        let CommandPage {
            header: of,
            sync_mode: _,
            merge_strategy: _,
            command,
            external,
        } = page;
        header(of, parts)?;
        optional(
            command.as_mut(),
            &format!("page {number} of {place}"),
            parts,
        )?;
        if let Some(external) = external {
            reference(external, parts);
        }
    }
    Ok(())
}

fn header(header: &mut Header, parts: &mut dyn Parts) -> Walked {
    match header {
        Header::Absent | Header::Sequence(_) => {}
        Header::ExternalDeferred {
            external_id,
            description,
        } => {
            parts.text(external_id);
            parts.text(description);
        }
        Header::AngzarrDeferred {
            source,
            source_sequence: _,
            source_component: _,
            command_index: _,
            basis_sequence: _,
        } => optional_cover(source.as_deref_mut(), parts)?,
    }
    Ok(())
}

fn emitted_book(book: &mut EmittedBook, place: &str, parts: &mut dyn Parts) -> Walked {
    let EmittedBook {
        cover: of,
        snapshot: state,
        pages,
        next_sequence: _,
    } = book;
    optional_cover(of.as_mut(), parts)?;
    if let Some(state) = state {
        snapshot(state, place, parts)?;
    }
    for (number, page) in (1..).zip(pages) {
        header(&mut page.header, parts)?;
        body(&mut page.body, &format!("page {number} of {place}"), parts)?;
    }
    Ok(())
}

fn event_book(book: &mut Book, whose: &str, parts: &mut dyn Parts) -> Walked {
    let Book {
        cover: of,
        snapshot,
        history,
    } = book;
    cover(of, parts)?;
    stored(snapshot.as_mut(), history, &format!(" of {whose}"), parts)
}

/// What an aggregate has stored.
fn stored(
    state: Option<&mut Snapshot>,
    history: &mut History,
    whose: &str,
    parts: &mut dyn Parts,
) -> Walked {
    if let Some(state) = state {
        snapshot(state, whose, parts)?;
    }
    let mut pages = std::mem::take(history).into_pages();
    for page in &mut pages {
        self::page(page, &format!("of the history{whose}"), parts)?;
    }
    *history = History::new(pages).expect("sequences are left alone");
    Ok(())
}

fn snapshot(snapshot: &mut Snapshot, whose: &str, parts: &mut dyn Parts) -> Walked {
    let Snapshot {
        sequence: _,
        state,
        retention: _,
        created_at: _,
        original,
    } = snapshot;
    parts.encoding(original);
    optional(
        state.as_mut(),
        &format!("the stored snapshot{whose}"),
        parts,
    )
}

fn page(page: &mut Page, place: &str, parts: &mut dyn Parts) -> Walked {
    let Page {
        sequence,
        created_at: _,
        body: carried,
        provisional: _,
        cascade_id,
        original,
    } = page;
    parts.encoding(original);
    if let Some(cascade_id) = cascade_id {
        parts.text(cascade_id);
    }
    body(carried, &format!("page {sequence} {place}"), parts)
}

fn bodies<'b>(
    bodies: impl IntoIterator<Item = &'b mut Body>,
    place: &str,
    parts: &mut dyn Parts,
) -> Walked {
    (1..)
        .zip(bodies)
        .try_for_each(|(number, one)| body(one, &format!("event {number} of {place}"), parts))
}

fn body(body: &mut Body, place: &str, parts: &mut dyn Parts) -> Walked {
    match body {
        Body::Event(event) => parts.payload(event, place),
        Body::External(external) => {
            reference(external, parts);
            Ok(())
        }
        Body::Empty => Ok(()),
    }
}

fn reference(reference: &mut PayloadReference, parts: &mut dyn Parts) {
    parts.text(&mut reference.uri);
}

fn optional(payload: Option<&mut Payload>, place: &str, parts: &mut dyn Parts) -> Walked {
    payload.map_or(Ok(()), |payload| parts.payload(payload, place))
}

fn optional_cover(of: Option<&mut Cover>, parts: &mut dyn Parts) -> Walked {
    of.map_or(Ok(()), |of| cover(of, parts))
}

pub(super) fn cover(cover: &mut Cover, parts: &mut dyn Parts) -> Walked {
    let Cover {
        domain: _,
        root,
        correlation_id,
        edition: _,
        ext,
    } = cover;
    parts.root(root);
    parts.correlation_id(correlation_id);
    optional(ext.as_mut(), "the extension of a cover", parts)
}

pub(super) fn failure(failure: &mut Failure, parts: &mut dyn Parts) {
    let Failure {
        code: _,
        message,
        info,
    } = failure;
    parts.text(message);
    if let Some(ErrorInfo {
        reason,
        domain: _,
        metadata,
    }) = info
    {
        parts.text(reason);
        pairs(metadata, parts);
    }
}

fn pairs(pairs: &mut [(String, String)], parts: &mut dyn Parts) {
    for (key, value) in pairs {
        parts.text(key);
        parts.text(value);
    }
}
