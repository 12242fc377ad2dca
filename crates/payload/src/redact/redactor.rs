//! The public interface: a redaction policy and its descriptors, applied to payloads and texts.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use super::key::Key;
use super::mask::{secrets, without};
use super::redacted_values::RedactedValues;
use super::rule::{Action, RedactionRule};
use super::session::Session;
use crate::model::{Fingerprints, Payload, Redaction, Redactions, Root, matches_pattern};
use crate::payload::{FieldPathError, Registry, Unreadable};

/// What is redacted, and how.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Redaction rules in the order they are tried. The first rule that matches a field applies.
    pub rules: Vec<RedactionRule>,
    /// Key of the pseudonyms.
    pub key: Option<Key>,
    /// Action for fields that are marked `debug_redact` and that no rule matches. By default a pseudonym if there is a
    /// key, otherwise a mask.
    pub debug_redact: Option<Action>,
    /// Whether roots of aggregates become pseudonyms, in covers and wherever payloads and texts repeat them.
    pub roots: bool,
    /// Whether an unreadable payload is an error. Otherwise it is left as it is, and the report lists it.
    pub is_strict: bool,
}

impl Policy {
    /// A policy with these rules and without a key: roots are kept, and an unreadable payload is an error.
    #[must_use]
    pub const fn new(rules: Vec<RedactionRule>) -> Self {
        Self {
            rules,
            key: None,
            debug_redact: None,
            roots: false,
            is_strict: true,
        }
    }

    /// Sets the key of the pseudonyms.
    #[must_use]
    pub fn with_key(mut self, key: Key) -> Self {
        self.key = Some(key);
        self
    }

    /// Sets the action for fields that are marked `debug_redact` and that no rule matches. By default they become a
    /// pseudonym if there is a key, otherwise a mask.
    #[must_use]
    pub const fn with_debug_redact(mut self, action: Action) -> Self {
        self.debug_redact = Some(action);
        self
    }

    /// Replaces roots of aggregates by pseudonyms, in covers and wherever payloads and texts repeat them.
    #[must_use]
    pub const fn with_roots(mut self) -> Self {
        self.roots = true;
        self
    }

    /// Leaves an unreadable payload as it is instead of failing; the report lists it.
    #[must_use]
    pub const fn lenient(mut self) -> Self {
        self.is_strict = false;
        self
    }

    /// The settings that affect fields, as text for the fingerprint.
    fn fingerprint_text(&self) -> String {
        let of_rule = |rule: &RedactionRule| {
            // Strings are quoted, so that different lists of rules never produce the same text.
            format!(
                "{:?} {:?} {:?} {:?} {:?}",
                rule.type_pattern, rule.segments, rule.action, rule.form, rule.range
            )
        };
        let mut said: Vec<String> = self.rules.iter().map(of_rule).collect();
        said.push(format!("{:?}", self.debug_redact));
        said.join("\n")
    }
}

/// Why a policy cannot be applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RedactorError {
    /// It asks for pseudonyms, and there is no key.
    #[error(
        "{asks} asks for pseudonyms and there is no key: name its variable or its file with `key_env` or `key_file` under \
         [redaction]"
    )]
    NoKey {
        /// The setting that asks for pseudonyms.
        asks: String,
    },
    /// Some rules match no field, so the fields they were meant for would not be redacted.
    #[error("{}", rules.join("; "))]
    UnmatchedRules {
        /// Description of each rule, with the reason why it matches nothing.
        rules: Vec<String>,
    },
}

/// A payload that cannot be redacted because it cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{place}: {reason}; what cannot be read cannot be redacted, so nothing is written: name its descriptors in \
     replay.toml (`descriptors`), let a redaction rule drop the field that it is in, or say --unredacted"
)]
pub struct RedactError {
    /// Where it is, with its type.
    pub place: String,
    /// Why it cannot be read.
    pub reason: Unreadable,
}

/// Why a value was redacted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// A redaction rule, by its index.
    Rule(usize),
    /// `debug_redact` in the field's descriptor.
    DebugRedact,
    /// It is the root of an aggregate.
    Roots,
    /// It was found in a text, such as an error message or an id.
    Texts,
}

