//! A fixtures folder on disk: saved whole or not at all, and nothing lost that people wrote.

use std::path::{Path, PathBuf};

use angzarr_replay::internal::fixture::{
    FixtureErrorKind, Folder, Rendered, Saved, render, set_status,
};
use angzarr_replay::internal::model::{Body, Case, Failure, History, Observed, Payload, Status};

use crate::fixture_format::examples::examples;
use crate::fixture_format::support::{file, page, refused_withdrawal, registry};

fn folder() -> (tempfile::TempDir, Folder) {
    let temporary = tempfile::tempdir().unwrap();
    let folder = Folder::open(temporary.path().join("fixtures"));
    (temporary, folder)
}

fn rendered(case: &Case) -> Rendered {
    render(case, &registry()).unwrap()
}

fn example(name: &str) -> Case {
    examples()
        .into_iter()
        .find(|(known, _)| *known == name)
        .unwrap()
        .1
}

fn another() -> Case {
    Case {
        observed: Some(Observed::Rejected(Failure::rejected("Something else"))),
        ..refused_withdrawal()
    }
}

/// Every file of a folder with its content, sorted.
fn content(folder: &Folder) -> Vec<(PathBuf, Vec<u8>)> {
    let mut all: Vec<_> = walkdir::WalkDir::new(folder.root())
        .into_iter()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            (
                entry.path().to_owned(),
                std::fs::read(entry.path()).unwrap(),
            )
        })
        .collect();
    all.sort();
    all
}

#[test]
fn a_saved_case_is_read_back_with_its_descriptors() {
    let (_temporary, folder) = folder();
    let saved = folder
        .save(
            &rendered(&refused_withdrawal()),
            Path::new("player/a.yaml"),
            false,
        )
        .unwrap();
    assert_eq!(saved, Saved::New);
    let read = folder.read(&folder.root().join("player/a.yaml")).unwrap();
    assert_eq!(read.case, refused_withdrawal());
    assert!(read.descriptors.knows("examples.WithdrawFunds"));
    assert!(
        folder
            .root()
            .join(format!(
                "descriptors/{}.binpb",
                read.descriptors_hash.unwrap()
            ))
            .exists()
    );
}

#[test]
fn the_same_capture_again_touches_nothing() {
    let (_temporary, folder) = folder();
    let path = Path::new("a.yaml");
    folder
        .save(&rendered(&refused_withdrawal()), path, false)
        .unwrap();
    let target = folder.root().join(path);
    let edited = std::fs::read_to_string(&target)
        .unwrap()
        .replace("status: open", "# mine\nstatus: closed");
    std::fs::write(&target, &edited).unwrap();

    let mut later = Case {
        title: "Again".to_owned(),
        ..refused_withdrawal()
    };
    later.source.captured_at.seconds += 60;
    assert_eq!(
        folder.save(&rendered(&later), path, false).unwrap(),
        Saved::Unchanged
    );
    assert_eq!(std::fs::read_to_string(&target).unwrap(), edited);
    // Asked for, it is written again: its descriptors may be others now.
    assert_eq!(
        folder.save(&rendered(&later), path, true).unwrap(),
        Saved::Replaced
    );
    // Another dialect is another capture: its numbers mean something else.
    later.source.dialect = "io.angzarr.v1".to_owned();
    assert!(folder.save(&rendered(&later), path, false).is_err());
}

#[test]
fn another_case_is_replaced_only_when_asked() {
    let (_temporary, folder) = folder();
    let path = Path::new("a.yaml");
    folder
        .save(&rendered(&refused_withdrawal()), path, false)
        .unwrap();
    let before = content(&folder);

    let error = folder.save(&rendered(&another()), path, false).unwrap_err();
    let target = folder.root().join(path);
    assert_eq!(
        error.to_string(),
        format!("{}: another case already exists there", target.display())
    );
    assert_eq!(
        error.help().unwrap(),
        "write it under another name with --name, or replace it with --force"
    );
    assert_eq!(content(&folder), before);

    assert_eq!(
        folder.save(&rendered(&another()), path, true).unwrap(),
        Saved::Replaced
    );
    assert_eq!(folder.read(&target).unwrap().case, another());
}

