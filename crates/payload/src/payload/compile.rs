//! Loads descriptors: from `.proto` folders and files, which are compiled in process, and from descriptor sets.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use prost_reflect::DescriptorPool;
use protox::Compiler;
use protox::file::{
    ChainFileResolver, File, FileResolver, GoogleFileResolver, IncludeFileResolver,
};

use super::error::{DescriptorError, LeftOut, Unread, printable};
use super::guard::{Broken, caught};
use super::merge::Merge;
use super::source::{self, Source};
use super::{subset, vet};
use crate::files;

/// The descriptors from one or more sources, and the files that could not be used.
#[derive(Default)]
pub(super) struct Sources {
    pub(super) pool: DescriptorPool,
    pub(super) left_out: Vec<LeftOut>,
}

impl Sources {
    /// Returns an error if every file was left out.
    fn not_all_left_out(self) -> Result<Self, DescriptorError> {
        if self.pool.files().len() == 0 && !self.left_out.is_empty() {
            return Err(DescriptorError::Unread {
                left_out: self.left_out,
            });
        }
        Ok(self)
    }
}

/// Loads everything at these paths into one pool.
pub(super) fn sources_of_paths(paths: &[PathBuf]) -> Result<Sources, DescriptorError> {
    let folders = folders_among(paths);
    let mut pools = Vec::with_capacity(paths.len());
    let mut all = Sources::default();
    for path in paths {
        let mut sources = sources_of_path(path, &folders)?;
        all.left_out.append(&mut sources.left_out);
        pools.push((format!("`{}`", path.display()), sources.pool));
    }
    if let [(_, pool)] = pools.as_slice() {
        all.pool = pool.clone();
        return all.not_all_left_out();
    }
    let mut merge = Merge::default();
    for (origin, pool) in &pools {
        merge.add(origin, pool)?;
    }
    all.pool = merge.into_pool();
    all.not_all_left_out()
}

/// The folders among the sources. Each is an include root for all of them.
pub(super) fn folders_among(paths: &[PathBuf]) -> Vec<&Path> {
    let folders = paths.iter().map(PathBuf::as_path);
    folders.filter(|path| path.is_dir()).collect()
}

fn sources_of_path(path: &Path, folders: &[&Path]) -> Result<Sources, DescriptorError> {
    if path.is_dir() {
        return compile_folder(path, folders);
    }
    if !path.exists() {
        return Err(DescriptorError::Missing {
            path: path.to_owned(),
        });
    }
    if path.extension() == Some(OsStr::new("proto")) {
        return compile_file(path, folders);
    }
    let bytes = files::read(path, files::MADE).map_err(|source| DescriptorError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    read_set(&format!("`{}`", path.display()), &bytes)
}

/// Loads an encoded descriptor set.
pub(super) fn sources_of_set(origin: &str, bytes: &[u8]) -> Result<Sources, DescriptorError> {
    read_set(origin, bytes)?.not_all_left_out()
}

fn read_set(origin: &str, bytes: &[u8]) -> Result<Sources, DescriptorError> {
    let refused = |reason: String| DescriptorError::NotADescriptorSet {
        origin: origin.to_owned(),
        reason: printable(&reason),
    };
    let vetted = vet::vetted(origin, bytes).map_err(|error| refused(error.to_string()))?;
    let decode = || DescriptorPool::decode(vetted.set.as_slice()).map_err(|error| in_file(&error));
    let decoded = caught(decode).map_err(|Broken| DescriptorError::Contradiction {
        origin: origin.to_owned(),
    })?;
    let pool = decoded.map_err(refused)?;
    if pool.files().len() == 0 && vetted.left_out.is_empty() {
        return Err(refused("it contains no file".to_owned()));
    }
    Ok(Sources {
        pool,
        left_out: vetted.left_out,
    })
}

/// The error of a descriptor set, with the file in it that caused it.
pub(super) fn in_file(error: &prost_reflect::DescriptorError) -> String {
    let message = printable(&error.to_string());
    match error.file().filter(|file| !file.is_empty()) {
        Some(file) => format!("its file `{}`: {message}", printable(file)),
        None => message,
    }
}

/// The pool, extended by what the set adds to it.
pub(super) fn filled(pool: &DescriptorPool, set: &[u8]) -> Result<Sources, DescriptorError> {
    let mut merge = Merge::onto("the descriptors", pool);
    let origin = "the added descriptors";
    let sources = read_set(origin, set)?;
    merge.add(origin, &sources.pool)?;
    Ok(Sources {
        pool: merge.into_pool(),
        left_out: sources.left_out,
    })
}

fn compile_folder(root: &Path, folders: &[&Path]) -> Result<Sources, DescriptorError> {
    let files = protos_below(root, folders)?;
    if files.is_empty() {
        return Err(DescriptorError::NoProtos {
            path: root.to_owned(),
        });
    }
    let mut includes = vec![root];
    includes.extend(folders.iter().filter(|folder| **folder != root));
    Compilation::new(&includes)
        .of_files(&files, root)
        .map_err(|failure| failure.error)
}

/// All `.proto` files below a folder, sorted. Skips subfolders that are listed as sources themselves.
pub(super) fn protos_below(
    root: &Path,
    folders: &[&Path],
) -> Result<Vec<PathBuf>, DescriptorError> {
    let mut files = Vec::new();
    let walk = walkdir::WalkDir::new(root)
        .follow_links(true)
        .sort_by_file_name()
        .into_iter();
    let enters = |entry: &walkdir::DirEntry| {
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        entry.depth() == 0 || !(hidden || folders.contains(&entry.path()))
    };
    for entry in walk.filter_entry(enters) {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) if error.loop_ancestor().is_some() => continue,
            Err(error) => {
                let path = error.path().unwrap_or(root).to_owned();
                return Err(DescriptorError::Unreadable {
                    path,
                    source: error.into(),
                });
            }
        };
        if entry.file_type().is_file() && entry.path().extension() == Some(OsStr::new("proto")) {
            files.push(entry.into_path());
        }
    }
    Ok(files)
}

