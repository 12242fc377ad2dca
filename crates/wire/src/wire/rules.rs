//! How the coordinators of the dialects differ: one flag for each difference.

use crate::model::ProcessRoot;

/// When a coordinator refuses a command because its sequence is not the head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SequenceCheck {
    /// Always, unless the aggregate handles merging itself or the header is deferred.
    UnlessAggregateHandles,
    /// Only under the strategy STRICT; other strategies compare the fields that were touched.
    StrictOnly,
}

/// What `GetEvents` returns for an aggregate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventStream {
    /// The whole main timeline, whatever edition and pages were requested.
    WholeMain,
    /// The whole timeline of the edition.
    WholeEdition,
    /// The requested pages.
    Selected,
}

/// Behaviour of the coordinators of a dialect, where dialects differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "the differences are independent of each other"
)]
pub struct Rules {
    /// Which commands are checked against the head.
    pub sequence_check: SequenceCheck,
    /// Provisional pages exist; client logic sees placeholders instead.
    pub two_phase_commit: bool,
    /// Speculation and compensation hide provisional pages too, not only commands.
    pub always_masks: bool,
    /// Every page of a reply below the head is silently dropped, unless only a snapshot was loaded. If false, only pages
    /// that repeat prior pages are dropped.
    pub drops_below_head: bool,
    /// Gaps between the pages of a reply are stored as they are.
    pub stores_gaps: bool,
    /// A reply for another aggregate is stored in that aggregate.
    pub stores_foreign_replies: bool,
    /// A stored snapshot keeps the retention that the logic asked for.
    pub keeps_retention: bool,
    /// The notification of a rejection has the code of the reason.
    pub rejection_code: bool,
    /// The component or aggregate whose command was rejected is notified.
    pub notifies_of_rejections: bool,
    /// Requests to process managers have the heads of the aggregates that they write to.
    pub sends_destinations: bool,
    /// Requests to sagas have them too. The released coordinators leave them empty, although the message has the field.
    pub sends_destinations_to_sagas: bool,
    /// `Prepare` first asks process managers which aggregates' heads they need.
    pub calls_prepare: bool,
    /// A command of a saga or process manager keeps the edition that it names; if false, it gets the edition of its cause.
    pub keeps_emitted_edition: bool,
    /// Provenance that the logic set on its commands is completed; if false, it is overwritten.
    pub completes_provenance: bool,
    /// Provenance has fields for the component that sent a command and for the command's index.
    pub provenance_names_component: bool,
    /// Default for how the root of a workflow's stream is derived.
    pub process_root: ProcessRoot,
    /// Facts go to the logic unless the request sets `skip_handler`; if false, only if it sets `route_to_handler`.
    pub facts_skip_logic_on_request: bool,
    /// The reply to a fact that is already stored names the main edition, even if the request does not.
    pub repeated_fact_spells_edition: bool,
    /// Facts can be stored without notifying anything downstream (sync mode ISOLATED).
    pub isolated_mode: bool,
    /// What `GetEvents` returns.
    pub event_stream: EventStream,
    /// `Synchronize` excludes the upper end of a range.
    pub synchronize_excludes_end: bool,
    /// A read of a whole history returns the newest snapshot beside its pages.
    pub queries_return_snapshots: bool,
    /// A partial read of a named edition includes main below the divergence; if false, only the edition's own pages.
    pub partial_reads_join_main: bool,
    /// The error for a temporal query without a point in time is the name of a constant instead of its text.
    pub leaks_constant_name: bool,
}

impl Rules {
    /// Core 0.5.1, the only released core.
    pub(super) const RELEASED: Self = Self {
        sequence_check: SequenceCheck::UnlessAggregateHandles,
        two_phase_commit: true,
        always_masks: false,
        drops_below_head: true,
        stores_gaps: true,
        stores_foreign_replies: true,
        keeps_retention: false,
        rejection_code: false,
        notifies_of_rejections: false,
        sends_destinations: true,
        sends_destinations_to_sagas: false,
        calls_prepare: true,
        keeps_emitted_edition: true,
        completes_provenance: false,
        provenance_names_component: false,
        process_root: ProcessRoot::CorrelationId,
        facts_skip_logic_on_request: false,
        repeated_fact_spells_edition: true,
        isolated_mode: false,
        event_stream: EventStream::WholeMain,
        synchronize_excludes_end: true,
        queries_return_snapshots: false,
        partial_reads_join_main: false,
        leaks_constant_name: true,
    };

    /// The sources of spring and early summer 2026.
    pub(super) const SPRING: Self = Self {
        notifies_of_rejections: true,
        sends_destinations_to_sagas: true,
        calls_prepare: false,
        keeps_emitted_edition: false,
        provenance_names_component: true,
        process_root: ProcessRoot::Uuid5,
        repeated_fact_spells_edition: false,
        isolated_mode: true,
        event_stream: EventStream::WholeEdition,
        synchronize_excludes_end: false,
        leaks_constant_name: false,
        ..Self::RELEASED
    };

    /// The sources of autumn 2026.
    pub(super) const NEWEST: Self = Self {
        sequence_check: SequenceCheck::StrictOnly,
        two_phase_commit: false,
        always_masks: true,
        drops_below_head: false,
        stores_gaps: false,
        stores_foreign_replies: false,
        keeps_retention: true,
        rejection_code: true,
        sends_destinations: false,
        sends_destinations_to_sagas: false,
        completes_provenance: true,
        facts_skip_logic_on_request: true,
        event_stream: EventStream::Selected,
        queries_return_snapshots: true,
        partial_reads_join_main: true,
        ..Self::SPRING
    };
}
