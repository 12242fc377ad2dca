//! The dead letters in the service that the source names.

use super::{Found, Haystack, Newest, Search};
use crate::capture::{Logged, LoggedFailure};
use crate::finding::clue::{Candidate, Id, Wanted};
use crate::finding::occurrence::{Cause, Occurrence, OccurrenceKind, Place};
use crate::grpc::{DeadLetter, StoredLetter};
use crate::model::counted;
use crate::project::SourceError;
use crate::wire::Dialect;

pub(super) struct DeadLetterService<'a> {
    search: &'a Search<'a>,
    /// All letters, once they are listed.
    listed: Option<Vec<StoredLetter>>,
}

const PLACE: &str = "dead letters";

impl Haystack for DeadLetterService<'_> {
    fn search(&mut self, wanted: &Wanted<'_>, found: &mut Found) {
        let config = self
            .search
            .project
            .config()
            .sources
            .get(&self.search.source);
        if config.is_none_or(|config| config.status.is_none()) {
            found.not_looked(
                PLACE,
                "the source names no `status`; core 0.5 keeps no dead letters",
            );
            return;
        }
        let read = if matches!(wanted, Wanted::Clues(_)) && self.wants_numbers_only() {
            self.by_number()
                .map(|letters| (letters, "the dead letter with that number".to_owned()))
        } else {
            self.list().map(|letters| {
                let place = format!("dead letters ({})", counted(letters.len(), "letter"));
                (letters, place)
            })
        };
        match read {
            Ok((letters, place)) => {
                self.add(&letters, wanted, found);
                found.looked(place);
            }
            Err(error) => found.not_looked(PLACE, error),
        }
    }
}

impl<'a> DeadLetterService<'a> {
    pub(super) const fn of(search: &'a Search<'a>) -> Self {
        Self {
            search,
            listed: None,
        }
    }

    fn wants_numbers_only(&self) -> bool {
        let clues = self.search.clues;
        !clues.has_field() && clues.ids.iter().all(Id::is_only_number)
    }

    fn by_number(&self) -> Result<Vec<StoredLetter>, SourceError> {
        let service = self.search.project.dead_letters(&self.search.source)?;
        let numbers = self.search.clues.ids.iter().filter_map(|id| id.letter);
        let mut letters = Vec::new();
        for id in numbers {
            letters.extend(service.get(id)?.map(|letter| StoredLetter {
                id,
                letter: Ok(letter),
            }));
        }
        Ok(letters)
    }

    fn list(&mut self) -> Result<Vec<StoredLetter>, SourceError> {
        if let Some(listed) = &self.listed {
            return Ok(listed.clone());
        }
        let service = self.search.project.dead_letters(&self.search.source)?;
        Ok(self.listed.insert(service.list()?).clone())
    }

    fn add(&self, letters: &[StoredLetter], wanted: &Wanted<'_>, found: &mut Found) {
        let mut newest = Newest::default();
        for StoredLetter { id, letter } in letters {
            match letter {
                Ok(letter) => {
                    if let Some(occurrence) = self.occurrence(*id, letter, wanted) {
                        newest.push(occurrence);
                    }
                }
                Err(reason) => found.not_looked(&format!("dead letter {id}"), reason),
            }
        }
        found.add(newest);
    }

    fn occurrence(&self, id: i64, letter: &DeadLetter, wanted: &Wanted<'_>) -> Option<Occurrence> {
        // The numbers of enums differ between dialects, and none of them is shown.
        let failure = LoggedFailure::of_letter(letter, Dialect::ANGZARR)
            .ok()
            .flatten();
        let book = failure.as_ref().and_then(|it| it.command.as_ref());
        let book = book.map(|command| &command.book);
        let cover = &letter.cover;
        let of_events = Candidate {
            domain: Some(&cover.domain),
            root: Some(cover.root),
            correlation_id: &cover.correlation_id,
            ext: cover.ext.as_ref(),
            ..Candidate::default()
        };
        let matched = wanted.matches(&Candidate {
            letter: Some(id),
            is_failure: true,
            ..book.map_or(of_events, Candidate::of_command)
        })?;
        let messages = &self.search.messages;
        let (message, redacted_id) = match failure.clone().map(Logged::Failure) {
            Some(logged) => (
                messages.of_logged(&logged),
                messages.correlation_id(&logged),
            ),
            None => (
                messages.of_text(&letter.reason),
                messages.id(&cover.correlation_id),
            ),
        };
        Some(Occurrence {
            time: letter.time,
            domain: Some(cover.domain.clone()),
            root: Some(cover.root),
            edition: cover.edition.clone(),
            correlation_id: cover.correlation_id.clone(),
            redacted_id,
            type_name: book.map_or_else(String::new, |book| book.type_name().to_owned()),
            message,
            cause: book.and_then(Cause::of_command),
            ..Occurrence::new(OccurrenceKind::DeadLetter, Place::DeadLetter(id), matched)
        })
    }
}