/// A field that looks personal and that no rule matches.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Suspect {
    /// Full name of the message that contains it.
    pub type_name: String,
    /// Name of the field; `*` stands for the keys of a map.
    pub field: String,
    /// Why it looks personal: `name`, or what its content resembles.
    pub looks_like: &'static str,
}

/// Why a field is suspect that may hold the root of an aggregate outside the case.
pub const OTHER_ROOT: &str = "perhaps another aggregate's root";

/// What a redaction did. Contains redacted values, but never prints them.
#[derive(Clone, Default)]
pub struct Report {
    /// Redacted fields.
    pub touched: BTreeSet<Redaction>,
    /// Fields that look personal and that no rule matches.
    pub suspects: BTreeSet<Suspect>,
    /// Descriptions of payloads that could not be read and were left as they are.
    pub unread: BTreeSet<String>,
    /// Types of the payloads that were processed, including packed ones.
    pub types: BTreeSet<String>,
    /// Whether pseudonyms may have been replaced by new pseudonyms: the payloads arrived redacted by other rules, with
    /// another key or other descriptors, or by an unknown redactor.
    pub is_anew: bool,
    /// Why values were redacted.
    pub reasons: BTreeSet<Reason>,
    /// What kinds of secrets were removed from texts: `email`.
    pub looked_like: BTreeSet<&'static str>,
    /// Apparent secrets in fields that a rule keeps.
    pub(super) reviewed: BTreeSet<String>,
    pub(super) redacted_values: RedactedValues,
    /// Roots that have pseudonyms, in all their spellings.
    pub(super) roots: RedactedValues,
}

impl std::fmt::Debug for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Report")
            .field("touched", &self.touched)
            .field("suspects", &self.suspects)
            .field("unread", &self.unread)
            .finish_non_exhaustive()
    }
}

impl Report {
    /// One of our own texts with the roots replaced. Other redacted values are not replaced, because our words and
    /// numbers may be equal to them by chance.
    #[must_use]
    pub fn without_roots(&self, text: &str) -> String {
        self.roots.replaced_in(text)
    }
}

/// A redacted payload.
#[derive(Debug, Clone)]
pub struct Redacted {
    /// The payload, safe to write.
    pub payload: Payload,
    /// What was redacted.
    pub report: Report,
}

/// Text that is left in place although it looks like a secret or personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    /// The kind of finding it applies to, as an audit names it; any kind if none.
    pub finding: Option<String>,
    /// Pattern of the allowed text.
    pub text: String,
}

/// A policy with its descriptors. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Redactor {
    pub(super) registry: Registry,
    pub(super) policy: Arc<Policy>,
    /// Apparent secrets that are allowed in texts.
    allowed: Arc<[Allowed]>,
    /// Cache of fingerprints.
    fingerprints: Arc<Mutex<Fingerprints>>,
    /// Reasons that are ignored, to find out which of them changed an outcome.
    pub(super) ignored_reasons: BTreeSet<Reason>,
}

impl Redactor {
    /// A redactor for the described types.
    ///
    /// # Errors
    /// If the policy asks for pseudonyms and there is no key, or if a rule matches no field of a described type,
    /// because it is misspelt or descriptors are missing. A lenient redactor accepts rules whose type is not described;
    /// [`Redactor::unfitting`] lists them.
    pub fn new(registry: Registry, mut policy: Policy) -> Result<Self, RedactorError> {
        let has_key = policy.key.is_some();
        let debug_redact = policy.debug_redact.unwrap_or(if has_key {
            Action::Pseudonym
        } else {
            Action::Mask
        });
        policy.debug_redact = Some(debug_redact);
        let asks = policy
            .rules
            .iter()
            .enumerate()
            .find(|(_, rule)| rule.action == Action::Pseudonym)
            .map(|(at, rule)| named(at, rule))
            .or_else(|| (debug_redact == Action::Pseudonym).then(|| "`debug_redact`".to_owned()))
            .or_else(|| policy.roots.then(|| "`roots`".to_owned()));
        if let (Some(asks), false) = (asks, has_key) {
            return Err(RedactorError::NoKey { asks });
        }
        let redactor = Self {
            registry,
            allowed: Arc::default(),
            fingerprints: Arc::default(),
            policy: Arc::new(policy),
            ignored_reasons: BTreeSet::new(),
        };
        let is_strict = redactor.is_strict();
        let rules: Vec<String> = redactor
            .unmatched_rules()
            .filter(|(_, reason)| is_strict || matches!(reason, FieldPathError::NoField(_)))
            .map(|(rule, reason)| unmatched(&rule, &reason))
            .collect();
        if rules.is_empty() {
            Ok(redactor)
        } else {
            Err(RedactorError::UnmatchedRules { rules })
        }
    }

