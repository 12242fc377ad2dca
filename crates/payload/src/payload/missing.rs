//! Describes a missing type: similar names, and the files left out that may define it.

use super::error::{LeftOut, UnknownType, ends_in};
use super::layout::Layouts;
use crate::model::nearest;

impl Layouts {
    /// The error for an unknown type, or for an ambiguous last part of a name.
    pub(super) fn missing(&self, name: &str) -> UnknownType {
        let fits: Vec<_> = self
            .names
            .iter()
            .filter(|full| ends_in(full, name))
            .map(ToString::to_string)
            .collect();
        let similar = if fits.is_empty() {
            self.similar(name)
        } else {
            fits
        };
        UnknownType {
            name: name.to_owned(),
            similar,
            left_out: self.left_out_for(name),
        }
    }

    /// Files that were left out and may define the type. If it is known which one does, only that one.
    pub(super) fn left_out_for(&self, name: &str) -> Vec<LeftOut> {
        let has = |file: &&LeftOut| file.types.iter().any(|full| ends_in(full, name));
        match self.left_out.iter().find(has) {
            Some(file) if !name.is_empty() => vec![file.clone()],
            _ => {
                let is_open = |file: &&LeftOut| file.types.is_empty();
                self.left_out.iter().filter(is_open).cloned().collect()
            }
        }
    }

    /// Compares only the last parts if the name has no package; otherwise full names first, then the last parts.
    fn similar(&self, name: &str) -> Vec<String> {
        let last = last_part(name);
        let parts = nearest(last, self.names.iter().map(|full| last_part(full)), 3);
        let mut similar: Vec<String> = Vec::new();
        for near in nearest(name, self.names.iter().map(AsRef::as_ref), 3) {
            similar.push(near.to_owned());
        }
        for full in parts
            .iter()
            .flat_map(|part| self.names.iter().filter(|full| last_part(full) == *part))
        {
            if !similar.iter().any(|known| **known == **full) {
                similar.push(full.to_string());
            }
        }
        similar.truncate(3);
        similar
    }
}

fn last_part(full: &str) -> &str {
    full.rsplit('.').next().unwrap_or(full)
}
