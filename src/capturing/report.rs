//! The report of a capture, line by line: what was found, in words.

use super::captured::ReportLine;
use super::found_failure::FoundFailure;
use crate::capture::{
    Assembled, CaseDialect, DialectKnowledge, EditionShape, Fetched, Persisted, PersistedRule,
};
use crate::documentation::Page;
use crate::model::{Case, CaseStimulus, HeadKnowledge, Observed, Payload, counted};
use crate::payload::LeftOut;
use crate::project::snapshot_is_not_known;
use crate::terminal::program;
use crate::wire::{Dialect, UnknownField, UnknownFields};

/// Maximum number of events whose causes are listed.
const SHOWN_CAUSES: usize = 3;

/// The lines of a report, each with a key.
#[derive(Default)]
pub(super) struct CaptureReport {
    lines: Vec<ReportLine>,
}

impl CaptureReport {
    pub(super) fn add(&mut self, key: &str, text: impl Into<String>) {
        self.lines.push(ReportLine {
            key: key.to_owned(),
            own: text.into(),
            quoted: None,
        });
    }

    /// Adds a line that ends with the words of production.
    pub(super) fn quote(&mut self, key: &str, own: impl Into<String>, quoted: &str) {
        self.add(key, own);
        if let Some(line) = self.lines.last_mut() {
            line.quoted = Some(quoted.to_owned());
        }
    }

    /// Changes every line: our own words and the quoted words in different ways.
    pub(super) fn change(&mut self, own: impl Fn(&str) -> String, quoted: impl Fn(&str) -> String) {
        for line in &mut self.lines {
            line.own = own(&line.own);
            line.quoted = line.quoted.as_deref().map(&quoted);
        }
    }

    /// Adds lines of the report that was made with a bundle.
    pub(super) fn extend(&mut self, lines: Vec<ReportLine>) {
        self.lines.extend(lines);
    }

    pub(super) fn lines(&self) -> &[ReportLine] {
        &self.lines
    }

    pub(super) fn into_lines(self) -> Vec<ReportLine> {
        self.lines
    }

    pub(super) fn capture(
        &mut self,
        assembled: &Assembled,
        fetched: &Fetched,
        found: &FoundFailure,
    ) {
        let case = &assembled.case;
        self.history(case, fetched);
        match &case.stimulus {
            CaseStimulus::History => self.add(
                "command",
                format!("{}: this is a case of the history alone", found.origin),
            ),
            stimulus => {
                if let Some(command) = stimulus.command() {
                    let name = command.type_name();
                    self.add("command", format!("{name}, {}", found.origin));
                }
            }
        }
        if assembled.is_restamped {
            self.add(
                "",
                format!(
                    "its own header is replaced: it is sent for sequence {} now",
                    assembled.head
                ),
            );
        }
        if let Some(failure) = case.observed.as_ref().and_then(Observed::failure) {
            self.quote("production", failure.code.to_string(), &failure.message);
        }
        if let Some(persisted) = &assembled.persisted {
            self.add("production", persisted_in_words(persisted));
        }
        let mut head = head_in_words(case.source.head);
        if let Some(noted) = &case.noted {
            let code = noted.code.map_or_else(String::new, |code| code.to_string());
            self.quote("noted", code, &noted.message);
            if case.source.head == HeadKnowledge::Ticket {
                head = "as the log says";
            }
        }
        self.add("head", format!("{}, {head}", assembled.head));
        self.dialect(assembled.dialect);
    }

    /// Adds the lines about a case that the recorder saw completely.
    pub(super) fn recorded(&mut self, case: &Case, head: u32) {
        self.pages(case, 0);
        self.snapshot(case);
        if let Some(command) = case.stimulus.command() {
            self.add("command", command.type_name());
        }
        if let Some(observed) = &case.observed {
            match observed.failure() {
                Some(failure) => {
                    self.quote("production", failure.code.to_string(), &failure.message);
                }
                None => self.add("production", observed.word()),
            }
        }
        let known = head_in_words(case.source.head);
        self.add("head", format!("{head}, {known}"));
    }

    /// Adds a dialect that the source does not reveal.
    pub(super) fn dialect(&mut self, of_case: CaseDialect) {
        if let Some(text) = dialect_in_words(of_case) {
            self.add("dialect", text);
        }
    }

    /// Adds lines of a log that look like failures and are not usable.
    pub(super) fn unusable(&mut self, lines: &[String]) {
        match lines {
            [] => {}
            [one] => self.add("log", format!("not usable: {one}")),
            [first, more @ ..] => self.add(
                "log",
                format!(
                    "not usable: {first} (and {}; `{} tickets` lists them)",
                    counted(more.len(), "more line"),
                    program()
                ),
            ),
        }
    }

    /// Adds fields of a later revision that are not kept.
    pub(super) fn unknown(&mut self, fields: &UnknownFields) {
        for field in fields {
            self.add("unknown", not_kept(*field));
        }
    }

    /// Adds how many external events were inlined.
    pub(super) fn inlined(&mut self, count: usize) {
        if count > 0 {
            let events = counted(count, "event");
            self.add(
                "external",
                format!("{events} read from where they are stored, and held against hash and size"),
            );
        }
    }

    pub(super) fn descriptors(
        &mut self,
        undescribed: &[String],
        inexact: &[String],
        left_out: &[LeftOut],
    ) {
        if !undescribed.is_empty() {
            let names = undescribed.join(", ");
            self.add(
                "descriptors",
                format!("missing for {names}: kept as bytes (add to `descriptors` in replay.toml)"),
            );
            for file in left_out {
                self.add("descriptors", format!("not read: {file}"));
            }
        }
        if !inexact.is_empty() {
            let names = inexact.join(", ");
            self.add(
                "descriptors",
                format!("{names}: a view would not give the bytes back; both are kept"),
            );
        }
    }

