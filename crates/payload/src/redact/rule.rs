//! Redaction rules. They are different from normalising rules, which exclude fields from comparison.

use std::fmt;
use std::str::FromStr;

pub use crate::model::RedactionAction as Action;
use crate::model::{UnknownWord, matches_pattern, value_of};
use crate::payload::{Effect, MAP_KEY, Step};

/// The format of a pseudonym.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[non_exhaustive]
pub enum Form {
    /// The format of the value: a UUID for a UUID, an email address for an email address, digits for digits.
    #[default]
    Auto,
    /// Like [`Form::Auto`], and 32 hex digits are a UUID too.
    Uuid,
    /// An email address, whatever the value was.
    Email,
    /// Digits are replaced and everything else stays: phone and account numbers.
    Digits,
    /// An opaque text.
    Text,
}

impl Form {
    const WORDS: [(Self, &'static str); 5] = [
        (Self::Auto, "auto"),
        (Self::Uuid, "uuid"),
        (Self::Email, "email"),
        (Self::Digits, "digits"),
        (Self::Text, "text"),
    ];

    /// Every known word.
    #[doc(hidden)]
    pub fn words() -> impl Iterator<Item = &'static str> {
        Self::WORDS.iter().map(|(_, word)| *word)
    }
}

impl FromStr for Form {
    type Err = UnknownWord;
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        value_of(&Self::WORDS, text)
    }
}

/// A rule that is not valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RuleError {
    /// A required key is missing or empty.
    #[error("a redaction rule needs a `{0}`")]
    Missing(&'static str),
    /// Masking the keys of a map would make them equal.
    #[error("`{MAP_KEY}` takes `pseudonym`, `drop` or `keep`: masked keys would all be the same")]
    MaskedKey,
    /// `$key` must be the last segment of a path.
    #[error("`{MAP_KEY}` is the last part of a path")]
    KeyInTheMiddle,
    /// An option that applies to pseudonyms only.
    #[error("`{0}` requires `action = \"pseudonym\"`")]
    OnlyPseudonym(&'static str),
    /// An empty range.
    #[error("`range` is [{0}, {1}]: the first number is the lower one")]
    Range(i64, i64),
}

/// An action for the fields that match a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedactionRule {
    pub(super) type_pattern: String,
    pub(super) segments: Vec<String>,
    pub(super) action: Action,
    pub(super) form: Form,
    pub(super) range: Option<(i64, i64)>,
    reason: String,
}

impl RedactionRule {
    /// A rule for the fields at a path that starts in a message whose full name matches a pattern; `*` matches anything
    /// within a name. A map key is one segment of the path: `contacts.*.email`. A final `$key` means the keys
    /// themselves. Elements of lists add no segment.
    pub fn new(type_pattern: &str, field: &str, action: Action) -> Result<Self, RuleError> {
        let segments = segments(field);
        if type_pattern.trim().is_empty() {
            return Err(RuleError::Missing("type"));
        }
        if segments.iter().any(String::is_empty) {
            return Err(RuleError::Missing("field"));
        }
        let of_key = segments.iter().position(|segment| segment == MAP_KEY);
        if of_key.is_some_and(|at| at + 1 < segments.len()) {
            return Err(RuleError::KeyInTheMiddle);
        }
        if of_key.is_some() && action == Action::Mask {
            return Err(RuleError::MaskedKey);
        }
        Ok(Self {
            type_pattern: type_pattern.to_owned(),
            segments,
            action,
            form: Form::Auto,
            range: None,
            reason: String::new(),
        })
    }

    /// Sets the format of the pseudonyms.
    pub fn with_form(mut self, form: Form) -> Result<Self, RuleError> {
        if self.action != Action::Pseudonym {
            return Err(RuleError::OnlyPseudonym("form"));
        }
        self.form = form;
        Ok(self)
    }

