//! Rewrites messages packed in an `Any`.

use std::borrow::Cow;

use super::walk::{Walk, write_delimited};
use super::{Choice, Rewriter, Step, Unreadable};
use crate::payload::layout::{Layout, WellKnown};
use crate::payload::reader::{Flaw, Reader, Wire};
use crate::payload::show::NOT_UTF8;

impl<'l, R: Rewriter> Walk<'l, '_, R> {
    pub(super) fn any(
        &mut self,
        any: &'l Layout,
        bytes: &[u8],
        around: Option<Choice>,
    ) -> Result<Vec<u8>, Unreadable> {
        let parts = match any_parts(bytes) {
            Ok(parts) => parts,
            Err(AnyFlaw::Malformed(flaw)) => {
                self.malformed(any, &flaw)?;
                return Ok(bytes.to_vec());
            }
            Err(AnyFlaw::UnknownField(number)) => {
                self.unknown_field(any, number)?;
                return Ok(bytes.to_vec());
            }
        };
        let name = parts.type_url.rsplit('/').next().unwrap_or_default();
        if name.is_empty() && parts.value.is_empty() {
            return Ok(bytes.to_vec());
        }
        let inner = self.layouts.named(name).filter(|inner| !inner.is_map_entry);
        let Some(inner) = inner else {
            self.unreadable(Unreadable::Undescribed {
                type_name: name.to_owned(),
                path: self.path(),
                left_out: self.layouts.left_out_for(name),
            })?;
            return Ok(bytes.to_vec());
        };
        self.rewriter.packed(name);
        self.steps.push(Step {
            message: &any.name,
            segment: Cow::Borrowed("value"),
            is_key: false,
        });
        let written = self.message(inner, parts.value, around);
        self.steps.pop();
        let written = written?;
        if written == parts.value && !parts.is_doubled {
            return Ok(bytes.to_vec());
        }
        let mut out = Vec::with_capacity(bytes.len());
        write_delimited(1, parts.type_url.as_bytes(), &mut out);
        if !written.is_empty() {
            write_delimited(2, &written, &mut out);
        }
        Ok(out)
    }
}

/// Empties a message. An `Any` keeps its type URL.
pub(super) fn emptied_message(message: &Layout, content: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    if message.well_known == Some(WellKnown::Any)
        && let Ok(parts) = any_parts(content)
        && !parts.type_url.is_empty()
    {
        write_delimited(1, parts.type_url.as_bytes(), &mut out);
    }
    out
}

struct AnyParts<'b> {
    type_url: &'b str,
    value: &'b [u8],
    is_doubled: bool,
}

enum AnyFlaw {
    Malformed(Flaw),
    UnknownField(u32),
}

fn any_parts(bytes: &[u8]) -> Result<AnyParts<'_>, AnyFlaw> {
    let mut parts = AnyParts {
        type_url: "",
        value: &[],
        is_doubled: false,
    };
    let mut met = [false; 2];
    let mut reader = Reader::new(bytes);
    while let Some((number, wire)) = reader.field().map_err(AnyFlaw::Malformed)? {
        let at = match (number, wire) {
            (1, Wire::Bytes(url)) => {
                parts.type_url =
                    std::str::from_utf8(url).map_err(|_| AnyFlaw::Malformed(NOT_UTF8))?;
                0
            }
            (2, Wire::Bytes(value)) => {
                parts.value = value;
                1
            }
            (number, _) => return Err(AnyFlaw::UnknownField(number)),
        };
        parts.is_doubled |= std::mem::replace(&mut met[at], true);
    }
    Ok(parts)
}
