//! Plans for a Rust workspace: a package `replay` with the two mains as a member, and the cargo alias.

use toml_edit::{Array, DocumentMut, Item, Table, value};

use super::{ExistingFiles, Plan, SetupError};

const CARGO_CONFIG: &str = ".cargo/config.toml";

pub(super) fn plan(plan: &mut Plan, existing: &ExistingFiles<'_>) -> Result<(), SetupError> {
    plan.create(
        existing,
        "replay/Cargo.toml",
        include_str!("templates/rust/Cargo.toml"),
    );
    plan.create(
        existing,
        "replay/src/lib.rs",
        include_str!("templates/rust/lib.rs"),
    );
    plan.create(
        existing,
        "replay/src/main.rs",
        include_str!("templates/rust/main.rs"),
    );
    plan.create(
        existing,
        "replay/tests/replay.rs",
        include_str!("templates/rust/replay.rs"),
    );
    add_member(plan, existing)?;
    add_alias(plan, existing)
}

/// Makes the package a member of the existing workspace, or of a new one in the manifest of the only package.
fn add_member(plan: &mut Plan, existing: &ExistingFiles<'_>) -> Result<(), SetupError> {
    let file = "Cargo.toml";
    let before = existing.read(file)?.unwrap_or_default();
    let mut manifest = parsed(file, &before)?;
    let root = manifest.as_table_mut();
    let workspace = root
        .entry("workspace")
        .or_insert_with(|| Item::Table(Table::new()));
    let Some(workspace) = workspace.as_table_like_mut() else {
        return Err(manifest_error(file, "`workspace` is not a table"));
    };
    let members = workspace
        .entry("members")
        .or_insert_with(|| value(Array::new()));
    let Some(members) = members.as_array_mut() else {
        return Err(manifest_error(file, "`workspace.members` is not a list"));
    };
    let covers = |member: &str| {
        let member = member.trim_start_matches("./").trim_end_matches('/');
        member == "replay" || member == "*"
    };
    if !members
        .iter()
        .filter_map(toml_edit::Value::as_str)
        .any(covers)
    {
        push_member(members);
    }
    plan.edit(file, Some(before), manifest.to_string());
    Ok(())
}

/// Adds the member in the layout of the list: on its own line if the others are.
fn push_member(members: &mut Array) {
    let last = members.iter().last();
    let prefix = last.and_then(|last| last.decor().prefix()?.as_str().map(str::to_owned));
    let mut member = toml_edit::Value::from("replay");
    if let Some(prefix) = prefix.filter(|prefix| prefix.contains('\n')) {
        // Keeps a comment with the member that it belongs to.
        let line = prefix.rsplit_once('\n').map_or("", |(_, indent)| indent);
        *member.decor_mut() = toml_edit::Decor::new(format!("\n{line}"), "");
        members.push_formatted(member);
    } else {
        members.push(member);
    }
}

/// Adds the cargo alias, unless one of this name exists.
fn add_alias(plan: &mut Plan, existing: &ExistingFiles<'_>) -> Result<(), SetupError> {
    let before = existing.read(CARGO_CONFIG)?;
    let mut config = parsed(CARGO_CONFIG, before.as_deref().unwrap_or_default())?;
    let alias = config
        .as_table_mut()
        .entry("alias")
        .or_insert_with(|| Item::Table(Table::new()));
    let Some(alias) = alias.as_table_like_mut() else {
        return Err(manifest_error(CARGO_CONFIG, "`alias` is not a table"));
    };
    if alias.contains_key("replay") {
        plan.notes.push(format!(
            "{CARGO_CONFIG} has an alias `replay`, which stays as it is; the commands run as `cargo run --package replay --`"
        ));
        return Ok(());
    }
    alias.insert("replay", value("run --quiet --package replay --"));
    plan.edit(CARGO_CONFIG, before, config.to_string());
    Ok(())
}

fn parsed(file: &str, text: &str) -> Result<DocumentMut, SetupError> {
    text.parse().map_err(|error: toml_edit::TomlError| {
        let line = error
            .span()
            .map_or(1, |span| text[..span.start].lines().count().max(1));
        manifest_error(file, &format!("line {line}: {}", error.message()))
    })
}

fn manifest_error(file: &str, reason: &str) -> SetupError {
    SetupError::Manifest {
        file: file.to_owned(),
        reason: reason.to_owned(),
    }
}