#[test]
fn a_file_that_is_no_fixture_is_not_overwritten_unasked() {
    let (_temporary, folder) = folder();
    std::fs::create_dir_all(folder.root()).unwrap();
    std::fs::write(folder.root().join("a.yaml"), "mine").unwrap();
    let error = folder
        .save(&rendered(&refused_withdrawal()), Path::new("a.yaml"), false)
        .unwrap_err();
    assert_eq!(*error.kind(), FixtureErrorKind::Exists);
    assert_eq!(content(&folder).len(), 1);
}

#[test]
fn paths_stay_inside_the_folder() {
    let (_temporary, folder) = folder();
    for path in ["../a.yaml", "/a.yaml", "player/../../a.yaml", ""] {
        let error = folder
            .save(&rendered(&refused_withdrawal()), Path::new(path), false)
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("{path}: not a path inside the fixtures folder")
        );
    }
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let (temporary, folder) = folder();
    std::fs::write(temporary.path().join("fixtures"), "a file").unwrap();
    let error = folder
        .save(
            &rendered(&refused_withdrawal()),
            Path::new("player/a.yaml"),
            false,
        )
        .unwrap_err();
    assert!(error.to_string().contains(": cannot be "), "{error}");
    assert!(!error.to_string().contains("os error"), "{error}");
}

#[cfg(unix)]
#[test]
fn saved_files_have_the_mode_of_any_new_file() {
    use std::os::unix::fs::PermissionsExt as _;
    let (temporary, folder) = folder();
    folder
        .save(
            &rendered(&example("long-history")),
            Path::new("a.yaml"),
            false,
        )
        .unwrap();
    let plain = temporary.path().join("plain");
    std::fs::write(&plain, "").unwrap();
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode();
    for (path, _) in content(&folder) {
        assert_eq!(mode(&path), mode(&plain), "{}", path.display());
    }
}

#[test]
fn a_damaged_descriptor_set_is_refused_and_never_replaced() {
    let (_temporary, folder) = folder();
    let path = Path::new("a.yaml");
    folder
        .save(&rendered(&refused_withdrawal()), path, false)
        .unwrap();
    let set = rendered(&refused_withdrawal()).descriptors.unwrap();
    let stored = folder
        .root()
        .join(format!("descriptors/{}.binpb", set.hash));
    std::fs::write(&stored, "something else").unwrap();

    // A fresh folder, as the first has the set in memory.
    let fresh = Folder::open(folder.root());
    let error = fresh.read(&folder.root().join(path)).unwrap_err();
    let words = format!(
        "`descriptors/{}.binpb` is damaged: the hash of its content is f41f3fa625ff120d",
        set.hash
    );
    assert_eq!(error.kind().to_string(), words);
    assert_eq!(error.location().unwrap().line, 11);
    let error = fresh
        .save(&rendered(&another()), Path::new("b.yaml"), false)
        .unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("is damaged: its content does not match its name"),
        "{error}"
    );
    assert!(!folder.root().join("b.yaml").exists());
}

#[test]
fn a_descriptor_set_that_is_none_is_refused() {
    let (_temporary, folder) = folder();
    folder
        .save(&rendered(&refused_withdrawal()), Path::new("a.yaml"), false)
        .unwrap();
    // The hash is right, the content is not.
    let hash = "a8100ae6aa1940d0";
    std::fs::write(
        folder.root().join(format!("descriptors/{hash}.binpb")),
        [0xff],
    )
    .unwrap();
    let text = std::fs::read_to_string(folder.root().join("a.yaml")).unwrap();
    let known = rendered(&refused_withdrawal()).descriptors.unwrap().hash;
    let error = folder
        .read_text(&text.replace(&known, hash), Path::new("a.yaml"))
        .unwrap_err();
    println!("{error}");
    assert!(error.to_string().contains(" is damaged: "), "{error}");
    assert!(!error.to_string().contains("the hash of"), "{error}");
}

#[test]
fn a_history_file_with_wrong_lines_is_refused() {
    let (_temporary, folder) = folder();
    let text = folder_text_with_lines(&folder, "{\"sequence\":1}\n{\"sequence\":1}\n");
    let error = folder.read_text(&text, Path::new("a.yaml")).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("is damaged: sequence 1 after sequence 1: sequences must increase"),
        "{error}"
    );
    let text = folder_text_with_lines(&folder, "{\"sequence\":1,\"sequenz\":2}\n");
    let error = folder.read_text(&text, Path::new("a.yaml")).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("is damaged: unknown field `sequenz`"),
        "{error}"
    );
}

