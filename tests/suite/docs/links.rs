//! Links within the repository lead to files and headings that are there.

use std::path::Path;

use angzarr_replay::internal::documentation;

use super::markdown::{Page, pages};

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

#[test]
fn every_page_that_messages_name_is_there() {
    let pages = pages();
    let root = pages.iter().find(|page| page.name == "README.md").unwrap();
    for page in documentation::Page::ALL {
        assert_eq!(check(root, page.path()), Ok(()), "{}", page.path());
        assert!(page.to_string().contains(page.path()), "{page}");
    }
}

/// The pages of a released version are those of its tag, and until then those of `main`.
#[test]
fn links_of_messages_lead_to_the_pages_of_this_version() {
    let version = env!("CARGO_PKG_VERSION");
    let changelog = include_str!("../../../CHANGELOG.md");
    let is_released = changelog.contains(&format!("\n## [{version}]"));
    let wanted = if is_released {
        format!("v{version}")
    } else {
        "main".to_owned()
    };
    assert_eq!(documentation::REVISION, wanted);
}

/// A message that names a page by its path says nothing to a user without a clone.
#[test]
fn no_message_names_a_page_by_its_path() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut seen = 0;
    for folder in ["src", "crates"] {
        for entry in walkdir::WalkDir::new(root.join(folder)) {
            let path = entry.unwrap().into_path();
            let is_text = path
                .extension()
                .is_some_and(|it| ["rs", "toml", "yml"].iter().any(|known| it == *known));
            if !is_text || path.ends_with("src/documentation/mod.rs") {
                continue;
            }
            seen += 1;
            let text = std::fs::read_to_string(&path).unwrap();
            for (number, line) in (1..).zip(text.lines()) {
                let is_comment = line.trim_start().starts_with("//");
                assert!(
                    is_comment || !line.contains("docs/") || !line.contains(".md"),
                    "{}:{number}: name the page with `documentation::Page`",
                    path.display()
                );
            }
        }
    }
    assert!(seen > 300, "{seen}");
}
