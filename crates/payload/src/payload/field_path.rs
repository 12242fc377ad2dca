//! Checks whether a path of field names matches a field of a described type, and where it fails if not.
//!
//! Follows the same steps as `rewrite`: into lists, through map keys, and into messages packed in an `Any`.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use super::error::{LeftOut, UnknownType, ends_in};
use super::field_value::FieldKind;
use super::layout::{Field, Layout, Layouts, Occurrence, WellKnown};
use super::rewrite::MAP_KEY;
use crate::model::{matches_pattern, nearest};

/// Most field names to list when none is similar.
const MOST_NAMED: usize = 12;

/// Why a path matches no field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FieldPathError {
    /// No described type matches the pattern.
    #[error("{}", no_type(pattern, similar, left_out))]
    NoType {
        /// Pattern of the type's full name.
        pattern: String,
        /// Similar names or patterns, best first.
        similar: Vec<String>,
        /// Files that were left out and may define the type.
        left_out: Vec<LeftOut>,
    },
    /// A type matches, but none of its fields does.
    #[error("{0}")]
    NoField(String),
}

fn no_type(pattern: &str, similar: &[String], left_out: &[LeftOut]) -> String {
    if !pattern.contains('*') {
        let (name, similar) = (pattern.to_owned(), similar.to_vec());
        let left_out = left_out.to_vec();
        return UnknownType {
            name,
            similar,
            left_out,
        }
        .to_string();
    }
    let hint = did_you_mean(similar);
    format!("no described type fits `{pattern}`{hint}")
}

fn did_you_mean<T: fmt::Display>(similar: &[T]) -> String {
    match quoted(similar).as_str() {
        "" => String::new(),
        names => format!("; did you mean {names}?"),
    }
}

