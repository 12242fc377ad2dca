//! Reads files from outside, up to a size limit. What is read is held in memory, a device has no end, and a pipe may
//! never close.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Size limit for files that people write or review: configurations, commands, snapshots, `.proto` files.
pub const WRITTEN: u64 = 64 << 20;
/// Size limit for files that programs write: fixtures, descriptor sets, recordings.
pub const MADE: u64 = 512 << 20;

/// Reads a regular file.
pub fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let (mut file, size) = open_sized(path)?;
    if size > limit {
        return Err(io::Error::other(TooLarge(limit)));
    }
    // Room for one byte more than the file has, so that a single call reads it and sees that it has ended.
    let mut bytes = vec![0; usize::try_from(size).unwrap_or_default() + 1];
    let mut read = 0;
    loop {
        match file.read(&mut bytes[read..]) {
            Ok(count) => {
                read += count;
                if count == 0 || read as u64 >= size {
                    break;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(read);
    if read as u64 > size {
        // Files that report a wrong size, as in `/proc`, are read to the end.
        return read_rest(bytes, file, limit);
    }
    Ok(bytes)
}

/// Opens a regular file, or a link to one.
pub fn open(path: &Path) -> io::Result<File> {
    open_sized(path).map(|(file, _)| file)
}

fn open_sized(path: &Path) -> io::Result<(File, u64)> {
    // Checked before opening, because opening a pipe blocks until it has a writer.
    let metadata = std::fs::metadata(path)?;
    if metadata.is_dir() {
        return Err(io::Error::other("it is a folder"));
    }
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    Ok((File::open(path)?, metadata.len()))
}

/// Like [`read`], as text.
pub fn read_to_string(path: &Path, limit: u64) -> io::Result<String> {
    text(read(path, limit)?)
}

/// Reads a path that the user named, which need not be a regular file: `<(command)` in a shell is a pipe.
pub fn read_named(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    read_from(File::open(path)?, limit)
}

/// Like [`read_named`], as text.
pub fn read_named_to_string(path: &Path, limit: u64) -> io::Result<String> {
    text(read_named(path, limit)?)
}

/// Reads to the end.
pub fn read_from(source: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    read_rest(Vec::new(), source, limit)
}

fn read_rest(mut bytes: Vec<u8>, source: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    let left = limit.saturating_sub(bytes.len() as u64);
    source.take(left + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::other(TooLarge(limit)));
    }
    Ok(bytes)
}

/// A file that exceeds the limit.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("it is larger than {}, and is not read", in_units(*.0))]
pub struct TooLarge(pub u64);

impl TooLarge {
    /// Whether this is why a file was not read.
    pub fn is_reason(error: &io::Error) -> bool {
        let reason = error.get_ref();
        reason.is_some_and(<dyn std::error::Error + Send + Sync>::is::<Self>)
    }
}

/// Line of the first merge-conflict marker. Call it only for formats in which no other line can begin like a marker.
#[must_use]
pub fn merge_conflict(text: &str) -> Option<usize> {
    const MARKERS: [&str; 4] = ["<<<<<<<", "|||||||", "=======", ">>>>>>>"];
    let is_marker = |line: &str| {
        let rest = MARKERS.iter().find_map(|marker| line.strip_prefix(marker));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    };
    let mut lines = (1..).zip(text.lines());
    lines.find_map(|(number, line)| is_marker(line.trim_end_matches('\r')).then_some(number))
}

/// Description of a merge conflict, to follow the file's name.
#[must_use]
pub fn conflict_message(line: usize) -> String {
    format!("merge conflict at line {line}: resolve it, git's markers are still in the file")
}

/// A size limit in words: `64 MiB`.
#[must_use]
pub fn in_units(limit: u64) -> String {
    match limit {
        limit if limit >= 1 << 30 && limit % (1 << 30) == 0 => format!("{} GiB", limit >> 30),
        limit if limit >= 1 << 20 => format!("{} MiB", limit >> 20),
        limit => format!("{} KiB", limit >> 10),
    }
}

/// Converts bytes to text. If they are not UTF-8, the error says where they stop being so.
pub fn text(bytes: Vec<u8>) -> io::Result<String> {
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let words = format!("it is not UTF-8 text, from byte {at} on");
        io::Error::new(io::ErrorKind::InvalidData, words)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// It reports that it is empty.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_that_is_longer_than_it_reports_is_read_to_its_end() {
        let path = Path::new("/proc/version");
        assert_eq!(path.metadata().unwrap().len(), 0);
        assert_eq!(read(path, WRITTEN).unwrap(), std::fs::read(path).unwrap());
        assert!(TooLarge::is_reason(&read(path, 8).unwrap_err()));
    }

    #[test]
    fn a_merge_conflict_is_a_marker_at_the_start_of_a_line() {
        for (text, line) in [
            (
                "a: 1\n<<<<<<< HEAD\nb: 2\n=======\nb: 3\n>>>>>>> other\n",
                Some(2),
            ),
            ("a: 1\r\n=======\r\n", Some(2)),
            (">>>>>>> 1234567 (a commit)", Some(1)),
            ("a: |\n  <<<<<<< HEAD\n", None),
            ("========\n<<<<<<<<\n", None),
            ("", None),
        ] {
            assert_eq!(merge_conflict(text), line, "{text:?}");
        }
    }

    #[test]
    fn no_more_is_read_than_the_limit() {
        let words = |result: io::Result<Vec<u8>>| result.unwrap_err().to_string();
        assert_eq!(read_from(&b"1234"[..], 4).unwrap(), b"1234");
        assert_eq!(
            words(read_from(io::repeat(1), 1 << 20)),
            "it is larger than 1 MiB, and is not read"
        );
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(words(read(folder.path(), 4)), "it is a folder");
        #[cfg(unix)]
        {
            let link = folder.path().join("zero");
            std::os::unix::fs::symlink("/dev/zero", &link).unwrap();
            assert_eq!(words(read(&link, 4)), "it is not a regular file");
            assert_eq!(
                words(read_named(&link, 1 << 10)),
                "it is larger than 1 KiB, and is not read"
            );
        }
    }
}
