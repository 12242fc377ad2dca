//! What events and commands hold is shown where it was asked for, and nowhere else.

use std::sync::Arc;

use angzarr_replay::internal::coordinator::SeedBook;
use angzarr_replay::internal::grpc::Server;
use angzarr_replay::internal::wire::Dialect;

use crate::bad_input::logic::Garbage;
use crate::support::{Project, ROOT, coordinator, cover, listener, page, seed};

const SECRET: &str = "s3cret-of-alice";
const IN_BASE64: &str = "czNjcmV0LW9mLWFsaWNl";

fn book() -> SeedBook {
    seed(
        cover(),
        vec![page(0, SECRET.into()), page(1, SECRET.into())],
    )
}

#[test]
fn contents_are_not_printed_unasked() {
    let server = coordinator(Dialect::ANGZARR, &[book()]);
    let garbage = Server::start(listener(), Dialect::ANGZARR, Arc::new(Garbage), None).unwrap();
    let logic = format!("[logic.player]\naddress = \"{}\"\n", garbage.address());
    let mut project = Project::of_source(server.address(), &logic);
    project.write(
        "command.yaml",
        &format!("type: test.Do\nbytes: {IN_BASE64}\n"),
    );
    project.write(
        "wrong.yaml",
        &format!("type: WithdrawFunds\npayload:\n  amount:\n    amount: {SECRET}\n"),
    );
    project.write(
        "ticket.jsonl",
        &format!("{{\"ticket\": 1, \"command\": \"{IN_BASE64}\"}}\n"),
    );
    let named = |name| ["capture", ROOT, "--unredacted", "--command", name];
    for arguments in [
        &["roots"][..],
        &["roots", "--json"],
        &["find", ROOT],
        &["find", ROOT, "--json"],
        &["capture", ROOT, "--unredacted"],
        &["capture", ROOT, "--unredacted", "--json"],
        &[
            "capture",
            ROOT,
            "--unredacted",
            "--history",
            "--name",
            "player/history",
            "--accept",
        ],
        &named("command.yaml"),
        &named("wrong.yaml"),
        &["capture", ROOT, "--unredacted", "--ticket", "ticket.jsonl"],
        &["replay", "fixtures/player/do-07070707-2.yaml"],
        &["close", "fixtures/player/do-07070707-2.yaml"],
    ] {
        let ran = project.run(arguments);
        let said = ran.out + &ran.err;
        let shows = |text: &str| said.contains(text);
        assert!(!shows(SECRET) && !shows(IN_BASE64), "{arguments:?}\n{said}");
    }
    assert!(
        project
            .read("fixtures/player/do-07070707-2.yaml")
            .contains(IN_BASE64)
    );
}
