//! A bundle: a captured case as one line of text, to be carried from where production is to where its logic is.
//!
//! Owns the format of a bundle, version 1. The line is JSON and holds the fixture, the files beside it and the report,
//! compressed, with their hash. It survives a log: other lines around it are ignored.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
use flate2::{Compression, GzBuilder};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::OperationError;
use super::captured::ReportLine;
use crate::files::{self, TooLarge};
use crate::fixture::{Fixture, Folder, Rendered};
use crate::plain;
use crate::project::Project;
use crate::terminal::{one_line, words};

/// The version that is written.
const VERSION: u32 = 1;
/// The beginning of a bundle's line.
const START: &str = "{\"bundle\":";
/// How to raise the size limit.
const RAISES: &str = "`max_file_mebibytes` in replay.toml raises the limit";

/// What a bundle holds.
pub(super) struct Bundle {
    pub(super) fixture: Fixture,
    /// Sequence that the command was for, as in the fixture's name.
    pub(super) head: u32,
    pub(super) is_dialect_assumed: bool,
    /// Whether secrets and personal data are in it, because it was made with --unredacted.
    pub(super) is_unredacted: bool,
    /// What was found when it was made.
    pub(super) report: Vec<ReportLine>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    bundle: u32,
    /// SHA-256 of the content before compression, in hex.
    sha256: String,
    /// The content as JSON, compressed with gzip, in base64.
    content: String,
}

#[derive(Deserialize)]
struct Header {
    bundle: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    /// Version of the program that made it.
    made_by: String,
    fixture: String,
    /// The files beside the fixture, by their paths in the folder of fixtures, in base64.
    files: BTreeMap<String, String>,
    head: u32,
    dialect_assumed: bool,
    unredacted: bool,
    report: Vec<Found>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Found {
    key: String,
    text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    quoted: Option<String>,
}

/// What is written beside the fixture itself.
pub(super) struct BundleNotes<'a> {
    pub(super) head: u32,
    pub(super) is_dialect_assumed: bool,
    pub(super) is_unredacted: bool,
    pub(super) report: &'a [ReportLine],
}

/// A rendered case as the line of a bundle. The same case gives the same line.
pub(super) fn write(rendered: &Rendered, notes: &BundleNotes<'_>) -> String {
    let content = Content {
        made_by: env!("CARGO_PKG_VERSION").to_owned(),
        fixture: rendered.text.clone(),
        files: rendered
            .files_beside()
            .map(|(name, bytes)| (name, STANDARD.encode(bytes)))
            .collect(),
        head: notes.head,
        dialect_assumed: notes.is_dialect_assumed,
        unredacted: notes.is_unredacted,
        report: notes.report.iter().map(Found::of).collect(),
    };
    packed(&serde_json::to_vec(&content).expect("texts and numbers have a JSON form"))
}

/// The line of a bundle with this content.
#[doc(hidden)]
#[must_use]
pub fn packed(content: &[u8]) -> String {
    let mut gzip = GzBuilder::new()
        .mtime(0)
        .write(Vec::new(), Compression::best());
    let packed = gzip
        .write_all(content)
        .and_then(|()| gzip.finish())
        .expect("writing to memory does not fail");
    let line = Line {
        bundle: VERSION,
        sha256: hex(content),
        content: STANDARD.encode(packed),
    };
    let mut text = serde_json::to_string(&line).expect("texts and numbers have a JSON form");
    text.push('\n');
    text
}

/// Reads the bundle in a file, which may also be a log that holds one; `-` is standard input.
pub(super) fn read(file: &Path, limit: u64) -> Result<Bundle, OperationError> {
    let name = if file == Path::new("-") {
        "standard input".to_owned()
    } else {
        Project::shown(file)
    };
    let text = text_of(file, limit).map_err(|reason| unusable(&name, &reason))?;
    parse(&text, &name, limit)
}

