//! Compiled descriptors on disk, so that processes that replay one case each need not compile the same `.proto` files and build pools
//! of descriptors.
//!
//! An entry begins with a SHA-256 of the rest: the layouts, after their length, and then the encoded descriptor set. The name of an
//! entry is a hash of everything that it was made from, so an entry is never out of date. Processes may use a cache at the same time.
//! Whatever goes wrong with it costs time only: the descriptors are compiled again.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use sha2::{Digest as _, Sha256};

use super::compile::{folders_among, protos_below};
use super::error::DescriptorError;
use super::kept_layouts::{self, KeptLayouts};
use super::layout::Layouts;
use super::lazy_pool::LazyPool;
use super::registry::Registry;
use super::subset;
use crate::files;

/// Part of every entry's name. Increase the number when compiling, merging or layouts change, or when protox or prost-reflect is
/// updated.
const MADE_BY: &str = concat!(env!("CARGO_PKG_VERSION"), " 2");
/// The oldest entries are deleted when all together have more bytes.
const MOST_BYTES: u64 = 64 << 20;
/// Bytes of the SHA-256 at the beginning of an entry.
const HASH: usize = 32;
/// Bytes of the length of the layouts.
const LENGTH: usize = 8;

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

    /// What `build` makes of the descriptors at these paths and of what `added` stands for, from the cache if it was made before.
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

    /// Like [`Registry::from_descriptor_set`], from the cache if the set was loaded before.
    pub fn registry_of_set(&self, set: &[u8]) -> Result<Registry, DescriptorError> {
        let file = self.folder.join(name_of_set(set));
        if let Some(registry) = read(&file) {
            return Ok(registry);
        }
        let registry = Registry::from_descriptor_set(set)?;
        // Layouts are kept without what was left out.
        if registry.left_out().is_empty() {
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
        let layouts = kept_layouts::encode(registry.layouts());
        let mut content = (layouts.len() as u64).to_be_bytes().to_vec();
        content.extend(layouts);
        content.extend(subset::set_of(registry.pool().files()));
        let mut entry = Sha256::digest(&content).to_vec();
        entry.extend(content);
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
        let mut entries: Vec<(SystemTime, PathBuf, u64)> = std::fs::read_dir(&self.folder)?
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let is_ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
                let metadata = entry.metadata().ok()?;
                let written = metadata.modified().ok()?;
                is_ours.then(|| (written, entry.path(), metadata.len()))
            })
            .collect();
        entries.sort();
        let mut bytes = 0;
        for (at, (_, file, length)) in entries.iter().rev().enumerate() {
            bytes += length;
            // The newest stays, however large it is: it is needed.
            if at > 0 && bytes > MOST_BYTES {
                std::fs::remove_file(file)?;
            }
        }
        Ok(())
    }
}

/// What the name of an entry begins with.
const PREFIX: &str = "descriptors-";

/// The name of the entry for these sources; none if not everything that they are made of can be listed in advance. A single
/// `.proto` file may import files from any folder above it.
fn name_of(paths: &[PathBuf], added: &[u8]) -> Option<String> {
    let mut name = EntryName::of("sources");
    name.part(added);
    let folders = folders_among(paths);
    for path in paths {
        name.part(path.as_os_str().as_encoded_bytes());
        let files = if path.is_dir() {
            protos_below(path, &folders).ok()?
        } else if path.extension() == Some(OsStr::new("proto")) {
            return None;
        } else {
            vec![path.clone()]
        };
        for file in files {
            name.part(file.as_os_str().as_encoded_bytes());
            name.part(&files::read(&file, files::MADE).ok()?);
        }
    }
    Some(name.text())
}

/// The name of the entry for an encoded set.
fn name_of_set(set: &[u8]) -> String {
    let mut name = EntryName::of("set");
    name.part(set);
    name.text()
}

/// The name of an entry in the making: a hash of parts.
struct EntryName(Sha256);

impl EntryName {
    fn of(kind: &str) -> Self {
        let mut name = Self(Sha256::new());
        name.part(MADE_BY.as_bytes());
        name.part(kind.as_bytes());
        name
    }

    fn part(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
    }

    fn text(self) -> String {
        let mut text = PREFIX.to_owned();
        for byte in self.0.finalize() {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        text
    }
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

/// An entry, unless it is damaged. Builds no pool.
fn read(file: &Path) -> Option<Registry> {
    let mut entry = files::read(file, files::MADE).ok()?;
    let (hash, content) = entry.split_at_checked(HASH)?;
    if hash != Sha256::digest(content).as_slice() {
        return None;
    }
    let (length, rest) = content.split_first_chunk::<LENGTH>()?;
    let length = usize::try_from(u64::from_be_bytes(*length)).ok()?;
    let (layouts, set) = rest.split_at_checked(length)?;
    let layouts = Layouts::of_kept(KeptLayouts::decode(layouts)?);
    let set = entry.split_off(entry.len() - set.len());
    Some(Registry::of(layouts, LazyPool::of_set(set)))
}
