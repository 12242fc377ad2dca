//! Configuration and descriptors with mistakes.

use crate::bad_input::logic::{CASE, captured};
use crate::support::{ALICE, Project};
use insta::assert_snapshot;

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
    assert_snapshot!("configuration", project.transcript());
}

#[test]
fn a_configuration_that_cannot_be_read_is_told() {
    let mut project = Project::bare();
    std::fs::write(project.path("replay.toml"), b"title = \"\xff\"").unwrap();
    assert_eq!(project.run(&["roots"]).code, 2);
    assert_snapshot!("unreadable_configuration", project.transcript());
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
    assert_snapshot!("local_configuration", project.transcript());
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
    assert_snapshot!("environment", project.transcript());
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
    assert_snapshot!("descriptors", project.transcript());
}

#[test]
fn misspelt_names_are_told_with_what_they_may_mean() {
    let mut project = Project::bare();
    for toml in [
        "fixtures = \"fixtures\"\n[sources.production]\nadress = \"x:1\"\n",
        "[logic.player]\naddress = \"x:1\"\nknd = \"aggregate\"\n",
        "[logic.player]\naddress = \"x:1\"\nkind = \"agregate\"\n",
        "[logic.player]\naddress = \"x:1\"\ndialect = \"angzar\"\n",
        "[redaction]\nkeyenv = \"KEY\"\n",
        "[[redaction.rules]]\ntype = \"*\"\nfield = \"a\"\naction = \"maks\"\nreason = \"x\"\n",
        "[logic.player]\naddress = \"x:1\"\n[[skip]]\nfixtures = \"x\"\nlogic = \"plyer\"\nreason = \"x\"\n",
        "source = \"prodution\"\n[sources.production]\naddress = \"{domain}.invalid:1\"\n",
    ] {
        project.write("replay.toml", toml);
        assert_ne!(project.run(&["roots"]).code, 0, "{toml}");
    }
    project.write(
        "replay.toml",
        "source = \"production\"\n[sources.production]\naddress = \"unix:{domain}\"\ndomains = [\"player\"]\n",
    );
    for arguments in [
        &["capture", "plyer/6513270e", "--unredacted"][..],
        &["capture", "6513270e", "--domain", "plyer", "--unredacted"],
        &["roots", "--domain", "plyer"],
        &["roots", "--source", "prodution"],
    ] {
        assert_eq!(project.run(arguments).code, 1, "{arguments:?}");
    }
    assert_snapshot!("misspelt_names", project.transcript());
}

#[test]
fn a_merge_conflict_is_told_for_what_it_is() {
    let mut project = captured("");
    let ours = project.read(CASE);
    let conflict = |text: &str| {
        let (first, rest) = text.split_once('\n').unwrap();
        format!("{first}\n<<<<<<< HEAD\n{rest}=======\n{rest}>>>>>>> other\n")
    };
    let snapshot = CASE.replace(".yaml", ".snap");
    project.write(
        &snapshot,
        &conflict("---\nsource: a test\n---\noutcome: accepted\n"),
    );
    assert_eq!(project.run(&["replay", CASE]).code, 1);
    project.write(CASE, &conflict(&ours));
    assert_eq!(project.run(&["replay", CASE]).code, 1);
    assert_eq!(project.run(&["close", CASE]).code, 1);
    project.write("command.yaml", &conflict("type: t.A\npayload: {}\n"));
    let command = ["capture", ALICE, "--command", "command.yaml"];
    assert_eq!(project.run(&command).code, 1);
    let toml = project.read("replay.toml");
    project.write("replay.toml", &conflict(&toml));
    assert_eq!(project.run(&["roots"]).code, 2);
    assert_snapshot!("merge_conflicts", project.transcript());
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
    let rule = "descriptors = [\"protos\"]\n[[redaction.rules]]\ntype = \"account.OpenAccount\"\nfield = \"owner\"\n\
                action = \"mask\"\nreason = \"a name\"\n";
    project.write("replay.toml", rule);
    assert_ne!(project.run(&["capture", ALICE, "--name", "c"]).code, 0);
    project.write("replay.toml", "descriptors = [\"set.binpb\"]\n");
    // A file of the syntax `editions`, and one of none that is known.
    let bytes = b"\x0a\x19\x0a\x07a.proto\x12\x01p\x62\x08editions\x70\xe8\x07";
    std::fs::write(project.path("set.binpb"), bytes).unwrap();
    assert_eq!(project.run(&["capture", ALICE, "--name", "b"]).code, 1);
    let bytes = b"\x0a\x14\x0a\x07a.proto\x12\x01p\x62\x06proto9";
    std::fs::write(project.path("set.binpb"), bytes).unwrap();
    assert_eq!(project.run(&["command", "new", "Anything"]).code, 1);
    assert_snapshot!("descriptors_of_an_edition", project.transcript());
}
