//! The diagram as Mermaid's `sequenceDiagram`.

use std::fmt::Write;

use super::script::{LineKind, Script};
use crate::replay::flow::FlowRun;

/// The flow as Mermaid text, for a Markdown page or an issue.
#[must_use]
pub fn mermaid(run: &FlowRun) -> String {
    let script = Script::of(run);
    let mut text = String::from("sequenceDiagram\n");
    for (at, name) in script.lanes.iter().enumerate() {
        let word = if name == "client" {
            "actor"
        } else {
            "participant"
        };
        let _ = writeln!(text, "    {word} p{at} as {}", escaped(name));
    }
    for line in &script.lines {
        let (from, to) = (line.from, line.to);
        let said = escaped(&line.text);
        let _ = match line.kind {
            LineKind::Message => writeln!(text, "    p{from}->>p{to}: {said}"),
            LineKind::Event => writeln!(text, "    p{from}-)p{to}: {said}"),
            LineKind::Failure => writeln!(text, "    p{from}--xp{to}: {said}"),
            LineKind::Note => writeln!(text, "    Note over p{to}: {said}"),
        };
    }
    text
}

/// What ends a line, begins a comment or is markup for Mermaid, as its entity codes.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '#' | ';' | '<' | '>' | '%' | '`' => {
                let _ = write!(escaped, "#{};", u32::from(char));
            }
            char if char.is_control() => escaped.push(' '),
            char => escaped.push(char),
        }
    }
    if escaped.trim().is_empty() {
        // An empty message is a mistake to Mermaid.
        return "-".to_owned();
    }
    escaped
}