/// Compiles a single file. Imports are relative to its folder, or to the nearest parent folder that contains them all.
fn compile_file(path: &Path, folders: &[&Path]) -> Result<Sources, DescriptorError> {
    let path = std::path::absolute(path).map_err(|source| DescriptorError::Unreadable {
        path: path.into(),
        source,
    })?;
    let mut first = None;
    for root in path.ancestors().skip(1) {
        let mut includes = vec![root];
        includes.extend(folders);
        match Compilation::new(&includes).of_files(std::slice::from_ref(&path), &path) {
            Ok(sources) => return Ok(sources),
            Err(failure) => {
                let error = first.get_or_insert(failure.error);
                if !failure.import_missing || !matches!(error, DescriptorError::Proto { .. }) {
                    break;
                }
            }
        }
    }
    Err(first.unwrap_or(DescriptorError::Missing { path }))
}

struct Failure {
    error: DescriptorError,
    import_missing: bool,
}

impl From<DescriptorError> for Failure {
    fn from(error: DescriptorError) -> Self {
        Self {
            error,
            import_missing: false,
        }
    }
}

/// A file, or none if it does not exist.
type SourceFile = Option<(PathBuf, Rc<Source>)>;

/// The files below some folders, each read once.
struct Compilation<'a> {
    includes: &'a [&'a Path],
    texts: SourceFiles,
    /// Why a file is left out, by its name; none if it is used.
    unread: HashMap<String, Option<Unread>>,
}