    /// Limits numeric pseudonyms to a range, inclusive.
    pub fn with_range(mut self, low: i64, high: i64) -> Result<Self, RuleError> {
        if self.action != Action::Pseudonym {
            return Err(RuleError::OnlyPseudonym("range"));
        }
        if low > high {
            return Err(RuleError::Range(low, high));
        }
        self.range = Some((low, high));
        Ok(self)
    }

    /// Sets the documented reason for the rule.
    pub fn because(mut self, reason: &str) -> Result<Self, RuleError> {
        if reason.trim().is_empty() {
            return Err(RuleError::Missing("reason"));
        }
        reason.clone_into(&mut self.reason);
        Ok(self)
    }

    /// What happens to the fields.
    #[must_use]
    #[doc(hidden)]
    pub const fn action(&self) -> Action {
        self.action
    }

    /// Index of the step where the rule's path begins, if the rule matches the last of these steps.
    pub(super) fn begins(&self, steps: &[Step<'_>]) -> Option<usize> {
        let start = steps.len().checked_sub(self.segments.len())?;
        let fits = self
            .segments
            .iter()
            .zip(&steps[start..])
            .all(|(pattern, step)| segment_fits(pattern, step));
        let message = steps.get(start)?.message;
        (fits && !message.is_empty() && matches_pattern(&self.type_pattern, message))
            .then_some(start)
    }
}

/// `Choice::reason` for a field that is redacted because its own descriptor asks for it, not because of a rule.
pub(super) const DESCRIPTOR: usize = usize::MAX;
/// The type that wraps packed payloads.
pub(super) const ANY: &str = "google.protobuf.Any";

/// Index of the first step that rules apply to. In an envelope, they apply to packed payloads only, and none does to the
/// envelope's own fields.
pub(super) fn first_of_payload(steps: &[Step<'_>], is_envelope: bool) -> Option<usize> {
    if !is_envelope {
        return Some(0);
    }
    let packed = steps.iter().position(|step| step.message == ANY)?;
    (packed + 1 < steps.len()).then_some(packed + 1)
}

/// The first rule that matches the last of these steps, and the step where its path begins: this one or a later one.
pub(super) fn first_match(
    rules: &[RedactionRule],
    steps: &[Step<'_>],
    first: usize,
) -> Option<(usize, usize)> {
    rules.iter().enumerate().find_map(|(at, rule)| {
        let start = rule.begins(steps)?;
        (start >= first).then_some((at, start))
    })
}

/// What an action means for the rewriting of a payload.
pub(super) const fn effect(action: Action) -> Effect {
    match action {
        Action::Keep => Effect::Leave,
        Action::Drop => Effect::Drop,
        Action::Mask => Effect::Empty,
        Action::Pseudonym => Effect::Change,
    }
}

/// A map key is matched only by `$key` when the key itself is the target.
fn segment_fits(pattern: &str, step: &Step<'_>) -> bool {
    let is_key_itself = step.is_key && step.segment == MAP_KEY;
    if is_key_itself || pattern == MAP_KEY {
        return is_key_itself && pattern == MAP_KEY;
    }
    matches_pattern(pattern, &step.segment)
}

/// Splits a path at its dots. The name of an extension, `[full.name]`, is one segment.
fn segments(path: &str) -> Vec<String> {
    let mut segments = vec![String::new()];
    let mut depth = 0;
    for letter in path.trim().chars() {
        match letter {
            '.' if depth == 0 => segments.push(String::new()),
            letter => {
                match letter {
                    '[' => depth += 1,
                    ']' => depth -= 1,
                    _ => {}
                }
                if let Some(segment) = segments.last_mut() {
                    segment.push(letter);
                }
            }
        }
    }
    segments
}

impl fmt::Display for RedactionRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = self.segments.join(".");
        let action = self.action.word();
        write!(f, "{field} of {}, {action}", self.type_pattern)?;
        match self.reason.as_str() {
            "" => Ok(()),
            reason => write!(f, ": {reason}"),
        }
    }
}
