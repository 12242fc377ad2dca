//! Dependencies point down (ARCHITECTURE.md): every path of every source file is looked at, in macros too.

use std::path::{Path, PathBuf};

use walkdir::WalkDir;

/// The modules of the library, and which others each may know. Tests within a module are left out.
const LAYERS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("wire", &["model"]),
    ("payload", &["model"]),
    ("coordinator", &["model", "wire"]),
    ("replay", &["model", "wire"]),
    ("fixture", &["model", "wire", "payload"]),
    ("capture", &["model", "wire", "payload", "fixture"]),
    ("snapshot", &["model", "payload", "fixture", "replay"]),
    (
        "project",
        &[
            "model",
            "wire",
            "payload",
            "coordinator",
            "replay",
            "fixture",
            "capture",
            "snapshot",
        ],
    ),
    (
        "harness",
        &["model", "fixture", "replay", "snapshot", "project"],
    ),
    (
        "cli",
        &[
            "model",
            "wire",
            "payload",
            "coordinator",
            "replay",
            "fixture",
            "capture",
            "snapshot",
            "project",
            "harness",
        ],
    ),
];

/// Crates that only some modules may use.
const CONFINED: &[(&str, &[&str])] = &[
    ("prost", &["wire"]),
    ("tonic", &["wire"]),
    ("tonic_health", &["wire"]),
    ("http", &["wire"]),
    ("http_body_util", &["wire"]),
    ("tower_service", &["wire"]),
    ("prost_reflect", &["payload"]),
    ("protox", &["payload"]),
    ("rusqlite", &["coordinator"]),
    ("insta", &["harness", "snapshot"]),
    ("libtest_mimic", &["harness"]),
    ("clap", &["cli"]),
];

/// A token, where it stands.
#[derive(Debug, Clone)]
struct Token {
    text: String,
    line: usize,
}

/// A source file without its tests.
struct Source {
    /// Path below the package.
    file: String,
    /// Modules that it lies in, outermost first.
    modules: Vec<String>,
    tokens: Vec<Token>,
}

impl Source {
    /// The module of the library that it belongs to; the file itself where it is none (`lib.rs`).
    fn layer(&self) -> &str {
        self.modules.first().map_or("", String::as_str)
    }

    fn at(&self, token: &Token) -> String {
        format!("{}:{}", self.file, token.line)
    }
}

fn sources() -> Vec<Source> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files: Vec<PathBuf> = WalkDir::new(package.join("src"))
        .sort_by_file_name()
        .into_iter()
        .map(|entry| entry.expect("the sources can be read").into_path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "rs"))
        .collect();
    assert!(files.len() > 50, "only {} files found", files.len());
    files
        .iter()
        .map(|path| {
            let below = path.strip_prefix(package).expect("the sources can be read");
            let text = std::fs::read_to_string(path).expect("the sources can be read");
            source(&below.to_string_lossy(), &text)
        })
        .collect()
}

fn source(file: &str, text: &str) -> Source {
    let tokens = without_tests(tokens_of(text));
    let modules = file
        .trim_start_matches("src/")
        .trim_end_matches(".rs")
        .split('/')
        .filter(|part| !["mod", "lib"].contains(part))
        .map(str::to_owned)
        .collect();
    Source {
        file: file.to_owned(),
        modules,
        tokens,
    }
}

/// Names, numbers and single marks; no comments, and of literals nothing.
fn tokens_of(text: &str) -> Vec<Token> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let (mut rest, mut line, mut tokens) = (text, 1, Vec::new());
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(end) = end_of_literal(rest) {
            end
        } else if is_word(first) {
            rest.find(|c| !is_word(c)).unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let (token, after) = rest.split_at(length);
        let is_literal = end_of_literal(rest).is_some();
        let is_comment = token.starts_with("//") || token.starts_with("/*");
        if !is_literal && !is_comment && !first.is_whitespace() {
            let text = token.to_owned();
            tokens.push(Token { text, line });
        }
        line += token.matches('\n').count();
        rest = after;
    }
    tokens
}

/// Where a string or character ends that the text begins with.
fn end_of_literal(text: &str) -> Option<usize> {
    let raw = text.trim_start_matches(['b', 'c']);
    if let Some(raw) = raw.strip_prefix('r') {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        if raw[hashes..].starts_with('"') {
            let end = format!("\"{}", "#".repeat(hashes));
            let begin = text.len() - raw.len() + hashes + 1;
            return Some(begin + text[begin..].find(&end)? + end.len());
        }
    }
    let quote = text.chars().next().filter(|c| ['"', '\''].contains(c))?;
    let mut inside = text.char_indices().skip(1);
    if quote == '\'' {
        // Otherwise it is a lifetime.
        let second = text[1..].chars().nth(1);
        if !text[1..].starts_with('\\') && second != Some('\'') {
            return None;
        }
    }
    while let Some((at, c)) = inside.next() {
        if c == '\\' {
            inside.next();
        } else if c == quote {
            return Some(at + 1);
        }
    }
    None
}

