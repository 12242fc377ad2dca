//! Reconstructs lines as the program wrote them: removes what a container runtime or a tool added, joins lines that
//! were split, and joins a JSON record that spans several lines.
//!
//! Nothing is dropped: lines that turn out to belong to nothing are passed on one by one.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value};

use super::{LineError, Record};

/// A longer record is discarded, because it cannot be a ticket.
pub(super) const LARGEST: usize = 16 << 20;
/// Most programs that write to a log concurrently.
const WRITERS: usize = 64;
/// Most lines of a JSON record, even with one value per line.
const MOST_LINES: usize = 50_000;

/// A record as a program wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    /// Number of its first line in the log, from 1.
    pub(super) line: usize,
    /// The text.
    pub(super) text: String,
    /// What surrounded it: the time at which it was logged.
    pub(super) surrounding: Record,
}

/// Joins lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct LineJoiner {
    /// The beginnings of split lines, by writer.
    cut: BTreeMap<String, Piece>,
    /// The first lines of JSON records, by writer.
    spread: BTreeMap<String, Spread>,
}

/// A JSON record that has not ended yet.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Spread {
    pieces: Vec<Piece>,
    size: usize,
    depth: usize,
}

/// Whether the rest of a line follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LinePart {
    Last,
    More,
}

struct Framed {
    /// Which program wrote the line.
    writer: String,
    part: LinePart,
    text: String,
    surrounding: Record,
}

/// The prefix of docker compose: `player-1  | `.
static COMPOSE: LazyLock<Regex> = LazyLock::new(|| pattern(r"^[A-Za-z0-9][\w.-]*\s+\| ?"));
/// The prefix of `kubectl logs --prefix`: `[pod/player-0/player] `.
static KUBECTL: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\[pods?/[^\]\s]+\] ?"));
/// The prefix of CRI container runtimes: time, stream, and whether the line is split.
static CRI: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"^(?<time>\d{4}-\d\d-\d\dT\S+) (?<stream>stdout|stderr) (?<part>[PF])(?::\S*)?(?: |$)")
});

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the pattern is a constant")
}

impl LineJoiner {
    /// Adds a line, and the records that are now complete to `whole`. Returns a line that is discarded, and why.
    pub(super) fn add_line(
        &mut self,
        line: usize,
        text: &str,
        whole: &mut Vec<Piece>,
    ) -> Option<(usize, LineError)> {
        let framed = self.unframed(text);
        let mut piece = Piece {
            line,
            text: framed.text,
            surrounding: framed.surrounding,
        };
        if let Some(mut first) = self.cut.remove(&framed.writer) {
            first.text.push_str(&piece.text);
            piece = first;
        }
        if piece.text.len() > LARGEST {
            return Some((piece.line, LineError::TooLarge));
        }
        if framed.part == LinePart::More {
            self.cut.insert(framed.writer, piece);
            // So many unfinished lines do not come from concurrent programs.
            let oldest = (self.cut.len() > WRITERS).then(|| self.cut.pop_first());
            return oldest
                .flatten()
                .map(|(_, piece)| (piece.line, LineError::Cut));
        }
        self.spread(framed.writer, piece, whole);
        None
    }

    /// Returns what is left at the end of the log: complete after all, or cut.
    pub(super) fn finish(&mut self, whole: &mut Vec<Piece>) {
        for (_, spread) in std::mem::take(&mut self.spread) {
            whole.extend(spread.pieces);
        }
        whole.extend(std::mem::take(&mut self.cut).into_values());
        whole.sort_by_key(|piece| piece.line);
    }

    /// Removes the prefix of a line.
    fn unframed(&self, text: &str) -> Framed {
        let mut framed = Framed {
            writer: String::new(),
            part: LinePart::Last,
            text: text.to_owned(),
            surrounding: Record::new(),
        };
        // The sign that a prefix needs is searched first, so that logs without such prefixes do not compile the patterns.
        for (prefix, sign) in [(&COMPOSE, '|'), (&KUBECTL, ']')] {
            if !framed.text.contains(sign) {
                continue;
            }
            if let Some(found) = prefix.find(&framed.text) {
                framed.writer.push_str(found.as_str());
                let end = found.end();
                framed.text.drain(..end);
            }
        }
        let is_dated = framed
            .text
            .starts_with(|letter: char| letter.is_ascii_digit());
        let cri = is_dated.then(|| CRI.captures(&framed.text)).flatten();
        let cri = cri.and_then(|found| {
            let named = |name: &str| Some(found.name(name)?.as_str().to_owned());
            Some((
                found.get(0)?.end(),
                named("time")?,
                named("stream")?,
                named("part")?,
            ))
        });
        if let Some((end, time, stream, part)) = cri {
            framed.writer.push_str(&stream);
            framed.part = part_of(part == "P");
            framed
                .surrounding
                .insert("time".into(), Value::String(time));
            framed.text.drain(..end);
            return framed;
        }
        if let Some(fields) = record_of_a_runtime(&framed.text) {
            self.unframe_record(&mut framed, fields);
        }
        framed
    }

