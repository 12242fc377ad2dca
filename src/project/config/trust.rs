//! Whether to use a configuration that was found rather than named. It determines which programs run, so only the user
//! or root may have written it. git protects repositories in the same way.

use std::path::Path;

/// Variable that makes us use any configuration that is found, whoever owns it.
pub(super) const VARIABLE: &str = "ANGZARR_REPLAY_TRUST";

/// Whether the variable is set.
pub(super) fn is_set(environment: &[(String, String)]) -> bool {
    environment
        .iter()
        .any(|(key, value)| key == VARIABLE && !value.is_empty() && value != "0")
}

/// Why a file is not used; `None` if only its user or root can have written it.
#[cfg(unix)]
pub(super) fn objection(file: &Path) -> Option<&'static str> {
    use std::os::unix::fs::MetadataExt;
    let found = std::fs::metadata(file).ok()?;
    let folder = std::fs::metadata(file.parent()?).ok()?;
    let us = rustix::process::geteuid().as_raw();
    judge(us, (found.uid(), found.mode()), folder.mode())
}

#[cfg(not(unix))]
pub(super) fn objection(_: &Path) -> Option<&'static str> {
    None
}

#[cfg(unix)]
fn judge(us: u32, (owner, mode): (u32, u32), folder: u32) -> Option<&'static str> {
    const OTHERS_WRITE: u32 = 0o002;
    /// Only the owner of a file may replace it, as in `/tmp`.
    const STICKY: u32 = 0o1000;
    if owner != us && owner != 0 {
        return Some("it belongs to another user");
    }
    if mode & OTHERS_WRITE != 0 {
        return Some("everybody may write it");
    }
    let is_replaceable = folder & OTHERS_WRITE != 0 && folder & STICKY == 0;
    is_replaceable.then_some("everybody may write to its folder")
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn only_what_its_user_or_root_wrote_is_used() {
        assert_eq!(judge(1000, (1000, 0o100_664), 0o40_775), None);
        assert_eq!(judge(1000, (0, 0o100_644), 0o40_755), None);
        assert_eq!(judge(1000, (1000, 0o100_644), 0o41_777), None);
        assert_eq!(
            judge(1000, (1001, 0o100_644), 0o40_755),
            Some("it belongs to another user")
        );
        assert_eq!(
            judge(0, (1001, 0o100_644), 0o40_755),
            Some("it belongs to another user")
        );
        assert_eq!(
            judge(1000, (1000, 0o100_666), 0o40_755),
            Some("everybody may write it")
        );
        assert_eq!(
            judge(1000, (1000, 0o100_644), 0o40_777),
            Some("everybody may write to its folder")
        );
    }
}
