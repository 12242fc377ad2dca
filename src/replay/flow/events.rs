//! Which of the emitted events take effect, and where.

use super::FlowNote;
use super::branch::Branch;
use crate::model::{Cover, EmittedBook, EmittedPage, EventBook, Failure, Header, Page};
use crate::wire::{Dialect, Generation};

/// What an answer's events come to.
#[derive(Debug, Default)]
pub(super) struct Effect {
    /// The batch that is stored and published, if there is one.
    pub(super) stored: Option<EventBook>,
    /// Why a coordinator stores nothing.
    pub(super) refused: Option<Failure>,
    /// The events went to another aggregate.
    pub(super) note: Option<FlowNote>,
}

impl Effect {
    fn refused(failure: Failure) -> Self {
        Self {
            refused: Some(failure),
            ..Self::default()
        }
    }
}

/// Stores what logic answered for `home`, pages in their places.
pub(super) fn store(
    branch: &mut Branch,
    dialect: Dialect,
    home: &Cover,
    emitted: &EmittedBook,
) -> Effect {
    if emitted.pages.is_empty() {
        return Effect::default();
    }
    let foreign = emitted
        .cover
        .as_ref()
        .filter(|cover| (&cover.domain, cover.root) != (&home.domain, home.root));
    let refuses = dialect.generation() >= Generation::Autumn;
    if let Some(other) = foreign.filter(|_| refuses) {
        return Effect::refused(Failure::rejected(format!(
            "the logic answered for {}/{}, the command was for {}/{}: nothing is stored",
            other.domain, other.root, home.domain, home.root
        )));
    }
    let target = Cover {
        edition: home.edition.clone(),
        correlation_id: home.correlation_id.clone(),
        ..foreign.unwrap_or(home).clone()
    };
    let head = branch.head(&target);
    match placed(&emitted.pages, head, refuses) {
        Err(failure) => Effect::refused(failure),
        Ok(pages) => Effect {
            stored: Some(branch.append(&target, pages, emitted.snapshot.as_ref())),
            refused: None,
            note: foreign.map(|_| FlowNote::StoredElsewhere { cover: target }),
        },
    }
}

/// Stores facts: all of them get the next places, whatever they say.
pub(super) fn store_facts(branch: &mut Branch, home: &Cover, facts: &EmittedBook) -> Effect {
    if facts.pages.is_empty() {
        return Effect::default();
    }
    let pages = (branch.head(home)..).zip(&facts.pages);
    let pages = pages.map(|(sequence, page)| stored_page(sequence, page));
    let pages = pages.collect();
    Effect {
        stored: Some(branch.append(home, pages, facts.snapshot.as_ref())),
        ..Effect::default()
    }
}

/// The pages in their places; a place that is taken is a conflict, and so is a gap for newer coordinators.
fn placed(pages: &[EmittedPage], head: u32, contiguous: bool) -> Result<Vec<Page>, Failure> {
    let mut next = head;
    let mut placed = Vec::with_capacity(pages.len());
    for page in pages {
        let says = match page.header {
            Header::Sequence(sequence) => sequence,
            Header::Absent | Header::ExternalDeferred { .. } | Header::AngzarrDeferred { .. } => {
                next
            }
        };
        if says < next || (contiguous && says > next) {
            return Err(Failure::rejected(format!(
                "Sequence conflict: expected {next}, got {says}"
            )));
        }
        placed.push(stored_page(says, page));
        next = says.saturating_add(1);
    }
    Ok(placed)
}

fn stored_page(sequence: u32, page: &EmittedPage) -> Page {
    Page {
        sequence,
        created_at: page.created_at,
        body: page.body.clone(),
        provisional: page.provisional,
        cascade_id: None,
        original: None,
    }
}
