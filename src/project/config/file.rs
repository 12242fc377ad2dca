//! `replay.toml` as a whole: its top-level keys, and checks across tables.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::coordinators::RawCoordinator;
use super::error::InvalidConfig;
use super::logic::{LogicConfig, RawLogic};
use super::redaction::{RawAudit, RawRedaction};
use super::source::RawSource;
use super::{Config, Skip};
use crate::files;
use crate::model::{ComponentKind, Domain, Probe, Rule, did_you_mean};
use crate::wire::{REPLY_LIMIT, STATUS_LIMIT};

/// Top-level keys that are not valid, or tables that do not fit together.
#[derive(Debug, thiserror::Error)]
pub(super) enum TopLevelError {
    #[error("`max_status_kibibytes` is {0}: from 1 to 8192 is expected")]
    StatusLimit(usize),
    #[error(
        "skip of `{fixtures}`: there is no logic `{logic}`; leave cases out only on logic that is configured{hint}"
    )]
    SkipWithoutLogic {
        fixtures: String,
        logic: String,
        hint: String,
    },
    #[error(
        "logic `{one}` and `{other}` both {verb} the domain `{domain}`; mark one of them `twin = true`"
    )]
    Rivals {
        one: String,
        other: String,
        verb: &'static str,
        domain: Domain,
    },
    #[error("logic `{twin}`: `twin_of = \"{original}\"` names no {kind} that is configured{hint}")]
    TwinOfNothing {
        twin: String,
        original: String,
        kind: &'static str,
        hint: String,
    },
}

/// The configuration of a project that captures and replays cases with angzarr-replay.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Configuration")]
pub(super) struct RawConfig {
    /// Folder of the fixtures, their snapshots and descriptor sets; `fixtures` by default.
    fixtures: Option<PathBuf>,
    /// Where message types are described: folders of `.proto` files, or descriptor-set files.
    #[serde(default)]
    descriptors: Vec<PathBuf>,
    /// The source to use if `--source` names none. By default the only source.
    source: Option<String>,
    /// Where production is, by name. It is only ever read.
    #[serde(default)]
    sources: BTreeMap<String, RawSource>,
    /// Where the logic under test is, by name.
    #[serde(default)]
    logic: BTreeMap<String, RawLogic>,
    /// Coordinators that a case can be replayed through, by name.
    #[serde(default)]
    coordinators: BTreeMap<String, RawCoordinator>,
    /// Fields that are left out of comparisons, in every case.
    #[serde(default)]
    rules: Vec<RawRule>,
    /// Cases that are skipped, with the reason.
    #[serde(default)]
    skip: Vec<RawSkip>,
    /// Whether a case may be replayed a second time to find nondeterministic fields; `always` by default.
    probe: Option<RawProbe>,
    /// Whether the trials of a twin fail, instead of being ignored, if its `requires` is missing. Meant for CI.
    #[serde(default)]
    demand_twins: bool,
    /// Largest error status, message and details together, that is accepted from logic, in KiB; 1024 by default.
    #[schemars(range(min = 1, max = 8192))]
    max_status_kibibytes: Option<usize>,
    /// Largest reply that is accepted from logic, and from a coordinator that a case is replayed through, in MiB; 32 by
    /// default.
    max_reply_mebibytes: Option<NonZeroU32>,
    /// Largest fixture, history file and descriptor set that is read, in MiB; 512 by default.
    max_file_mebibytes: Option<NonZeroU32>,
    /// Whether runs of cases keep compiled descriptors in `.angzarr-replay/cache` for the next process; `true` by default.
    cache: Option<bool>,
    /// Whether `cargo test` ends with a report of the changes to the logic's answers that the cases would not notice.
    #[serde(default)]
    mutate: bool,
    /// Seconds that a case may take in a run of all cases; no limit by default.
    case_deadline: Option<NonZeroU32>,
    /// What is removed from captures before they are written.
    redaction: Option<RawRedaction>,
    /// What an audit ignores.
    #[serde(default)]
    audit: RawAudit,
}

/// A field that is left out of comparisons.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Rule")]
struct RawRule {
    /// Full name of the message; `*` matches anything: `examples.*`.
    r#type: String,
    /// Path of field names, separated by dots, starting at the message; `*` matches anything within one name: `*_at`.
    field: String,
    /// Why the field is left out. Replaces the field in the snapshot.
    reason: String,
}

/// Cases that are skipped.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Skip")]
struct RawSkip {
    /// Path in the folder of fixtures, without extension; `*` matches anything: `player/history-*`.
    fixtures: String,
    /// Only the trials on this twin; those on every logic by default.
    logic: Option<String>,
    /// Why the cases are skipped.
    reason: String,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "Probe")]
enum RawProbe {
    Always,
    Never,
}

