//! Starting logic, and ending it.

use std::net::TcpListener;
use std::time::Duration;

use angzarr_replay::internal::processes::{LaunchError, ServerCommand, StartedServer};
use angzarr_replay::internal::project::readiness;
use test_support::coordinators;

use crate::support::{
    assert_gone, await_lines, command, fake, fake_with, is_running, lines, this_program,
    without_ports,
};

pub(crate) const TESTS: &[(&str, fn())] = &[
    ("a_program_that_does_not_exist", does_not_exist),
    ("an_empty_command", empty),
    ("logic_that_exits_at_once_shows_its_output", exits),
    ("logic_that_exits_without_a_word", exits_silently),
    ("logic_that_never_listens_is_given_up", hangs),
    ("logic_that_never_answers_is_given_up", listens_only),
    ("logic_that_hangs_up_is_given_up", hangs_up),
    ("a_server_of_another_protocol_is_no_logic", other_protocols),
    ("a_fixed_port_that_is_taken", port_taken),
    ("a_fixed_port_is_used", fixed_port),
    ("a_free_port_taken_meanwhile_is_replaced", second_try),
    ("a_port_is_replaced_three_times_at_most", three_tries),
    ("a_failing_build_shows_its_output", failing_build),
    ("a_build_that_cannot_be_run", missing_build),
    ("endless_output_is_kept_in_bounds", babbles),
    ("logic_ends_with_all_that_it_started", starts_others),
    ("logic_ends_with_what_left_its_group", starts_another_group),
    (
        "what_failing_logic_started_ends_too",
        starts_others_and_exits,
    ),
    ("logic_deaf_to_a_hint_is_ended", ignores_sigterm),
    (
        "what_cargo_says_of_our_package_is_none_of_its_business",
        forgets_our_package,
    ),
];

fn launch(spec: &ServerCommand) -> Result<StartedServer, LaunchError> {
    StartedServer::launch(spec, &readiness)
}

fn failure(spec: &ServerCommand) -> String {
    without_ports(&launch(spec).unwrap_err().to_string())
}

fn briefly(spec: ServerCommand) -> ServerCommand {
    ServerCommand {
        start_timeout: Some(Duration::from_secs(1)),
        ..spec
    }
}

fn does_not_exist() {
    let spec = ServerCommand {
        directory: "/".into(),
        ..command(&["no-such-program", "--port", "{port}"])
    };
    assert_eq!(
        failure(&spec),
        "logic `fake`: cannot run `no-such-program` in /: No such file or directory (os error 2)"
    );
}

fn forgets_our_package() {
    // As `cargo test` says it to this test; a nested cargo would build all over what watches it.
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
    let spec = ServerCommand {
        environment: vec![("CARGO_PKG_NAME".into(), "its-own".into())],
        ..command(&["sh", "-c", "env | grep ^CARGO_ | sort; exit 3"])
    };
    let said = failure(&spec);
    assert!(said.contains("CARGO_PKG_NAME=its-own"), "{said}");
    for gone in ["CARGO_MANIFEST_DIR", "CARGO_PKG_VERSION"] {
        assert!(!said.contains(gone), "{said}");
    }
}

fn empty() {
    assert_eq!(failure(&command(&[])), "logic `fake`: its command is empty");
}

fn exits() {
    let words = failure(&fake("exits"));
    let (first, output) = words.split_once('\n').unwrap();
    assert_eq!(
        first,
        "logic `fake`: it ended with exit status: 3 before it served; its last output:"
    );
    // Two pipes have no common order.
    let mut output: Vec<&str> = output.lines().collect();
    output.sort_unstable();
    assert_eq!(output, ["    error: no rules", "    loading the rules"]);
}

fn exits_silently() {
    assert_eq!(
        failure(&fake("exits-silently")),
        "logic `fake`: it ended with exit status: 3 before it served; it printed nothing"
    );
}

fn hangs() {
    assert_eq!(
        failure(&briefly(fake("hangs"))),
        "logic `fake`: it did not serve on port PORT within 1 s; its last output:\n    thinking"
    );
}

