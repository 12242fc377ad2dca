//! What the project says of itself: its packages and its fixtures.

use angzarr_replay::harness::discover;
use angzarr_replay::project::Project;
use serde_json::Value;

use super::shell::{Shell, output_of};

/// Every package of the workspace states the same `rust-version`, and no dependency asks for a newer one.
pub(super) fn rust_version(shell: &Shell) -> Result<(), String> {
    let mut metadata = shell.cargo(&["metadata", "--format-version", "1", "--locked"]);
    let text = output_of(&mut metadata)
        .ok_or("`cargo metadata --locked` failed: is Cargo.lock as the manifests want it?")?;
    let metadata: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let empty = Vec::new();
    let packages = metadata["packages"].as_array().unwrap_or(&empty);
    let members = metadata["workspace_members"].as_array().unwrap_or(&empty);
    let (own, others): (Vec<_>, Vec<_>) = packages
        .iter()
        .partition(|package| members.contains(&package["id"]));
    let stated: Vec<_> = own
        .iter()
        .map(|package| package["rust_version"].as_str())
        .collect();
    let Some(Some(floor)) = stated.first().copied() else {
        return Err("no rust-version is stated in Cargo.toml".into());
    };
    if stated.iter().any(|version| *version != Some(floor)) {
        return Err("the packages of the workspace state different rust-versions".into());
    }
    let newer: Vec<String> = others
        .iter()
        .filter_map(|package| {
            let asked = package["rust_version"].as_str()?;
            (parts(asked) > parts(floor)).then(|| {
                let text = |key: &str| package[key].as_str().unwrap_or_default().to_owned();
                format!("{} {} asks for {asked}", text("name"), text("version"))
            })
        })
        .collect();
    if newer.is_empty() {
        println!("   rust-version {floor}; {} dependencies", others.len());
        return Ok(());
    }
    Err(format!("rust-version is {floor}, but {}", newer.join(", ")))
}

fn parts(version: &str) -> Vec<u32> {
    let mut parts: Vec<u32> = version
        .split('.')
        .map(|part| part.parse().unwrap_or(0))
        .collect();
    parts.resize(3, 0);
    parts
}

/// Every fixture can be read. A case that is left out is named with the reason: nobody shall take it for a success.
pub(super) fn fixtures(shell: &Shell) -> Result<(), String> {
    let project = Project::open(poker::app(), &shell.at(".")).map_err(|error| error.to_string())?;
    let entries = discover(&project).map_err(|error| error.to_string())?;
    let mut unreadable = Vec::new();
    for entry in &entries {
        if entry.twin.is_none()
            && let Err(error) = project.folder().read(&entry.path)
        {
            unreadable.push(error.report());
        }
        if let Some(reason) = entry.left_out(&project) {
            println!("   not checked: {}: {reason}", entry.name);
        }
    }
    if unreadable.is_empty() {
        println!("   {} trials", entries.len());
        Ok(())
    } else {
        Err(unreadable.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::parts;

    #[test]
    fn versions_are_compared_by_number() {
        assert!(parts("1.100") > parts("1.89"));
        assert_eq!(parts("1.89"), parts("1.89.0"));
    }
}
