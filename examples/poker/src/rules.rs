//! Checks that many commands make, and the messages of their rejections.

use angzarr_replay::logic::Failure;

use crate::messages::Currency;

/// The amount in a command, which must be positive.
pub(crate) fn positive(amount: Option<&Currency>) -> Result<Currency, Failure> {
    let amount = amount.cloned().unwrap_or_default();
    require_positive(amount.amount)?;
    Ok(amount)
}

/// Checks an amount of chips, which has no currency.
pub(crate) fn require_positive(amount: i64) -> Result<(), Failure> {
    require(amount > 0, "amount must be positive")
}

/// The sum, or a rejection if it overflows.
pub(crate) fn sum(a: i64, b: i64) -> Result<i64, Failure> {
    a.checked_add(b)
        .ok_or_else(|| Failure::rejected("amount is too large"))
}

/// A business rule: rejects the command with the message `otherwise` if it does not hold.
pub(crate) fn require(holds: bool, otherwise: &str) -> Result<(), Failure> {
    if holds {
        Ok(())
    } else {
        Err(Failure::rejected(otherwise))
    }
}

/// Rejects an empty field.
pub(crate) fn require_filled(value: &[u8], field: &str) -> Result<(), Failure> {
    if value.is_empty() {
        Err(Failure::rejected(format!("{field} must not be empty")))
    } else {
        Ok(())
    }
}

/// A root as it appears in the keys of states.
pub(crate) fn hex(root: &[u8]) -> String {
    use std::fmt::Write as _;
    root.iter()
        .fold(String::with_capacity(root.len() * 2), |mut text, byte| {
            write!(text, "{byte:02x}").expect("writing to a string cannot fail");
            text
        })
}