    /// Unwraps a line in the format of docker's `json-file` and journald drivers and of collectors: a record with the
    /// text in a field.
    fn unframe_record(&self, framed: &mut Framed, mut fields: Map<String, Value>) {
        let text = |key: &str| fields.get(key).and_then(Value::as_str);
        let is = |key: &str, wanted: &str| match fields.get(key) {
            Some(Value::String(text)) => text == wanted,
            Some(Value::Bool(value)) => value.to_string() == wanted,
            _ => false,
        };
        let Some(field) = ["log", "message", "MESSAGE"]
            .into_iter()
            .find(|key| text(key).is_some())
        else {
            return;
        };
        let id = [
            "partial_id",
            "CONTAINER_PARTIAL_ID",
            "container_id",
            "CONTAINER_ID",
        ];
        let id = id.into_iter().find_map(text).unwrap_or_default();
        let stream = ["stream", "source"]
            .into_iter()
            .find_map(text)
            .unwrap_or_default();
        let writer = format!("{}{id} {stream}", framed.writer);
        let is_journald = fields.contains_key("CONTAINER_ID");
        let part = if is("partial_last", "true") || is("CONTAINER_PARTIAL_LAST", "true") {
            LinePart::Last
        } else if is("partial_message", "true") || is("CONTAINER_PARTIAL_MESSAGE", "true") {
            LinePart::More
        } else if fields.contains_key("logtag") {
            part_of(text("logtag").is_some_and(|tag| tag.starts_with('P')))
        } else if is_journald && self.cut.contains_key(&writer) {
            // Older versions of docker do not mark the last part.
            LinePart::Last
        } else if field == "log" && (fields.contains_key("stream") || fields.contains_key("time")) {
            // Docker keeps the newline, if there is one.
            part_of(!text(field).is_some_and(|text| text.ends_with('\n')))
        } else {
            return;
        };
        let Some(Value::String(text)) = fields.remove(field) else {
            return;
        };
        framed.part = part;
        framed.writer = writer;
        framed.text = match part {
            LinePart::Last => text.trim_end_matches(['\n', '\r']).to_owned(),
            LinePart::More => text,
        };
        framed.surrounding.extend(fields);
    }

    /// Collects the lines of a JSON record.
    fn spread(&mut self, writer: String, piece: Piece, whole: &mut Vec<Piece>) {
        if let Some(mut spread) = self.spread.remove(&writer) {
            if spread.continues_with(&piece) {
                spread.add(piece);
                if spread.depth == 0 {
                    whole.push(spread.joined());
                } else {
                    self.spread.insert(writer, spread);
                }
                return;
            }
            whole.extend(spread.pieces);
        }
        match depth_of_beginning(&piece.text) {
            Some(depth) if self.spread.len() < WRITERS => {
                let spread = Spread {
                    size: piece.text.len(),
                    pieces: vec![piece],
                    depth,
                };
                self.spread.insert(writer, spread);
            }
            _ => whole.push(piece),
        }
    }
}

impl Spread {
    fn continues_with(&self, piece: &Piece) -> bool {
        let is_within = self.size + piece.text.len() <= LARGEST && self.pieces.len() < MOST_LINES;
        let last = self.pieces.last().map_or("", |last| last.text.trim_end());
        // A brace must be followed by a key, because code and prose contain such lines too.
        let is_key = piece.text.trim_start().starts_with(['"', '}']);
        is_within && continues(&piece.text) && (is_key || !last.ends_with('{'))
    }

    fn add(&mut self, piece: Piece) {
        self.size += piece.text.len();
        self.depth = depth_after(self.depth, &piece.text);
        self.pieces.push(piece);
    }

    fn joined(self) -> Piece {
        let mut pieces = self.pieces.into_iter();
        let first = pieces.next();
        let mut joined = first.unwrap_or(Piece {
            line: 0,
            text: String::new(),
            surrounding: Record::new(),
        });
        for piece in pieces {
            joined.text.push('\n');
            joined.text.push_str(&piece.text);
        }
        joined
    }
}

const fn part_of(is_cut: bool) -> LinePart {
    if is_cut {
        LinePart::More
    } else {
        LinePart::Last
    }
}

/// The record that a runtime or collector made of a line. Other records are left to the text parser.
fn record_of_a_runtime(text: &str) -> Option<Map<String, Value>> {
    let is_of_docker = text.starts_with("{\"log\"");
    let marks = [
        "PARTIAL_MESSAGE\"",
        "\"partial_message\"",
        "\"logtag\"",
        "\"CONTAINER_ID\"",
    ];
    let is_record = text.starts_with('{');
    if is_of_docker || (is_record && marks.iter().any(|mark| text.contains(mark))) {
        serde_json::from_str(text).ok()
    } else {
        None
    }
}

/// Number of open braces and brackets if a line begins a JSON record that continues on the next line.
fn depth_of_beginning(text: &str) -> Option<usize> {
    let text = text.trim_end();
    let opens = text.ends_with(['{', '[']);
    if !opens && !text.ends_with(',') {
        return None;
    }
    // The record begins at the first brace that is followed by a key or the end of the line.
    let begins = |at: &usize| {
        let rest = text[at + 1..].trim_start();
        rest.is_empty() || rest.starts_with('"')
    };
    let at = text.match_indices('{').map(|(at, _)| at).find(begins)?;
    // A logfmt line may contain a brace too: an earlier `key=` is ignored, only what follows counts.
    let depth = depth_after(0, &text[at..]);
    (depth > 0).then_some(depth)
}

/// Whether a line may continue a JSON record.
fn continues(text: &str) -> bool {
    let text = text.trim();
    match text.chars().next() {
        None | Some('"' | '{' | '}' | '[' | ']') => true,
        Some(_) => {
            let value = text.trim_end_matches(',');
            matches!(value, "true" | "false" | "null")
                || value.parse::<serde_json::Number>().is_ok()
        }
    }
}

/// Number of open braces and brackets after a line, assuming that no string spans lines. At most the open ones are
/// closed: whatever follows the record does not belong to it.
fn depth_after(mut depth: usize, text: &str) -> usize {
    let (mut is_in_text, mut is_escaped) = (false, false);
    for byte in text.bytes() {
        if is_in_text {
            is_in_text = byte != b'"' || is_escaped;
            is_escaped = byte == b'\\' && !is_escaped;
            continue;
        }
        match byte {
            b'"' => is_in_text = true,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return 0;
                }
            }
            _ => {}
        }
    }
    depth
}
