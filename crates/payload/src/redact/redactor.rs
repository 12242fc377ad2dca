//! The public face: a policy with its descriptors, ready to be applied to payloads and texts.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use super::key::Key;
use super::mask::{secrets, without};
use super::rule::{Action, RedactionRule};
use super::session::Session;
use super::taken::Taken;
use crate::model::{Fingerprints, Payload, Redaction, Redactions, Root, matches_pattern};
use crate::payload::{LeadsNowhere, Registry, Unreadable};

/// What is redacted, and how.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Rules in the order in which they are tried; the first that fits a field decides.
    pub rules: Vec<RedactionRule>,
    /// Key of pseudonyms.
    pub key: Option<Key>,
    /// What becomes of fields whose descriptor asks for it (`debug_redact`) and that no rule is about; a pseudonym
    /// where there is a key and a mask where there is none, when left out.
    pub debug_redact: Option<Action>,
    /// Whether the roots of aggregates become pseudonyms, in covers and wherever they stand in payloads and texts.
    pub roots: bool,
    /// Whether what cannot be read is an error. Otherwise it stays as it is, and the report says so.
    pub is_strict: bool,
}

impl Policy {
    /// What of it decides about fields, as text.
    fn said(&self) -> String {
        let of_rule = |rule: &RedactionRule| {
            // Texts are quoted, so that no two lists of rules are written alike.
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

/// A policy that cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RedactorError {
    /// Pseudonyms without a key.
    #[error(
        "{asks} asks for pseudonyms and there is no key: name its variable or its file with `key_env` or `key_file` under \
         [redaction]"
    )]
    NoKey {
        /// Who asks.
        asks: String,
    },
    /// Rules that are about no field: what they are meant for would be written as it is.
    #[error("{}", rules.join("; "))]
    Misfit {
        /// Each rule in words, with the reason.
        rules: Vec<String>,
    },
}

/// Something that cannot be redacted, since it cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{place}: {reason}; what cannot be read cannot be redacted, so nothing is written: name its descriptors in \
     replay.toml (`descriptors`), let a redaction rule drop the field that it is in, or say --unredacted"
)]
pub struct RedactError {
    /// Where it is, with the type.
    pub place: String,
    /// Why it cannot be read.
    pub reason: Unreadable,
}

/// Why a value was taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// A rule, by its place among the rules, from 0.
    Rule(usize),
    /// The field's own descriptor.
    DebugRedact,
    /// It is the root of an aggregate.
    Roots,
    /// It stood in a text: an error message, an id.
    Texts,
}

/// A field that looks personal and that no rule is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Suspect {
    /// Full name of its message.
    pub type_name: String,
    /// Its name; `*` stands for the keys of a map.
    pub field: String,
    /// What it looks like: `name`, or what its content resembles.
    pub looks_like: &'static str,
}

/// What a field looks like that may hold the root of an aggregate which has no part in the case.
pub const OTHER_ROOT: &str = "perhaps another aggregate's root";

/// What redaction did. Holds values that were taken out, and shows none.
#[derive(Clone, Default)]
pub struct Report {
    /// Fields that were touched.
    pub touched: BTreeSet<Redaction>,
    /// Fields that look personal and that no rule is about.
    pub suspects: BTreeSet<Suspect>,
    /// What could not be read and stays as it is, in words.
    pub unread: BTreeSet<String>,
    /// Types of the payloads that were gone through, also of packed ones.
    pub types: BTreeSet<String>,
    /// Whether stand-ins may have got stand-ins: what came redacted was redacted by other rules, with another key or of
    /// other descriptors, or nobody knows by what.
    pub is_anew: bool,
    /// Why values were taken out.
    pub reasons: BTreeSet<Reason>,
    /// What texts looked like they held, and no longer do: `email`.
    pub looked_like: BTreeSet<&'static str>,
    /// What looks like a secret in fields that a rule keeps.
    pub(super) looked_at: BTreeSet<String>,
    pub(super) taken: Taken,
    /// Roots that have stand-ins, in their spellings.
    pub(super) roots: Taken,
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
    /// A text of our own without the roots that got stand-ins. What was taken out of payloads stays: our own words and
    /// numbers may be equal to it by chance.
    #[must_use]
    pub fn without_roots(&self, text: &str) -> String {
        self.roots.replaced_in(text)
    }
}

/// A payload that was redacted.
#[derive(Debug, Clone)]
pub struct Redacted {
    /// The payload as it may be written.
    pub payload: Payload,
    /// What was done.
    pub report: Report,
}

/// What stays in texts although it looks like a secret or personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    /// What it looks like, in the words of an audit; none is anything.
    pub finding: Option<String>,
    /// Pattern of what stays.
    pub text: String,
}

/// A policy with its descriptors. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Redactor {
    pub(super) registry: Registry,
    pub(super) policy: Arc<Policy>,
    /// What is no secret in texts.
    allowed: Arc<[Allowed]>,
    /// Those that were made already.
    fingerprints: Arc<Mutex<Fingerprints>>,
    /// Reasons that are passed over, to find out which of them changed an outcome.
    pub(super) passed_over: BTreeSet<Reason>,
}

