//! `fmt`: the form that capture writes, and the same case.

use super::Project;

#[test]
fn captured_fixtures_are_formatted_and_edited_ones_are_formatted_again() {
    let project = Project::new();
    let check = project.run(&["fmt", "--check"]);
    assert_eq!((check.code, check.out.as_str()), (Some(0), ""), "{check:?}");

    let file = project.path("fixtures/player/deposit-funds-6513270e-2.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("status: open", "status:   \"open\"")).unwrap();
    let check = project.run(&["fmt", "--check"]);
    assert_eq!(check.code, Some(1), "{check:?}");
    assert_eq!(
        check.out,
        "would change fixtures/player/deposit-funds-6513270e-2.yaml\n"
    );
    let run = project.run(&["fmt"]);
    assert_eq!(
        run.out, "changed fixtures/player/deposit-funds-6513270e-2.yaml\n",
        "{run:?}"
    );
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);

    let commented = format!("{}# why\n", text.replace("status: open", "status:   open"));
    std::fs::write(&file, &commented).unwrap();
    let run = project.run(&["fmt", "player::deposit-funds-6513270e-2"]);
    assert_eq!(
        run.err,
        "left alone: fixtures/player/deposit-funds-6513270e-2.yaml: it may have comments, which would be lost\n"
    );
    assert_eq!(std::fs::read_to_string(&file).unwrap(), commented);
}
