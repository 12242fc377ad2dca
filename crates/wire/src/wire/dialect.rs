//! Dialects as data: the package, the numbers of the shifted enums, and how its coordinators behave ([`Rules`]).

use std::fmt;
use std::str::FromStr;

use super::rules::Rules;
use crate::model::{
    CascadeErrorMode, Edition, MergeStrategy, Retention, Storage, SyncMode, did_you_mean,
};

/// A dialect: one revision of Angzarr's protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    name: &'static str,
    package: &'static str,
    /// Number of the first real value of the shifted enums.
    enum_base: i32,
    main_edition: &'static str,
    /// Prefix of the type URLs of the framework's own messages.
    framework_prefix: &'static str,
    rules: Rules,
}

/// A dialect, and whether it was only assumed because several dialects share its package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpokenDialect {
    /// The dialect.
    pub dialect: Dialect,
    /// Whether it was assumed.
    pub is_assumed: bool,
}

impl SpokenDialect {
    /// A dialect that was configured, or that is the only one with its package.
    #[must_use]
    pub const fn known(dialect: Dialect) -> Self {
        Self {
            dialect,
            is_assumed: false,
        }
    }

    /// A dialect that was assumed.
    #[must_use]
    pub const fn assumed(dialect: Dialect) -> Self {
        Self {
            dialect,
            is_assumed: true,
        }
    }
}

/// A name that is not the name of a dialect.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown dialect `{0}`; {known}", known = known(.0))]
pub struct UnknownDialect(pub String);

fn known(name: &str) -> String {
    let names = Dialect::names();
    let hint = did_you_mean(name, &names);
    format!("known dialects are {}{hint}", names.join(", "))
}

const ALL: [Dialect; 6] = [
    Dialect {
        name: "angzarr",
        package: "angzarr",
        enum_base: 0,
        main_edition: "angzarr",
        framework_prefix: "type.angzarr.io/",
        rules: Rules::RELEASED,
    },
    Dialect {
        name: "io.angzarr.v1",
        package: "io.angzarr.v1",
        enum_base: 1,
        main_edition: "",
        framework_prefix: "/",
        rules: Rules::NEWEST,
    },
    Dialect {
        name: "io.angzarr.v1-2026-09",
        package: "io.angzarr.v1",
        enum_base: 0,
        main_edition: "",
        framework_prefix: "type.angzarr.io/",
        rules: Rules {
            two_phase_commit: true,
            sends_destinations: true,
            sends_destinations_to_sagas: true,
            rejection_code: false,
            ..Rules::NEWEST
        },
    },
    Dialect {
        name: "io.angzarr.v1-2026-06",
        package: "io.angzarr.v1",
        enum_base: 0,
        main_edition: "",
        framework_prefix: "type.angzarr.io/",
        rules: Rules::SPRING,
    },
    Dialect {
        name: "angzarr_client.proto.angzarr.v1",
        package: "angzarr_client.proto.angzarr.v1",
        enum_base: 0,
        main_edition: "",
        framework_prefix: "type.angzarr.io/",
        rules: Rules::SPRING,
    },
    Dialect {
        name: "angzarr_client.proto.angzarr",
        package: "angzarr_client.proto.angzarr",
        enum_base: 0,
        main_edition: "",
        framework_prefix: "type.angzarr.io/",
        rules: Rules {
            calls_prepare: true,
            provenance_names_component: false,
            // Its number is unknown there and read as ASYNC.
            isolated_mode: false,
            ..Rules::SPRING
        },
    },
];

impl Dialect {
    /// Core 0.5 and every released client library.
    pub const ANGZARR: Self = ALL[0];
    /// The newest sources, whose enums start with `_UNSPECIFIED`.
    pub const IO_ANGZARR_V1: Self = ALL[1];

