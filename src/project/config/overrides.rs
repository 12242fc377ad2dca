//! What overrides `replay.toml`: a second file, and variables of the environment.

/// Prefix of overriding environment variables: `ANGZARR_REPLAY__LOGIC__PLAYER__ADDRESS=127.0.0.1:50052`.
pub(in crate::project) const ENVIRONMENT_PREFIX: &str = "ANGZARR_REPLAY__";

/// A variable that cannot override anything.
#[derive(Debug, thiserror::Error)]
pub(super) enum OverrideError {
    #[error(
        "it names no key; {ENVIRONMENT_PREFIX}LOGIC__PLAYER__ADDRESS is `logic.player.address`"
    )]
    NoKey,
    #[error("`{key}` is not a table, so nothing below it can be set")]
    NotATable { key: String },
}

/// Overrides the values of one file by those of another. Tables are merged, everything else is replaced.
pub(super) fn merge(base: &mut toml::Table, overriding: toml::Table) {
    for (key, value) in overriding {
        match (base.get_mut(&key), value) {
            (Some(toml::Value::Table(base)), toml::Value::Table(overriding)) => {
                merge(base, overriding);
            }
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

/// Sets one value. The path is a variable's name without the prefix: `LOGIC__PLAYER_PYTHON__PORT` sets
/// `logic.player-python.port`, because names are matched without case, and `_` matches `-`.
pub(super) fn set(table: &mut toml::Table, path: &str, value: &str) -> Result<(), OverrideError> {
    let mut parts: Vec<&str> = path.split("__").collect();
    let last = parts.pop().unwrap_or_default();
    if last.is_empty() || parts.contains(&"") {
        return Err(OverrideError::NoKey);
    }
    let mut table = table;
    for part in parts {
        let key = matching_key(table, part);
        let entry = table
            .entry(key.clone())
            .or_insert_with(|| toml::Value::Table(toml::Table::new()));
        match entry {
            toml::Value::Table(inner) => table = inner,
            _ => return Err(OverrideError::NotATable { key }),
        }
    }
    let key = matching_key(table, last);
    let parsed = toml::from_str::<toml::Table>(&format!("value = {value}"))
        .ok()
        .and_then(|mut parsed| parsed.remove("value"))
        .unwrap_or_else(|| toml::Value::String(value.to_owned()));
    table.insert(key, parsed);
    Ok(())
}

/// The key of a table that a part of a variable's name matches, or else the part in lower case.
fn matching_key(table: &toml::Table, part: &str) -> String {
    let part = part.to_lowercase();
    let known = table
        .keys()
        .find(|key| key.to_lowercase().replace('-', "_") == part)
        .cloned();
    known.unwrap_or(part)
}