    /// Adds the pages of a case, and how many later ones it leaves out.
    fn pages(&mut self, case: &Case, later: usize) {
        let pages = case.history.pages();
        let text = match (pages.first(), pages.last()) {
            (Some(first), Some(last)) => {
                let name = last
                    .body
                    .event()
                    .map_or("a page without an event", Payload::type_name);
                let later = match later {
                    0 => String::new(),
                    later => format!("; {later} later left out"),
                };
                let (first, last) = (first.sequence, last.sequence);
                let events = counted(pages.len(), "event");
                format!("{events}, sequence {first} to {last}, last {name}{later}")
            }
            _ => "no events".to_owned(),
        };
        self.add("history", text);
    }

    /// Adds the newest events whose cause the store knows.
    fn causes(&mut self, case: &Case, fetched: &Fetched) {
        let end = case.history.next_sequence();
        let notes = fetched.notes.iter().rev();
        let notes = notes.filter(|note| note.sequence < end);
        let mut caused = notes.filter_map(|note| Some((note.sequence, note.caused_by.as_ref()?)));
        for (position, (sequence, cause)) in caused.by_ref().take(SHOWN_CAUSES).enumerate() {
            let key = if position == 0 { "caused by" } else { "" };
            self.quote(key, format!("sequence {sequence} by"), &cause.to_string());
        }
        let more = caused.count();
        if more > 0 {
            self.add("", format!("and {} before", counted(more, "event")));
        }
    }

    fn snapshot(&mut self, case: &Case) {
        if let Some(snapshot) = &case.snapshot {
            self.add(
                "snapshot",
                format!("stored after sequence {}", snapshot.sequence),
            );
        }
    }

    pub(super) fn history(&mut self, case: &Case, fetched: &Fetched) {
        if let Some(store) = &fetched.store {
            self.add("read", store);
        }
        let later = fetched.history.pages().len() - case.history.pages().len();
        self.pages(case, later);
        let gaps: Vec<String> = case
            .history
            .gaps()
            .iter()
            .map(|(first, last)| format!("{first} to {last}"))
            .collect();
        if !gaps.is_empty() {
            self.add(
                "",
                format!("gaps in the store, read twice: {}", gaps.join(", ")),
            );
        }
        self.causes(case, fetched);
        if fetched.store.is_some() && case.snapshot.is_none() {
            self.add("snapshot", "none stored before the head");
        }
        if snapshot_is_not_known(case) {
            self.add(
                "snapshot",
                format!(
                    "not known: queries of `{}` return none ({})",
                    case.source.dialect,
                    Page::Snapshots
                ),
            );
        }
        self.snapshot(case);
        let edition = case.cover.edition.label();
        match fetched.edition {
            EditionShape::Main => {}
            EditionShape::DivergesAt(at) => {
                self.add("edition", format!("{edition} leaves main at sequence {at}"));
            }
            EditionShape::NothingOfItsOwn => self.add(
                "edition",
                format!(
                    "{edition} has no events of its own: what was read is main (is the name right?)"
                ),
            ),
        }
    }
}

/// How the dialect of a case is known, unless the source reveals it.
pub(super) fn dialect_in_words(CaseDialect { dialect, known }: CaseDialect) -> Option<String> {
    match known {
        DialectKnowledge::Source => None,
        DialectKnowledge::Note => Some(format!(
            "{dialect}, as noted with the command: others have the same package, and the source does not say which it speaks"
        )),
        DialectKnowledge::Assumed => Some(assumed_dialect(dialect)),
    }
}

/// An assumed dialect, in words.
pub(crate) fn assumed_dialect(dialect: Dialect) -> String {
    format!(
        "{dialect} assumed: older ones have the same package; `dialect` in replay.toml settles it"
    )
}

/// A field that a capture does not keep, in words.
pub(crate) fn not_kept(field: UnknownField) -> String {
    format!("{field} (from a later revision?): not kept")
}

fn persisted_in_words(persisted: &Persisted) -> String {
    match persisted {
        Persisted::Known { events, rule } => {
            let names = events.iter().map(|event| {
                let name = event
                    .body
                    .event()
                    .map_or("a page without an event", Payload::type_name);
                name.rsplit('.').next().unwrap_or_default()
            });
            let names: Vec<&str> = names.collect();
            let stored = if names.is_empty() {
                "no event".to_owned()
            } else {
                names.join(", ")
            };
            let how = match rule {
                PersistedRule::Given => "as many events after the head as --persisted says",
                PersistedRule::Noted => "as many events after the head as its note says",
                PersistedRule::OnlyOne => "the only event after the head",
                PersistedRule::SameTime => {
                    "the events after the head with the time of the first; --persisted says another number"
                }
                PersistedRule::SameCascade => {
                    "the events after the head of one two-phase commit; --persisted says another number"
                }
            };
            format!("accepted, stored {stored} ({how})")
        }
        Persisted::NotTold { following } => format!(
            "not known: {following} events follow the head, and nothing tells how many the command stored; \
             --persisted COUNT says it"
        ),
        Persisted::NothingFollows => "not known: no event follows the head".to_owned(),
    }
}

const fn head_in_words(known: HeadKnowledge) -> &'static str {
    match known {
        HeadKnowledge::Checked => "which the command's own header says and its coordinator checked",
        HeadKnowledge::Ticket => "as the ticket says",
        HeadKnowledge::Given => "as given",
        HeadKnowledge::Assumed => {
            "assumed: the head that the command saw is not known, this is today's (give it with --to-sequence)"
        }
        HeadKnowledge::Current => "today's",
        HeadKnowledge::Recorded => "as the recorder saw it",
    }
}