fn quoted<T: fmt::Display>(names: &[T]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

/// Checks that a path matches a field in at least one type that matches the pattern.
pub(super) fn check(
    layouts: &Layouts,
    names: &[Arc<str>],
    pattern: &str,
    path: &[String],
) -> Result<(), FieldPathError> {
    let mut search = PathSearch {
        layouts,
        names,
        path,
        seen: HashSet::new(),
        depth: 0,
        ends: Vec::new(),
    };
    let mut fits = 0;
    for name in names.iter().filter(|name| matches_pattern(pattern, name)) {
        fits += 1;
        if layouts
            .named(name)
            .is_some_and(|message| search.follow(message, 0))
        {
            return Ok(());
        }
    }
    if fits > 0 {
        return Err(FieldPathError::NoField(search.sentence(pattern)));
    }
    let (similar, left_out) = if pattern.contains('*') {
        (similar_to_pattern(pattern, names), Vec::new())
    } else {
        // The pattern may be written as a type URL, or with a leading dot as in a `.proto` file.
        let name = pattern.rsplit('/').next().unwrap_or(pattern);
        let missing = layouts.missing(name.trim_matches('.'));
        (missing.similar, missing.left_out)
    };
    Err(FieldPathError::NoType {
        pattern: pattern.to_owned(),
        similar,
        left_out,
    })
}

/// Why a path cannot be followed further.
enum End<'l> {
    NoField(&'l Layout),
    NoMessage(&'l Layout, &'l Field),
    NoMap(&'l Layout, &'l Field),
    NoSuchKey(&'l Layout, &'l Field),
    /// At an `Any`, which only `value` leads into.
    Any,
    /// At `value`, with nothing after it.
    WholeAny,
}

struct PathSearch<'l, 'p> {
    layouts: &'l Layouts,
    names: &'p [Arc<str>],
    path: &'p [String],
    /// Messages that were tried without success, each with the index of the path segment.
    seen: HashSet<(&'l str, usize)>,
    /// The longest prefix of the path that matched.
    depth: usize,
    ends: Vec<End<'l>>,
}

impl<'l> PathSearch<'l, '_> {
    /// Whether the path, from segment `at` on, leads from this message to a field.
    fn follow(&mut self, message: &'l Layout, at: usize) -> bool {
        if !self.seen.insert((&message.name, at)) {
            return false;
        }
        let part = &self.path[at];
        if message.well_known == Some(WellKnown::Any) {
            return self.follow_any(at);
        }
        let mut is_known = false;
        for field in &message.fields {
            if part == MAP_KEY || !matches_pattern(part, &field.name) {
                continue;
            }
            is_known = true;
            if self.follow_field(message, field, at + 1) {
                return true;
            }
        }
        if !is_known {
            self.stop(at, End::NoField(message));
        }
        false
    }

    fn follow_field(&mut self, message: &'l Layout, field: &'l Field, at: usize) -> bool {
        let Some(part) = self.path.get(at) else {
            return true;
        };
        let (inner, next) = match (field.occurrence, self.layouts.of_entry(field)) {
            (Occurrence::Map, Some((key, value))) => {
                if part == MAP_KEY {
                    return true;
                }
                if !may_be_key(part, key) {
                    self.stop(at, End::NoSuchKey(message, field));
                    return false;
                }
                if at + 1 == self.path.len() {
                    return true;
                }
                (self.layouts.of_field(value), at + 1)
            }
            _ if part == MAP_KEY => {
                self.stop(at, End::NoMap(message, field));
                return false;
            }
            _ => (self.layouts.of_field(field), at),
        };
        if let Some(inner) = inner {
            return self.follow(inner, next);
        }
        self.stop(next, End::NoMessage(message, field));
        false
    }

    fn follow_any(&mut self, at: usize) -> bool {
        if !matches_pattern(&self.path[at], "value") {
            self.stop(at, End::Any);
            return false;
        }
        if at + 1 == self.path.len() {
            self.stop(at, End::WholeAny);
            return false;
        }
        let names = self.names.iter();
        let mut packed = names.filter_map(|name| self.layouts.named(name));
        packed.any(|packed| self.follow(packed, at + 1))
    }

    fn stop(&mut self, at: usize, end: End<'l>) {
        if at > self.depth {
            self.depth = at;
            self.ends.clear();
        }
        if at == self.depth {
            self.ends.push(end);
        }
    }

    fn sentence(&self, pattern: &str) -> String {
        let part = self.path.get(self.depth).map_or("", String::as_str);
        let messages: Vec<&Layout> = self
            .ends
            .iter()
            .filter_map(|end| match end {
                End::NoField(message) => Some(*message),
                _ => None,
            })
            .collect();
        match (messages.as_slice(), self.ends.first()) {
            ([], Some(end)) => end_message(end, part, self.path),
            ([], None) => format!("`{}` leads to no field", self.path.join(".")),
            (messages, _) => self.no_field(pattern, part, messages),
        }
    }

    fn no_field(&self, pattern: &str, part: &str, messages: &[&Layout]) -> String {
        let subject = match messages {
            [only] => format!("`{}` has no field `{part}`", only.name),
            _ if self.depth == 0 => format!("no type that fits `{pattern}` has a field `{part}`"),
            _ => format!(
                "none of the {} types that `{}` leads to has a field `{part}`",
                messages.len(),
                self.path[..self.depth].join(".")
            ),
        };
        if part == MAP_KEY {
            return format!("{subject}: `{MAP_KEY}` may only follow the name of a map");
        }
        let fields = || messages.iter().flat_map(|message| &message.fields);
        let members: Vec<&str> = fields()
            .filter(|field| field.oneof.as_deref() == Some(part))
            .map(|field| field.name.as_str())
            .collect();
        if !members.is_empty() {
            let members = quoted(&members);
            return format!("{subject}: that is a oneof; name one of its fields: {members}");
        }
        let mut names: Vec<&str> = fields().map(|field| field.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let similar = similar(part, &names);
        if !similar.is_empty() {
            return subject + &did_you_mean(&similar);
        }
        match (messages, names.as_slice()) {
            ([_], []) => format!("{subject}: it has none at all"),
            ([_], names) if names.len() <= MOST_NAMED => {
                format!("{subject}: it has {}", quoted(names))
            }
            _ => subject,
        }
    }
}

fn end_message(end: &End<'_>, part: &str, path: &[String]) -> String {
    let of = |message: &Layout, field: &Field| format!("`{}` of `{}`", field.name, message.name);
    match end {
        End::NoField(message) => format!("`{}` has no field `{part}`", message.name),
        End::NoMessage(message, field) => format!(
            "{} is not a message, so it has no field `{part}`",
            of(message, field)
        ),
        End::NoMap(message, field) => {
            format!(
                "{} is not a map, so it has no `{MAP_KEY}`",
                of(message, field)
            )
        }
        End::NoSuchKey(message, field) => format!(
            "no key of {} can be `{part}`: its keys are not strings",
            of(message, field)
        ),
        End::Any => format!(
            "a message packed in an `Any` is reached through `value`, not through `{part}` of `{}`: write \
             `value` and then the name of a field of the packed message",
            path.join(".")
        ),
        End::WholeAny => format!(
            "`{}` means the whole message packed in an `Any`: end the path with the name of the `Any` field, \
             or with a field of the packed message",
            path.join(".")
        ),
    }
}

/// Whether a map with keys of this kind can have a key that matches.
fn may_be_key(pattern: &str, key: &Field) -> bool {
    let fits = |letter: char| letter == '*' || letter == '-' || letter.is_ascii_digit();
    match FieldKind::of(&key.kind) {
        FieldKind::Bool => ["true", "false"]
            .iter()
            .any(|word| matches_pattern(pattern, word)),
        FieldKind::Integer => pattern.chars().all(fits),
        _ => true,
    }
}

/// Similar names or patterns, best first.
fn similar<'a>(part: &str, names: &[&'a str]) -> Vec<&'a str> {
    if !part.contains('*') {
        return nearest(part, names.iter().copied(), 1);
    }
    let letters = part.chars().filter(|letter| *letter != '*').count();
    let tolerated = (letters / 3).max(1);
    let mut near: Vec<(usize, &str)> = names
        .iter()
        .map(|name| (distance(part, name), *name))
        .filter(|(distance, _)| *distance <= tolerated && *distance < letters)
        .collect();
    near.sort_unstable();
    near.into_iter().take(3).map(|(_, name)| name).collect()
}