    /// Rules that match no field of a described type.
    fn unmatched_rules(&self) -> impl Iterator<Item = (String, FieldPathError)> {
        let rules = self.policy.rules.iter().enumerate();
        rules.filter_map(|(at, rule)| {
            let leads = self
                .registry
                .check_field_path(&rule.type_pattern, &rule.segments);
            Some((named(at, rule), leads.err()?))
        })
    }

    /// Whether no field can ever be redacted: every rule keeps, and no described field is marked `debug_redact`.
    #[must_use]
    pub fn leaves_fields(&self) -> bool {
        let mut rules = self.policy.rules.iter();
        let asks = self.debug_redact() != Action::Keep
            && self.registry.types_with_debug_redact().next().is_some();
        rules.all(|rule| rule.action == Action::Keep) && !asks
    }

    /// Whether the redactor does nothing at all: no field is redacted or kept by a rule, and roots stay.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.leaves_fields() && self.policy.rules.is_empty() && !self.policy.roots
    }

    /// Descriptions of the rules that match no described type. A lenient redactor accepts them.
    pub fn unfitting(&self) -> impl Iterator<Item = String> {
        self.unmatched_rules()
            .map(|(rule, reason)| unmatched(&rule, &reason))
    }

    /// 16 hex digits that are equal if equal values in payloads of this type get equal pseudonyms. Derived from the
    /// key, the rules without their reasons, and the descriptors of the type. None without a key, because there are no
    /// pseudonyms then, and none without a descriptor.
    #[must_use]
    pub fn fingerprint(&self, type_name: &str) -> Option<String> {
        let key = self.policy.key.as_ref()?;
        let mut known = self
            .fingerprints
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(fingerprint) = known.get(type_name) {
            return Some(fingerprint.clone());
        }
        let shape = self.registry.shape(type_name)?;
        let said = format!("{}\n{shape}", self.policy.fingerprint_text());
        let fingerprint = key.fingerprint(&said);
        known.insert(type_name.to_owned(), fingerprint.clone());
        Some(fingerprint)
    }

    /// The redactions to record beside the result of a run; `earlier` are those recorded before it.
    #[must_use]
    pub fn redactions(&self, report: &Report, earlier: &[Redaction]) -> Redactions {
        let fields: BTreeSet<_> = report.touched.iter().chain(earlier).cloned().collect();
        let is_known = !fields.is_empty() && report.unread.is_empty();
        let types = report.types.iter().filter(|_| is_known);
        Redactions {
            fields: fields.into_iter().collect(),
            by: types
                .filter_map(|it| Some((it.clone(), self.fingerprint(it)?)))
                .collect(),
        }
    }

    /// Whether an unreadable payload is an error.
    #[must_use]
    pub fn is_strict(&self) -> bool {
        self.policy.is_strict
    }

    /// Starts a session over payloads and texts that belong together: a value redacted in one is searched for in the
    /// texts of all.
    #[must_use]
    pub fn session(&self) -> Session<'_> {
        Session::new(self)
    }

    /// Redacts one payload.
    pub fn redact_payload(&self, payload: &Payload) -> Result<Redacted, RedactError> {
        let mut session = self.session();
        let payload = session.payload(payload, "the payload")?;
        Ok(Redacted {
            payload,
            report: session.finish(),
        })
    }

    /// Removes from a text whatever looks like a secret or personal data.
    #[must_use]
    pub fn redact_text(&self, text: &str) -> String {
        self.session().text(text)
    }

    /// Like [`Redactor::redact_text`], and also removes the values that a session redacted.
    #[must_use]
    pub fn text_after(&self, report: &Report, text: &str) -> String {
        self.text_and_looks(report, text).0
    }

    /// Like [`Redactor::text_after`], and returns the kinds of secrets that were removed.
    #[must_use]
    pub fn text_and_looks(&self, report: &Report, text: &str) -> (String, BTreeSet<&'static str>) {
        if !self.applies(Reason::Texts) {
            return (text.to_owned(), BTreeSet::new());
        }
        let (text, replacements) = report.redacted_values.replaced(text);
        let mut secrets = secrets(&text, self.policy.key.as_ref());
        secrets.retain(|secret| {
            let is_allowed = |allowed: &Allowed| {
                let finding = allowed.finding.as_deref();
                finding.is_none_or(|it| it == secret.what)
                    && matches_pattern(&allowed.text, &secret.text)
            };
            !secret.is_made_of(&replacements, &text)
                && !report.reviewed.contains(&secret.text)
                && !self.allowed.iter().any(is_allowed)
        });
        let looks = secrets.iter().map(|secret| secret.what).collect();
        (without(&text, secrets.iter()), looks)
    }

    /// Adds apparent secrets that are allowed in texts. Values redacted by a rule are removed all the same.
    #[must_use]
    pub fn allowing(mut self, allowed: impl IntoIterator<Item = Allowed>) -> Self {
        self.allowed = allowed.into_iter().collect();
        self
    }

    /// Adds encoded descriptor sets. Types that are already described stay as they are.
    #[must_use]
    pub fn describing(mut self, more: impl IntoIterator<Item = Vec<u8>>) -> Self {
        self.registry = self.registry.filled_where_free(more);
        self.fingerprints = Arc::default();
        self
    }

    /// This redactor without one of its reasons, to find out what that reason changes. Its results must not be written.
    #[must_use]
    pub fn without(&self, reason: Reason) -> Self {
        let mut other = self.clone();
        other.ignored_reasons.insert(reason);
        other
    }

    /// Describes a reason.
    #[must_use]
    pub fn describe(&self, reason: Reason) -> String {
        match reason {
            Reason::Rule(at) => self
                .policy
                .rules
                .get(at)
                .map_or_else(String::new, |rule| named(at, rule)),
            Reason::DebugRedact => format!(
                "`debug_redact` of the descriptors ({})",
                self.debug_redact().word()
            ),
            Reason::Roots => "`roots`".to_owned(),
            Reason::Texts => "what was taken out of error messages and ids".to_owned(),
        }
    }

    pub(super) fn debug_redact(&self) -> Action {
        self.policy.debug_redact.unwrap_or(Action::Mask)
    }

    pub(super) fn applies(&self, reason: Reason) -> bool {
        !self.ignored_reasons.contains(&reason)
    }

    /// Whether roots become pseudonyms.
    pub(super) fn pseudonymises_roots(&self) -> bool {
        self.policy.roots && self.applies(Reason::Roots)
    }

    /// The pseudonym of a root, if roots are pseudonymised.
    pub(super) fn root(&self, root: Root) -> Root {
        match &self.policy.key {
            Some(key) if self.pseudonymises_roots() => {
                Root::new(super::pseudonym::uuid(key, *root.as_bytes()))
            }
            _ => root,
        }
    }
}

fn unmatched(rule: &str, reason: &FieldPathError) -> String {
    let advice = match reason {
        FieldPathError::NoType { .. } => {
            " (where its descriptors are missing, name them in replay.toml: `descriptors`)"
        }
        FieldPathError::NoField(_) => "",
    };
    format!(
        "{rule} matches no field, so the values it is meant for would be written unredacted: {reason}{advice}"
    )
}

fn named(at: usize, rule: &RedactionRule) -> String {
    format!("redaction rule {} ({rule})", at + 1)
}
