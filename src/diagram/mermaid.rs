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
        let message = escaped(&line.text);
        let _ = match line.kind {
            LineKind::Message => writeln!(text, "    p{from}->>p{to}: {message}"),
            LineKind::Event => writeln!(text, "    p{from}-)p{to}: {message}"),
            LineKind::Failure => writeln!(text, "    p{from}--xp{to}: {message}"),
            LineKind::Note => writeln!(text, "    Note over p{to}: {message}"),
        };
    }
    text
}

/// Escapes characters that end a line, begin a comment or are markup in Mermaid.
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
        // Mermaid does not accept an empty message.
        return "-".to_owned();
    }
    escaped
}
