//! A flow with a saga, whose second command is refused.

use angzarr_replay::internal::replay::flow::SubscriberKind;

use super::super::{PAGE_0, PAGE_1};
use super::{
    Answer, Call, DID, PLAYER, SEATED, TABLE, WORKFLOW, assert_flow, command, deferred, did,
    events, first, notification, page, shown, told_saga,
};
use test_support::revision::Revision;

/// Player, saga, table, table once more, which refuses, and the player, who is told.
fn with_saga(revision: &Revision) -> Vec<Call> {
    // The newest logic says itself what it reacts to; older logic writes a sequence, which counts for nothing.
    let emitted = |index| match revision.dialect.name() {
        "io.angzarr.v1" => deferred(revision, PLAYER, 2, None, index),
        _ => "sequence: 9".to_owned(),
    };
    let commands = [0, 1].map(|index| {
        let command = command(revision, TABLE, &emitted(index));
        format!("commands {{ {command} }}")
    });
    let delivered = |header: &str| command(revision, &format!("{TABLE} {WORKFLOW}"), header);
    let of_table = format!("pages {{ {PAGE_0} }}");
    let seated = format!("{of_table} {}", page(1, SEATED));
    let of_player = format!("pages {{ {PAGE_0} }} pages {{ {PAGE_1} }} {}", page(2, DID));
    let key = deferred(revision, PLAYER, 2, Some("seating"), 1);
    let told_of = notification(revision, PLAYER, &delivered(&key));
    let compensation = format!(
        "cover {{ {PLAYER} {WORKFLOW} }} pages {{ header {{ {key} }} merge_strategy: MERGE_COMMUTATIVE command {{ {told_of} }} }}"
    );
    vec![
        first(revision),
        Call::saga(
            &did(revision),
            &told_saga(revision, &[("player", 3), ("table", 1)]),
            commands.concat(),
        ),
        Call::handle(
            &shown(revision, TABLE, &of_table, 1),
            &delivered("sequence: 1"),
            events(&page(1, SEATED)),
        ),
        Call::handle(
            &shown(revision, TABLE, &seated, 2),
            &delivered("sequence: 2"),
            Answer::Refusal,
        ),
        Call::handle(
            &shown(revision, PLAYER, &of_player, 3),
            &compensation,
            events(""),
        ),
    ]
}

#[test]
fn a_flow_with_a_saga_is_sent_what_the_coordinators_of_its_dialect_send() {
    for revision in Revision::all() {
        let saga: &[(&str, SubscriberKind, &[&str])] =
            &[("seating", SubscriberKind::Saga, &["player"])];
        assert_flow(&revision, "flow with a saga", &with_saga(&revision), saga);
    }
}