/// Leaves out each item that is for tests only: up to its closing brace or its semicolon.
fn without_tests(tokens: Vec<Token>) -> Vec<Token> {
    const TEST: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut kept = Vec::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        kept.push(token);
        let is_test = kept.len() >= TEST.len()
            && kept[kept.len() - TEST.len()..]
                .iter()
                .map(|token| &token.text)
                .eq(TEST);
        if !is_test {
            continue;
        }
        let mut depth = 0;
        for token in tokens.by_ref() {
            match token.text.as_str() {
                "{" => depth += 1,
                "}" => depth -= 1,
                ";" if depth == 0 => break,
                _ => continue,
            }
            if depth == 0 {
                break;
            }
        }
    }
    kept
}

/// Modules of the library that a file names: by `crate::x`, `crate::{x, y::z}` or `super::super::x`.
fn named_modules(source: &Source) -> Vec<(String, Token)> {
    let tokens = &source.tokens;
    let mut named = Vec::new();
    for (position, token) in tokens.iter().enumerate() {
        let is_path_start = position < 2 || tokens[position - 1].text != ":";
        let after = match token.text.as_str() {
            "crate" => position + 1,
            "super" if is_path_start => match after_supers(source, position) {
                Some(after) => after,
                None => continue,
            },
            _ => continue,
        };
        if !is_double_colon(tokens, after) {
            continue;
        }
        for first in first_segments(tokens, after + 2) {
            let name = first.text.trim_start_matches("r#").to_owned();
            if LAYERS.iter().any(|(layer, _)| *layer == name) {
                named.push((name, first.clone()));
            }
        }
    }
    named
}

fn is_double_colon(tokens: &[Token], at: usize) -> bool {
    let is_colon = |at: usize| tokens.get(at).is_some_and(|token| token.text == ":");
    is_colon(at) && is_colon(at + 1)
}

/// Where a chain of `super` ends that leads to the crate's root; none where it leads elsewhere. `super` in
/// `src/a/b.rs` is `a`, in `src/a/mod.rs` the root; modules within a file are not counted, there are none but tests.
fn after_supers(source: &Source, first: usize) -> Option<usize> {
    let (mut supers, mut at) = (1, first + 1);
    while is_double_colon(&source.tokens, at)
        && source
            .tokens
            .get(at + 2)
            .is_some_and(|token| token.text == "super")
    {
        supers += 1;
        at += 3;
    }
    (supers >= source.modules.len()).then_some(at)
}

/// First segments of what follows a `::`: a name, or each name of a list in braces.
fn first_segments(tokens: &[Token], at: usize) -> Vec<&Token> {
    let Some(first) = tokens.get(at) else {
        return Vec::new();
    };
    if first.text != "{" {
        return vec![first];
    }
    let (mut depth, mut is_first, mut found) = (0, true, Vec::new());
    for token in &tokens[at..] {
        match token.text.as_str() {
            "{" => depth += 1,
            "}" if depth == 1 => break,
            "}" => depth -= 1,
            "," if depth == 1 => is_first = true,
            _ if depth == 1 && is_first => {
                found.push(token);
                is_first = false;
            }
            _ => {}
        }
    }
    found
}

#[track_caller]
fn none(violations: &[String]) {
    assert!(violations.is_empty(), "\n{}\n", violations.join("\n"));
}

#[test]
fn dependencies_point_down() {
    let mut violations = Vec::new();
    for source in sources().iter().filter(|source| source.layer() != "") {
        let layer = source.layer();
        let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| *name == layer) else {
            violations.push(format!(
                "{}: `{layer}` is in no layer of this test",
                source.file
            ));
            continue;
        };
        for (named, token) in named_modules(source) {
            if named != layer && !allowed.contains(&named.as_str()) {
                violations.push(format!(
                    "{}: `{layer}` must not know `{named}`",
                    source.at(&token)
                ));
            }
        }
    }
    none(&violations);
}

#[test]
fn the_table_itself_has_no_way_up() {
    for (position, (layer, allowed)) in LAYERS.iter().enumerate() {
        for below in *allowed {
            let place = LAYERS.iter().position(|(name, _)| name == below);
            assert!(
                place.is_some_and(|place| place < position),
                "{layer} -> {below}"
            );
        }
    }
}

