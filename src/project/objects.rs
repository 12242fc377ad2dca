//! Objects that events are stored in outside of the store (claim check): read where their URI says.

use std::io::Read;
use std::path::PathBuf;

use percent_encoding::percent_decode_str;

use crate::capture::StoredObjects;

/// Files of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct Objects;

impl StoredObjects for Objects {
    fn read(&self, uri: &str, limit: u64) -> Result<Vec<u8>, String> {
        match uri.split_once("://") {
            Some(("file", rest)) => read_file(rest, limit),
            Some((scheme @ ("s3" | "gs"), _)) => Err(format!(
                "this tool was built without support for {scheme}://"
            )),
            _ => Err("only file:// is read".into()),
        }
    }
}

/// Reads one byte more than the limit at most, so that a file that is too long is seen to be.
fn read_file(rest: &str, limit: u64) -> Result<Vec<u8>, String> {
    let (host, path) = rest
        .find('/')
        .map(|slash| rest.split_at(slash))
        .ok_or("it names no file")?;
    if !matches!(host, "" | "localhost") {
        return Err(format!("it is a file of the machine `{host}`"));
    }
    let path = percent_decode_str(path)
        .decode_utf8()
        .map_err(|_| "its path is no text")?;
    let path = PathBuf::from(path.as_ref());
    let words = |error: std::io::Error| error.to_string();
    // A device or a pipe has no end.
    if !std::fs::metadata(&path).map_err(words)?.is_file() {
        return Err("that is no file".into());
    }
    let file = std::fs::File::open(&path).map_err(words)?;
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(words)?;
    Ok(bytes)
}