fn similar_to_pattern(pattern: &str, names: &[Arc<str>]) -> Vec<String> {
    // The mistake is mostly in the package.
    if let Some(package) = pattern.strip_suffix(".*").filter(|it| !it.contains('*')) {
        let mut packages: Vec<&str> = names
            .iter()
            .flat_map(|name| name.match_indices('.').map(|(at, _)| &name[..at]))
            .collect();
        packages.sort_unstable();
        packages.dedup();
        let ending = packages
            .iter()
            .copied()
            .find(|known| ends_in(known, package));
        let near = ending.or_else(|| {
            nearest(package, packages.iter().copied(), 1)
                .first()
                .copied()
        });
        if let Some(package) = near {
            return vec![format!("{package}.*")];
        }
    }
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    let similar = similar(pattern, &names);
    similar.into_iter().map(str::to_owned).collect()
}

/// Edit distance from a name to the nearest name that matches the pattern.
fn distance(pattern: &str, name: &str) -> usize {
    let name: Vec<char> = name.to_lowercase().chars().collect();
    // For each prefix of the name, its distance from the pattern so far.
    let mut row: Vec<usize> = (0..=name.len()).collect();
    let mut before: Option<(char, Vec<usize>)> = None;
    for letter in pattern.to_lowercase().chars() {
        let mut next = Vec::with_capacity(row.len());
        for at in 0..row.len() {
            let behind = at.checked_sub(1);
            let longer = behind.map(|behind| next[behind]);
            let best = if letter == '*' {
                // A star matches nothing, or one more letter.
                row[at].min(longer.unwrap_or(usize::MAX))
            } else {
                let same = behind.map(|it| row[it] + usize::from(name[it] != letter));
                let swapped = before.as_ref().and_then(|(other, row)| {
                    let (first, second) = (at.checked_sub(2)?, at.checked_sub(1)?);
                    (name[first] == letter && name[second] == *other).then(|| row[first] + 1)
                });
                [Some(row[at] + 1), longer.map(|it| it + 1), same, swapped]
                    .into_iter()
                    .flatten()
                    .min()
                    .unwrap_or(usize::MAX)
            };
            next.push(best);
        }
        before = Some((letter, std::mem::replace(&mut row, next)));
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::distance;

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, name, far) in [
            ("*", "email", 0),
            ("*_token", "api_token", 0),
            ("*_tokn", "api_token", 1),
            ("emial*", "email_address", 1),
            ("e*l", "email", 0),
            ("x*y", "email", 2),
        ] {
            assert_eq!(distance(pattern, name), far, "{pattern} {name}");
        }
    }
}