impl RawConfig {
    pub(super) fn check(self, root: PathBuf, origin: String) -> Result<Config, InvalidConfig> {
        let sources = checked(
            self.sources,
            |source, name| source.check(name, &root),
            |name, error| InvalidConfig::Source { name, error },
        )?;
        let logic = checked(
            self.logic,
            |logic, name| logic.check(name, &root),
            |name, error| InvalidConfig::Logic { name, error },
        )?;
        check_answers(&logic)?;
        let coordinators = checked(
            self.coordinators,
            |coordinator, name| coordinator.check(name, &root),
            |name, error| InvalidConfig::Coordinator { name, error },
        )?;
        check_skips(&self.skip, &logic)?;
        Ok(Config {
            fixtures: root.join(self.fixtures.unwrap_or_else(|| "fixtures".into())),
            descriptors: self
                .descriptors
                .iter()
                .map(|path| root.join(path))
                .collect(),
            source: self.source,
            sources,
            logic,
            coordinators,
            rules: self.rules.into_iter().map(RawRule::into_rule).collect(),
            skip: self.skip.into_iter().map(RawSkip::into_skip).collect(),
            probe: match self.probe {
                Some(RawProbe::Never) => Probe::Never,
                Some(RawProbe::Always) | None => Probe::Always,
            },
            demand_twins: self.demand_twins,
            status_limit: status_limit(self.max_status_kibibytes)?,
            reply_limit: self.max_reply_mebibytes.map_or(REPLY_LIMIT, |count| {
                usize::try_from(u64::from(count.get()) << 20).unwrap_or(usize::MAX)
            }),
            file_limit: self
                .max_file_mebibytes
                .map_or(files::MADE, |count| u64::from(count.get()) << 20),
            cache: self.cache.unwrap_or(true),
            mutate: self.mutate,
            case_deadline: self
                .case_deadline
                .map(|seconds| Duration::from_secs(seconds.get().into())),
            redaction: self
                .redaction
                .map(|redaction| redaction.check(&root))
                .transpose()?,
            audit_allow: self.audit.into_allowances(),
            root,
            origin,
        })
    }
}

/// Checks every entry of a table. An error is extended by the name of the entry.
fn checked<Raw, Checked, E>(
    table: BTreeMap<String, Raw>,
    check: impl Fn(Raw, &str) -> Result<Checked, E>,
    named: impl Fn(String, E) -> InvalidConfig,
) -> Result<BTreeMap<String, Checked>, InvalidConfig> {
    let entries = table.into_iter();
    let checked = entries.map(|(name, raw)| match check(raw, &name) {
        Ok(checked) => Ok((name, checked)),
        Err(error) => Err(named(name, error)),
    });
    checked.collect()
}

/// Every skip names logic that exists, or none.
fn check_skips(
    skips: &[RawSkip],
    logic: &BTreeMap<String, LogicConfig>,
) -> Result<(), TopLevelError> {
    for skip in skips {
        if let Some(name) = &skip.logic
            && !logic.contains_key(name)
        {
            return Err(TopLevelError::SkipWithoutLogic {
                fixtures: skip.fixtures.clone(),
                logic: name.clone(),
                hint: did_you_mean(name, logic.keys()),
            });
        }
    }
    Ok(())
}

/// The limit in bytes. HTTP/2 itself drops a status that is larger than twice the maximum here.
fn status_limit(kibibytes: Option<usize>) -> Result<usize, TopLevelError> {
    match kibibytes {
        None => Ok(STATUS_LIMIT),
        Some(count) if (1..=8192).contains(&count) => Ok(count << 10),
        Some(count) => Err(TopLevelError::StatusLimit(count)),
    }
}

/// Each case has one logic that answers it, apart from twins; each twin has an original.
fn check_answers(logic: &BTreeMap<String, LogicConfig>) -> Result<(), TopLevelError> {
    for one in logic.values().filter(|one| !one.twin) {
        let is_rival = |other: &&LogicConfig| {
            !other.twin
                && other.name != one.name
                && other.kind == one.kind
                && one.domain.is_some()
                && other.domain == one.domain
        };
        if let (Some(rival), Some(domain)) = (logic.values().find(is_rival), &one.domain) {
            return Err(TopLevelError::Rivals {
                one: one.name.clone(),
                other: rival.name.clone(),
                verb: match one.kind {
                    ComponentKind::Upcaster => "upcast",
                    ComponentKind::ProcessManager => "keep their stream in",
                    _ => "answer",
                },
                domain: domain.clone(),
            });
        }
    }
    for twin in logic.values().filter(|one| one.twin) {
        if twin.kind == ComponentKind::Aggregate {
            continue;
        }
        let fits = |one: &&LogicConfig| one.kind == twin.kind && !one.twin;
        if logic.get(&twin.answers).as_ref().is_none_or(|x| !fits(x)) {
            let originals = logic.values().filter(fits).map(|one| &one.name);
            return Err(TopLevelError::TwinOfNothing {
                twin: twin.name.clone(),
                original: twin.answers.clone(),
                kind: twin.kind.word(),
                hint: did_you_mean(&twin.answers, originals),
            });
        }
    }
    Ok(())
}

impl RawRule {
    fn into_rule(self) -> Rule {
        Rule {
            type_pattern: self.r#type,
            field: self.field,
            reason: self.reason,
        }
    }
}

impl RawSkip {
    fn into_skip(self) -> Skip {
        Skip {
            fixtures: self.fixtures,
            logic: self.logic,
            reason: self.reason,
        }
    }
}
