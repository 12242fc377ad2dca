//! Counts the public items in the documentation of the published crates.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::shell::Shell;

/// The crates that users depend on, by the names of their rustdoc folders.
pub(super) const CRATES: [&str; 2] = ["angzarr_replay", "angzarr_failure_tickets"];
/// Limit for their types, traits, functions and methods together. Each is a promise, so raise it deliberately.
const MOST: usize = 200;
/// Prefixes of the rustdoc pages that show an item.
const KINDS: [&str; 8] = [
    "struct", "enum", "union", "trait", "fn", "type", "constant", "macro",
];

/// Counts the items in the documentation that was just built.
pub(super) fn count(shell: &Shell) -> Result<()> {
    let folder = shell.at("target/doc");
    let mut items = 0;
    for name in CRATES {
        items += in_folder(&folder.join(name))?;
    }
    ensure!(
        items > 0,
        "{}: no items found; has the layout of rustdoc changed?",
        folder.display()
    );
    ensure!(
        items <= MOST,
        "{} have {items} public items, but the limit is {MOST}; hide what users do not need, or raise the limit in \
         xtask/src/check/door.rs",
        CRATES.join(" and ")
    );
    println!("   {items} public items");
    Ok(())
}

fn in_folder(folder: &Path) -> Result<usize> {
    let context = || folder.display().to_string();
    let entries: Result<Vec<PathBuf>, _> = std::fs::read_dir(folder)
        .with_context(context)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect();
    let mut items = 0;
    for path in entries.with_context(context)? {
        if path.is_dir() {
            items += in_folder(&path)?;
        } else if is_item(&path) {
            items += in_page(&std::fs::read_to_string(&path).with_context(context)?);
        }
    }
    Ok(items)
}

fn is_item(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let kind = name.split_once('.').map(|(kind, _)| kind);
    kind.is_some_and(|kind| KINDS.contains(&kind))
}

/// Counts the item and its own methods, without those of traits, no matter whether the item or every type implements them.
fn in_page(page: &str) -> usize {
    const REDIRECT: &str = "http-equiv=\"refresh\"";
    if page.contains(REDIRECT) {
        return 0;
    }
    let own = [
        "id=\"trait-implementations\"",
        "id=\"implementors\"",
        "id=\"foreign-impls\"",
        // What every type has, if a page has nothing of the above.
        "id=\"synthetic-implementations\"",
        "id=\"blanket-implementations\"",
    ]
    .iter()
    .fold(page, |own, end| own.split(end).next().unwrap_or(own));
    let methods = ["id=\"method.", "id=\"tymethod.", "id=\"associatedconstant."];
    1 + methods
        .map(|id| own.matches(id).count())
        .iter()
        .sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_methods_are_counted_and_those_of_traits_are_not() {
        let page = "<h1>Struct</h1><section id=\"method.new\"/><section id=\"method.logic\"/>\
                    <h2 id=\"trait-implementations\"/><section id=\"method.clone\"/>";
        assert_eq!(in_page(page), 3);
        assert_eq!(in_page("<meta http-equiv=\"refresh\" content=\"0\">"), 0);
        assert!(is_item(Path::new("struct.App.html")));
        assert!(!is_item(Path::new("index.html")));
    }
}
