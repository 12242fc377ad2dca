//! Detects the language of a project from its files, and writes the initial configuration.

use std::fmt::Write as _;

use super::{ExistingFiles, FoundSource};
use crate::documentation::Page;

/// The probable language of a project's logic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Language {
    Rust,
    Python,
    Go,
    Java,
    CSharp,
    JavaScript,
    /// Not detected.
    #[default]
    Unknown,
}

/// Files that identify a language. The first that exists decides.
const MARKS: [(&str, Language); 13] = [
    ("Cargo.toml", Language::Rust),
    ("pyproject.toml", Language::Python),
    ("requirements.txt", Language::Python),
    ("setup.py", Language::Python),
    ("setup.cfg", Language::Python),
    ("Pipfile", Language::Python),
    ("go.mod", Language::Go),
    ("go.work", Language::Go),
    ("pom.xml", Language::Java),
    ("build.gradle", Language::Java),
    ("build.gradle.kts", Language::Java),
    ("global.json", Language::CSharp),
    ("package.json", Language::JavaScript),
];

impl Language {
    pub(super) fn of(existing: &ExistingFiles<'_>) -> Self {
        if let Some((_, language)) = MARKS.iter().find(|(file, _)| existing.has(file)) {
            return *language;
        }
        let entries = std::fs::read_dir(existing.folder).into_iter().flatten();
        let mut names = entries.flatten().map(|entry| entry.file_name());
        let is_project = |name: std::ffi::OsString| {
            let name = name.to_string_lossy().into_owned();
            [".sln", ".slnx", ".csproj"]
                .iter()
                .any(|end| name.ends_with(end))
        };
        if names.any(is_project) {
            Self::CSharp
        } else {
            Self::Unknown
        }
    }

    /// Name for messages.
    pub(crate) const fn name(self) -> Option<&'static str> {
        match self {
            Self::Rust => Some("Rust"),
            Self::Python => Some("Python"),
            Self::Go => Some("Go"),
            Self::Java => Some("Java"),
            Self::CSharp => Some("C#"),
            Self::JavaScript => Some("JavaScript"),
            Self::Unknown => None,
        }
    }

    /// The lines of `[logic.NAME]` that start logic in this language.
    const fn start(self) -> &'static str {
        match self {
            Self::Python => {
                "command = [\".venv/bin/python\", \"player.py\"]\nrequires = \".venv/bin/python\""
            }
            Self::Go => {
                "command = [\"bin/player\"]\nbuild = [\"go\", \"build\", \"-o\", \"bin/player\", \"./cmd/player\"]"
            }
            Self::Java => {
                "command = [\"java\", \"-jar\", \"build/libs/player.jar\"]\nbuild = [\"./gradlew\", \"--quiet\", \"jar\"]"
            }
            Self::CSharp => {
                "command = [\"dotnet\", \"bin/Debug/net8.0/Player.dll\"]\nbuild = [\"dotnet\", \"build\", \"--nologo\"]"
            }
            Self::JavaScript => {
                "command = [\"node\", \"dist/player.js\"]\nbuild = [\"npm\", \"run\", \"build\"]"
            }
            Self::Rust => {
                "command = [\"target/debug/player\"]\nbuild = [\"cargo\", \"build\", \"--quiet\", \"--bin\", \"player\"]"
            }
            Self::Unknown => "command = [\"./player\"]",
        }
    }
}

/// Usual folders for message definitions.
const PROTO_FOLDERS: [&str; 5] = ["proto", "protos", "api", "schema", "src/main/proto"];

/// The text of `replay.toml`: known settings, and all others as comments.
pub(super) fn configuration(
    existing: &ExistingFiles<'_>,
    language: Language,
    source: Option<&FoundSource>,
) -> String {
    let mut text = format!(
        "# Configuration of angzarr-replay. Every key is explained in {}.\n\n",
        Page::Configuration
    );
    text.push_str("# Where messages are described: folders of .proto files, or descriptor sets (`buf build -o events.binpb`).\n");
    let protos: Vec<&str> = PROTO_FOLDERS
        .into_iter()
        .filter(|folder| holds_protos(existing, folder))
        .collect();
    if protos.is_empty() {
        text.push_str("# descriptors = [\"proto\"]\n");
    } else {
        let _ = writeln!(text, "descriptors = {protos:?}");
    }
    text.push_str(&source_section(source));
    text.push_str(&logic_section(language, source));
    text.push_str(include_str!("templates/rest.toml"));
    text
}

/// Whether a folder contains a `.proto` file, at most a few levels down.
fn holds_protos(existing: &ExistingFiles<'_>, folder: &str) -> bool {
    let walk = walkdir::WalkDir::new(existing.folder.join(folder)).max_depth(6);
    walk.into_iter().flatten().any(|entry| {
        entry
            .path()
            .extension()
            .is_some_and(|ending| ending == "proto")
    })
}

/// What else a source may be.
const SOURCE_MORE: &str = include_str!("templates/source_more.toml");

fn source_section(source: Option<&FoundSource>) -> String {
    let mut text = String::from(
        "\n# Where production is. It is only ever read. `connect` opens a way in, such as `kubectl port-forward`.\n",
    );
    let Some(source) = source else {
        text.push_str(include_str!("templates/source.toml"));
        text.push_str(SOURCE_MORE);
        return text;
    };
    let _ = writeln!(text, "[sources.production]\naddress = {:?}", source.address);
    let _ = writeln!(text, "domains = {:?}", source.domains);
    match source.dialects.as_slice() {
        [] => {}
        [dialect] => {
            let _ = writeln!(text, "dialect = {dialect:?}");
        }
        several => {
            text.push_str(
                "# Its package is spoken by several versions; say which one production runs:\n",
            );
            for dialect in several {
                let _ = writeln!(text, "# dialect = {dialect:?}");
            }
        }
    }
    text.push_str(
        "# logs = [\"logs/gateway.log\"]                  # where failed commands are logged\n",
    );
    text.push_str(SOURCE_MORE);
    text
}

fn logic_section(language: Language, source: Option<&FoundSource>) -> String {
    let mut text = String::from(
        "\n# Where your logic is, one table for each domain: it is started when a case needs it, with a free port in PORT.\n",
    );
    let domains = source.map_or(&[][..], |source| &source.domains);
    let example = ["player".to_owned()];
    let domains = if domains.is_empty() {
        &example[..]
    } else {
        domains
    };
    for domain in domains {
        let _ = writeln!(text, "# [logic.{domain}]");
        for line in language.start().lines() {
            let _ = writeln!(text, "# {}", line.replace("player", domain));
        }
    }
    text.push_str("# Or logic that serves already:  address = \"127.0.0.1:50051\"\n");
    if language == Language::Rust {
        text.push_str("# Or Rust logic in the same process: `replay/src/lib.rs` registers it, and nothing stands here.\n");
    }
    text
}
