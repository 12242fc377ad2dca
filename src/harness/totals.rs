//! Number of cases by result.

use std::fmt;

use super::Ending;

/// Number of cases by result. Displayed without the failed ones, like the last lines of `cargo test`.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    pub(crate) closed: usize,
    pub(crate) intended: usize,
    pub(crate) open: usize,
    pub(crate) not_checked: usize,
    pub(crate) failed: usize,
}

impl Totals {
    pub(crate) const fn count(&mut self, ending: &Ending) {
        match ending {
            Ending::Closed => self.closed += 1,
            Ending::Intended => self.intended += 1,
            Ending::Open => self.open += 1,
            Ending::NotChecked(_) => self.not_checked += 1,
            Ending::Failed(_) => self.failed += 1,
        }
    }

    pub(super) const fn sum(&self) -> usize {
        self.closed + self.intended + self.open + self.not_checked
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "replay: {} closed", self.closed)?;
        if self.intended > 0 {
            write!(f, ", {} intended", self.intended)?;
        }
        write!(f, ", {} open", self.open)?;
        if self.open > 0 {
            f.write_str(" (known bugs that still reproduce)")?;
        }
        write!(f, ", {} not checked", self.not_checked)
    }
}