fn listens_only() {
    assert_eq!(
        failure(&briefly(fake("listens-only"))),
        "logic `fake`: it did not serve on port PORT within 1 s; it printed nothing"
    );
}

fn hangs_up() {
    assert_eq!(
        failure(&briefly(fake("hangs-up"))),
        "logic `fake`: it did not serve on port PORT within 1 s; it printed nothing"
    );
}

fn other_protocols() {
    for mode in ["speaks-http", "says-hello"] {
        assert_eq!(
            failure(&briefly(fake(mode))),
            "logic `fake`: what listens on port PORT is no gRPC server; it printed nothing",
            "{mode}"
        );
    }
}

fn port_taken() {
    let other = coordinators::listener();
    let spec = ServerCommand {
        port: Some(other.local_addr().unwrap().port()),
        ..fake("serves")
    };
    assert_eq!(
        failure(&spec),
        "logic `fake`: something else is already listening on port PORT; end it, or leave `port` out of the \
         configuration so that a free one is taken"
    );
}

fn fixed_port() {
    let port = coordinators::listener().local_addr().unwrap().port();
    let spec = ServerCommand {
        port: Some(port),
        ..fake("serves")
    };
    let started = launch(&spec).unwrap();
    assert_eq!(started.address(), format!("127.0.0.1:{port}"));
}

fn second_try() {
    let folder = tempfile::tempdir().unwrap();
    let tried = folder.path().join("tried");
    launch(&fake_with("serves-at-second-try", &tried)).unwrap();
    assert_eq!(lines(&tried).len(), 1);
}

fn three_tries() {
    let folder = tempfile::tempdir().unwrap();
    let tried = folder.path().join("tried");
    assert_eq!(
        failure(&fake_with("never-gets-its-port", &tried)),
        "logic `fake`: it ended with exit status: 1 before it served; its last output:\n    listen EADDRINUSE"
    );
    assert_eq!(lines(&tried).len(), 3);
}

fn failing_build() {
    let build = [&this_program(), "fake-logic", "exits-silently"];
    let spec = ServerCommand {
        build: Some(build.map(str::to_owned).to_vec()),
        ..fake("serves")
    };
    assert_eq!(
        failure(&spec),
        "logic `fake`: its build step ended with exit status: 3; it printed nothing"
    );
}

fn missing_build() {
    let spec = ServerCommand {
        build: Some(vec!["no-such-compiler".into()]),
        directory: "/".into(),
        ..fake("serves")
    };
    assert_eq!(
        failure(&spec),
        "logic `fake`: cannot run `no-such-compiler` in /: No such file or directory (os error 2)"
    );
}

fn babbles() {
    let started = launch(&fake("babbles")).unwrap();
    let (output, ended) = started.last_words();
    assert_eq!(ended, None);
    assert!(output.0.len() <= 40 * 2_001, "{}", output.0.len());
    assert!(output.0.ends_with("\nlast words"), "{output}");
}

fn starts_others() {
    let folder = tempfile::tempdir().unwrap();
    let pids = folder.path().join("pids");
    let started = launch(&fake_with("starts-others", &pids)).unwrap();
    let pids = await_lines(&pids, 2);
    assert!(is_running(&pids[0]));
    drop(started);
    assert_gone(&pids);
}

/// As some debuggers do with the program that they debug.
fn starts_another_group() {
    let folder = tempfile::tempdir().unwrap();
    let pids = folder.path().join("pids");
    let started = launch(&fake_with("starts-another-group", &pids)).unwrap();
    let pids = await_lines(&pids, 1);
    assert!(is_running(&pids[0]));
    drop(started);
    assert_gone(&pids);
}

fn starts_others_and_exits() {
    let folder = tempfile::tempdir().unwrap();
    let pids = folder.path().join("pids");
    assert_eq!(
        failure(&fake_with("starts-others-and-exits", &pids)),
        "logic `fake`: it ended with exit status: 4 before it served; it printed nothing"
    );
    assert_gone(&lines(&pids));
}

fn ignores_sigterm() {
    let started = launch(&fake("ignores-sigterm")).unwrap();
    let address = started.address();
    drop(started);
    TcpListener::bind(address).unwrap();
}
