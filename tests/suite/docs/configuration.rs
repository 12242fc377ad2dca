//! `docs/configuration.md` has every key that is accepted and no other; complete examples are accepted.

use std::collections::BTreeSet;

use angzarr_replay::internal::project::{Config, ConfigError};

use super::markdown::{Block, blocks, inline_code, pages};

/// Section of the page, and a configuration with the table that it is about, up to where a key would stand.
const TABLES: [(&str, &str); 13] = [
    ("## Top level", ""),
    ("## `[sources.NAME]`", "[sources.a]\n"),
    (
        "## `[sources.NAME.tls]`",
        "[sources.a]\naddress = '{domain}:1'\n[sources.a.tls]\n",
    ),
    (
        "## Secrets",
        "[sources.a]\naddress = '{domain}:1'\n[sources.a.bearer]\n",
    ),
    ("## `[logic.NAME]`", "[logic.a]\n"),
    (
        "## `[logic.NAME.debug]`",
        "[logic.a.debug]\ncommand = []\nattach = ''\n",
    ),
    ("## `[coordinators.NAME]`", "[coordinators.a]\n"),
    (
        "## `[[rules]]`",
        "[[rules]]\ntype = ''\nfield = ''\nreason = ''\n",
    ),
    ("## `[redaction]`", "[redaction]\n"),
    (
        "## `[[redaction.rules]]`",
        "[[redaction.rules]]\ntype = ''\nfield = ''\naction = ''\nreason = ''\n",
    ),
    ("## `[audit]`", "[audit]\n"),
    (
        "## `[[audit.allow]]`",
        "[[audit.allow]]\ntext = ''\nreason = ''\n",
    ),
    ("## `[[skip]]`", "[[skip]]\nfixtures = ''\nreason = ''\n"),
];

fn load(text: &str) -> Result<Config, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("replay.toml"), text).unwrap();
    Config::load(folder.path(), [])
}

/// Keys of a table: the refusal of another one lists them.
fn accepted(table: &str) -> BTreeSet<String> {
    let refusal = load(&format!("{table}no_such_key = 1\n"))
        .unwrap_err()
        .to_string();
    let (_, listed) = refusal
        .split_once("unknown field `no_such_key`, expected")
        .unwrap_or_else(|| panic!("{refusal}"));
    inline_code(listed).map(str::to_owned).collect()
}

/// Keys in the first column of a section's table.
fn documented(section: &str) -> BTreeSet<String> {
    let pages = pages();
    let page = pages
        .iter()
        .find(|page| page.name == "docs/configuration.md")
        .unwrap();
    page.text
        .lines()
        .skip_while(|line| *line != section)
        .skip(1)
        .take_while(|line| !line.starts_with("## "))
        .filter_map(|line| line.strip_prefix("| `"))
        .map(|row| row.split('`').next().unwrap().to_owned())
        .collect()
}

#[test]
fn every_key_is_documented_and_no_other() {
    for (section, table) in TABLES {
        assert_eq!(accepted(table), documented(section), "{section}");
    }
}

#[test]
fn complete_configurations_are_accepted_and_other_toml_is_toml() {
    let mut complete = 0;
    for Block { place, info, text } in blocks() {
        if info == "toml complete" {
            load(&text).unwrap_or_else(|error| panic!("{place}: {error}"));
            complete += 1;
        } else if info.starts_with("toml") {
            let table: Result<toml::Table, _> = toml::from_str(&text);
            table.unwrap_or_else(|error| panic!("{place}: {error}"));
        }
    }
    assert!(complete >= 5, "{complete}");
}

#[test]
fn every_dialect_is_documented() {
    let pages = pages();
    let page = pages
        .iter()
        .find(|page| page.name == "docs/configuration.md")
        .unwrap();
    for dialect in angzarr_replay::internal::wire::Dialect::all() {
        assert!(page.text.contains(&format!("| `{dialect}` |")), "{dialect}");
    }
}
