//! Long lists without their middle. What matters in the middle stays.

use std::collections::BTreeSet;

use serde_yaml::Value;

use crate::terminal::{Role, Text};

/// Elements that are shown at each end of a long list, and at most so many that matter in its middle.
const SHOWN: usize = 20;

/// A part of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// The element at this index.
    Shown(usize),
    /// So many elements are left out.
    LeftOut(usize),
}

/// The parts of a list in their order. `matters` says which elements of the middle are shown.
pub(super) fn parts(count: usize, shows_all: bool, matters: impl Fn(usize) -> bool) -> Vec<Part> {
    // In the place of a single element, a line about it would be no shorter.
    if shows_all || count <= 2 * SHOWN + 1 {
        return (0..count).map(Part::Shown).collect();
    }
    let middle = SHOWN..count - SHOWN;
    let kept = middle.filter(|at| matters(*at)).take(SHOWN);
    let shown: BTreeSet<usize> = (0..SHOWN).chain(kept).chain(count - SHOWN..count).collect();
    let mut parts = Vec::new();
    let mut next = 0;
    for at in shown {
        match at - next {
            0 => {}
            1 => parts.push(Part::Shown(next)),
            left_out => parts.push(Part::LeftOut(left_out)),
        }
        parts.push(Part::Shown(at));
        next = at + 1;
    }
    parts
}

/// The line in the place of elements that are left out.
pub(super) fn left_out(count: usize, what: &str) -> Text {
    Text::of(
        Role::Faint,
        format_args!("… {count} more {what}; --all shows them …"),
    )
}

/// An outcome in which long lists, at any depth, have no middle. `differing` says which elements of the lists with a key
/// are shown nevertheless.
pub(super) fn without_middles(
    view: &Value,
    shows_all: bool,
    differing: &dyn Fn(&str) -> BTreeSet<usize>,
) -> Value {
    let shortened = |name: &str, items: &[Value]| {
        let differs = differing(name);
        let parts = parts(items.len(), shows_all, |at| differs.contains(&at));
        let items = parts.into_iter().map(|part| match part {
            Part::Shown(at) => without_middles(&items[at], shows_all, differing),
            Part::LeftOut(count) => left_out(count, name).as_str().into(),
        });
        Value::Sequence(items.collect())
    };
    match view {
        Value::Mapping(fields) => {
            let fields = fields.iter().map(|(key, value)| {
                let value = match (key.as_str(), value) {
                    (Some(name), Value::Sequence(items)) => shortened(name, items),
                    _ => without_middles(value, shows_all, differing),
                };
                (key.clone(), value)
            });
            Value::Mapping(fields.collect())
        }
        Value::Sequence(items) => shortened("elements", items),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_within_lists_have_no_middle_either() {
        let numbers: Vec<String> = (0..100).map(|number| number.to_string()).collect();
        let view = format!("hops:\n- events:\n    cards: [{}]", numbers.join(", "));
        let view: Value = serde_yaml::from_str(&view).unwrap();
        let shown = |shows_all, differing: &[usize]| {
            let differing = |list: &str| match list {
                "cards" => differing.iter().copied().collect(),
                _ => BTreeSet::new(),
            };
            let view = without_middles(&view, shows_all, &differing);
            view["hops"][0]["events"]["cards"]
                .as_sequence()
                .unwrap()
                .clone()
        };
        assert_eq!(shown(true, &[]).len(), 100);
        let some = shown(false, &[50]);
        assert_eq!(some.len(), 43);
        assert_eq!(some[20], "… 30 more cards; --all shows them …");
        assert_eq!(some[21], 50);
    }

    fn shown(parts: &[Part]) -> Vec<usize> {
        let indices = parts.iter().filter_map(|part| match part {
            Part::Shown(at) => Some(*at),
            Part::LeftOut(_) => None,
        });
        indices.collect()
    }

    #[test]
    fn short_lists_are_whole() {
        for count in [0, 1, 40, 41] {
            let all: Vec<usize> = (0..count).collect();
            assert_eq!(shown(&parts(count, false, |_| false)), all);
        }
        assert_eq!(parts(100, true, |_| false).len(), 100);
    }

    #[test]
    fn the_middle_of_a_million_is_one_line() {
        let parts = parts(1_000_000, false, |_| false);
        assert_eq!(parts.len(), 41);
        assert_eq!(parts[20], Part::LeftOut(999_960));
        assert_eq!(parts[19..22].last(), Some(&Part::Shown(999_980)));
    }

    #[test]
    fn what_matters_stays() {
        let some = parts(1_000, false, |at| at == 21 || at == 500);
        assert_eq!(
            some[20..25],
            [
                Part::Shown(20),
                Part::Shown(21),
                Part::LeftOut(478),
                Part::Shown(500),
                Part::LeftOut(479),
            ]
        );
        let too_many = parts(1_000_000, false, |_| true);
        assert_eq!(shown(&too_many).len(), 60);
    }
}
