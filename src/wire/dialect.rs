//! Dialects as data: package, numbers of the shifted enums, and the few differences of behaviour.

use std::fmt;
use std::str::FromStr;

use crate::model::{Edition, MergeStrategy, Retention, Storage, SyncMode};

/// When a coordinator refuses a command because its sequence is not the head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SequenceCheck {
    /// Always, unless the aggregate handles merging itself or the header is deferred.
    UnlessAggregateHandles,
    /// Only under the strategy STRICT; other strategies compare the fields that were touched.
    StrictOnly,
}

/// How far the coordinators of a dialect have come; they answer some queries differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Generation {
    /// Core 0.5.1, the only one that was released.
    Released,
    /// The sources of spring and early summer 2026.
    Spring,
    /// The sources of autumn 2026.
    Autumn,
}

/// One of the ways in which Angzarr's protocol has been spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a difference of its own"
)]
pub struct Dialect {
    name: &'static str,
    package: &'static str,
    /// Number of the first real value of the shifted enums.
    enum_base: i32,
    main_edition: &'static str,
    sequence_check: SequenceCheck,
    generation: Generation,
    two_phase_commit: bool,
    tells_destinations: bool,
    tells_sagas: bool,
    asks_prepare: bool,
    /// What stands before the full name in type URLs of the framework's own messages.
    framework_prefix: &'static str,
    /// Whether a rejection's notification carries the reason's code.
    rejection_code: bool,
}

/// A name that no dialect has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no dialect `{0}`; known are {names}", names = Dialect::names().join(", "))]
pub struct UnknownDialect(pub String);

const ALL: [Dialect; 6] = [
    Dialect {
        name: "angzarr",
        package: "angzarr",
        enum_base: 0,
        main_edition: "angzarr",
        sequence_check: SequenceCheck::UnlessAggregateHandles,
        generation: Generation::Released,
        two_phase_commit: true,
        tells_destinations: true,
        tells_sagas: false,
        asks_prepare: true,
        framework_prefix: "type.angzarr.io/",
        rejection_code: false,
    },
    Dialect {
        name: "io.angzarr.v1",
        package: "io.angzarr.v1",
        enum_base: 1,
        main_edition: "",
        sequence_check: SequenceCheck::StrictOnly,
        generation: Generation::Autumn,
        two_phase_commit: false,
        tells_destinations: false,
        tells_sagas: false,
        asks_prepare: false,
        framework_prefix: "/",
        rejection_code: true,
    },
    Dialect {
        name: "io.angzarr.v1-2026-09",
        package: "io.angzarr.v1",
        enum_base: 0,
        main_edition: "",
        sequence_check: SequenceCheck::StrictOnly,
        generation: Generation::Autumn,
        two_phase_commit: true,
        tells_destinations: true,
        tells_sagas: true,
        asks_prepare: false,
        framework_prefix: "type.angzarr.io/",
        rejection_code: false,
    },
    Dialect {
        name: "io.angzarr.v1-2026-06",
        package: "io.angzarr.v1",
        enum_base: 0,
        main_edition: "",
        sequence_check: SequenceCheck::UnlessAggregateHandles,
        generation: Generation::Spring,
        two_phase_commit: true,
        tells_destinations: true,
        tells_sagas: true,
        asks_prepare: false,
        framework_prefix: "type.angzarr.io/",
        rejection_code: false,
    },
    Dialect {
        name: "angzarr_client.proto.angzarr.v1",
        package: "angzarr_client.proto.angzarr.v1",
        enum_base: 0,
        main_edition: "",
        sequence_check: SequenceCheck::UnlessAggregateHandles,
        generation: Generation::Spring,
        two_phase_commit: true,
        tells_destinations: true,
        tells_sagas: true,
        asks_prepare: false,
        framework_prefix: "type.angzarr.io/",
        rejection_code: false,
    },
    Dialect {
        name: "angzarr_client.proto.angzarr",
        package: "angzarr_client.proto.angzarr",
        enum_base: 0,
        main_edition: "",
        sequence_check: SequenceCheck::UnlessAggregateHandles,
        generation: Generation::Spring,
        two_phase_commit: true,
        tells_destinations: true,
        tells_sagas: true,
        asks_prepare: true,
        framework_prefix: "type.angzarr.io/",
        rejection_code: false,
    },
];

