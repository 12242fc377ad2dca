//! Where descriptors come from: `.proto` folders and files, compiled in process, and descriptor sets.

use crate::files;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use prost_reflect::DescriptorPool;
use protox::Compiler;

use super::error::DescriptorError;
use super::merge::Merge;

/// One pool of everything that these paths describe.
pub(super) fn pool_of_paths(paths: &[PathBuf]) -> Result<DescriptorPool, DescriptorError> {
    let folders: Vec<&Path> = paths
        .iter()
        .map(PathBuf::as_path)
        .filter(|path| path.is_dir())
        .collect();
    let mut pools = Vec::with_capacity(paths.len());
    for path in paths {
        pools.push((
            format!("`{}`", path.display()),
            pool_of_path(path, &folders)?,
        ));
    }
    if let [(_, pool)] = pools.as_slice() {
        return Ok(pool.clone());
    }
    let mut merge = Merge::default();
    for (origin, pool) in &pools {
        merge.add(origin, pool)?;
    }
    Ok(merge.into_pool())
}

fn pool_of_path(path: &Path, folders: &[&Path]) -> Result<DescriptorPool, DescriptorError> {
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
    pool_of_descriptor_set(&format!("`{}`", path.display()), &bytes)
}

/// A pool of an encoded descriptor set.
pub(super) fn pool_of_descriptor_set(
    origin: &str,
    bytes: &[u8],
) -> Result<DescriptorPool, DescriptorError> {
    let refused = |reason: String| DescriptorError::NotADescriptorSet {
        origin: origin.to_owned(),
        reason,
    };
    let pool = DescriptorPool::decode(bytes).map_err(|error| refused(error.to_string()))?;
    if pool.files().len() == 0 {
        return Err(refused("it holds no file".to_owned()));
    }
    Ok(pool)
}

/// The pool, and what the set describes beyond it.
pub(super) fn filled(pool: &DescriptorPool, set: &[u8]) -> Result<DescriptorPool, DescriptorError> {
    let mut merge = Merge::onto("the descriptors", pool);
    let origin = "the added descriptors";
    merge.add(origin, &pool_of_descriptor_set(origin, set)?)?;
    Ok(merge.into_pool())
}

fn compile_folder(root: &Path, folders: &[&Path]) -> Result<DescriptorPool, DescriptorError> {
    let files = protos_below(root, folders)?;
    if files.is_empty() {
        return Err(DescriptorError::NoProtos {
            path: root.to_owned(),
        });
    }
    let mut includes = vec![root];
    includes.extend(folders.iter().filter(|folder| **folder != root));
    compile(&includes, &files).map_err(|error| worded(&error, &includes, root))
}

/// All `.proto` files below a folder, sorted; a folder below it that is given by itself is left to itself.
fn protos_below(root: &Path, folders: &[&Path]) -> Result<Vec<PathBuf>, DescriptorError> {
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

/// A single file: imports are relative to its folder, or to the first folder above that has them all.
fn compile_file(path: &Path, folders: &[&Path]) -> Result<DescriptorPool, DescriptorError> {
    let path = std::path::absolute(path).map_err(|source| DescriptorError::Unreadable {
        path: path.into(),
        source,
    })?;
    let mut first = None;
    for root in path.ancestors().skip(1) {
        let mut includes = vec![root];
        includes.extend(folders);
        match compile(&includes, std::slice::from_ref(&path)) {
            Ok(pool) => return Ok(pool),
            Err(error) => {
                let import_missing = error.is_file_not_found();
                let error = first.get_or_insert_with(|| worded(&error, &includes, &path));
                if !import_missing || !matches!(error, DescriptorError::Proto { .. }) {
                    break;
                }
            }
        }
    }
    Err(first.unwrap_or(DescriptorError::Missing { path }))
}

fn compile(includes: &[&Path], files: &[PathBuf]) -> Result<DescriptorPool, protox::Error> {
    let mut compiler = Compiler::new(includes)?;
    compiler.include_imports(true).open_files(files)?;
    // Through the encoded set, which keeps custom options and drops what is only about the source.
    let set = compiler.encode_file_descriptor_set();
    DescriptorPool::decode(set.as_slice()).map_err(protox::Error::from)
}

/// The compiler's error in our words: its alternative form says `file:line:column: message`.
fn worded(error: &protox::Error, includes: &[&Path], given: &Path) -> DescriptorError {
    let text = format!("{error:?}");
    let message = error.to_string();
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
