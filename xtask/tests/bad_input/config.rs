//! Configuration and descriptors with mistakes.

use crate::support::{ALICE, Project};

#[test]
fn mistakes_in_the_configuration_are_told_with_their_place() {
    let mut project = Project::bare();
    for toml in [
        "descriptors = [\n",
        "fixtuers = \"elsewhere\"\n",
        "fixtures = 5\n",
        "[logic.player]\nport = \"many\"\n",
        "[logic.player]\nport = 70000\naddress = \"x:1\"\n",
        "[logic.player]\n",
        "[logic.player]\naddress = \"x:1\"\nport = 5\n",
        "[logic.player]\naddress = \"x:1\"\ncommand = [\"x\"]\n",
        "[logic.player]\ncommand = []\n",
        "[logic.player]\naddress = \"x:1\"\ndialect = \"klingon\"\n",
        "[logic.a]\ndomain = \"player\"\naddress = \"x:1\"\n[logic.b]\ndomain = \"player\"\naddress = \"x:2\"\n",
        "[logic.'a b']\naddress = \"x:1\"\n",
        "[sources.production]\n",
        "[sources.production]\naddress = \"x:1\"\n",
        "[sources.embedded]\naddress = \"x:1\"\ndomains = [\"player\"]\n",
        "[sources.production]\naddresses = { 'a b' = \"x:1\" }\n",
        "[sources.production]\naddress = \"{domain}:1\"\ndialect = \"klingon\"\n",
        "probe = \"sometimes\"\n",
        "[[rules]]\ntype = \"x\"\n",
        "[[skip]]\nfixtures = \"x\"\n",
        "[[skip]]\nfixtures = \"x\"\nlogic = \"nobody\"\nreason = \"none\"\n",
    ] {
        project.write("replay.toml", toml);
        assert_eq!(project.run(&["roots"]).code, 2, "{toml}");
    }
    project.said("configuration");
}

#[test]
fn a_configuration_that_cannot_be_read_is_told() {
    let mut project = Project::bare();
    std::fs::write(project.path("replay.toml"), b"title = \"\xff\"").unwrap();
    assert_eq!(project.run(&["roots"]).code, 2);
    project.said("unreadable_configuration");
}

#[test]
fn a_local_configuration_is_checked_too() {
    let mut project = Project::new("");
    project.write("replay.local.toml", "[logic.player]\nadress = \"x:1\"\n");
    assert_eq!(project.run(&["roots"]).code, 2);
    // Each is right by itself, together they are not.
    project.write("replay.toml", "[logic.player]\ncommand = [\"x\"]\n");
    project.write(
        "replay.local.toml",
        "[logic.player]\ncommand = [\"y\"]\naddress = \"x:1\"\n",
    );
    assert_eq!(project.run(&["roots"]).code, 2);
    project.said("local_configuration");
}

#[test]
fn the_environment_is_checked_too() {
    let mut project = Project::new("[logic.player]\naddress = \"x:1\"\n");
    for (key, value) in [
        ("ANGZARR_REPLAY__LOGIC__PLAYER__DEADLINE", "soon"),
        ("ANGZARR_REPLAY__LOGIC__PLAYER__ADRESS", "x:2"),
        ("ANGZARR_REPLAY__FIXTUERS", "x"),
        ("ANGZARR_REPLAY__DESCRIPTORS__FIRST", "x"),
        ("ANGZARR_REPLAY__", "x"),
        ("ANGZARR_REPLAY__LOGIC____ADDRESS", "x"),
    ] {
        assert_eq!(
            project.run_as(&["roots"], "", &[(key, value)]).code,
            2,
            "{key}"
        );
    }
    let domain = [("ANGZARR_REPLAY__SOURCE", "nowhere")];
    assert_eq!(project.run_as(&["roots"], "", &domain).code, 1);
    project.said("environment");
}

#[test]
fn descriptors_that_cannot_be_had_are_told() {
    let mut project = Project::bare();
    project.write("replay.toml", "descriptors = [\"nowhere\"]\n");
    assert_eq!(project.run(&["capture", ALICE]).code, 1);
    project.write("replay.toml", "descriptors = [\"protos\"]\n");
    project.write(
        "protos/broken.proto",
        "syntax = \"proto3\";\nmessage Broken {\n  strin name = 1;\n}\n",
    );
    assert_eq!(project.run(&["capture", ALICE]).code, 1);
    project.write("replay.toml", "descriptors = [\"set.binpb\"]\n");
    std::fs::write(project.path("set.binpb"), b"\xff\xff\xff").unwrap();
    assert_eq!(project.run(&["capture", ALICE]).code, 1);
    project.write("replay.toml", "descriptors = [\"empty\"]\n");
    std::fs::create_dir(project.path("empty")).unwrap();
    assert_eq!(project.run(&["command", "new", "Anything"]).code, 1);
    project.said("descriptors");
}

/// A configuration says which programs run.
#[test]
#[cfg(unix)]
fn a_configuration_that_everybody_may_write_is_not_used_unless_it_is_meant() {
    use std::os::unix::fs::PermissionsExt;
    let mut project = Project::new("");
    let file = project.path("replay.toml");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o666)).unwrap();
    let ran = project.run(&["roots"]);
    assert_eq!(ran.code, 2);
    assert_eq!(
        ran.err,
        "error: PROJECT/replay.toml: everybody may write it, and it says which programs run: it is not used; where it is \
         meant, set ANGZARR_REPLAY_TRUST=1, or name it with --config\n"
    );
    assert_eq!(project.run(&["roots", "--config", "replay.toml"]).code, 0);
    let trusted = project.run_as(&["roots"], "", &[("ANGZARR_REPLAY_TRUST", "1")]);
    assert_eq!(trusted.code, 0, "{}", trusted.err);
}

#[test]
fn files_of_an_edition_are_named_and_the_rest_is_described() {
    let mut project = Project::bare();
    project.write("replay.toml", "descriptors = [\"protos\"]\n");
    let new = "edition = \"2023\";\npackage account;\nmessage OpenAccount { string owner = 1; }\n";
    project.write("protos/account.proto", new);
    project.write(
        "protos/shop.proto",
        "syntax = \"proto3\";\npackage shop;\nmessage Buy { string what = 1; }\n",
    );
    assert_eq!(project.run(&["command", "new", "Buy"]).code, 0);
    assert_eq!(project.run(&["command", "new", "OpenAccount"]).code, 1);
    assert_eq!(project.run(&["capture", ALICE]).code, 0);
    project.write("replay.toml", "descriptors = [\"set.binpb\"]\n");
    // A file of the syntax `editions`, and one of none that is known.
    let bytes = b"\x0a\x19\x0a\x07a.proto\x12\x01p\x62\x08editions\x70\xe8\x07";
    std::fs::write(project.path("set.binpb"), bytes).unwrap();
    assert_eq!(project.run(&["capture", ALICE, "--name", "b"]).code, 1);
    let bytes = b"\x0a\x14\x0a\x07a.proto\x12\x01p\x62\x06proto9";
    std::fs::write(project.path("set.binpb"), bytes).unwrap();
    assert_eq!(project.run(&["command", "new", "Anything"]).code, 1);
    project.said("descriptors_of_an_edition");
}
