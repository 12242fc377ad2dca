//! The report of a replayed case, as text and as JSON.

mod books;
mod conclusion;
mod elision;
mod json;
mod text;

use serde_yaml::Value;

use crate::yaml::to_yaml;
pub(super) use conclusion::verdict_role;
pub(super) use json::{json, noted, production};
pub(super) use text::{ReportLayout, instant, one_line_of, text};

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => to_yaml(other).trim_end().to_owned(),
    }
}
