//! Judges whether the current code does what production did.

use std::fmt;

use serde_yaml::Value;

use super::{Difference, Renderer, differences};
use crate::model::{ErrorInfo, Failure, Observed, Outcome, counted};

/// The result of the comparison. Never a guess.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// The current code does what production did.
    Reproduced,
    /// It does something else.
    NotReproduced {
        /// A short summary: `accepted now`, `differs in event 2, field new_balance`.
        summary: String,
        /// All differences.
        differences: Vec<Difference>,
    },
    /// It cannot be judged.
    NotChecked {
        /// The reason.
        reason: String,
    },
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reproduced => f.write_str("reproduced"),
            Self::NotReproduced { summary, .. } => write!(f, "not reproduced: {summary}"),
            Self::NotChecked { reason } => write!(f, "not checked: {reason}"),
        }
    }
}

impl Verdict {
    /// Judges an outcome by what was observed in production.
    #[must_use]
    pub fn judge(observed: Option<&Observed>, outcome: &Outcome, renderer: &Renderer<'_>) -> Self {
        let Some(observed) = observed else {
            return Self::NotChecked {
                reason: "what production did is not known".into(),
            };
        };
        match (observed, outcome) {
            (Observed::Accepted(events), Outcome::Accepted(book)) => Self::of_events(
                &renderer.observed(events),
                &renderer.emission(book),
                renderer,
            ),
            (Observed::Reacted(then), Outcome::Reacted(_)) => Self::of_views(
                &renderer.view(&Outcome::Reacted(then.clone())),
                &renderer.view(outcome),
                renderer,
            ),
            (Observed::Projected(then), Outcome::Projected(_)) => Self::of_views(
                &renderer.view(&Outcome::Projected(then.clone())),
                &renderer.view(outcome),
                renderer,
            ),
            (Observed::Upcast(then), Outcome::Upcast(_)) => Self::of_views(
                &renderer.view(&Outcome::Upcast(then.clone())),
                &renderer.view(outcome),
                renderer,
            ),
            (Observed::Rejected(then), Outcome::Rejected(now))
            | (Observed::Crashed(then), Outcome::Crashed(now))
            | (Observed::Unimplemented(then), Outcome::Unimplemented(now))
            | (Observed::Refused(then), Outcome::Refused(now)) => Self::of_failures(then, now),
            (Observed::Revoked(then), Outcome::Revoked(now)) => {
                // The coordinator turns a revocation into a status.
                let now = Failure {
                    message: now.as_failure().message,
                    ..then.clone()
                };
                Self::of_failures(then, &now)
            }
            (Observed::Notified, Outcome::Notified(_)) => Self::NotChecked {
                reason: "a notification's content is not captured".into(),
            },
            // A coordinator answers a notification with an empty book.
            (Observed::Accepted(events), Outcome::Notified(_)) if events.is_empty() => {
                Self::Reproduced
            }
            (observed, outcome) => Self::NotReproduced {
                summary: format!("{} now", described(outcome)),
                differences: vec![Difference {
                    path: "outcome".into(),
                    expected: Some(observed.word().into()),
                    actual: Some(outcome.word().into()),
                }],
            },
        }
    }

    fn of_views(then: &Value, now: &Value, renderer: &Renderer<'_>) -> Self {
        let found = differences(then, now, &renderer.descriptors);
        match found.first() {
            None => Self::Reproduced,
            Some(first) => Self::NotReproduced {
                summary: format!("differs in {}", first.path),
                differences: found,
            },
        }
    }

    pub(super) fn of_events(then: &Value, now: &Value, renderer: &Renderer<'_>) -> Self {
        let found = differences(then, now, &renderer.descriptors);
        let Some(first) = found.first() else {
            return Self::Reproduced;
        };
        let count = |emission: &Value| {
            let events = emission.get("events").and_then(Value::as_sequence);
            events.map_or(0, Vec::len)
        };
        let summary = if count(then) == count(now) {
            in_events(&first.path)
        } else {
            format!(
                "{} now, production stored {}",
                counted(count(now), "event"),
                count(then)
            )
        };
        Self::NotReproduced {
            summary,
            differences: found,
        }
    }

    pub(super) fn of_failures(then: &Failure, now: &Failure) -> Self {
        let mut found = Vec::new();
        let mut field = |path: &str, then: &str, now: &str| {
            if then != now {
                found.push(Difference {
                    path: path.into(),
                    expected: Some(then.into()),
                    actual: Some(now.into()),
                });
            }
        };
        field("code", then.code.name(), now.code.name());
        field("message", &then.message, &now.message);
        if let Some(info) = &then.info {
            field(
                "reason",
                &info.reason,
                now.info.as_ref().map_or("", |info| &info.reason),
            );
            let metadata = |info: &ErrorInfo| {
                let pairs = info.metadata.iter();
                let lines = pairs.map(|(key, value)| format!("{key}: {value}"));
                lines.collect::<Vec<_>>().join(", ")
            };
            let now = now.info.as_ref().map(metadata).unwrap_or_default();
            field("metadata", &metadata(info), &now);
        }
        if found.is_empty() {
            return Self::Reproduced;
        }
        let summary = format!("another status now: {}: {:?}", now.code, now.message);
        Self::NotReproduced {
            summary,
            differences: found,
        }
    }
}

/// An outcome in a few words, with its status if it has one.
#[must_use]
pub fn described(outcome: &Outcome) -> String {
    match outcome.failure() {
        Some(failure) => format!(
            "{} ({}: {:?})",
            outcome.word(),
            failure.code,
            failure.message
        ),
        None => outcome.word().to_owned(),
    }
}

