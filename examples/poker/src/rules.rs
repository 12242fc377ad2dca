//! Checks that many commands make, and the words of their rejections.

use angzarr_replay::logic::Failure;

use crate::messages::Currency;

/// The amount that a command names; it has to be positive.
pub(crate) fn positive(amount: Option<&Currency>) -> Result<Currency, Failure> {
    let amount = amount.cloned().unwrap_or_default();
    require_positive(amount.amount)?;
    Ok(amount)
}

/// Chips, which have no currency, have to be positive too.
pub(crate) fn require_positive(amount: i64) -> Result<(), Failure> {
    require(amount > 0, "amount must be positive")
}

/// The sum, unless there is no such amount.
pub(crate) fn sum(a: i64, b: i64) -> Result<i64, Failure> {
    a.checked_add(b)
        .ok_or_else(|| Failure::rejected("amount is too large"))
}

/// A business rule: rejects the command with `otherwise` where it does not hold.
pub(crate) fn require(holds: bool, otherwise: &str) -> Result<(), Failure> {
    if holds {
        Ok(())
    } else {
        Err(Failure::rejected(otherwise))
    }
}

/// A field that has to be filled.
pub(crate) fn require_filled(value: &[u8], field: &str) -> Result<(), Failure> {
    if value.is_empty() {
        Err(Failure::rejected(format!("{field} must not be empty")))
    } else {
        Ok(())
    }
}

/// A root as the states spell it in their keys.
pub(crate) fn hex(root: &[u8]) -> String {
    use std::fmt::Write as _;
    root.iter()
        .fold(String::with_capacity(root.len() * 2), |mut text, byte| {
            write!(text, "{byte:02x}").expect("a string takes any text");
            text
        })
}
