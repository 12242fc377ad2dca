//! The Markdown files of the repository, and what stands in them.

use std::path::{Path, PathBuf};

use walkdir::WalkDir;

/// A file.
pub(crate) struct Page {
    /// Path from the root of the repository.
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

/// A fenced block.
pub(crate) struct Block {
    /// File and line, for messages.
    pub(crate) place: String,
    /// What stands behind the fence: the language, and here what the block is.
    pub(crate) info: String,
    pub(crate) text: String,
}

/// Every Markdown file that belongs to the project.
pub(crate) fn pages() -> Vec<Page> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let is_ours = |name: &str| !matches!(name, "target" | ".git" | ".venv" | "node_modules");
    let mut pages: Vec<Page> = WalkDir::new(root)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| is_ours(&entry.file_name().to_string_lossy()))
        .map(Result::unwrap)
        .filter(|entry| {
            entry
                .path()
                .extension()
                .is_some_and(|ending| ending == "md")
        })
        .map(|entry| Page {
            name: entry
                .path()
                .strip_prefix(root)
                .unwrap()
                .display()
                .to_string(),
            path: entry.path().to_owned(),
            text: std::fs::read_to_string(entry.path()).unwrap(),
        })
        .collect();
    pages.retain(|page| !page.text.is_empty());
    assert!(pages.iter().any(|page| page.name == "README.md"));
    pages
}

/// Every fenced block of every page.
pub(crate) fn blocks() -> Vec<Block> {
    pages().iter().flat_map(Page::blocks).collect()
}

impl Page {
    fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut open: Option<Block> = None;
        for (number, line) in (1..).zip(self.text.lines()) {
            match (line.trim_start().strip_prefix("```"), open.take()) {
                (Some(_), Some(block)) => blocks.push(block),
                (Some(info), None) => {
                    open = Some(Block {
                        place: format!("{}:{number}", self.name),
                        info: info.trim().to_owned(),
                        text: String::new(),
                    });
                }
                (None, Some(mut block)) => {
                    block.text += line;
                    block.text.push('\n');
                    open = Some(block);
                }
                (None, None) => {}
            }
        }
        assert!(open.is_none(), "{}: a block without an end", self.name);
        blocks
    }

    /// The text with blank lines for blocks, by line from 1.
    pub(crate) fn prose(&self) -> Vec<(usize, &str)> {
        let mut is_code = false;
        let mut lines = Vec::new();
        for (number, line) in (1..).zip(self.text.lines()) {
            if line.trim_start().starts_with("```") {
                is_code = !is_code;
            } else if !is_code {
                lines.push((number, line));
            }
        }
        lines
    }
}

/// What stands between single backquotes.
pub(crate) fn inline_code(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}