impl Redactor {
    /// A redactor for the types that are described.
    ///
    /// # Errors
    /// Where pseudonyms are asked for and there is no key, and where a rule is about no field of a described type: it is
    /// misspelt, or descriptors are missing. Of a lenient redactor, which keeps what is not described, only the latter is
    /// borne: [`Redactor::unfitting`] says which rules those are.
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
            passed_over: BTreeSet::new(),
        };
        let is_strict = redactor.is_strict();
        let rules: Vec<String> = redactor
            .misfits()
            .filter(|(_, reason)| is_strict || matches!(reason, LeadsNowhere::NoField(_)))
            .map(|(rule, reason)| misfit(&rule, &reason))
            .collect();
        if rules.is_empty() {
            Ok(redactor)
        } else {
            Err(RedactorError::Misfit { rules })
        }
    }

    /// Rules that are about no field of a described type.
    fn misfits(&self) -> impl Iterator<Item = (String, LeadsNowhere)> {
        let rules = self.policy.rules.iter().enumerate();
        rules.filter_map(|(at, rule)| {
            let leads = self.registry.leads(&rule.type_pattern, &rule.segments);
            Some((named(at, rule), leads.err()?))
        })
    }

    /// Whether no field can ever be taken out: there is no rule but such that keep, and no described field asks for it.
    #[must_use]
    pub fn leaves_fields(&self) -> bool {
        let mut rules = self.policy.rules.iter();
        let asks = self.debug_redact() != Action::Keep
            && self.registry.with_debug_redact().next().is_some();
        rules.all(|rule| rule.action == Action::Keep) && !asks
    }

    /// Whether nothing can ever be taken out, not even roots, and nobody wrote that something is to be kept.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.leaves_fields() && self.policy.rules.is_empty() && !self.policy.roots
    }

    /// Rules that no described type fits, in words: of a lenient redactor they are no error.
    pub fn unfitting(&self) -> impl Iterator<Item = String> {
        self.misfits().map(|(rule, reason)| misfit(&rule, &reason))
    }

    /// 16 hex digits, equal where the same values of payloads of this type get the same stand-ins: made with the key, of
    /// the rules without their reasons, and of what the descriptors make of the type. None without a key, as there are no
    /// stand-ins then, and without a descriptor.
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
        let said = format!("{}\n{shape}", self.policy.said());
        let fingerprint = key.fingerprint(&said);
        known.insert(type_name.to_owned(), fingerprint.clone());
        Some(fingerprint)
    }

    /// What is to be said beside what a run of this redactor leaves; `earlier` was said before it.
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

    /// Whether what cannot be read is an error.
    #[must_use]
    pub fn is_strict(&self) -> bool {
        self.policy.is_strict
    }

    /// Begins a run over things that belong together: what is taken out of one is looked for in the texts of all.
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

    /// Takes out of a text what looks like a secret or personal data whatever it belongs to.
    #[must_use]
    pub fn redact_text(&self, text: &str) -> String {
        self.session().text(text)
    }

    /// The same, and what a run took out, so far or in all.
    #[must_use]
    pub fn text_after(&self, report: &Report, text: &str) -> String {
        self.text_and_looks(report, text).0
    }

    /// The same, and what was taken out because of what it looks like.
    #[must_use]
    pub fn text_and_looks(&self, report: &Report, text: &str) -> (String, BTreeSet<&'static str>) {
        if !self.follows(Reason::Texts) {
            return (text.to_owned(), BTreeSet::new());
        }
        let (text, stand_ins) = report.taken.replaced(text);
        let mut secrets = secrets(&text, self.policy.key.as_ref());
        secrets.retain(|secret| {
            let is_allowed = |allowed: &Allowed| {
                let finding = allowed.finding.as_deref();
                finding.is_none_or(|it| it == secret.what)
                    && matches_pattern(&allowed.text, &secret.text)
            };
            !secret.is_of(&stand_ins, &text)
                && !report.looked_at.contains(&secret.text)
                && !self.allowed.iter().any(is_allowed)
        });
        let looks = secrets.iter().map(|secret| secret.what).collect();
        (without(&text, secrets.iter()), looks)
    }

    /// The same redactor, which leaves in texts what is allowed there. What a rule takes out goes all the same.
    #[must_use]
    pub fn allowing(mut self, allowed: impl IntoIterator<Item = Allowed>) -> Self {
        self.allowed = allowed.into_iter().collect();
        self
    }

    /// The same redactor with more descriptors, each an encoded set; what it knows already stays.
    #[must_use]
    pub fn describing(mut self, more: impl IntoIterator<Item = Vec<u8>>) -> Self {
        self.registry = self.registry.filled_where_free(more);
        self.fingerprints = Arc::default();
        self
    }

    /// The same redactor without one of its reasons, to find out what it changes. What it gives must not be written.
    #[must_use]
    pub fn without(&self, reason: Reason) -> Self {
        let mut other = self.clone();
        other.passed_over.insert(reason);
        other
    }

    /// A reason in words.
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

    pub(super) fn follows(&self, reason: Reason) -> bool {
        !self.passed_over.contains(&reason)
    }

    /// Whether roots get stand-ins.
    pub(super) fn gives_roots_stand_ins(&self) -> bool {
        self.policy.roots && self.follows(Reason::Roots)
    }

    /// The stand-in for a root, where roots have them.
    pub(super) fn root(&self, root: Root) -> Root {
        match &self.policy.key {
            Some(key) if self.gives_roots_stand_ins() => {
                Root::new(super::pseudonym::uuid(key, *root.as_bytes()))
            }
            _ => root,
        }
    }
}

fn misfit(rule: &str, reason: &LeadsNowhere) -> String {
    let advice = match reason {
        LeadsNowhere::NoType { .. } => {
            " (where its descriptors are missing, name them in replay.toml: `descriptors`)"
        }
        LeadsNowhere::NoField(_) => "",
    };
    format!(
        "{rule} is about nothing, so what it is meant for would be written as it is: {reason}{advice}"
    )
}

fn named(at: usize, rule: &RedactionRule) -> String {
    format!("redaction rule {} ({rule})", at + 1)
}
