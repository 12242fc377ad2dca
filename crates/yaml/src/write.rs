//! Canonical YAML: exactly one text for each value, in block style, with the same meaning in YAML 1.1 and 1.2.

use serde_yaml::{Mapping, Value};

use crate::text::{self, Style};

/// Longest key that is written on one line with its value; YAML allows 1024 characters.
pub(super) const LONGEST_KEY: usize = 512;

/// Writes a value as canonical YAML that ends in a newline.
///
/// Mappings keep their order. A string is plain only if every YAML reader treats it as a string. A float always looks
/// like a float. A multi-line text is a literal block if no editor can damage it.
#[must_use]
pub fn to_yaml(value: &Value) -> String {
    let mut out = String::with_capacity(256);
    match value {
        Value::Mapping(mapping) if !mapping.is_empty() => write_mapping(mapping, 0, &mut out),
        Value::Sequence(items) if !items.is_empty() => write_sequence(items, 0, &mut out),
        other => write_inline(other, 0, &mut out),
    }
    out
}

/// Writes the entries of a mapping. The indentation of the first line is already written.
fn write_mapping(mapping: &Mapping, indent: usize, out: &mut String) {
    for (index, (key, value)) in mapping.iter().enumerate() {
        if index > 0 {
            push_indent(indent, out);
        }
        let start = out.len();
        if write_simple_key(key, out) && out.len() - start <= LONGEST_KEY {
            out.push(':');
            write_after(value, indent, out);
        } else {
            out.truncate(start);
            out.push_str("? ");
            write_compact(key, indent, out);
            push_indent(indent, out);
            out.push_str(": ");
            write_compact(value, indent, out);
        }
    }
}

fn write_sequence(items: &[Value], indent: usize, out: &mut String) {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            push_indent(indent, out);
        }
        out.push_str("- ");
        write_compact(item, indent, out);
    }
}

/// Writes a value after `- `, `? ` or `: `: a collection begins on the same line.
fn write_compact(value: &Value, indent: usize, out: &mut String) {
    match value {
        Value::Mapping(mapping) if !mapping.is_empty() => write_mapping(mapping, indent + 2, out),
        Value::Sequence(items) if !items.is_empty() => write_sequence(items, indent + 2, out),
        other => write_inline(other, indent, out),
    }
}

/// Writes a value after `key:` or a tag: a collection begins on the next line.
fn write_after(value: &Value, indent: usize, out: &mut String) {
    match value {
        Value::Mapping(mapping) if !mapping.is_empty() => {
            out.push('\n');
            push_indent(indent + 2, out);
            write_mapping(mapping, indent + 2, out);
        }
        Value::Sequence(items) if !items.is_empty() => {
            out.push('\n');
            push_indent(indent + 2, out);
            write_sequence(items, indent + 2, out);
        }
        other => {
            out.push(' ');
            write_inline(other, indent, out);
        }
    }
}

/// Writes a value on the current line and ends the line.
fn write_inline(value: &Value, indent: usize, out: &mut String) {
    match value {
        Value::String(text) => match text::style(text) {
            Style::Literal => return write_literal(text, indent + 2, out),
            Style::Plain => out.push_str(text),
            Style::Quoted => text::push_quoted(text, out),
        },
        Value::Tagged(tagged) => {
            out.push_str(&tagged.tag.to_string());
            return write_after(&tagged.value, indent, out);
        }
        Value::Sequence(_) => out.push_str("[]"),
        Value::Mapping(_) => out.push_str("{}"),
        scalar => write_word(scalar, out),
    }
    out.push('\n');
}

/// Writes null, a boolean or a number.
fn write_word(value: &Value, out: &mut String) {
    match value {
        Value::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
        Value::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
            Some(float) => text::push_float(float, out),
            None => out.push_str(&number.to_string()),
        },
        _ => out.push_str("null"),
    }
}

/// Writes a key on one line. Returns false if it does not fit.
fn write_simple_key(key: &Value, out: &mut String) -> bool {
    match key {
        Value::String(text) if text::style(text) == Style::Plain => out.push_str(text),
        Value::String(text) => text::push_quoted(text, out),
        Value::Null | Value::Bool(_) | Value::Number(_) => write_word(key, out),
        Value::Sequence(_) | Value::Mapping(_) | Value::Tagged(_) => return false,
    }
    true
}

fn write_literal(text: &str, indent: usize, out: &mut String) {
    out.push_str(if text.ends_with('\n') { "|\n" } else { "|-\n" });
    for line in text.lines() {
        if !line.is_empty() {
            push_indent(indent, out);
            out.push_str(line);
        }
        out.push('\n');
    }
}

fn push_indent(indent: usize, out: &mut String) {
    out.extend(std::iter::repeat_n(' ', indent));
}
