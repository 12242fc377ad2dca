//! A redaction session: one run over payloads and texts that belong together.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt::{self, Display};

use super::detect;
use super::packed::packed_types;
use super::prior::PriorRedaction;
use super::redactor::{Reason, RedactError, Redactor, Report};
use crate::model::{Payload, Root};
use crate::payload::Unreadable;

/// How rules apply to a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageRole {
    /// The message is a payload: rules apply to all of it.
    Payload,
    /// The message is one of Angzarr's own and wraps payloads: rules apply only to the payloads. The fields around them
    /// are needed as they are.
    Envelope,
}

/// One run. Process the payloads first: their redacted values are then searched for in texts.
#[derive(Debug)]
pub struct Session<'a> {
    pub(super) redactor: &'a Redactor,
    pub(super) report: Report,
    /// Roots that have pseudonyms.
    pub(super) roots: Vec<Root>,
    /// Redaction that happened before capture.
    pub(super) prior: PriorRedaction,
    /// Types in the current payload that were already redacted with the same rules, key and descriptors. They keep
    /// their pseudonyms.
    pub(super) already_redacted: Option<BTreeSet<String>>,
    /// Whether the current message is one of Angzarr's own that wraps payloads.
    pub(super) is_envelope: bool,
    /// Whether this is the scan before anything is written. Texts are not searched yet, because the redacted values are
    /// not all known.
    pub(super) is_scanning: bool,
    /// Whether scanning is all that the session does.
    pub(super) only_scans: bool,
    /// Names of fields, and whether they suggest personal data: the same few names come with every event.
    pub(super) personal_names: HashMap<String, bool>,
    /// Texts without a finding: units and states come with every event, too.
    harmless_texts: HarmlessTexts,
}

/// Short texts that hold nothing that looks like a secret. They are never printed: such a text may be a name.
#[derive(Default)]
struct HarmlessTexts(HashSet<String>);

impl HarmlessTexts {
    /// Most texts that are remembered.
    const MOST: usize = 4_096;
    /// The longest of them, in bytes.
    const LONGEST: usize = 64;

    fn add(&mut self, text: &str) {
        if text.len() <= Self::LONGEST && self.0.len() < Self::MOST {
            self.0.insert(text.to_owned());
        }
    }
}

impl fmt::Debug for HarmlessTexts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HarmlessTexts({})", self.0.len())
    }
}

impl<'a> Session<'a> {
    pub(super) fn new(redactor: &'a Redactor) -> Self {
        Self {
            redactor,
            report: Report::default(),
            roots: Vec::new(),
            prior: PriorRedaction::default(),
            already_redacted: None,
            is_envelope: false,
            is_scanning: false,
            only_scans: false,
            personal_names: HashMap::new(),
            harmless_texts: HarmlessTexts::default(),
        }
    }

    /// A session over a case that was partly redacted before. Anything redacted by a different redactor is redacted
    /// again.
    #[must_use]
    pub fn with_prior(mut self, prior: &PriorRedaction) -> Self {
        self.prior.clone_from(prior);
        self
    }

    /// Ends the session and returns its report.
    #[must_use]
    pub fn finish(self) -> Report {
        self.report
    }

    /// Registers a root, so that it is found in payloads and texts. Returns its replacement.
    pub fn root(&mut self, root: Root) -> Root {
        let new = self.redactor.root(root);
        if new != root {
            self.report.redacted_values.root(root, new);
            self.report.roots.root(root, new);
            self.report.reasons.insert(Reason::Roots);
            if !self.roots.contains(&root) {
                self.roots.push(root);
            }
        }
        new
    }

    /// Scans a message to learn which values are redacted; `place` is its location for errors. Scan all messages that
    /// belong together before writing the first: a text in one may repeat a value that only a later message marks as
    /// secret.
    pub fn scan(
        &mut self,
        message: &Payload,
        is: MessageRole,
        place: &dyn Display,
    ) -> Result<(), RedactError> {
        self.begin(message, is);
        self.is_scanning = true;
        let redactor = self.redactor;
        let scanned = redactor.registry.visit(message, self);
        self.is_scanning = false;
        scanned.map_err(|reason| unreadable(message, place, reason))
    }

    /// Redacts a message that was scanned before.
    pub fn write(
        &mut self,
        message: &Payload,
        is: MessageRole,
        place: &dyn Display,
    ) -> Result<Payload, RedactError> {
        self.begin(message, is);
        let redactor = self.redactor;
        let value = redactor.registry.rewrite(message, self);
        Ok(Payload {
            type_url: message.type_url.clone(),
            value: value.map_err(|reason| unreadable(message, place, reason))?,
        })
    }

    /// Scans and redacts a single payload.
    pub fn payload(&mut self, payload: &Payload, place: &str) -> Result<Payload, RedactError> {
        self.scan(payload, MessageRole::Payload, &place)?;
        self.write(payload, MessageRole::Payload, &place)
    }

    /// What a text certainly holds, if it holds a secret or personal data.
    pub(super) fn sure_finding(&mut self, text: &str) -> Option<&'static str> {
        if self.harmless_texts.0.contains(text) {
            return None;
        }
        let found = detect::sure(text).first().map(|finding| finding.what);
        if found.is_none() {
            self.harmless_texts.add(text);
        }
        found
    }

    /// Types within a payload that an equal redactor has already redacted.
    fn already_redacted_types(&self, payload: &Payload) -> BTreeSet<String> {
        let mut types = packed_types(&self.redactor.registry, payload);
        types.retain(|it| {
            let own = self.redactor.fingerprint(it);
            own.is_some() && own.as_deref() == self.prior.by(it)
        });
        types
    }

    fn begin(&mut self, message: &Payload, is: MessageRole) {
        self.is_envelope = is == MessageRole::Envelope;
        let came_redacted = !self.is_envelope && self.prior.holds(message);
        self.already_redacted = came_redacted.then(|| self.already_redacted_types(message));
        if !self.is_envelope && !self.report.types.contains(message.type_name()) {
            self.report.types.insert(message.type_name().to_owned());
        }
    }

    /// Redacts a title, which may contain the first digits of a root.
    pub(super) fn title(&mut self, title: &str) -> String {
        let mut title = self.text(title);
        for root in &self.roots {
            let (old, new) = (root.hex(), self.redactor.root(*root).hex());
            title = with_prefix(&title, &old[..8], &new[..8]);
        }
        title
    }

    /// Redacts a text: the values redacted so far, and whatever looks like a secret or personal data.
    pub fn text(&mut self, text: &str) -> String {
        let (written, looks) = self.redactor.text_and_looks(&self.report, text);
        if written != text {
            self.report.reasons.insert(Reason::Texts);
        }
        self.report.looked_like.extend(looks);
        written
    }
}

fn unreadable(message: &Payload, place: &dyn Display, reason: Unreadable) -> RedactError {
    RedactError {
        place: format!("{place} (`{}`)", message.type_name()),
        reason,
    }
}

/// Replaces a root's prefix where it stands as a separate word.
fn with_prefix(text: &str, old: &str, new: &str) -> String {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '-';
    let mut written = String::with_capacity(text.len());
    let mut end = 0;
    for (start, found) in text.match_indices(old) {
        let after = text[start + found.len()..].chars().next();
        let before = text[..start].chars().next_back();
        if !before.is_some_and(is_part) && !after.is_some_and(is_part) {
            written += &text[end..start];
            written += new;
            end = start + found.len();
        }
    }
    written + &text[end..]
}
