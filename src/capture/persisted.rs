//! Which of the events after the head an accepted command stored.
//!
//! The wire tells of no event which command it came from: where the number of events is not known, the pages themselves
//! have to tell.

use super::CaptureError;
use crate::model::{ObservedEvent, Page};

/// How many of the events after the head an accepted command stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoredCount {
    /// As a person says.
    Given(u32),
    /// As a note of the command says.
    Noted(u32),
    /// Whatever the pages tell.
    AsPagesTell,
}

/// What was found out about an accepted command's events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Persisted {
    /// They are known.
    Known {
        /// The events, in order.
        events: Vec<ObservedEvent>,
        /// How that is known.
        rule: PersistedRule,
    },
    /// Events follow, and nothing tells which of them are the command's.
    NotTold {
        /// How many follow.
        following: usize,
    },
    /// No event follows: it stored none, or came later than is assumed.
    NothingFollows,
}

/// How it is known which events are an accepted command's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PersistedRule {
    /// Their number was given.
    Given,
    /// Their number is in the note of the command.
    Noted,
    /// One event follows.
    OnlyOne,
    /// They have the time of the first.
    SameTime,
    /// They are of the two-phase commit of the first.
    SameCascade,
}

/// Takes the command's events from the pages after its head.
pub(super) fn persisted(
    following: &[&Page],
    head: u32,
    count: StoredCount,
) -> Result<Persisted, CaptureError> {
    let known = |pages: &[&Page], rule| Persisted::Known {
        events: (head..=u32::MAX)
            .zip(pages)
            .map(|(next, page)| ObservedEvent::at(page.sequence, next, page.body.clone()))
            .collect(),
        rule,
    };
    let (wanted, rule) = match count {
        StoredCount::AsPagesTell => {
            // Without gaps: what comes after one may have been stored by somebody else.
            let next = (head..=u32::MAX).zip(following);
            let next: Vec<&Page> = next
                .take_while(|(sequence, page)| page.sequence == *sequence)
                .map(|(_, page)| *page)
                .collect();
            return Ok(as_pages_tell(&next, following.len(), known));
        }
        StoredCount::Given(wanted) => (wanted, PersistedRule::Given),
        StoredCount::Noted(wanted) => (wanted, PersistedRule::Noted),
    };
    let pages = usize::try_from(wanted)
        .ok()
        .and_then(|wanted| following.get(..wanted))
        .ok_or(CaptureError::NotPersisted {
            wanted,
            head,
            found: following.len(),
        })?;
    Ok(known(pages, rule))
}

fn as_pages_tell(
    next: &[&Page],
    following: usize,
    known: impl Fn(&[&Page], PersistedRule) -> Persisted,
) -> Persisted {
    let Some((first, rest)) = next.split_first() else {
        return match following {
            0 => Persisted::NothingFollows,
            following => Persisted::NotTold { following },
        };
    };
    if following == 1 {
        return known(next, PersistedRule::OnlyOne);
    }
    let run =
        |is_same: &dyn Fn(&Page) -> bool| 1 + rest.iter().take_while(|page| is_same(page)).count();
    if first.cascade_id.is_some() {
        let length = run(&|page| page.cascade_id == first.cascade_id);
        return known(&next[..length], PersistedRule::SameCascade);
    }
    if first.created_at.is_some() {
        let length = run(&|page| page.created_at == first.created_at);
        return known(&next[..length], PersistedRule::SameTime);
    }
    Persisted::NotTold { following }
}
