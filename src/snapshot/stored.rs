//! Reads and writes snapshot files in the format of insta.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use serde_yaml::Value;

use crate::files;
use crate::fixture::write_atomically;
use crate::terminal::program;
use crate::yaml::from_canonical_yaml;

/// The accepted text of a snapshot; none if there is no snapshot.
pub fn accepted(snapshot: &Path) -> Result<Option<String>, String> {
    match files::read_to_string(snapshot, files::WRITTEN) {
        Ok(file) => {
            // All lines that an outcome controls are indented.
            if let Some(line) = files::merge_conflict(&file) {
                let words = files::conflict_message(line);
                return Err(format!(
                    "{words}; or accept today's outcome with `{} close`",
                    program()
                ));
            }
            if let Some(text) = simple_text(&file) {
                return Ok(Some(text.to_owned()));
            }
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        // insta reports text that is not UTF-8.
        Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {}
        Err(error) => return Err(format!("it cannot be read ({error})")),
    }
    let read = insta::Snapshot::from_file(snapshot)
        .map_err(|error| {
            format!(
                "it cannot be read ({error}); restore it from version control, or accept today's outcome with `{} \
                 close`",
                program()
            )
        })?;
    let text = read.as_text().ok_or("it contains no text")?;
    Ok(Some(text.to_string()))
}

/// The input file that a snapshot names; none if it names none.
#[must_use]
pub fn input_file(snapshot: &Path) -> Option<String> {
    let file = files::read_to_string(snapshot, files::WRITTEN).ok()?;
    let (header, _) = header_and_text(&file)?;
    let header: Value = serde_yaml::from_str(header).ok()?;
    Some(header.get("input_file")?.as_str()?.to_owned())
}

/// The metadata of a file and the text below it.
fn header_and_text(file: &str) -> Option<(&str, &str)> {
    file.strip_prefix("---\n")?.split_once("\n---\n")
}

/// The outcome in the text of a snapshot file: what follows its header.
#[must_use]
pub(crate) fn body(file: &str) -> Option<&str> {
    let (_, text) = file.strip_prefix("---\n")?.split_once("\n---\n")?;
    Some(text)
}

/// The text of a file in the form that insta and this program write. None if insta has to parse it: other metadata
/// (binary contents, old formats), or line endings and leading lines that insta does not preserve.
fn simple_text(file: &str) -> Option<&str> {
    const KEYS: [&str; 3] = ["source", "input_file", "expression"];
    let (header, text) = header_and_text(file)?;
    let header: BTreeMap<String, String> = from_canonical_yaml(&format!("{header}\n"))?;
    let is_simple = header.keys().all(|key| KEYS.contains(&key.as_str()))
        && !text.contains('\r')
        && !text.starts_with(['\n', '-']);
    is_simple.then(|| text.trim_end_matches('\n'))
}

/// Whether two texts are the same snapshot. Like insta, ignores trailing newlines.
#[must_use]
pub fn is_same(accepted: &str, text: &str) -> bool {
    accepted.trim_end() == text.trim_end()
}

/// Why a text is too large for a snapshot, if it is: it could not be read back.
#[must_use]
pub fn too_large(text: &str) -> Option<String> {
    (text.len() as u64 > files::WRITTEN).then(|| {
        let limit = files::in_units(files::WRITTEN);
        format!("today's outcome takes more than {limit} as text, which no snapshot may have: let the logic answer less")
    })
}

/// Writes a snapshot as if a pending one had been accepted, and removes the pending one. The file is written completely
/// or not at all.
pub fn accept(fixture: &Path, text: &str) -> std::io::Result<()> {
    write(
        &fixture.with_extension("snap"),
        &format!("{} close", program()),
        fixture,
        text,
    )?;
    match std::fs::remove_file(fixture.with_extension("snap.new")) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Writes a pending snapshot, for cargo-insta to find.
pub fn propose(pending: &Path, fixture: &Path, text: &str) -> std::io::Result<()> {
    write(pending, program().test(), fixture, text)
}

/// The metadata above the text of a snapshot. cargo-insta keeps it when it accepts a pending one.
#[derive(Serialize)]
struct SnapshotHeader<'a> {
    source: &'a str,
    /// The name of the fixture, which is in the same folder and therefore the same on every machine.
    input_file: &'a str,
}

fn write(target: &Path, source: &str, fixture: &Path, text: &str) -> std::io::Result<()> {
    if let Some(reason) = too_large(text) {
        return Err(std::io::Error::other(reason));
    }
    let input_file = fixture.file_name().unwrap_or_default().to_string_lossy();
    let header = SnapshotHeader {
        source,
        input_file: &input_file,
    };
    let header = serde_yaml::to_string(&header).map_err(std::io::Error::other)?;
    let file = format!("---\n{header}---\n{}\n", text.trim_end());
    write_atomically(target, file.as_bytes(), true)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "---\nsource: cargo xtask close\ninput_file: x.yaml\n---\n";

    fn of_insta(file: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.snap");
        std::fs::write(&path, file).unwrap();
        let read = insta::Snapshot::from_file(&path).unwrap();
        read.as_text().unwrap().to_string()
    }

    #[test]
    fn a_simple_file_is_read_as_insta_reads_it() {
        for text in [
            "outcome: accepted\n",
            "a\n---\nb\n",
            "a",
            "a\n\n  b\n\n\n",
            "é\n",
        ] {
            let file = format!("{HEADER}{text}");
            let simple = simple_text(&file).unwrap();
            assert!(is_same(simple, &of_insta(&file)), "{text:?}");
            assert!(is_same(simple, text));
        }
    }

    /// Also tests a name with a special meaning in YAML.
    #[test]
    fn insta_reads_what_is_written() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["x.yaml", "a: [b.yaml", "- #a.yaml"] {
            let fixture = folder.path().join(name);
            let pending = fixture.with_extension("snap.new");
            propose(&pending, &fixture, "outcome: accepted\n").unwrap();
            let read = insta::Snapshot::from_file(&pending).unwrap();
            assert_eq!(read.metadata().source(), Some("cargo test"));
            assert_eq!(read.metadata().input_file(), Some(name));
            assert_eq!(input_file(&pending).as_deref(), Some(name));
            accept(&fixture, "outcome: accepted\n").unwrap();
            let text = accepted(&fixture.with_extension("snap")).unwrap();
            assert_eq!(text.as_deref(), Some("outcome: accepted"));
            assert!(!pending.exists());
        }
    }

    #[test]
    fn other_files_are_left_to_insta() {
        for file in [
            "outcome: accepted\n",
            "---\nsource: x\nsnapshot_kind: binary\n---\na\n",
            "---\nsource: x\nassertion_line: 3\n---\na\n",
            "---\nsource: [\n---\na\n",
            "---\nsource: x\n<<<<<<< ours\n---\na\n",
            "---\nsource: x\n",
            "---\nsource: x\n---\n\na\n",
            "---\nsource: x\n---\na\r\nb\n",
        ] {
            assert_eq!(simple_text(file), None, "{file:?}");
        }
    }
}
