//! Creates redactors from the configured rules and key.

use std::path::Path;
#[cfg(unix)]
use std::sync::Once;

use super::{EMBEDDED, Project, ProjectError, RedactionConfig};
use crate::documentation::Page;
use crate::payload::Registry;
use crate::redact::{
    Action, Allowed, Key, KeyError, LeftoverRules, Policy, Redactor, RedactorError,
};
use crate::wire::all_call_descriptors;

const NOT_CONFIGURED: &str = "replay.toml has no [redaction]";
const IDLE: &str = "[redaction] has no rule and no described field asks for it (`debug_redact`)";
const ROOTS_ONLY: &str = "[redaction] has no rule, no described field asks for it (`debug_redact`), and the roots of what \
                          is recorded stay";

/// Why redaction is not available. Nothing may be captured without it then.
#[derive(Debug, thiserror::Error)]
pub enum RedactionUnavailable {
    /// No redaction is configured for the source, which is not the demo.
    #[error(
        "{what}, and {why}: whatever it holds would be written to the fixture as it is; write redaction rules \
         ({}), or, if that is acceptable, say --unredacted",
        Page::Redaction
    )]
    Missing {
        /// The source of the capture, in words.
        what: String,
        /// What is missing in the configuration.
        why: &'static str,
    },
    /// No redaction is configured for a recording.
    #[error(
        "{why}: whatever the calls hold would be written to the recording as it is; write redaction rules \
         ({}), or, if that is acceptable, say --unredacted",
        Page::Redaction
    )]
    MissingForRecordings {
        /// What is missing in the configuration.
        why: &'static str,
    },
    /// The variable with the key is not set.
    #[error(
        "`key_env` under [redaction] names {variable}, which is not set{}; set it to the key of your team",
        file.as_ref().map(|file| format!(", and {file} is not there")).unwrap_or_default()
    )]
    NoKey {
        /// The variable, in words.
        variable: String,
        /// The file that was looked for instead, in words.
        file: Option<String>,
    },
    /// The key file cannot be read.
    #[error("`key_file` under [redaction]: cannot read {file}: {reason}")]
    Unreadable {
        /// The file.
        file: String,
        /// The system's error.
        reason: std::io::Error,
    },
    /// Others may write the key file.
    #[error(
        "`key_file` under [redaction]: others than its owner may write {file} (mode {mode:o}), so the key may be theirs; \
         chmod go-w it, and make a new key if somebody did"
    )]
    Writable {
        /// The file.
        file: String,
        /// Its mode.
        mode: u32,
    },
    /// The key is not valid.
    #[error("[redaction]: {place}: {reason}")]
    Key {
        /// Where the key was read.
        place: String,
        /// What is wrong with it.
        reason: KeyError,
    },
    /// The redaction rules are not valid.
    #[error(transparent)]
    Policy(#[from] RedactorError),
    /// The descriptors cannot be read.
    #[error(transparent)]
    Project(#[from] ProjectError),
}

#[doc(hidden)]
impl Project {
    /// The redactor for captures from a source; `None` if none is needed: for the embedded demo, whose data is public,
    /// and for sources that do not require redaction, if none is configured.
    pub fn redactor(&self, source: &str) -> Result<Option<Redactor>, RedactionUnavailable> {
        let what = format!("source `{source}` is not the embedded one");
        let missing = |why| RedactionUnavailable::Missing {
            what: what.clone(),
            why,
        };
        let is_demonstration = source == EMBEDDED;
        let Some(config) = &self.config().redaction else {
            if is_demonstration || self.required_by(source) == Some(false) {
                return Ok(None);
            }
            return Err(missing(NOT_CONFIGURED));
        };
        let is_strict = self.required_by(source).unwrap_or(config.required);
        let redactor = self.redactor_of(config, is_strict)?;
        if redactor.is_idle() && is_strict && !is_demonstration {
            return Err(missing(IDLE));
        }
        Ok(Some(redactor))
    }

    /// The redactor for captures from a production file: a recording, or tickets that are not about the embedded
    /// source. `what` describes the file in errors.
    pub fn redactor_of_file(&self, what: &str) -> Result<Redactor, RedactionUnavailable> {
        let missing = |why| RedactionUnavailable::Missing {
            what: what.to_owned(),
            why,
        };
        let redactor = self.configured(missing)?;
        if redactor.is_idle() {
            return Err(missing(IDLE));
        }
        Ok(redactor)
    }

    /// The redactor for recordings and the tickets beside them, which keeps roots. It is required unless the user opts
    /// out explicitly, because the calls may contain anybody's data.
    pub fn redactor_of_recordings(&self) -> Result<Redactor, RedactionUnavailable> {
        let missing = |why| RedactionUnavailable::MissingForRecordings { why };
        let redactor = self.configured(missing)?;
        match (
            redactor.leaves_fields(),
            self.config().redaction.as_ref().is_some_and(|it| it.roots),
        ) {
            (true, true) => Err(missing(ROOTS_ONLY)),
            (true, false) => Err(missing(IDLE)),
            (false, _) => Ok(redactor),
        }
    }

    /// The configured redactor.
    fn configured(
        &self,
        missing: impl FnOnce(&'static str) -> RedactionUnavailable,
    ) -> Result<Redactor, RedactionUnavailable> {
        match &self.config().redaction {
            Some(config) => self.redactor_of(config, config.required),
            None => Err(missing(NOT_CONFIGURED)),
        }
    }

    fn redactor_of(
        &self,
        config: &RedactionConfig,
        is_strict: bool,
    ) -> Result<Redactor, RedactionUnavailable> {
        let policy = Policy {
            rules: config.rules.clone(),
            key: key(config)?,
            debug_redact: config.debug_redact,
            roots: config.roots,
            is_strict,
        };
        let redactor = Redactor::new(self.registry_of_all_dialects()?, policy)?;
        // A new text belongs to no file yet, so allowances for certain files do not apply.
        let allowed = self.config().audit_allow.iter();
        let allowed = allowed.filter(|allowed| allowed.files.is_none());
        Ok(redactor.allowing(allowed.map(|allowed| Allowed {
            finding: allowed.finding.clone(),
            text: allowed.text.clone(),
        })))
    }

    /// Today's redaction rules, to find values in existing files that they would remove; `None` if none are configured.
    pub fn leftover_rules(&self) -> Result<Option<LeftoverRules>, ProjectError> {
        let Some(config) = &self.config().redaction else {
            return Ok(None);
        };
        let registry = self.registry_of_all_dialects()?;
        let rules = config.rules.clone();
        Ok(Some(LeftoverRules::new(
            registry,
            rules,
            config.debug_redact,
        )))
    }

    /// A redactor that changes nothing and only reports what looks personal.
    pub(crate) fn detector(&self) -> Result<Redactor, RedactionUnavailable> {
        let policy = Policy::new(Vec::new())
            .with_debug_redact(Action::Keep)
            .lenient();
        Ok(Redactor::new(self.registry_of_all_dialects()?, policy)?)
    }

    /// Today's descriptors with the framework's messages and calls of all packages, because the dialect is not known
    /// yet. Enum words do not matter for redaction.
    pub(super) fn registry_of_all_dialects(&self) -> Result<Registry, ProjectError> {
        let own = self.registry()?;
        let all = self
            .every_dialect
            .get_or_init(|| own.filled_where_free(all_call_descriptors()));
        Ok(all.clone())
    }

    fn required_by(&self, source: &str) -> Option<bool> {
        self.config().sources.get(source)?.redaction_required
    }
}

/// The key from the variable, otherwise from the file; `None` if neither is configured.
fn key(config: &RedactionConfig) -> Result<Option<Key>, RedactionUnavailable> {
    let file = config.key_file.as_deref();
    let is_there = file.is_some_and(Path::exists);
    if let Some(variable) = &config.key_env {
        match std::env::var(variable) {
            Ok(text) => {
                let place = format!("the variable {variable}");
                return Key::new(&text)
                    .map(Some)
                    .map_err(|reason| RedactionUnavailable::Key { place, reason });
            }
            Err(_) if !is_there => {
                let file = file.map(|file| match shown(&Project::shown(file)) {
                    Some(file) => format!("the file {file} of `key_file`"),
                    None => "the file of `key_file`".to_owned(),
                });
                let variable = match shown(variable) {
                    Some(name) => format!("the variable {name}"),
                    None => "a variable (not shown: it looks like a key)".to_owned(),
                };
                return Err(RedactionUnavailable::NoKey { variable, file });
            }
            Err(_) => {}
        }
    }
    let Some(file) = file else { return Ok(None) };
    let name = Project::shown(file);
    let text =
        std::fs::read_to_string(file).map_err(|reason| RedactionUnavailable::Unreadable {
            file: shown(&name)
                .unwrap_or("a file (not shown: it looks like a key)")
                .to_owned(),
            reason,
        })?;
    check_mode(file, &name)?;
    Key::new(&text)
        .map(Some)
        .map_err(|reason| RedactionUnavailable::Key {
            place: name,
            reason,
        })
}

/// A name for messages; `None` if it might be the key itself.
fn shown(name: &str) -> Option<&str> {
    const LONGEST_WORD: usize = 20;
    let is_separator = |letter: char| matches!(letter, '_' | '-' | '/' | '.' | ' ');
    let looks_like_key = |word: &str| {
        word.len() > LONGEST_WORD
            || (word.len() > LONGEST_WORD / 2
                && word.chars().filter(char::is_ascii_digit).count() > 2)
    };
    (!name.split(is_separator).any(looks_like_key)).then_some(name)
}

/// Refuses a key file that others may write, because the key may be theirs. Only warns if others may read it: secrets
/// that Kubernetes mounts are readable for everybody in the container.
#[cfg(unix)]
fn check_mode(file: &Path, name: &str) -> Result<(), RedactionUnavailable> {
    use std::os::unix::fs::PermissionsExt as _;

    static WARNED: Once = Once::new();
    let Ok(metadata) = std::fs::metadata(file) else {
        return Ok(());
    };
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o022 != 0 {
        return Err(RedactionUnavailable::Writable {
            file: name.to_owned(),
            mode,
        });
    }
    if mode & 0o044 != 0 {
        WARNED.call_once(|| {
            eprintln!(
                "warning: others than its owner may read {name} (mode {mode:o}), which holds the redaction key: chmod go-r it \
                 where that is possible"
            );
        });
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_mode(_: &Path, _: &str) -> Result<(), RedactionUnavailable> {
    Ok(())
}