impl<'a> Compilation<'a> {
    fn new(includes: &'a [&'a Path]) -> Self {
        let roots = includes.iter().map(|root| root.to_path_buf()).collect();
        Self {
            includes,
            texts: SourceFiles {
                roots,
                known: Rc::default(),
                mistake: Rc::default(),
            },
            unread: HashMap::new(),
        }
    }

    /// Compiles these files; `given` is the path that the user named.
    fn of_files(mut self, files: &[PathBuf], given: &Path) -> Result<Sources, Failure> {
        let mut sources = Sources::default();
        let mut read = Vec::with_capacity(files.len());
        for file in files {
            let name = self.texts.resolve_path(file);
            let unread = match &name {
                Some(name) => self.unread(name)?,
                None => None,
            };
            match unread {
                None => read.push(file),
                Some(unread) => sources.left_out.push(LeftOut {
                    file: format!("`{}`", file.display()),
                    unread,
                    types: Vec::new(),
                }),
            }
        }
        if !read.is_empty() {
            sources.pool = self.pool(&read, given)?;
        }
        Ok(sources)
    }

    /// Why a file is left out, if it is.
    fn unread(&mut self, name: &str) -> Result<Option<Unread>, DescriptorError> {
        if let Some(known) = self.unread.get(name) {
            return Ok(known.clone());
        }
        // Import cycles are reported by the compiler.
        self.unread.insert(name.to_owned(), None);
        let Some((_, source)) = self.texts.find(name)? else {
            return Ok(None);
        };
        let mut unread = source.edition.clone().map(Unread::Edition);
        for import in &source.imports {
            if unread.is_some() {
                break;
            }
            unread = self.unread(import)?.map(|why| why.of_importer(import));
        }
        self.unread.insert(name.to_owned(), unread.clone());
        Ok(unread)
    }

    fn pool(&self, files: &[&PathBuf], given: &Path) -> Result<DescriptorPool, Failure> {
        let compiled = self.compiled(files);
        let compiled = compiled.map_err(|Broken| {
            // Name the first file that fails when compiled alone.
            let mut each = files.iter().filter(|_| files.len() > 1);
            let alone = each.find(|file| self.compiled(&[**file]).is_err());
            DescriptorError::Proto {
                file: alone.map_or(given, |file| file.as_path()).to_owned(),
                position: None,
                message: "cannot be compiled: its type definitions contradict each other"
                    .to_owned(),
            }
        })?;
        compiled.map_err(|error| match self.texts.mistake.take() {
            Some(mistake) => mistake.into(),
            None => Failure {
                import_missing: error.is_file_not_found(),
                error: worded(&error, self.includes, given),
            },
        })
    }

    fn compiled(
        &self,
        files: &[&PathBuf],
    ) -> Result<Result<DescriptorPool, protox::Error>, Broken> {
        let compile = || {
            let mut resolver = ChainFileResolver::new();
            resolver.add(self.texts.clone());
            resolver.add(GoogleFileResolver::new());
            let mut compiler = Compiler::with_file_resolver(resolver);
            compiler.include_imports(true).open_files(files)?;
            // Goes through the encoded files, which keep custom options, and drops source information. The compiler can
            // encode a set too, but it decodes each file into a dynamic message first.
            let set = subset::set_of(compiler.descriptor_pool().files());
            DescriptorPool::decode(set.as_slice()).map_err(protox::Error::from)
        };
        caught(compile)
    }
}

/// Finds files by name and caches them.
#[derive(Clone)]
struct SourceFiles {
    roots: Vec<PathBuf>,
    known: Rc<RefCell<HashMap<String, SourceFile>>>,
    /// The error for a file that cannot be read. The compiler does not pass it on.
    mistake: Rc<RefCell<Option<DescriptorError>>>,
}

impl SourceFiles {
    fn find(&self, name: &str) -> Result<SourceFile, DescriptorError> {
        if let Some(known) = self.known.borrow().get(name) {
            return Ok(known.clone());
        }
        let mut found = None;
        for root in &self.roots {
            let path = root.join(name);
            match std::fs::read(&path) {
                Ok(bytes) => {
                    let source =
                        source::read(&bytes).map_err(|mistake| DescriptorError::Proto {
                            file: path.clone(),
                            position: Some(mistake.position),
                            message: mistake.message,
                        })?;
                    found = Some((path, Rc::new(source)));
                    break;
                }
                Err(error) if is_absent(&error) => {}
                Err(source) => return Err(DescriptorError::Unreadable { path, source }),
            }
        }
        self.known
            .borrow_mut()
            .insert(name.to_owned(), found.clone());
        Ok(found)
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory
    )
}

impl FileResolver for SourceFiles {
    fn resolve_path(&self, path: &Path) -> Option<String> {
        let mut roots = self.roots.iter();
        roots.find_map(|root| IncludeFileResolver::new(root.clone()).resolve_path(path))
    }

    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        match self.find(name) {
            Ok(Some((_, source))) => File::from_source(name, &source.text),
            Ok(None) => Err(protox::Error::file_not_found(name)),
            Err(mistake) => {
                let reported = protox::Error::new(mistake.to_string());
                self.mistake.replace(Some(mistake));
                Err(reported)
            }
        }
    }
}

/// Rewords an error of the compiler, whose alternative form is `file:line:column: message`.
fn worded(error: &protox::Error, includes: &[&Path], given: &Path) -> DescriptorError {
    let text = format!("{error:?}");
    let message = printable(&error.to_string());
    let file = error.file().map_or_else(
        || given.to_owned(),
        |name| {
            includes
                .iter()
                .map(|root| root.join(name))
                .find(|path| path.is_file())
                .unwrap_or_else(|| name.into())
        },
    );
    let position = error.file().and_then(|name| {
        let mut parts = text.strip_prefix(name)?.strip_prefix(':')?.splitn(3, ':');
        Some((
            parts.next()?.trim().parse().ok()?,
            parts.next()?.trim().parse().ok()?,
        ))
    });
    DescriptorError::Proto {
        file,
        position,
        message,
    }
}
