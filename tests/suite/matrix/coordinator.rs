//! A coordinator at an address: how a history is loaded into it, and what it is asked.

use angzarr_replay::internal::model::Modes;
use angzarr_replay::internal::replay::{
    Isolated, debug_edition, replay_command, replay_process, replay_projector, replay_saga,
};

use super::{ALL_NEW, PAGE_0, PAGE_1, ROOT, book, command, command_book, destinations, event_book};
use test_support::peer::Peer;
use test_support::revision::Revision;

const LOADED: &str = "CommandHandlerCoordinatorService/HandleEvent";
const QUERIED: &str = "EventQueryService/GetEventBook";

#[test]
fn a_coordinator_at_an_address_receives_its_dialect() {
    for revision in Revision::all() {
        let peer = Peer::start(revision.dialect);
        let edition = debug_edition("x", "me", "1");
        let cover =
            format!(r#"cover {{ {ROOT} domain: "player" edition {{ name: "{edition}" }} }}"#);
        let stored = format!("{cover} pages {{ {PAGE_0} }} pages {{ {PAGE_1} }} next_sequence: 2");
        peer.answers(QUERIED, revision.encode("EventBook", ""));
        peer.answers(QUERIED, revision.encode("EventBook", &stored));
        let taken = format!("events {{ {stored} }}");
        peer.answers(LOADED, revision.encode("FactInjectionResponse", &taken));
        let noted = Box::new(|_: &_, _: &_| Ok(()));
        let target =
            Isolated::in_edition(&peer.connection(), revision.dialect, edition.clone(), noted);

        let whole = event_book(&revision, &book(&revision));
        let sent = command_book(&revision, &command(&revision));
        let told = destinations(&[("table", 4)]);
        replay_command(&target, &whole, &sent, false).unwrap();
        replay_saga(&target, &whole, ALL_NEW, &told, Modes::default()).unwrap();
        replay_process(&target, &whole, ALL_NEW, &whole, &told).unwrap();
        replay_projector(&target, &whole, ALL_NEW, false).unwrap();

        let mode = match revision.dialect.name() {
            "angzarr" | "angzarr_client.proto.angzarr" => "SYNC_MODE_ASYNC",
            _ => "SYNC_MODE_ISOLATED",
        };
        let past_logic = if revision.has("EventRequest.skip_handler") {
            "skip_handler: true"
        } else {
            "route_to_handler: false"
        };
        let first = PAGE_0.replace(
            "sequence: 0",
            &format!(r#"external_deferred {{ external_id: "{edition}/0" }}"#),
        );
        let loaded = format!(
            "events {{ {cover} pages {{ {first} }} pages {{ {PAGE_1} }} }} sync_mode: {mode} {past_logic}"
        );
        let asked = command(&revision).replace(
            r#"domain: "player""#,
            &format!(r#"domain: "player" edition {{ name: "{edition}" }}"#),
        );
        let book = book(&revision);
        let told = if revision.has("SagaHandleRequest.destination_sequences") {
            r#"destination_sequences { key: "table" value: 4 }"#
        } else {
            ""
        };
        let saga = format!(
            "request {{ source {{ {book} }} sync_mode: SYNC_MODE_ASYNC cascade_error_mode: CASCADE_ERROR_FAIL_FAST {told} }}"
        );
        let process =
            format!("request {{ trigger {{ {book} }} process_state {{ {book} }} {told} }}");
        let expected = [
            (QUERIED, "Query", cover.clone()),
            (LOADED, "EventRequest", loaded),
            (
                QUERIED,
                "Query",
                format!("{cover} range {{ lower: 0 upper: 1 }}"),
            ),
            (
                "CommandHandlerCoordinatorService/HandleSyncSpeculative",
                "SpeculateCommandHandlerRequest",
                format!("command {{ {asked} }} point_in_time {{ as_of_sequence: 1 }}"),
            ),
            (
                "SagaCoordinatorService/ExecuteSpeculative",
                "SpeculateSagaRequest",
                saga,
            ),
            (
                "ProcessManagerCoordinatorService/HandleSpeculative",
                "SpeculatePmRequest",
                process,
            ),
            (
                "ProjectorCoordinatorService/HandleSpeculative",
                "SpeculateProjectorRequest",
                format!("events {{ {book} }}"),
            ),
        ];
        let received = peer.received();
        assert_eq!(received.len(), expected.len(), "{}", revision.dialect);
        for ((method, bytes), (asked, message, text)) in received.iter().zip(&expected) {
            assert_eq!(method, asked, "{}", revision.dialect);
            revision.assert_is("coordinator at an address", message, bytes, text);
        }
    }
}