    /// Every dialect, the more likely ones first. Dialects with the same package cannot be distinguished on the wire.
    #[must_use]
    pub fn all() -> &'static [Self] {
        &ALL
    }

    fn names() -> Vec<&'static str> {
        ALL.iter().map(|dialect| dialect.name).collect()
    }

    /// Name in configuration and fixtures.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Package of its services and messages.
    #[must_use]
    #[doc(hidden)]
    pub const fn package(&self) -> &'static str {
        self.package
    }
}

/// For the other crates of this project.
#[doc(hidden)]
impl Dialect {
    /// Number of the first real value of the shifted enums.
    pub(super) const fn enum_base(&self) -> i32 {
        self.enum_base
    }

    /// How its coordinators behave.
    #[must_use]
    pub const fn rules(&self) -> Rules {
        self.rules
    }

    /// Type URL of one of the framework's own messages.
    pub(super) fn framework_type_url(self, message: &str) -> String {
        format!("{}{}.{message}", self.framework_prefix, self.package)
    }

    /// The other dialects with the same package. A connection does not show which of them a server speaks.
    pub fn of_same_package(self) -> impl Iterator<Item = Self> {
        let is_other = move |other: &Self| other.package == self.package && other.name != self.name;
        ALL.into_iter().filter(is_other)
    }

    /// Whether another dialect has the same package.
    #[must_use]
    pub fn is_ambiguous(self) -> bool {
        self.of_same_package().next().is_some()
    }

    /// The dialect with the same package whose enums are not shifted, so that every enum number is written as it was read.
    /// In a shifted enum, 0 would become the number of the default.
    #[must_use]
    pub fn with_plain_enums(self) -> Self {
        let is_plain = |it: &Self| it.enum_base == 0;
        let others = self.of_same_package().find(is_plain);
        if is_plain(&self) {
            self
        } else {
            others.unwrap_or(self)
        }
    }

    /// The configured dialect if it has the same package, else this one; and whether this one was assumed because others
    /// share its package.
    #[must_use]
    pub fn or_configured(self, configured: Option<Self>) -> (Self, bool) {
        match configured.filter(|dialect| dialect.package == self.package) {
            Some(dialect) => (dialect, false),
            None => (self, self.is_ambiguous()),
        }
    }

    /// gRPC path of a method, as in `/angzarr.EventQueryService/GetEventBook`.
    #[must_use]
    pub fn path(&self, service: &str, method: &str) -> String {
        format!("/{}.{service}/{method}", self.package)
    }

    /// The dialect of a gRPC path, and its method without the package, as in `SagaService/Handle`. If several dialects share
    /// the package, the most likely one; `None` if no dialect has it.
    #[must_use]
    pub fn of_path(path: &str) -> Option<(Self, &str)> {
        let (service, _) = path.strip_prefix('/')?.rsplit_once('/')?;
        let (package, _) = service.rsplit_once('.')?;
        let dialect = ALL.iter().find(|dialect| dialect.package == package)?;
        Some((*dialect, &path[package.len() + 2..]))
    }