/// The fixture in the text of a bundle.
#[doc(hidden)]
pub fn fixture_of(text: &str, limit: u64) -> Result<Fixture, OperationError> {
    Ok(parse(text, "TEXT", limit)?.fixture)
}

fn parse(text: &str, name: &str, limit: u64) -> Result<Bundle, OperationError> {
    let content = content_of(text, limit).map_err(|reason| unusable(name, &reason))?;
    let mut beside = BTreeMap::new();
    for (path, bytes) in content.files {
        let bytes = STANDARD.decode(bytes).map_err(|_| {
            let reason = format!("its file `{}` is not base64", one_line(&path));
            unusable(name, &reason)
        })?;
        beside.insert(path, bytes);
    }
    let folder = Folder::of_files(beside).with_limit(limit);
    let fixture = folder.read_text(&content.fixture, Path::new(&format!("{name} (fixture)")))?;
    Ok(Bundle {
        fixture,
        head: content.head,
        is_dialect_assumed: content.dialect_assumed,
        is_unredacted: content.unredacted,
        report: content.report.into_iter().map(Found::line).collect(),
    })
}

fn unusable(name: &str, reason: &str) -> OperationError {
    OperationError::Failed(format!("the bundle {name}: {reason}"))
}

fn text_of(file: &Path, limit: u64) -> Result<String, String> {
    let source = if file == Path::new("-") {
        plain::of(std::io::stdin())
    } else {
        plain::open(file)
    };
    let bytes = source.and_then(|source| files::read_from(source, limit));
    bytes.and_then(files::text).map_err(|error| {
        if TooLarge::is_reason(&error) {
            format!("{error}; {RAISES}")
        } else {
            format!("cannot be read: {}", words(&error))
        }
    })
}

fn content_of(text: &str, limit: u64) -> Result<Content, String> {
    // A log may put a time before it.
    let mut lines = text
        .lines()
        .filter_map(|line| line.find(START).map(|at| line[at..].trim_end()));
    let line = match (lines.next(), lines.count()) {
        (Some(line), 0) => line,
        (Some(_), more) => {
            return Err(format!(
                "it holds {} bundles; leave one, because a case is made of one",
                more + 1
            ));
        }
        (None, _) => {
            return Err(
                "no line of it is a bundle; `capture … --bundle FILE` makes one".to_owned(),
            );
        }
    };
    let cut = |_| "it was cut or changed on its way: carry it over again".to_owned();
    let header: Header = serde_json::from_str(line).map_err(cut)?;
    if header.bundle != VERSION {
        return Err(format!(
            "it has version {}, and this program reads version {VERSION}; use the version of angzarr-replay that made it",
            header.bundle
        ));
    }
    let line: Line = serde_json::from_str(line).map_err(cut)?;
    let packed = STANDARD
        .decode(line.content)
        .map_err(|_| cut_or_changed())?;
    let mut content = Vec::new();
    GzDecoder::new(packed.as_slice())
        .take(limit.saturating_add(1))
        .read_to_end(&mut content)
        .map_err(|_| cut_or_changed())?;
    if content.len() as u64 > limit {
        return Err(format!("unpacked, {}; {RAISES}", TooLarge(limit)));
    }
    if hex(&content) != line.sha256 {
        return Err(cut_or_changed());
    }
    serde_json::from_slice(&content)
        .map_err(|error| format!("its content is not that of a bundle: {error}"))
}

fn cut_or_changed() -> String {
    "it was cut or changed on its way: carry it over again".to_owned()
}

/// SHA-256 in hex.
fn hex(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

impl Found {
    fn of(line: &ReportLine) -> Self {
        Self {
            key: line.key.clone(),
            text: line.own.clone(),
            quoted: line.quoted.clone(),
        }
    }

    fn line(self) -> ReportLine {
        ReportLine {
            key: self.key,
            own: self.text,
            quoted: self.quoted,
        }
    }
}