impl Dialect {
    /// Core 0.5 and every released client library.
    pub const ANGZARR: Self = ALL[0];
    /// The newest sources, enums beginning with an `_UNSPECIFIED`.
    pub const IO_ANGZARR_V1: Self = ALL[1];

    /// Every dialect, the likelier first. Those that share a package with an earlier one cannot be told from
    /// it on the wire.
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
    pub const fn package(&self) -> &'static str {
        self.package
    }

    /// Number of the first real value of the shifted enums.
    pub(super) const fn enum_base(&self) -> i32 {
        self.enum_base
    }

    /// Which commands its coordinators hold against the head.
    #[must_use]
    pub const fn sequence_check(&self) -> SequenceCheck {
        self.sequence_check
    }

    /// How far its coordinators have come.
    #[must_use]
    pub const fn generation(&self) -> Generation {
        self.generation
    }

    /// Whether provisional pages exist, which logic sees as placeholders.
    #[must_use]
    pub const fn has_two_phase_commit(&self) -> bool {
        self.two_phase_commit
    }

    /// Whether requests to sagas and process managers can say the heads of the aggregates that they write to.
    #[must_use]
    pub const fn tells_destinations(&self) -> bool {
        self.tells_destinations
    }

    /// Whether sagas are told them: the released coordinators leave them empty, though the message has the field.
    #[must_use]
    pub const fn tells_sagas_destinations(&self) -> bool {
        self.tells_sagas
    }

    /// Whether facts go to the logic unless the request says `skip_handler`. Until then they went there only where it
    /// says `route_to_handler`.
    #[must_use]
    pub const fn facts_skip_logic_on_request(&self) -> bool {
        matches!(self.generation, Generation::Autumn)
    }

    /// Whether facts can be stored without anything downstream hearing of them (the sync mode ISOLATED).
    #[must_use]
    pub const fn has_isolated_mode(&self) -> bool {
        !matches!(self.generation, Generation::Released)
    }

    /// Whether process managers are first asked which aggregates' heads they want to know.
    #[must_use]
    pub const fn asks_prepare(&self) -> bool {
        self.asks_prepare
    }

    /// Whether a rejection's notification carries the reason's code.
    pub(super) const fn has_rejection_code(self) -> bool {
        self.rejection_code
    }

    /// Type URL of one of the framework's own messages.
    pub(super) fn framework_type_url(self, message: &str) -> String {
        format!("{}{}.{message}", self.framework_prefix, self.package)
    }

    /// Number of the error mode that says nothing: fail fast.
    pub(super) const fn default_cascade_error_mode(self) -> i32 {
        self.enum_base
    }

    /// Whether another dialect has the same package, so that a connection does not tell which one it is.
    #[must_use]
    pub fn is_ambiguous(&self) -> bool {
        ALL.iter()
            .any(|other| other.package == self.package && other.name != self.name)
    }

    /// gRPC path of a method, as in `/angzarr.EventQueryService/GetEventBook`.
    #[must_use]
    pub fn path(&self, service: &str, method: &str) -> String {
        format!("/{}.{service}/{method}", self.package)
    }

    /// The dialect of a gRPC path, and its method without the package, as in `SagaService/Handle`. Of several dialects
    /// of a package it is the likelier; none where no dialect has the package.
    #[must_use]
    pub fn of_path(path: &str) -> Option<(Self, &str)> {
        let (service, _) = path.strip_prefix('/')?.rsplit_once('/')?;
        let (package, _) = service.rsplit_once('.')?;
        let dialect = ALL.iter().find(|dialect| dialect.package == package)?;
        Some((*dialect, &path[package.len() + 2..]))
    }

    /// How a coordinator of this dialect spells an edition to logic and in replies.
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
        // 0 is *_UNSPECIFIED in a shifted enum, which every reader takes for the default.
        if number == 0 {
            0
        } else {
            number - self.enum_base
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

    pub(super) const fn sync_mode_number(self, mode: SyncMode) -> i32 {
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
