//! Judges whether the current code does what production did.

use std::fmt;

use serde_yaml::{Mapping, Value};

use super::flow_place::StatusLine;
use super::render::{pairs, put};
use super::{Difference, Renderer, Summary, Unchecked, differences};
use crate::model::{Failure, Observed, Outcome};

/// The result of the comparison. Never a guess.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// The current code does what production did.
    Reproduced,
    /// It does something else.
    NotReproduced {
        /// The difference that says most.
        summary: Summary,
        /// All differences.
        differences: Vec<Difference>,
    },
    /// It cannot be judged.
    NotChecked {
        /// Why.
        reason: Unchecked,
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
                reason: Unchecked::ProductionUnknown,
            };
        };
        match (observed, outcome) {
            (Observed::Accepted(events), Outcome::Accepted(book)) => Self::of_events(
                &renderer.observed(events),
                &renderer.emission(book),
                renderer,
            ),
            (Observed::Reacted(then), Outcome::Reacted(now)) => {
                Self::of_views(&renderer.reaction(then), &renderer.reaction(now), renderer)
            }
            (Observed::Projected(then), Outcome::Projected(now)) => Self::of_views(
                &renderer.projection(then),
                &renderer.projection(now),
                renderer,
            ),
            (Observed::Upcast(then), Outcome::Upcast(now)) => {
                Self::of_views(&renderer.upcast(then), &renderer.upcast(now), renderer)
            }
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
                reason: Unchecked::NotificationUnknown,
            },
            // A coordinator answers a notification with an empty book.
            (Observed::Accepted(events), Outcome::Notified(_)) if events.is_empty() => {
                Self::Reproduced
            }
            (observed, outcome) => Self::NotReproduced {
                summary: Summary::OtherOutcome {
                    now: described(outcome),
                    production: None,
                },
                differences: vec![Difference::of_key(
                    "outcome",
                    observed.word(),
                    outcome.word(),
                )],
            },
        }
    }

    fn of_views(then: &Value, now: &Value, renderer: &Renderer<'_>) -> Self {
        let found = differences(then, now, &renderer.descriptors);
        match found.first() {
            None => Self::Reproduced,
            Some(first) => Self::NotReproduced {
                summary: Summary::Value(first.path.clone()),
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
            Summary::Value(first.path.clone())
        } else {
            Summary::EventCount {
                now: count(now),
                production: count(then),
            }
        };
        Self::NotReproduced {
            summary,
            differences: found,
        }
    }

    /// The reason and metadata of the error info are compared if they were observed: a log contains the status without it.
    pub(super) fn of_failures(then: &Failure, now: &Failure) -> Self {
        let view = |failure: &Failure| {
            let mut fields = Mapping::new();
            put(&mut fields, "code", failure.code.name().into());
            put(&mut fields, "message", failure.message.as_str().into());
            if then.info.is_some() {
                let info = failure.info.as_ref();
                let reason = info.map_or("", |info| &info.reason);
                let metadata = info.map_or(&[][..], |info| &info.metadata);
                put(&mut fields, "reason", reason.into());
                put(&mut fields, "metadata", pairs(metadata));
            }
            Value::Mapping(fields)
        };
        let found = differences(&view(then), &view(now), &[]);
        if found.is_empty() {
            return Self::Reproduced;
        }
        Self::NotReproduced {
            summary: Summary::OtherStatus(StatusLine::of(now)),
            differences: found,
        }
    }
}

/// An outcome in a few words, with its status if it has one.
#[must_use]
pub fn described(outcome: &Outcome) -> String {
    match outcome.failure() {
        Some(failure) => format!("{} ({})", outcome.word(), StatusLine::of(failure)),
        None => outcome.word().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        Body, Cover, Domain, EmittedBook, EmittedPage, ErrorInfo, Payload, Revocation, Root,
    };
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
