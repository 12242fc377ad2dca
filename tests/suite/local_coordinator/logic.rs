//! Small logic of the tests' own.

use std::sync::Barrier;

use angzarr_replay::internal::model::{
    Answer, Body, CommandBook, Cover, Domain, EmittedBook, EmittedPage, EventBook, Failure, Header,
    Logic, Notification, Page, Payload, Reply, Revocation, Root,
};

use super::support::{player, snapshot};

/// Logic that does what the command's type says.
#[derive(Default)]
pub(crate) struct Scripted {
    /// Where racing commands meet.
    pub(crate) meeting: Option<Barrier>,
}

impl Logic for Scripted {
    fn handle(&self, prior: &EventBook, command: &CommandBook) -> Answer {
        if let Some(meeting) = &self.meeting {
            meeting.wait();
        }
        let event = |header| EmittedPage {
            header,
            ..EmittedPage::event(Payload::new("test.Added", b"new".to_vec()))
        };
        let next = prior.next_sequence;
        let mut book = EmittedBook::default();
        match command.type_name() {
            "test.Add" => book.pages.push(event(Header::Sequence(next))),
            "test.AddTwo" => book
                .pages
                .extend([event(Header::Absent), event(Header::Absent)]),
            "test.Gap" => book.pages.push(event(Header::Sequence(next + 5))),
            "test.Clash" => book.pages.push(event(Header::Sequence(0))),
            "test.Echo" => {
                book.cover = Some(prior.cover.clone());
                book.pages = prior.history.pages().iter().map(echo).collect();
                book.pages.push(event(Header::Sequence(next)));
            }
            "test.Foreign" => {
                book.cover = Some(Cover::main(player(), Root::new([9; 16])));
                book.pages.push(event(Header::Sequence(next)));
            }
            "test.Astray" => {
                let table = Domain::new("table").unwrap();
                book.cover = Some(Cover::main(table, prior.cover.root));
                book.pages.push(event(Header::Sequence(next)));
            }
            "test.Snapshot" => {
                book.pages.push(event(Header::Sequence(next)));
                book.snapshot = Some(snapshot(0, "folded"));
            }
            "test.Seen" => {
                let seen = Payload::new("test.Seen", seen(prior, command).into());
                book.pages.push(EmittedPage {
                    header: Header::Sequence(next),
                    ..EmittedPage::event(seen)
                });
            }
            "test.Nothing" => {}
            "test.Reject" => return Err(Failure::rejected("not today")),
            "test.Revoke" => {
                let reason = "too late".to_owned();
                return Ok(Reply::Revocation(Revocation {
                    reason,
                    ..Revocation::default()
                }));
            }
            "test.Notify" => {
                let notification = Notification {
                    cover: None,
                    payload: None,
                    sent_at: None,
                    metadata: Vec::new(),
                };
                return Ok(Reply::Notification(notification));
            }
            other => return Err(Failure::refused(format!("Unknown command type: {other}"))),
        }
        Ok(Reply::Events(book))
    }
}

fn echo(page: &Page) -> EmittedPage {
    EmittedPage {
        header: Header::Sequence(page.sequence),
        created_at: page.created_at,
        body: page.body.clone(),
        provisional: page.provisional,
    }
}

/// What the logic was shown, in words.
fn seen(prior: &EventBook, command: &CommandBook) -> String {
    let pages: Vec<String> = prior
        .history
        .pages()
        .iter()
        .map(|page| match page.body.event() {
            Some(event) if event.type_name().ends_with("NoOp") => {
                format!("{}=placeholder", page.sequence)
            }
            _ => page.sequence.to_string(),
        })
        .collect();
    format!(
        "{}{}[{}] next {}, command at {:?} in `{}`",
        prior.cover.edition.label(),
        prior
            .snapshot
            .as_ref()
            .map(|snapshot| format!(" from {}", snapshot.sequence))
            .unwrap_or_default(),
        pages.join(" "),
        prior.next_sequence,
        command.expected_sequence(),
        command.cover.correlation_id,
    )
}

/// Logic that takes up facts, and notes that it did.
pub(crate) struct Bookkeeper;

impl Logic for Bookkeeper {
    fn handle(&self, _: &EventBook, command: &CommandBook) -> Answer {
        Err(Failure::refused(command.type_name()))
    }

    fn handle_fact(&self, facts: &EmittedBook, prior: &EventBook) -> Result<EmittedBook, Failure> {
        let taken_up = facts.pages.iter().map(|page| {
            let mut page = page.clone();
            if let Body::Event(event) = &mut page.body {
                let seen = format!(" after {}", prior.next_sequence);
                event.value.extend(seen.bytes());
            }
            page
        });
        let noted = EmittedPage::event(Payload::new("test.Noted", b"noted".to_vec()));
        Ok(EmittedBook {
            pages: taken_up.chain([noted]).collect(),
            ..EmittedBook::default()
        })
    }
}
