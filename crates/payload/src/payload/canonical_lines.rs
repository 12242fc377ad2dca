//! Encodes a view straight from its canonical YAML lines. Most payloads of fixtures are read like this.

use angzarr_replay_yaml::{Node, ViewReader, YamlScalar};
use serde_yaml::Value;

use super::canonical::Encoder;
use super::kind::Kind;
use super::layout::{Field, Layout, Layouts, Occurrence, WellKnown};
use super::parse::scalar;
use super::text;
use super::wire::{self, LENGTH_DELIMITED, Scalar};

/// Encodes a view as [`super::canonical::encode`] does. `None`: the lines are wrong or unsupported. Read them as a value to find out.
pub(super) fn encode(layouts: &Layouts, message: &Layout, lines: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(256);
    let (reader, root) = ViewReader::new(lines).ok()?;
    let mut encoder = LineEncoder {
        encoder: Encoder {
            layouts,
            out: &mut out,
            depth: 0,
        },
        reader,
    };
    encoder.message(message, root)?;
    encoder.reader.end().ok()?;
    Some(out)
}

struct LineEncoder<'a> {
    encoder: Encoder<'a>,
    reader: ViewReader<'a>,
}

impl<'a> LineEncoder<'a> {
    fn message(&mut self, message: &Layout, node: Node<'a>) -> Option<()> {
        if message.well_known == Some(WellKnown::Any) {
            let value = self.reader.value(node).ok()?;
            return self.encoder.message(message, &value).ok();
        }
        self.deeper(|inner| {
            match (message.well_known, node) {
                (Some(WellKnown::Timestamp), Node::Scalar(YamlScalar::Text(written))) => {
                    let instant = text::read_instant(written).ok()?;
                    inner.encoder.seconds_and_nanos(instant);
                }
                (Some(WellKnown::Duration), Node::Scalar(YamlScalar::Text(written))) => {
                    let duration = text::read_duration(written).ok()?;
                    inner.encoder.seconds_and_nanos(duration);
                }
                (_, Node::Block(indent)) => inner.fields(message, indent)?,
                (_, Node::Scalar(YamlScalar::EmptyMapping)) => {}
                (_, Node::Scalar(_)) => return None,
            }
            Some(())
        })
    }

    fn deeper(&mut self, inner: impl FnOnce(&mut Self) -> Option<()>) -> Option<()> {
        if self.encoder.depth >= super::MAX_DEPTH {
            return None;
        }
        self.encoder.depth += 1;
        let result = inner(self);
        self.encoder.depth -= 1;
        result
    }

    fn fields(&mut self, message: &Layout, indent: usize) -> Option<()> {
        let mut next = 0;
        let mut oneofs: Vec<&str> = Vec::new();
        while let Some((name, node)) = self.reader.entry(indent).ok()? {
            // Canonical text has the fields in the order of their numbers, as the bytes do.
            let rest = message.fields.get(next..)?;
            let at = next + rest.iter().position(|field| field.name == name)?;
            next = at + 1;
            let field = &message.fields[at];
            if let Some(oneof) = &field.oneof {
                if oneofs.contains(&oneof.as_str()) {
                    return None;
                }
                oneofs.push(oneof);
            }
            self.field(field, node)?;
        }
        Some(())
    }

    fn field(&mut self, field: &Field, node: Node<'a>) -> Option<()> {
        match field.occurrence {
            Occurrence::Single => self.element(field, node, field.presence),
            Occurrence::List => self.deeper(|inner| inner.list(field, node)),
            Occurrence::Map => {
                let value = self.reader.value(node).ok()?;
                self.encoder.field(field, &value).ok()
            }
        }
    }

    fn list(&mut self, field: &Field, node: Node<'a>) -> Option<()> {
        let indent = match node {
            Node::Block(indent) => indent,
            Node::Scalar(YamlScalar::EmptySequence) => return Some(()),
            Node::Scalar(_) => return None,
        };
        if field.packed {
            return self.delimited(field.number, |inner| {
                while let Some(item) = inner.reader.item(indent).ok()? {
                    inner.scalar(field, item, Form::Packed)?;
                }
                Some(())
            });
        }
        while let Some(item) = self.reader.item(indent).ok()? {
            self.element(field, item, true)?;
        }
        Some(())
    }

    fn element(&mut self, field: &Field, node: Node<'a>, keep_default: bool) -> Option<()> {
        let layouts = self.encoder.layouts;
        if let Some(message) = layouts.of_field(field) {
            if field.group {
                // Groups are rare: leave them to the general encoder.
                return None;
            }
            return self.delimited(field.number, |inner| inner.message(message, node));
        }
        self.scalar(field, node, Form::Field { keep_default })
    }

    fn delimited(
        &mut self,
        number: u32,
        content: impl FnOnce(&mut Self) -> Option<()>,
    ) -> Option<()> {
        wire::write_tag(number, LENGTH_DELIMITED, self.encoder.out);
        let start = wire::open_length(self.encoder.out);
        content(self)?;
        wire::close_length(start, self.encoder.out);
        Some(())
    }

    fn scalar(&mut self, field: &Field, node: Node<'a>, form: Form) -> Option<()> {
        let Node::Scalar(written) = node else {
            return None;
        };
        let value = match written {
            YamlScalar::Text(written) if matches!(field.kind, Kind::String) => {
                form.write(field, &Scalar::Text(written), self.encoder.out);
                return Some(());
            }
            YamlScalar::Text(written) => Value::from(written),
            YamlScalar::Bool(truth) => Value::from(truth),
            YamlScalar::Unsigned(number) => Value::from(number),
            YamlScalar::Signed(number) => Value::from(number),
            YamlScalar::Float(number) => Value::from(number),
            YamlScalar::EmptyMapping | YamlScalar::EmptySequence => return None,
        };
        let scalar = scalar(&field.kind, &value).ok()?;
        form.write(field, &scalar, self.encoder.out);
        Some(())
    }
}

/// How a scalar is written.
#[derive(Clone, Copy)]
enum Form {
    /// In a packed list.
    Packed,
    /// With a tag.
    Field { keep_default: bool },
}

impl Form {
    fn write(self, field: &Field, scalar: &Scalar<'_>, out: &mut Vec<u8>) {
        match self {
            Self::Packed => scalar.write(out),
            Self::Field { keep_default } if keep_default || !scalar.is_default() => {
                scalar.write_field(field.number, out);
            }
            Self::Field { .. } => {}
        }
    }
}
