//! Snapshot files as insta reads and writes them.

use std::io::Write;
use std::path::Path;

/// The accepted text of a snapshot, none where there is no snapshot.
pub fn accepted(snapshot: &Path) -> Result<Option<String>, String> {
    if !snapshot.exists() {
        return Ok(None);
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
    replace(&fixture.with_extension("snap"), &text)?;
    match std::fs::remove_file(fixture.with_extension("snap.new")) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Writes a text file whole or not at all.
pub fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new()
        .prefix(".replay-")
        .tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    readable_by_all(file.as_file())?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// A temporary file is its owner's alone; a fixture belongs to the team.
#[cfg(unix)]
fn readable_by_all(file: &std::fs::File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable_by_all(_: &std::fs::File) -> std::io::Result<()> {
    Ok(())
}