    /// Name of an edition in requests to client logic and in replies of a coordinator of this dialect.
    #[must_use]
    pub fn edition_name<'a>(&self, edition: &'a Edition) -> &'a str
    where
        Self: 'a,
    {
        match edition {
            Edition::Main => self.main_edition,
            Edition::Named { name, .. } => name.as_str(),
        }
    }

    const fn unshift(self, number: i32) -> i32 {
        // 0 is *_UNSPECIFIED in a shifted enum, which every reader treats as the default.
        if number == 0 {
            0
        } else {
            // Foreign input: it may be `i32::MIN`.
            number.saturating_sub(self.enum_base)
        }
    }

    pub(super) const fn merge_strategy(self, number: i32) -> MergeStrategy {
        match self.unshift(number) {
            0 => MergeStrategy::Commutative,
            1 => MergeStrategy::Strict,
            2 => MergeStrategy::AggregateHandles,
            3 => MergeStrategy::Manual,
            _ => MergeStrategy::Unknown(number),
        }
    }

    pub(super) const fn merge_strategy_number(self, strategy: MergeStrategy) -> i32 {
        match strategy {
            MergeStrategy::Commutative => self.enum_base,
            MergeStrategy::Strict => self.enum_base + 1,
            MergeStrategy::AggregateHandles => self.enum_base + 2,
            MergeStrategy::Manual => self.enum_base + 3,
            MergeStrategy::Unknown(number) => number,
        }
    }

    pub(super) const fn sync_mode(self, number: i32) -> SyncMode {
        match self.unshift(number) {
            0 => SyncMode::Async,
            1 => SyncMode::Simple,
            2 => SyncMode::Cascade,
            3 => SyncMode::Decision,
            4 => SyncMode::Isolated,
            _ => SyncMode::Unknown(number),
        }
    }

    pub(super) const fn cascade_error_mode(self, number: i32) -> CascadeErrorMode {
        match self.unshift(number) {
            0 => CascadeErrorMode::FailFast,
            1 => CascadeErrorMode::Continue,
            2 => CascadeErrorMode::Compensate,
            3 => CascadeErrorMode::DeadLetter,
            _ => CascadeErrorMode::Unknown(number),
        }
    }

    pub(super) const fn cascade_error_mode_number(self, mode: CascadeErrorMode) -> i32 {
        match mode {
            CascadeErrorMode::FailFast => self.enum_base,
            CascadeErrorMode::Continue => self.enum_base + 1,
            CascadeErrorMode::Compensate => self.enum_base + 2,
            CascadeErrorMode::DeadLetter => self.enum_base + 3,
            CascadeErrorMode::Unknown(number) => number,
        }
    }

    /// Number of a synchronisation mode.
    #[must_use]
    pub const fn sync_mode_number(self, mode: SyncMode) -> i32 {
        match mode {
            SyncMode::Async => self.enum_base,
            SyncMode::Simple => self.enum_base + 1,
            SyncMode::Cascade => self.enum_base + 2,
            SyncMode::Decision => self.enum_base + 3,
            SyncMode::Isolated => self.enum_base + 4,
            SyncMode::Unknown(number) => number,
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl FromStr for Dialect {
    type Err = UnknownDialect;
    fn from_str(name: &str) -> Result<Self, UnknownDialect> {
        ALL.iter()
            .copied()
            .find(|dialect| dialect.name == name)
            .ok_or_else(|| UnknownDialect(name.to_owned()))
    }
}

pub(super) const fn retention(number: i32) -> Retention {
    match number {
        0 => Retention::Default,
        1 => Retention::Persist,
        2 => Retention::Transient,
        _ => Retention::Unknown(number),
    }
}

pub(super) const fn retention_number(retention: Retention) -> i32 {
    match retention {
        Retention::Default => 0,
        Retention::Persist => 1,
        Retention::Transient => 2,
        Retention::Unknown(number) => number,
    }
}

pub(super) const fn storage(number: i32) -> Storage {
    match number {
        0 => Storage::Unspecified,
        1 => Storage::Filesystem,
        2 => Storage::Gcs,
        3 => Storage::S3,
        _ => Storage::Unknown(number),
    }
}

pub(super) const fn storage_number(storage: Storage) -> i32 {
    match storage {
        Storage::Unspecified => 0,
        Storage::Filesystem => 1,
        Storage::Gcs => 2,
        Storage::S3 => 3,
        Storage::Unknown(number) => number,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_minimum_number_is_unknown_and_kept() {
        for dialect in Dialect::all() {
            let (strategy, mode) = (
                dialect.merge_strategy(i32::MIN),
                dialect.sync_mode(i32::MIN),
            );
            assert_eq!(strategy, MergeStrategy::Unknown(i32::MIN));
            assert_eq!(dialect.merge_strategy_number(strategy), i32::MIN);
            assert_eq!(mode, SyncMode::Unknown(i32::MIN));
            assert_eq!(dialect.sync_mode_number(mode), i32::MIN);
            assert_eq!(
                dialect.cascade_error_mode(i32::MIN),
                CascadeErrorMode::Unknown(i32::MIN)
            );
        }
    }
}
