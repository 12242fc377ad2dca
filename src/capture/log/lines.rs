//! Lines as the program wrote them: without what a container runtime or a tool put around them, joined where one was cut,
//! and a JSON record that takes several lines as one.
//!
//! Nothing is dropped: what turns out to belong to nothing is handed on line by line.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value};

use super::Record;

/// A longer record is not kept: it would be no ticket anyway.
const LARGEST: usize = 16 << 20;
/// Programs that write at once, as a log of several tells them apart.
const WRITERS: usize = 64;
/// A record in JSON with one value a line has fewer lines.
const MOST_LINES: usize = 50_000;

/// What a program wrote as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    /// Its first line in the log, from 1.
    pub(super) line: usize,
    /// The text.
    pub(super) text: String,
    /// What was around it: the time at which it was taken down.
    pub(super) around: Record,
}

/// A line that is passed over, with the reason.
pub(super) type PassedOver = (usize, &'static str);

pub(super) const CUT: &str =
    "the container runtime cut this line, and the log does not have the rest of it";
pub(super) const TOO_LARGE: &str = "a record of more than 16 MiB";

/// Joins lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Lines {
    /// The beginnings of lines that were cut, by writer.
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
enum Part {
    Last,
    More,
}

struct Framed {
    /// Whose line it is.
    writer: String,
    part: Part,
    text: String,
    around: Record,
}

/// Of docker compose: `player-1  | `.
static COMPOSE: LazyLock<Regex> = LazyLock::new(|| pattern(r"^[A-Za-z0-9][\w.-]*\s+\| ?"));
/// Of `kubectl logs --prefix`: `[pod/player-0/player] `.
static KUBECTL: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\[pods?/[^\]\s]+\] ?"));
/// Of a container runtime with CRI: time, stream, and whether the line is cut.
static CRI: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"^(?<time>\d{4}-\d\d-\d\dT\S+) (?<stream>stdout|stderr) (?<part>[PF])(?::\S*)?(?: |$)")
});

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the pattern is a constant")
}

impl Lines {
    /// Takes a line, and gives what is whole with it.
    pub(super) fn take(
        &mut self,
        line: usize,
        text: &str,
        whole: &mut Vec<Piece>,
    ) -> Option<PassedOver> {
        let framed = self.unframed(text);
        let mut piece = Piece {
            line,
            text: framed.text,
            around: framed.around,
        };
        if let Some(mut first) = self.cut.remove(&framed.writer) {
            first.text.push_str(&piece.text);
            piece = first;
        }
        if piece.text.len() > LARGEST {
            return Some((piece.line, TOO_LARGE));
        }
        if framed.part == Part::More {
            self.cut.insert(framed.writer, piece);
            // So many at once are no programs that write.
            let oldest = (self.cut.len() > WRITERS).then(|| self.cut.pop_first());
            return oldest.flatten().map(|(_, piece)| (piece.line, CUT));
        }
        self.spread(framed.writer, piece, whole);
        None
    }

    /// Gives what is left at the end of the log: whole after all, or cut.
    pub(super) fn finish(&mut self, whole: &mut Vec<Piece>) {
        for (_, spread) in std::mem::take(&mut self.spread) {
            whole.extend(spread.pieces);
        }
        whole.extend(std::mem::take(&mut self.cut).into_values());
        whole.sort_by_key(|piece| piece.line);
    }

    /// A line without what was put around it.
    fn unframed(&self, text: &str) -> Framed {
        let mut framed = Framed {
            writer: String::new(),
            part: Part::Last,
            text: text.to_owned(),
            around: Record::new(),
        };
        for prefix in [&*COMPOSE, &*KUBECTL] {
            if let Some(found) = prefix.find(&framed.text) {
                framed.writer.push_str(found.as_str());
                let end = found.end();
                framed.text.drain(..end);
            }
        }
        let cri = CRI.captures(&framed.text).and_then(|found| {
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
            framed.around.insert("time".into(), Value::String(time));
            framed.text.drain(..end);
            return framed;
        }
        if let Some(fields) = record_of_a_runtime(&framed.text) {
            self.unframe_record(&mut framed, fields);
        }
        framed
    }

    /// A line as docker's `json-file`, its journald driver and collectors have it: a record with the text in a field.
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
            Part::Last
        } else if is("partial_message", "true") || is("CONTAINER_PARTIAL_MESSAGE", "true") {
            Part::More
        } else if fields.contains_key("logtag") {
            part_of(text("logtag").is_some_and(|tag| tag.starts_with('P')))
        } else if is_journald && self.cut.contains_key(&writer) {
            // An older docker does not mark the last one.
            Part::Last
        } else if field == "log" && (fields.contains_key("stream") || fields.contains_key("time")) {
            // Docker keeps the end of the line, where there is one.
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
            Part::Last => text.trim_end_matches(['\n', '\r']).to_owned(),
            Part::More => text,
        };
        framed.around.extend(fields);
    }

    /// Collects a JSON record that takes several lines.
    fn spread(&mut self, writer: String, piece: Piece, whole: &mut Vec<Piece>) {
        if let Some(mut spread) = self.spread.remove(&writer) {
            if spread.goes_on_with(&piece) {
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
    fn goes_on_with(&self, piece: &Piece) -> bool {
        let is_within = self.size + piece.text.len() <= LARGEST && self.pieces.len() < MOST_LINES;
        let last = self.pieces.last().map_or("", |last| last.text.trim_end());
        // A brace is followed by a key: code and prose have such lines too.
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
            around: Record::new(),
        });
        for piece in pieces {
            joined.text.push('\n');
            joined.text.push_str(&piece.text);
        }
        joined
    }
}

const fn part_of(is_cut: bool) -> Part {
    if is_cut { Part::More } else { Part::Last }
}

/// The record that a runtime or a collector made of a line. Others are left to whoever reads the text.
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

/// How many braces and brackets are open where a line begins a JSON record that goes on; none where it does not.
fn depth_of_beginning(text: &str) -> Option<usize> {
    let text = text.trim_end();
    let opens = text.ends_with(['{', '[']);
    if !opens && !text.ends_with(',') {
        return None;
    }
    // The record begins at the first brace that a key, or the end of the line, follows.
    let begins = |at: &usize| {
        let rest = text[at + 1..].trim_start();
        rest.is_empty() || rest.starts_with('"')
    };
    let at = text.match_indices('{').map(|(at, _)| at).find(begins)?;
    // A line of logfmt may hold a brace too; `key=` before it is no matter, what is behind it has to be open.
    let depth = depth_after(0, &text[at..]);
    (depth > 0).then_some(depth)
}

/// Whether a line may be one of a JSON record that takes several.
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

/// How many braces and brackets are open after a line, of which no text reaches into the next. No more than are open are
/// closed: what follows the record is not part of it.
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
