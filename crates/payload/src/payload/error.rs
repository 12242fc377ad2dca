//! What can go wrong with descriptors and views, worded once.

use std::fmt::{self, Write as _};
use std::io;
use std::path::PathBuf;

/// Descriptors that cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DescriptorError {
    /// Nothing is there.
    #[error(
        "`{}` does not exist: descriptors come from a folder of .proto files, a .proto file or a descriptor set",
        path.display()
    )]
    Missing {
        /// The path asked for.
        path: PathBuf,
    },
    /// It is there and cannot be read.
    #[error("`{}` cannot be read", path.display())]
    Unreadable {
        /// The path asked for.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A folder without protos.
    #[error("there is no .proto file below `{}`: give the folder that imports are relative to", path.display())]
    NoProtos {
        /// The folder.
        path: PathBuf,
    },
    /// A file that is no descriptor set.
    #[error(
        "{origin} is not a descriptor set ({reason}): make one with `protoc --include_imports --descriptor_set_out=FILE`"
    )]
    NotADescriptorSet {
        /// The file, or what else the bytes were.
        origin: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A `.proto` file that does not compile.
    #[error("{}{}: {message}", file.display(), at(*position))]
    Proto {
        /// The file.
        file: PathBuf,
        /// Line and column, from 1.
        position: Option<(usize, usize)>,
        /// What the compiler says.
        message: String,
    },
    /// Nothing but files that cannot be read.
    #[error("{}", listed(left_out))]
    Unread {
        /// The files.
        left_out: Vec<LeftOut>,
    },
    /// What a source says contradicts itself.
    #[error("{origin} cannot be used: what it says of types contradicts itself")]
    Contradiction {
        /// The source.
        origin: String,
    },
    /// Two sources disagree about a type.
    #[error("`{name}` is defined differently in {first} and in {second}: leave one of the two out")]
    Conflict {
        /// Full name of the type.
        name: String,
        /// The source that came first.
        first: String,
        /// The other one.
        second: String,
    },
}

/// Why a file is not read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unread {
    /// It is of an edition of protobuf.
    Edition(String),
    /// It is of a syntax that is none.
    Syntax(String),
    /// It imports such a file.
    Imports {
        /// Name of the file that it imports, and that all others import it for.
        import: String,
        /// Why that one is not read.
        unread: Box<Unread>,
    },
}

impl Unread {
    /// Why a file is not read that imports this one.
    pub(super) fn of_importer(&self, name: &str) -> Self {
        match self {
            Self::Imports { .. } => self.clone(),
            own => Self::Imports {
                import: name.to_owned(),
                unread: Box::new(own.clone()),
            },
        }
    }
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Edition(edition) => {
                write!(f, "is of protobuf edition {}", printable(edition))
            }
            Self::Syntax(syntax) => {
                write!(f, "is of the unknown syntax `{}`", printable(syntax))
            }
            Self::Imports { import, unread } => {
                write!(f, "imports `{}`, which {unread}", printable(import))
            }
        }
    }
}

/// A file whose types are not described here.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeftOut {
    /// The file, and where it is.
    pub file: String,
    /// Why.
    pub unread: Unread,
    /// Full names of its messages, as far as they are known.
    pub types: Vec<String>,
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", listed(std::slice::from_ref(self)))
    }
}

/// Files that are not read, and what to do.
fn listed(left_out: &[LeftOut]) -> String {
    const MOST: usize = 5;
    let mut list = String::new();
    for file in left_out.iter().take(MOST) {
        let _ = write!(list, "{} {}, ", file.file, file.unread);
    }
    if let Some(more @ 1..) = left_out.len().checked_sub(MOST) {
        let _ = write!(list, "{more} more files are like these, ");
    }
    list.push_str(
        "and only proto2 and proto3 can be read: describe the types in a file with `syntax = \"proto3\"`, with the \
         same names and numbers, which are the same bytes",
    );
    list
}

/// A text of others on one line, without what a terminal would take for orders.
pub(super) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_control() {
            shown.extend(letter.escape_default());
        } else {
            shown.push(letter);
        }
    }
    shown
}

fn at(position: Option<(usize, usize)>) -> String {
    position.map_or_else(String::new, |(line, column)| format!(":{line}:{column}"))
}

/// A type without a descriptor, or a name that fits several.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", sentence(name, similar, left_out))]
#[non_exhaustive]
pub struct UnknownType {
    /// The type asked for.
    pub name: String,
    /// Types of a similar name, best first; or all those that end in the name, where several do.
    pub similar: Vec<String>,
    /// Files that are not read and may describe it: only the one that does, where that is known.
    pub left_out: Vec<LeftOut>,
}

fn sentence(name: &str, similar: &[String], left_out: &[LeftOut]) -> String {
    let fits = similar.iter().filter(|full| ends_in(full, name)).count();
    if fits > 1 {
        return format!(
            "`{name}` is the name of {fits} types, give one in full: {}",
            quoted(similar)
        );
    }
    format!(
        "there is no descriptor of `{name}`{}",
        hints(similar, left_out)
    )
}

fn hints(similar: &[String], left_out: &[LeftOut]) -> String {
    let similar = match similar {
        [] => String::new(),
        similar => format!("; did you mean {}?", quoted(similar)),
    };
    similar + &and_left_out(left_out)
}

impl UnknownType {
    /// The same, where there is a way without a descriptor.
    pub(super) fn or(&self, way: &str) -> String {
        format!(
            "there is no descriptor of `{}`: {way}{}",
            self.name,
            hints(&self.similar, &self.left_out)
        )
    }
}

/// The files that may describe a type, after the sentence that it is missing; or nothing.
pub(super) fn and_left_out(left_out: &[LeftOut]) -> String {
    match left_out {
        [] => String::new(),
        left_out => format!("; {}", listed(left_out)),
    }
}

fn quoted(names: &[String]) -> String {
    names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// Whether a full name is this name, or ends in it at a dot.
pub(super) fn ends_in(full: &str, name: &str) -> bool {
    full.strip_suffix(name)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// A view that is no message of its type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ViewError {
    /// Where in the view: keys and indices as text, outermost first.
    pub path: Vec<String>,
    /// What is wrong.
    pub message: String,
}

impl ViewError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self {
            path: Vec::new(),
            message: message.into(),
        }
    }

    /// The same error, one level further out.
    #[must_use]
    pub(super) fn below(mut self, step: &str) -> Self {
        self.path.insert(0, step.to_owned());
        self
    }
}