/// A fixture whose history file holds these lines under the right name.
fn folder_text_with_lines(folder: &Folder, lines: &str) -> String {
    use sha2::Digest as _;
    use std::io::Write as _;
    let hash: Vec<String> = sha2::Sha256::digest(lines)
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let name = format!("histories/{}.jsonl.gz", hash.concat());
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(lines.as_bytes()).unwrap();
    std::fs::create_dir_all(folder.root().join("histories")).unwrap();
    std::fs::write(folder.root().join(&name), gzip.finish().unwrap()).unwrap();
    let text = std::fs::read_to_string(file("format-1/long-history.yaml")).unwrap();
    let kept = text.lines().filter(|line| !line.starts_with("descriptors"));
    let lines = kept.map(|line| {
        if line.starts_with("history_file") {
            format!("history_file: {name}")
        } else {
            line.to_owned()
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_long_history_goes_to_its_own_file_and_comes_back() {
    let (_temporary, folder) = folder();
    let case = example("long-history");
    let first = rendered(&case);
    assert!(first.text.len() < 1_000, "{}", first.text);
    assert_eq!(first.sidecars, rendered(&case).sidecars);
    folder.save(&first, Path::new("a.yaml"), false).unwrap();
    assert_eq!(
        folder.read(&folder.root().join("a.yaml")).unwrap().case,
        case
    );
    assert_eq!(
        folder.save(&first, Path::new("a.yaml"), false).unwrap(),
        Saved::Unchanged
    );
}

#[test]
fn a_few_large_events_go_to_a_file_of_their_own_too() {
    let (_temporary, folder) = folder();
    let registered = |name: String| {
        let view = serde_yaml::Mapping::from_iter([("display_name".into(), name.into())]);
        let value = registry().encode("examples.PlayerRegistered", &view.into());
        Payload::new("examples.PlayerRegistered", value.unwrap())
    };
    let of_events = |events: Vec<Payload>| {
        let pages = (0..).zip(events);
        let pages = pages.map(|(sequence, event)| page(sequence, Body::Event(event)));
        Case {
            history: History::new(pages.collect()).unwrap(),
            ..example("long-history")
        }
    };
    let of_names = |size: usize| of_events(vec![registered("n".repeat(size)); 4]);
    assert_eq!(rendered(&of_names(200_000)).sidecars, []);
    // In YAML a tab is written as two letters, so here the text alone is over the limit.
    let of_tabs = |size: usize| of_events(vec![registered("\t".repeat(size)); 4]);
    for case in [of_names(300_000), of_tabs(200_000)] {
        let written = rendered(&case);
        assert_eq!(written.sidecars.len(), 1);
        assert!(written.text.len() < 1_000, "{}", written.text.len());
        folder.save(&written, Path::new("a.yaml"), true).unwrap();
        assert_eq!(
            folder.read(&folder.root().join("a.yaml")).unwrap().case,
            case
        );
    }
}

/// Several threads write and compress the parts of a long history.
#[test]
fn the_parts_of_a_history_file_are_one_gzip_member_with_all_lines_in_order() {
    use std::io::Read as _;
    let (_temporary, folder) = folder();
    let event = |size: u32| {
        let noise = (0..size).map(|at| (at.wrapping_mul(2_654_435_761) >> 13).to_le_bytes()[0]);
        Body::Event(Payload::new("t.Happened", noise.collect()))
    };
    let pages = (0..9_000).map(|sequence| match sequence {
        4_000 => page(sequence, event(3_000_000)),
        5_000 => page(sequence, Body::Empty),
        _ => page(sequence, event(100 + sequence % 300)),
    });
    let case = Case {
        history: History::new(pages.collect()).unwrap(),
        ..example("long-history")
    };
    let written = rendered(&case);
    let mut unpacked = Vec::new();
    let mut gzip = flate2::bufread::GzDecoder::new(&*written.sidecars[0].bytes);
    gzip.read_to_end(&mut unpacked).unwrap();
    assert_eq!(gzip.into_inner(), b"");
    assert!(unpacked.len() > 6 << 20, "{}", unpacked.len());
    let lines = unpacked.split_inclusive(|byte| *byte == b'\n');
    let sequences = lines.map(|line| {
        let line: serde_json::Value = serde_json::from_slice(line).unwrap();
        line["sequence"].as_u64().unwrap()
    });
    assert!(sequences.eq(0..9_000));
    folder.save(&written, Path::new("a.yaml"), false).unwrap();
    let read = folder.read(&folder.root().join("a.yaml")).unwrap();
    assert_eq!(read.case, case);
}

#[test]
fn a_wrong_line_of_a_history_file_is_named() {
    let (_temporary, folder) = folder();
    let text = folder_text_with_lines(
        &folder,
        "{\"sequence\":1}\n\n{\"sequence\":2}\n{\"sequence\":}\n",
    );
    let error = folder.read_text(&text, Path::new("a.yaml")).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("is damaged: expected value at line 4 column 13"),
        "{error}"
    );
}

#[test]
fn a_damaged_history_file_is_refused() {
    let (_temporary, folder) = folder();
    let rendered = rendered(&example("long-history"));
    folder.save(&rendered, Path::new("a.yaml"), false).unwrap();
    let sidecar = &rendered.sidecars[0];
    let stored = folder.root().join(&sidecar.name);
    let read = || {
        folder
            .read(&folder.root().join("a.yaml"))
            .unwrap_err()
            .kind()
            .to_string()
    };

    std::fs::write(&stored, &sidecar.bytes[..sidecar.bytes.len() / 2]).unwrap();
    assert_eq!(
        read(),
        format!("`{}` is damaged: it cannot be decompressed", sidecar.name)
    );
    std::fs::copy(
        file("format-1/histories/9da68d9046ec8a64.jsonl.gz"),
        folder.root().join("other.gz"),
    )
    .unwrap();
    let mut other = example("long-history");
    let mut pages = other.history.into_pages();
    pages.pop();
    pages.push(crate::fixture_format::support::page(
        900,
        angzarr_replay::internal::model::Body::Empty,
    ));
    other.history = angzarr_replay::internal::model::History::new(pages).unwrap();
    std::fs::write(
        &stored,
        render(&other, &registry()).unwrap().sidecars[0]
            .bytes
            .clone(),
    )
    .unwrap();
    assert!(
        read().starts_with(&format!(
            "`{}` is damaged: the hash of its content is ",
            sidecar.name
        )),
        "{}",
        read()
    );
    std::fs::remove_file(&stored).unwrap();
    assert_eq!(read(), format!("`{}` is missing", sidecar.name));
}

#[test]
fn rendering_says_which_types_are_not_described_or_not_canonical() {
    let rendered = rendered(&example("odd-pages"));
    assert_eq!(rendered.undescribed, ["hand.Dealt"]);
    assert_eq!(
        rendered.inexact,
        ["examples.FundsDeposited", "examples.WithdrawFunds"]
    );
    let without = render(
        &refused_withdrawal(),
        &angzarr_replay::internal::payload::Registry::default(),
    )
    .unwrap();
    assert_eq!(without.descriptors, None);
    assert_eq!(without.undescribed.len(), 3);
}

#[test]
fn the_status_is_set_without_touching_anything_else() {
    let text = std::fs::read_to_string(file("format-1/by-hand.yaml")).unwrap();
    let closed = set_status(&text, Status::Closed, Path::new("a.yaml")).unwrap();
    assert_eq!(
        closed,
        text.replace("status:   open   #", "status:   closed   #")
    );
    assert_eq!(
        set_status(&closed, Status::Open, Path::new("a.yaml")).unwrap(),
        text
    );
    let windows = text.replace('\n', "\r\n");
    let closed = set_status(&windows, Status::Closed, Path::new("a.yaml")).unwrap();
    assert_eq!(
        closed,
        windows.replace("status:   open   #", "status:   closed   #")
    );
    let marked = set_status(
        &format!("\u{feff}{text}"),
        Status::Closed,
        Path::new("a.yaml"),
    )
    .unwrap();
    assert_eq!(
        marked,
        format!(
            "\u{feff}{}",
            text.replace("status:   open   #", "status:   closed   #")
        )
    );
    let quoted = set_status(
        "{fixture: 1, kind: history, status: 'open', ü: 1}",
        Status::Closed,
        Path::new("a"),
    )
    .unwrap();
    assert_eq!(quoted, "{fixture: 1, kind: history, status: closed, ü: 1}");
}

#[test]
fn a_text_without_a_status_is_left_alone() {
    for text in [
        "fixture: 1\nkind: history\n",
        "fixture: 1\nkind: history\nstatus:\n",
        "fixture: 1\nstatus: [open]\n",
    ] {
        let error = set_status(text, Status::Closed, Path::new("a.yaml")).unwrap_err();
        assert_eq!(error.to_string(), "a.yaml: missing field `status`");
    }
}
