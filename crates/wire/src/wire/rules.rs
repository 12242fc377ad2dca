//! What the coordinators of a dialect do, as far as it differs: one flag for each difference.

use crate::model::ProcessRoot;

/// When a coordinator refuses a command because its sequence is not the head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SequenceCheck {
    /// Always, unless the aggregate handles merging itself or the header is deferred.
    UnlessAggregateHandles,
    /// Only under the strategy STRICT; other strategies compare the fields that were touched.
    StrictOnly,
}

/// What `GetEvents` returns of an aggregate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventStream {
    /// The whole main timeline, whatever edition and pages were asked for.
    WholeMain,
    /// The whole timeline of the edition.
    WholeEdition,
    /// The pages that were asked for.
    Selected,
}

/// What the coordinators of a dialect do where dialects differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a difference of its own"
)]
pub struct Rules {
    /// Which commands are held against the head.
    pub sequence_check: SequenceCheck,
    /// Provisional pages exist, which logic sees as placeholders.
    pub two_phase_commit: bool,
    /// Speculation and compensation hide provisional pages too, not only commands.
    pub always_masks: bool,
    /// Of a reply, every page below the head is left out in silence, unless only a snapshot was loaded. Otherwise only
    /// pages that repeat what the logic was shown are.
    pub drops_below_head: bool,
    /// Pages of a reply are stored with gaps between them.
    pub stores_gaps: bool,
    /// A reply for another aggregate is stored there.
    pub stores_foreign_replies: bool,
    /// A stored snapshot keeps the retention that the logic asked for.
    pub keeps_retention: bool,
    /// A rejection's notification carries the reason's code.
    pub rejection_code: bool,
    /// The component or aggregate whose command was refused is notified.
    pub tells_of_refusals: bool,
    /// Requests to process managers say the heads of the aggregates that they write to.
    pub tells_destinations: bool,
    /// Requests to sagas say them. The released coordinators leave them empty, though the message has the field.
    pub tells_sagas_destinations: bool,
    /// Process managers are first asked which aggregates' heads they want to know.
    pub asks_prepare: bool,
    /// A command of a saga or process manager keeps the edition that it names; otherwise it gets that of its cause.
    pub keeps_emitted_edition: bool,
    /// Provenance that logic wrote on its commands is completed; otherwise it is overwritten.
    pub completes_provenance: bool,
    /// Provenance has fields for the component that sent a command, and for the place among those that it sent.
    pub provenance_names_component: bool,
    /// How the stream of a workflow is found, where nothing else is configured.
    pub process_root: ProcessRoot,
    /// Facts go to the logic unless the request says `skip_handler`; otherwise only where it says `route_to_handler`.
    pub facts_skip_logic_on_request: bool,
    /// The reply to a fact that is there already spells out the main edition, whatever the request does.
    pub repeated_fact_spells_edition: bool,
    /// Facts can be stored without anything downstream hearing of them (the sync mode ISOLATED).
    pub isolated_mode: bool,
    /// What `GetEvents` returns.
    pub event_stream: EventStream,
    /// `Synchronize` excludes the upper end of a range.
    pub synchronize_excludes_end: bool,
    /// A read of a whole history returns the newest snapshot beside its pages.
    pub queries_return_snapshots: bool,
    /// A part of a named edition's timeline joins main below the divergence; otherwise it is of its own pages only.
    pub partial_reads_join_main: bool,
    /// A temporal query without a point in time is refused by the name of a constant, not by its text.
    pub leaks_constant_name: bool,
}

impl Rules {
    /// Core 0.5.1, the only one that was released.
    pub(super) const RELEASED: Self = Self {
        sequence_check: SequenceCheck::UnlessAggregateHandles,
        two_phase_commit: true,
        always_masks: false,
        drops_below_head: true,
        stores_gaps: true,
        stores_foreign_replies: true,
        keeps_retention: false,
        rejection_code: false,
        tells_of_refusals: false,
        tells_destinations: true,
        tells_sagas_destinations: false,
        asks_prepare: true,
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
        tells_of_refusals: true,
        tells_sagas_destinations: true,
        asks_prepare: false,
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
        tells_destinations: false,
        tells_sagas_destinations: false,
        completes_provenance: true,
        facts_skip_logic_on_request: true,
        event_stream: EventStream::Selected,
        queries_return_snapshots: true,
        partial_reads_join_main: true,
        ..Self::SPRING
    };
}
