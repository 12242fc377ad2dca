//! `doctor`: a line for each part of a project, and what to do where one does not work.

use super::Project;

#[test]
fn a_whole_project_is_fine() {
    let project = Project::new();
    let run = project.run(&["doctor"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    for line in [
        "ok    configuration                  replay.toml\n",
        "ok    fixtures                       4 can be read, 1 of them open\n",
        "ok    snapshots                      each belongs to a fixture\n",
    ] {
        assert!(run.out.contains(line), "{}", run.out);
    }
    assert!(
        run.out
            .contains("ok    logic player                   serves at 127.0.0.1:"),
        "{}",
        run.out
    );
}

#[test]
fn what_is_wrong_is_named_with_what_to_do() {
    let project = Project::new();
    std::fs::write(project.path("fixtures/player/broken.yaml"), "fixture: 1\n").unwrap();
    std::fs::write(
        project.path("fixtures/player/gone.snap"),
        "---\ninput_file: gone.yaml\n---\nx\n",
    )
    .unwrap();
    std::fs::write(
        project.path("replay.toml"),
        "[sources.production]\naddress = \"127.0.0.1:9\"\ndomains = [\"player\"]\nretries = 0\n\
         [logic.player]\naddress = \"127.0.0.1:9\"\n[logic.seats]\nkind = \"projector\"\ncommand = [\"no-such-program\"]\n",
    )
    .unwrap();
    let run = project.run(&["doctor"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    let states: Vec<(&str, &str)> = run
        .out
        .lines()
        .filter(|line| !line.starts_with(' '))
        .map(|line| (line[..6].trim_end(), line[6..36].trim_end()))
        .collect();
    for wrong in [
        "fixtures",
        "snapshots",
        "descriptors",
        "source production",
        "logic player",
        "projector seats",
    ] {
        assert!(states.contains(&("wrong", wrong)), "{wrong}: {}", run.out);
    }
    assert!(
        run.out.contains("fixtures/player/broken.yaml"),
        "{}",
        run.out
    );
    assert!(
        run.out.contains("nothing serves at 127.0.0.1:9"),
        "{}",
        run.out
    );
    assert!(
        run.err.ends_with(" things have to be done\n"),
        "{}",
        run.err
    );

    let json = project.run(&["doctor", "--json"]);
    let first: serde_json::Value = serde_json::from_str(json.out.lines().next().unwrap()).unwrap();
    assert_eq!(first["subject"], "configuration");
    assert_eq!(first["state"], "ok");
}
