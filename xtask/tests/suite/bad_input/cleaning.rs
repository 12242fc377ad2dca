//! `clean`: what is deleted, and what is left alone.

use crate::bad_input::logic::{CASE, captured};
use crate::support::Project;
use insta::assert_snapshot;

#[test]
fn only_what_the_tool_wrote_and_no_fixture_uses_is_deleted() {
    let mut project = captured("");
    assert_eq!(project.run(&["close", "--force", CASE]).code, 0);
    project.forget();
    let snapshot = project.read("fixtures/player/case.snap");
    let unused = ["fixtures/player/gone.snap", "fixtures/player/gone.snap.new"];
    for file in unused {
        project.write(file, &snapshot);
    }
    let kept = [
        "fixtures/player/mine.snap",
        "fixtures/descriptors/0123456789abcdef.binpb",
        "fixtures/descriptors/notes.txt",
    ];
    for file in kept {
        project.write(file, "---\nsource: by hand\n---\nmine\n");
    }
    // An empty descriptor set, by its hash.
    let set = "fixtures/descriptors/e3b0c44298fc1c14.binpb";
    project.write(set, "");
    let before = project.files();
    assert_eq!(project.run(&["clean", "--dry-run"]).code, 0);
    assert!(project.files() == before, "a dry run deleted something");
    assert_eq!(project.run(&["clean"]).code, 0);
    for file in [unused[0], unused[1], set] {
        assert!(!project.path(file).exists(), "{file}");
    }
    assert_eq!(project.files().len(), before.len() - 3);
    assert_eq!(project.run(&["clean"]).code, 0);
    assert_snapshot!("clean", project.transcript());
}

#[test]
fn descriptor_sets_stay_where_a_fixture_cannot_be_read() {
    let mut project = captured("");
    project.forget();
    let set = "fixtures/descriptors/e3b0c44298fc1c14.binpb";
    project.write(set, "");
    project.write("fixtures/player/broken.yaml", "fixture: 1\n{ [ : no YAML");
    assert_eq!(project.run(&["clean"]).code, 1);
    assert!(project.path(set).exists());
    assert_snapshot!("clean_with_a_broken_fixture", project.transcript());
}

#[test]
fn a_folder_without_fixtures_is_not_cleaned() {
    let mut project = Project::bare();
    let snapshot = "---\nsource: cargo xtask close\ninput_file: x.yaml\n---\noutcome: accepted\n";
    project.write("fixtures/x.snap", snapshot);
    assert_eq!(project.run(&["clean"]).code, 1);
    assert!(project.path("fixtures/x.snap").exists());
    assert_snapshot!("clean_without_fixtures", project.transcript());
}