/// `events[1].event.new_balance.amount` in words, counted from 1.
fn in_events(path: &str) -> String {
    let Some((index, rest)) = path
        .strip_prefix("events[")
        .and_then(|path| path.split_once(']'))
    else {
        return format!("differs in {path}");
    };
    let number = index.parse::<usize>().map_or(0, |index| index + 1);
    let field = rest
        .trim_start_matches('.')
        .trim_start_matches("event")
        .trim_start_matches('.');
    match field {
        "" => format!("differs in event {number}"),
        field => format!("differs in event {number}, field {field}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Body, Cover, Domain, EmittedBook, EmittedPage, Payload, Revocation, Root};
    use crate::snapshot::Rules;

    fn verdict(observed: Option<&Observed>, outcome: &Outcome) -> String {
        let cover = Cover::main(Domain::new("player").unwrap(), Root::new([0; 16]));
        let rules = Rules::default();
        let renderer = Renderer::new(Vec::new(), vec![&rules], &cover, 3);
        Verdict::judge(observed, outcome, &renderer).to_string()
    }

    fn accepted(events: &[&[u8]]) -> Outcome {
        let page = |bytes: &&[u8]| EmittedPage::event(Payload::new("t.E", bytes.to_vec()));
        Outcome::Accepted(EmittedBook {
            pages: events.iter().map(page).collect(),
            ..EmittedBook::default()
        })
    }

    fn stored(events: &[&[u8]]) -> Observed {
        let body = |bytes: &&[u8]| Body::Event(Payload::new("t.E", bytes.to_vec()));
        Observed::accepted(events.iter().map(body))
    }

    #[test]
    fn reproduced_is_said_only_of_the_same() {
        let no = Failure::rejected("no");
        let rejected = Observed::Rejected(no.clone());
        assert_eq!(
            verdict(Some(&rejected), &Outcome::Rejected(no.clone())),
            "reproduced"
        );
        assert_eq!(
            verdict(Some(&rejected), &accepted(&[])),
            "not reproduced: accepted now"
        );
        assert_eq!(
            verdict(
                Some(&rejected),
                &Outcome::Rejected(Failure::rejected("never"))
            ),
            "not reproduced: another status now: FAILED_PRECONDITION: \"never\""
        );
        assert_eq!(
            verdict(Some(&rejected), &Outcome::Crashed(Failure::crashed("no"))),
            "not reproduced: crashed (UNKNOWN: \"no\") now"
        );
        assert_eq!(
            verdict(None, &accepted(&[])),
            "not checked: what production did is not known"
        );
    }

    #[test]
    fn a_reason_is_compared_with_all_that_it_says() {
        let failure = |limit: &str| Failure {
            info: Some(ErrorInfo {
                reason: "OVER_LIMIT".into(),
                domain: "angzarr.io".into(),
                metadata: vec![("limit".into(), limit.into())],
            }),
            ..Failure::rejected("no")
        };
        let observed = Observed::Rejected(failure("5"));
        assert_eq!(
            verdict(Some(&observed), &Outcome::Rejected(failure("5"))),
            "reproduced"
        );
        assert_ne!(
            verdict(Some(&observed), &Outcome::Rejected(failure("6"))),
            "reproduced"
        );
        // A log contains the status without its details.
        let logged = Observed::Rejected(Failure::rejected("no"));
        assert_eq!(
            verdict(Some(&logged), &Outcome::Rejected(failure("6"))),
            "reproduced"
        );
    }

    #[test]
    fn events_are_compared_one_by_one() {
        assert_eq!(
            verdict(Some(&stored(&[b"1", b"2"])), &accepted(&[b"1", b"2"])),
            "reproduced"
        );
        assert_eq!(
            verdict(Some(&stored(&[b"1", b"2"])), &accepted(&[b"1", b"3"])),
            "not reproduced: differs in event 2, field bytes"
        );
        assert_eq!(
            verdict(Some(&stored(&[b"1"])), &accepted(&[b"1", b"3"])),
            "not reproduced: 2 events now, production stored 1"
        );
    }

    #[test]
    fn events_for_another_aggregate_or_in_odd_places_are_not_the_same() {
        let Outcome::Accepted(mut book) = accepted(&[b"1"]) else {
            unreachable!()
        };
        book.pages[0].header = crate::model::Header::Sequence(9);
        let odd = Outcome::Accepted(book.clone());
        assert_eq!(
            verdict(Some(&stored(&[b"1"])), &odd),
            "not reproduced: differs in event 1, field sequence"
        );
        let Observed::Accepted(mut there) = stored(&[b"1"]) else {
            unreachable!()
        };
        there[0].sequence = Some(9);
        assert_eq!(
            verdict(Some(&Observed::Accepted(there)), &odd),
            "reproduced"
        );
        book.pages[0].header = crate::model::Header::Sequence(3);
        book.cover = Some(Cover::main(
            Domain::new("table").unwrap(),
            Root::new([0; 16]),
        ));
        let foreign = Outcome::Accepted(book);
        assert_eq!(
            verdict(Some(&stored(&[b"1"])), &foreign),
            "not reproduced: differs in cover"
        );
    }

    #[test]
    fn a_revocation_is_what_the_coordinator_made_of_it() {
        let failure = Failure::rejected("Command revoked: too late");
        let now = |reason: &str| {
            Outcome::Revoked(Revocation {
                reason: reason.into(),
                ..Revocation::default()
            })
        };
        assert_eq!(
            verdict(Some(&Observed::Revoked(failure.clone())), &now("too late")),
            "reproduced"
        );
        assert_eq!(
            verdict(Some(&Observed::Revoked(failure)), &now("too early")),
            "not reproduced: another status now: FAILED_PRECONDITION: \"Command revoked: too early\""
        );
    }
}
