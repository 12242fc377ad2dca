//! An event store in Postgres as a source, on a server that this program starts and stops.
//!
//! Called with `forward` as its first argument, the program is a port forward that dies (see `forwarder`).
//!
//! The server listens on the loopback address and in a temporary folder, as an unprivileged user if root runs the tests.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cluster;
mod forwarder;
mod night;
mod reading;
mod refusals;

use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};

use cluster::Cluster;

type Test = (&'static str, fn(&Cluster));

const TESTS: [Test; 9] = [
    (
        "both_layouts_give_the_pages_of_the_files_byte_for_byte",
        reading::both_layouts_give_the_pages_of_the_files_byte_for_byte,
    ),
    (
        "a_role_that_may_only_select_captures_and_nothing_is_written",
        reading::a_role_that_may_only_select_captures_and_nothing_is_written,
    ),
    (
        "a_role_that_may_write_is_kept_from_it_by_the_server",
        refusals::a_role_that_may_write_is_kept_from_it_by_the_server,
    ),
    (
        "what_the_server_refuses_is_one_message",
        refusals::what_the_server_refuses_is_one_message,
    ),
    (
        "a_lock_ends_with_the_deadline",
        refusals::a_lock_ends_with_the_deadline,
    ),
    (
        "certificates_are_checked",
        refusals::certificates_are_checked,
    ),
    (
        "a_later_command_sees_what_was_stored_meanwhile",
        reading::a_later_command_sees_what_was_stored_meanwhile,
    ),
    (
        "a_way_to_a_database_that_dies_is_opened_again",
        forwarder::a_way_to_a_database_that_dies_is_opened_again,
    ),
    (
        "from_an_id_in_an_alert_to_a_reproduced_case",
        night::from_an_id_in_an_alert_to_a_reproduced_case,
    ),
];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.first().is_some_and(|word| word == forwarder::FORWARD) {
        forwarder::run(&words[1..]);
    }
    let arguments = Arguments::from_args();
    if arguments.list {
        return libtest_mimic::run(&arguments, trials(None)).exit_code();
    }
    let cluster = Arc::new(Cluster::start());
    let conclusion = libtest_mimic::run(&arguments, trials(Some(&cluster)));
    drop(cluster);
    conclusion.exit_code()
}

fn trials(cluster: Option<&Arc<Cluster>>) -> Vec<Trial> {
    let trial = |(name, test): Test| {
        let cluster = cluster.cloned();
        Trial::test(name, move || {
            if let Some(cluster) = &cluster {
                test(cluster);
            }
            Ok(())
        })
    };
    TESTS.into_iter().map(trial).collect()
}
