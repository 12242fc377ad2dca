//! Determines which of the events after the head an accepted command stored.
//!
//! A query does not reveal which command an event came from. If the number of events is unknown, it is inferred from
//! the pages.

use super::CaptureError;
use crate::model::{ObservedEvent, Page};

/// How to determine the number of events that an accepted command stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoredCount {
    /// It was specified by the user.
    Given(u32),
    /// It is in the ticket or recording of the command.
    Noted(u32),
    /// It is inferred from the pages.
    AsPagesTell,
}

/// What was found out about the events of an accepted command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Persisted {
    /// They are known.
    Known {
        /// The events, in order.
        events: Vec<ObservedEvent>,
        /// How they are known.
        rule: PersistedRule,
    },
    /// Events follow, but it cannot be determined which of them the command stored.
    NotTold {
        /// The number of events that follow.
        following: usize,
    },
    /// No event follows: the command stored none, or saw a later head than assumed.
    NothingFollows,
}

/// How the events of an accepted command are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PersistedRule {
    /// Their number was specified by the user.
    Given,
    /// Their number is in the ticket or recording of the command.
    Noted,
    /// Only one event follows.
    OnlyOne,
    /// They have the same time as the first.
    SameTime,
    /// They belong to the same two-phase commit as the first.
    SameCascade,
}

/// Selects the command's events from the pages after its head.
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
            // Stops at a gap, because events after it may come from other commands.
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
