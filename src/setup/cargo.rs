//! Plans for a Rust workspace: a package `replay` with the two mains as a member, and the cargo alias.

use std::fmt::Write as _;

use toml_edit::{Array, DocumentMut, Item, Table, value};

use super::{ExistingFiles, Plan, SetupError};

const CARGO_CONFIG: &str = ".cargo/config.toml";
const ROOT: &str = "Cargo.toml";

pub(super) fn plan(
    plan: &mut Plan,
    existing: &ExistingFiles<'_>,
    domain: &str,
) -> Result<(), SetupError> {
    let manifest = parsed(ROOT, &existing.read(ROOT)?.unwrap_or_default())?;
    let mut own = include_str!("templates/rust/Cargo.toml").to_owned();
    own.push_str(&libraries(&manifest, existing));
    own.push_str(include_str!("templates/rust/test.toml"));
    plan.create(existing, "replay/Cargo.toml", own);
    plan.create(
        existing,
        "replay/src/lib.rs",
        include_str!("templates/rust/lib.rs").replace("DOMAIN", domain),
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

/// Lines of `[dependencies]` for the libraries of the workspace, because the logic is probably in one of them. The only
/// package is a dependency, and members are suggested in comments.
fn libraries(manifest: &DocumentMut, existing: &ExistingFiles<'_>) -> String {
    let name = |manifest: &DocumentMut| {
        let name = manifest.get("package")?.get("name")?.as_str()?.to_owned();
        Some(name)
    };
    if existing.has("src/lib.rs")
        && let Some(name) = name(manifest)
    {
        return format!("{name} = {{ path = \"..\" }}\n");
    }
    let members = manifest.get("workspace").and_then(|it| it.get("members"));
    let members = members.and_then(Item::as_array).into_iter().flatten();
    let mut lines = String::new();
    for member in members.filter_map(toml_edit::Value::as_str) {
        let member = member.trim_start_matches("./").trim_end_matches('/');
        let file = format!("{member}/Cargo.toml");
        let text = existing.read(&file).ok().flatten();
        let manifest = text.and_then(|text| parsed(&file, &text).ok());
        let name = manifest.and_then(|manifest| name(&manifest));
        if let Some(name) = name.filter(|_| existing.has(&format!("{member}/src/lib.rs"))) {
            let _ = writeln!(lines, "# {name} = {{ path = \"../{member}\" }}");
        }
    }
    if !lines.is_empty() {
        lines.insert_str(0, "# Where your logic is, if it runs in process:\n");
    }
    lines
}

/// Makes the package a member of the existing workspace, or of a new one in the manifest of the only package.
fn add_member(plan: &mut Plan, existing: &ExistingFiles<'_>) -> Result<(), SetupError> {
    let file = ROOT;
    let before = existing.read(file)?.unwrap_or_default();
    let mut manifest = parsed(file, &before)?;
    let root = manifest.as_table_mut();
    let is_new = !root.contains_key("workspace");
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
    if is_new && existing.has("src/main.rs") {
        // As a default member it would make `cargo run` ambiguous.
        plan.notes.push(
            "`cargo test` still tests the root package alone; `cargo test --workspace` also replays the cases".to_owned(),
        );
    } else if is_new {
        workspace.insert("default-members", value(Array::from_iter([".", "replay"])));
    }
    optimise(manifest.as_table_mut());
    plan.edit(file, Some(before), manifest.to_string());
    Ok(())
}

/// Packages that read fixtures and descriptors, with the level that makes the difference. They compile in a few seconds.
const OPTIMISED: [(&str, i64); 3] = [
    ("angzarr-replay-yaml", 2),
    ("yaml_serde", 2),
    ("prost-reflect", 1),
];

/// Optimises the packages that take most of a run's time, unless the manifest already has a profile for all packages.
fn optimise(root: &mut Table) {
    let mut at = root;
    for key in ["profile", "dev", "package"] {
        let next = at.entry(key).or_insert_with(|| {
            let mut table = Table::new();
            table.set_implicit(true);
            Item::Table(table)
        });
        let Some(next) = next.as_table_mut() else {
            return;
        };
        at = next;
    }
    let packages = at;
    if packages.contains_key("*") {
        return;
    }
    let mut comment = Some("\n# `cargo test` replays twice as many cases a second with these.\n");
    for (package, level) in OPTIMISED {
        packages.entry(package).or_insert_with(|| {
            let mut profile = Table::new();
            profile.insert("opt-level", value(level));
            if let Some(comment) = comment.take() {
                profile.decor_mut().set_prefix(comment);
            }
            Item::Table(profile)
        });
    }
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
