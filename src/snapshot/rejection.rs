//! Whether an outcome is a rejection, as a case with `status: intended` expects.

use serde_yaml::Value;

/// Words of outcomes in which the command was turned down.
const REJECTIONS: [&str; 3] = ["rejected", "revoked", "refused"];

/// Whether an outcome, as a readable value, is a rejection.
pub(crate) fn is_rejection(outcome: &Value) -> bool {
    let word = outcome.get("outcome").and_then(Value::as_str);
    word.is_some_and(|word| REJECTIONS.contains(&word))
}

/// Whether the text of an outcome is a rejection.
pub(crate) fn is_rejection_text(outcome: &str) -> bool {
    serde_yaml::from_str(outcome).is_ok_and(|value| is_rejection(&value))
}
