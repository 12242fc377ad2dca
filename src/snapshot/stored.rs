//! Snapshot files as insta reads and writes them.

use std::collections::BTreeMap;
use std::path::Path;

use crate::files;
use crate::fixture::place;

use crate::payload::from_canonical_yaml;

/// The accepted text of a snapshot, none where there is no snapshot.
pub fn accepted(snapshot: &Path) -> Result<Option<String>, String> {
    match files::read_to_string(snapshot, files::WRITTEN) {
        Ok(file) => {
            // The lines of an outcome that begin anywhere are indented.
            if let Some(line) = files::merge_conflict(&file) {
                let words = files::conflict_words(line);
                return Err(format!(
                    "{words}; or accept today's outcome with `cargo xtask close`"
                ));
            }
            if let Some(text) = simple_text(&file) {
                return Ok(Some(text.to_owned()));
            }
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        // insta has the words for what is no text.
        Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {}
        Err(error) => return Err(format!("it cannot be read ({error})")),
    }
    let read = insta::Snapshot::from_file(snapshot)
        .map_err(|error| {
            format!(
                "it cannot be read ({error}); restore it from version control, or accept today's outcome with `cargo \
                 xtask close`"
            )
        })?;
    let text = read.as_text().ok_or("it holds no text")?;
    Ok(Some(text.to_string()))
}

/// The text of a file as insta and this program write it; none where it is to be read with insta's own care: other
/// metadata (binary contents, old formats), or line ends and beginnings that insta does not keep.
fn simple_text(file: &str) -> Option<&str> {
    const KEYS: [&str; 3] = ["source", "input_file", "expression"];
    let (header, text) = file.strip_prefix("---\n")?.split_once("\n---\n")?;
    let header: BTreeMap<String, String> = from_canonical_yaml(&format!("{header}\n"))?;
    let is_simple = header.keys().all(|key| KEYS.contains(&key.as_str()))
        && !text.contains('\r')
        && !text.starts_with(['\n', '-']);
    is_simple.then(|| text.trim_end_matches('\n'))
}

/// Whether two texts are the same snapshot: insta does not look at trailing newlines either.
#[must_use]
pub fn is_same(accepted: &str, text: &str) -> bool {
    accepted.trim_end() == text.trim_end()
}

/// Writes a snapshot as accepting a pending one would, and removes the pending one. The file is there whole or
/// not at all.
pub fn accept(fixture: &Path, text: &str) -> std::io::Result<()> {
    // As insta has it: from where the tests run.
    let here = std::env::current_dir().unwrap_or_default();
    let input = std::path::absolute(fixture)?;
    let input = input.strip_prefix(&here).unwrap_or(fixture).display();
    let text = format!(
        "---\nsource: cargo xtask close\ninput_file: {input}\n---\n{}\n",
        text.trim_end()
    );
    place(&fixture.with_extension("snap"), text.as_bytes(), true)?;
    match std::fs::remove_file(fixture.with_extension("snap.new")) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
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
