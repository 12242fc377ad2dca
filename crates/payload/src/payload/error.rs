//! Errors of descriptors and views.

use std::fmt::{self, Write as _};
use std::io;
use std::path::PathBuf;

use super::parse::ScalarError;
use super::text::TextError;

/// Why descriptors cannot be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DescriptorError {
    /// The path does not exist.
    #[error(
        "`{}` does not exist: descriptors come from a folder of .proto files, a .proto file or a descriptor set",
        path.display()
    )]
    Missing {
        /// The path.
        path: PathBuf,
    },
    /// The path cannot be read.
    #[error("`{}` cannot be read", path.display())]
    Unreadable {
        /// The path.
        path: PathBuf,
        /// The I/O error.
        source: io::Error,
    },
    /// The folder contains no `.proto` files.
    #[error("there is no .proto file below `{}`: give the folder that imports are relative to", path.display())]
    NoProtos {
        /// The folder.
        path: PathBuf,
    },
    /// The file is not a descriptor set.
    #[error(
        "{origin} is not a descriptor set ({reason}): make one with `protoc --include_imports --descriptor_set_out=FILE`"
    )]
    NotADescriptorSet {
        /// The file, or a description of where the bytes come from.
        origin: String,
        /// Why it is not one.
        reason: String,
    },
    /// A `.proto` file does not compile.
    #[error("{}{}: {message}", file.display(), at(*position))]
    Proto {
        /// The file.
        file: PathBuf,
        /// Line and column, from 1.
        position: Option<(usize, usize)>,
        /// The compiler's message.
        message: String,
    },
    /// Every file was left out.
    #[error("{}", listed(left_out))]
    Unread {
        /// The files.
        left_out: Vec<LeftOut>,
    },
    /// A source contains contradictory definitions.
    #[error("{origin} cannot be used: its type definitions contradict each other")]
    Contradiction {
        /// The source.
        origin: String,
    },
    /// Two sources define a type differently.
    #[error("`{name}` is defined differently in {first} and in {second}: leave one of the two out")]
    Conflict {
        /// Full name of the type.
        name: String,
        /// The first source.
        first: String,
        /// The second source.
        second: String,
    },
}

/// Why a file is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unread {
    /// It uses an edition of protobuf, which is not supported.
    Edition(String),
    /// It uses an unknown syntax.
    Syntax(String),
    /// It imports a file that is left out.
    Imports {
        /// Name of the file at the end of the chain of imports.
        import: String,
        /// Why that file is left out.
        unread: Box<Unread>,
    },
}

impl Unread {
    /// Why a file that imports this one is left out.
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
                write!(f, "uses protobuf edition {}", printable(edition))
            }
            Self::Syntax(syntax) => {
                write!(f, "uses the unknown syntax `{}`", printable(syntax))
            }
            Self::Imports { import, unread } => {
                write!(f, "imports `{}`, which {unread}", printable(import))
            }
        }
    }
}

/// A file that is left out, so its types have no descriptors.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeftOut {
    /// The file and its location.
    pub file: String,
    /// Why it is left out.
    pub unread: Unread,
    /// Full names of its messages, as far as they are known.
    pub types: Vec<String>,
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", listed(std::slice::from_ref(self)))
    }
}

/// Lists files that are left out, and what to do about it.
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

/// Foreign text on one line, with control characters escaped for the terminal.
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

/// A type without a descriptor, or a name that several types share.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", sentence(name, similar, left_out))]
#[non_exhaustive]
pub struct UnknownType {
    /// The requested type.
    pub name: String,
    /// Types with similar names, best first; or, if the name is ambiguous, all the types it could mean.
    pub similar: Vec<String>,
    /// Files that were left out and may define the type. If it is known which one does, only that one.
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
    /// The error message for a case where the user can do without a descriptor; `way` says how.
    pub(super) fn or(&self, way: &str) -> String {
        format!(
            "there is no descriptor of `{}`: {way}{}",
            self.name,
            hints(&self.similar, &self.left_out)
        )
    }
}

/// A hint to append: the files that were left out and may define the type. May be empty.
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

/// Whether a full name equals this name, or ends in it after a dot.
pub(super) fn ends_in(full: &str, name: &str) -> bool {
    full.strip_suffix(name)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// A view that does not match its type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ViewError {
    /// Location in the view: keys and indices, outermost first.
    pub path: Vec<String>,
    /// What is wrong.
    pub message: String,
}

impl From<ScalarError> for ViewError {
    fn from(error: ScalarError) -> Self {
        Self::new(error.to_string())
    }
}

impl From<TextError> for ViewError {
    fn from(error: TextError) -> Self {
        Self::new(error.to_string())
    }
}

impl ViewError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self {
            path: Vec::new(),
            message: message.into(),
        }
    }

    /// The same error, with one more outer step in its path.
    #[must_use]
    pub(super) fn below(mut self, step: &str) -> Self {
        self.path.insert(0, step.to_owned());
        self
    }
}
