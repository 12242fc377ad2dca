//! Compiled descriptors on disk, so that processes that replay one case each do not compile the same `.proto` files.
//!
//! The name of an entry is a hash of everything that it was made from, so an entry is never out of date. Processes may use a cache at
//! the same time. Whatever goes wrong with it costs time only: the descriptors are compiled again.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use prost_reflect::DescriptorPool;
use sha2::{Digest as _, Sha256};

use super::compile::{Sources, folders_among, in_file, protos_below};
use super::error::DescriptorError;
use super::registry::Registry;
use super::subset;
use crate::files;

/// Part of every entry's name. Increase the number when compiling or merging changes, or when protox or prost-reflect is
/// updated.
const MADE_BY: &str = concat!(env!("CARGO_PKG_VERSION"), " 1");
/// The oldest entries beyond this are deleted.
const MOST_ENTRIES: usize = 16;
/// Bytes of the SHA-256 at the beginning of an entry.
const HASH: usize = 32;

/// Entries that this process has begun to write.
static PARTS: AtomicU64 = AtomicU64::new(0);

/// A folder of compiled descriptors.
#[derive(Debug, Clone)]
pub struct DescriptorCache {
    folder: PathBuf,
}

impl DescriptorCache {
    /// A cache in a folder, which is created when something is kept in it.
    #[must_use]
    pub const fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// What `build` makes of the descriptors at these paths and of this encoded set, from the cache if it was made before.
    pub fn registry<E>(
        &self,
        paths: &[PathBuf],
        added: &[u8],
        build: impl FnOnce() -> Result<Registry, E>,
    ) -> Result<Registry, E> {
        let Some(name) = name_of(paths, added) else {
            return build();
        };
        let file = self.folder.join(&name);
        if let Some(registry) = read(&file) {
            return Ok(registry);
        }
        let registry = build()?;
        // A source may have changed while it was compiled.
        let is_unchanged = || name_of(paths, added).is_some_and(|now| now == name);
        if is_made_of_its_name(&registry) && is_unchanged() {
            // A folder that cannot be written has no cache.
            let _ = self.keep(&file, &registry);
        }
        Ok(registry)
    }

    fn keep(&self, file: &Path, registry: &Registry) -> std::io::Result<()> {
        std::fs::create_dir_all(&self.folder)?;
        let ignore = self.folder.join(".gitignore");
        if !ignore.exists() {
            std::fs::write(ignore, "*\n")?;
        }
        let set = subset::set_of(registry.pool().files());
        let mut entry = Sha256::digest(&set).to_vec();
        entry.extend(set);
        // Nobody else sees a part of an entry.
        let number = PARTS.fetch_add(1, Ordering::Relaxed);
        let part = file.with_extension(format!("part-{}-{number}", std::process::id()));
        let written = std::fs::write(&part, entry).and_then(|()| std::fs::rename(&part, file));
        if written.is_err() {
            let _ = std::fs::remove_file(&part);
        }
        written?;
        self.delete_oldest()
    }

    fn delete_oldest(&self) -> std::io::Result<()> {
        let mut entries: Vec<(SystemTime, PathBuf)> = std::fs::read_dir(&self.folder)?
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let is_ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
                let written = entry.metadata().ok()?.modified().ok()?;
                is_ours.then(|| (written, entry.path()))
            })
            .collect();
        entries.sort();
        let surplus = entries.len().saturating_sub(MOST_ENTRIES);
        for (_, file) in &entries[..surplus] {
            std::fs::remove_file(file)?;
        }
        Ok(())
    }
}

/// What the name of an entry begins with.
const PREFIX: &str = "descriptors-";

/// The name of the entry for these sources; none if not everything that they are made of can be listed in advance. A single
/// `.proto` file may import files from any folder above it.
fn name_of(paths: &[PathBuf], added: &[u8]) -> Option<String> {
    let mut hash = Sha256::new();
    let mut part = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    part(MADE_BY.as_bytes());
    part(added);
    let folders = folders_among(paths);
    for path in paths {
        part(path.as_os_str().as_encoded_bytes());
        let files = if path.is_dir() {
            protos_below(path, &folders).ok()?
        } else if path.extension() == Some(OsStr::new("proto")) {
            return None;
        } else {
            vec![path.clone()]
        };
        for file in files {
            part(file.as_os_str().as_encoded_bytes());
            part(&files::read(&file, files::MADE).ok()?);
        }
    }
    let mut name = PREFIX.to_owned();
    for byte in hash.finalize() {
        // Writing to a string cannot fail.
        let _ = write!(name, "{byte:02x}");
    }
    Some(name)
}

/// Whether the name covers everything in the registry. It does not cover hidden files, which can only be imported, nor what
/// was left out.
fn is_made_of_its_name(registry: &Registry) -> bool {
    let is_listed = |name: &str| {
        let has_ending = Path::new(name).extension() == Some(OsStr::new("proto"));
        has_ending && name.split('/').all(|part| !part.starts_with('.'))
    };
    registry.left_out().is_empty() && registry.pool().files().all(|file| is_listed(file.name()))
}

/// An entry, unless it is damaged.
fn read(file: &Path) -> Option<Registry> {
    let entry = files::read(file, files::MADE).ok()?;
    let (hash, set) = entry.split_at_checked(HASH)?;
    if hash != Sha256::digest(set).as_slice() {
        return None;
    }
    let decode = || match DescriptorPool::decode(set) {
        Ok(pool) => Ok(Sources {
            pool,
            left_out: Vec::new(),
        }),
        Err(error) => Err(DescriptorError::NotADescriptorSet {
            origin: file.display().to_string(),
            reason: in_file(&error),
        }),
    };
    Registry::built("the cache", decode).ok()
}
