//! Links within the repository lead to files and headings that are there.

use std::path::Path;

use super::markdown::{Page, pages};

/// Pages that are being written elsewhere. Take one off when it is there.
const TO_COME: [&str; 3] = ["docs/debugging.md", "docs/cli.md", "benches/README.md"];

/// Targets of inline links and images, `[text](target)`, by line.
fn links(page: &Page) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in page.prose() {
        for rest in line.split("](").skip(1) {
            let target = rest.split(')').next().unwrap_or_default();
            found.push((number, target.to_owned()));
        }
    }
    found
}

/// Anchors that GitHub gives to headings.
fn anchors(text: &str) -> Vec<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let slug = |heading: &str| -> String {
        let kept = heading.trim_start_matches('#').trim().to_lowercase();
        kept.chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
            .map(|c| if c == ' ' { '-' } else { c })
            .collect()
    };
    headings.map(slug).collect()
}

fn check(page: &Page, target: &str) -> Result<(), String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return Ok(());
    }
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    let path = match file {
        "" => page.path.clone(),
        file => page.path.parent().unwrap_or(Path::new("")).join(file),
    };
    if !path.exists() && TO_COME.iter().any(|page| same_file_name(&path, page)) {
        return Ok(());
    }
    if !path.exists() {
        return Err("there is no such file".into());
    }
    if anchor.is_empty() {
        return Ok(());
    }
    let text = std::fs::read_to_string(&path).map_err(|error| error.to_string())?;
    if anchors(&text).iter().any(|known| known == anchor) {
        Ok(())
    } else {
        Err("the file has no such heading".into())
    }
}

/// Told by folder and name: a relative link may go up first.
fn same_file_name(path: &Path, page: &str) -> bool {
    let page = Path::new(page);
    path.file_name() == page.file_name()
        && path.parent().and_then(Path::file_name) == page.parent().and_then(Path::file_name)
}

#[test]
fn pages_to_come_are_not_there_yet() {
    for page in TO_COME {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
        assert!(!path.exists(), "{page} is there: take it off the list");
    }
}

#[test]
fn every_link_leads_somewhere() {
    let mut broken = Vec::new();
    let mut count = 0;
    for page in pages() {
        for (number, target) in links(&page) {
            count += 1;
            if let Err(why) = check(&page, &target) {
                broken.push(format!("{}:{number}: {target}: {why}", page.name));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    assert!(count > 20, "{count}");
}