#[test]
fn crates_stay_in_the_layers_that_they_are_for() {
    let mut violations = Vec::new();
    for source in &sources() {
        for (position, token) in source.tokens.iter().enumerate() {
            let confined = CONFINED.iter().find(|(name, _)| *name == token.text);
            let Some((name, layers)) = confined else {
                continue;
            };
            let begins_a_path = is_double_colon(&source.tokens, position + 1)
                && (position < 2 || !is_double_colon(&source.tokens, position - 2));
            if begins_a_path && !layers.contains(&source.layer()) {
                violations.push(format!("{}: `{name}` is for {layers:?}", source.at(token)));
            }
        }
    }
    none(&violations);
}

#[test]
fn the_model_knows_no_format_and_no_number_of_the_wire() {
    let foreign = [
        "prost",
        "prost_types",
        "prost_reflect",
        "tonic",
        "serde",
        "serde_yaml",
        "serde_json",
        "Serialize",
        "Deserialize",
        "repr",
    ];
    let sources = sources();
    let model = sources.iter().filter(|source| source.layer() == "model");
    let violations: Vec<String> = model
        .flat_map(|source| source.tokens.iter().map(move |token| (source, token)))
        .filter(|(_, token)| foreign.contains(&token.text.as_str()))
        .map(|(source, token)| format!("{}: `{}` in the model", source.at(token), token.text))
        .collect();
    none(&violations);
}

#[test]
fn generated_types_stay_in_wire() {
    let sources = sources();
    let others = sources.iter().filter(|source| source.layer() != "wire");
    let mut violations = Vec::new();
    for source in others {
        for (position, token) in source.tokens.iter().enumerate() {
            let is_path = is_double_colon(&source.tokens, position + 1);
            let is_generated = token.text == "pb" || token.text == "messages";
            if is_path && is_generated || token.text == "OUT_DIR" {
                violations.push(format!(
                    "{}: `{}` outside of wire",
                    source.at(token),
                    token.text
                ));
            }
        }
    }
    none(&violations);
    let root = sources
        .iter()
        .find(|source| source.file == "src/wire/mod.rs");
    let root = root.expect("wire has a root");
    for (position, token) in root.tokens.iter().enumerate() {
        if token.text == "messages" && position > 1 && root.tokens[position - 1].text == "mod" {
            assert_ne!(root.tokens[position - 2].text, "pub", "{}", root.at(token));
        }
    }
}

#[test]
fn nothing_in_src_unwraps_or_is_unsafe() {
    let mut violations = Vec::new();
    for source in &sources() {
        for (position, token) in source.tokens.iter().enumerate() {
            let next = source
                .tokens
                .get(position + 1)
                .map_or("", |token| &token.text);
            let is_call = next == "(" && position > 0 && source.tokens[position - 1].text == ".";
            let is_macro = next == "!";
            let is_bad = match token.text.as_str() {
                "unwrap" | "unwrap_err" => is_call,
                "todo" | "unimplemented" | "dbg" => is_macro,
                "unsafe" => true,
                _ => false,
            };
            if is_bad {
                violations.push(format!("{}: `{}`", source.at(token), token.text));
            }
        }
    }
    none(&violations);
    let manifest = include_str!("../Cargo.toml");
    assert!(manifest.contains("unsafe_code = \"forbid\""));
}

#[test]
fn every_file_says_what_it_owns() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let silent: Vec<String> = sources()
        .into_iter()
        .map(|source| source.file)
        .filter(|file| {
            let text = std::fs::read_to_string(package.join(file)).unwrap();
            !text.starts_with("//! ")
        })
        .collect();
    none(&silent);
}

#[test]
fn the_scan_itself_sees_lists_chains_and_macros_and_no_tests() {
    let text = r#"
        use crate::{capture::Ticket, model, wire::{self, project}};
        use super::super::harness::discover;
        use super::cli;
        fn f() { println!("{}", crate::snapshot::x()); } // crate::payload::y
        #[cfg(test)]
        mod tests { use crate::replay::Target; fn g() { x.unwrap(); } }
        fn h<'a>(c: char) { "\"crate::fixture::z"; c == '"'; r"crate::cli::x"; }
        /* crate::cli::y */
    "#;
    let found = source("src/coordinator/part.rs", text);
    let named: Vec<String> = named_modules(&found)
        .into_iter()
        .map(|(name, token)| format!("{name}:{}", token.line))
        .collect();
    assert_eq!(
        named,
        ["capture:2", "model:2", "wire:2", "harness:3", "snapshot:5"]
    );
    assert!(found.tokens.iter().all(|token| token.text != "unwrap"));
}
