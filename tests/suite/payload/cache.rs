//! Compiled descriptors that are kept for the next process.

use std::convert::Infallible;
use std::fs;
use std::path::PathBuf;

use angzarr_replay::internal::payload::{DescriptorCache, Registry};
use tempfile::TempDir;

use crate::payload::{protos, registry};

const ADDED: &[u8] = &[];

/// A folder of protos, and a cache.
struct Cached {
    folder: TempDir,
}

impl Cached {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let cached = Self { folder };
        cached.write("money.proto", "message Money { int64 units = 1; }");
        cached
    }

    fn write(&self, name: &str, messages: &str) {
        let path = self.protos().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, format!("syntax = \"proto3\"; package a; {messages}")).unwrap();
    }

    fn protos(&self) -> PathBuf {
        self.folder.path().join("proto")
    }

    fn cache(&self) -> DescriptorCache {
        DescriptorCache::new(self.folder.path().join("cache"))
    }

    /// The entries, sorted by name.
    fn entries(&self) -> Vec<PathBuf> {
        let Ok(files) = fs::read_dir(self.folder.path().join("cache")) else {
            return Vec::new();
        };
        let files = files.map(|file| file.unwrap().path());
        let mut entries: Vec<PathBuf> =
            files.filter(|file| !file.ends_with(".gitignore")).collect();
        entries.sort();
        entries
    }

    /// Loads the paths, and says whether they were compiled.
    fn load_paths(&self, paths: &[PathBuf], added: &[u8]) -> (Registry, bool) {
        let mut is_compiled = false;
        let build = || {
            is_compiled = true;
            Ok::<_, Infallible>(Registry::from_paths(paths).unwrap())
        };
        let Ok(registry) = self.cache().registry(paths, added, build);
        (registry, is_compiled)
    }

    fn load(&self) -> (Registry, bool) {
        self.load_paths(&[self.protos()], ADDED)
    }

    fn is_compiled(&self) -> bool {
        self.load().1
    }
}

fn set_of(registry: &Registry) -> Vec<u8> {
    let names = registry.type_names();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    registry.subset(&names).unwrap().bytes
}

#[test]
fn what_is_kept_is_what_was_compiled() {
    let cached = Cached::new();
    let load = || cached.load_paths(&[protos()], ADDED);
    let (first, is_compiled) = load();
    assert!(is_compiled);
    let (second, is_compiled) = load();
    assert!(!is_compiled);
    for name in registry().type_names() {
        assert_eq!(first.shape(&name), second.shape(&name), "{name}");
    }
    // Captures write subsets, whose hashes are the names of files.
    assert_eq!(set_of(&first), set_of(&second));
    assert_eq!(
        fs::read_to_string(cached.folder.path().join("cache/.gitignore")).unwrap(),
        "*\n"
    );
}

#[test]
fn any_change_of_a_source_is_another_entry() {
    let cached = Cached::new();
    assert!(cached.is_compiled() && !cached.is_compiled());

    cached.write(
        "money.proto",
        "message Money { int64 units = 1; int32 nanos = 2; }",
    );
    let (registry, is_compiled) = cached.load();
    assert!(is_compiled);
    assert!(registry.shape("a.Money").unwrap().contains("nanos"));

    cached.write("deeper/other.proto", "message Other {}");
    assert!(cached.is_compiled());
    fs::rename(
        cached.protos().join("money.proto"),
        cached.protos().join("cash.proto"),
    )
    .unwrap();
    assert!(cached.is_compiled());
    assert!(cached.load_paths(&[cached.protos()], b"added").1);
    assert!(!cached.load_paths(&[cached.protos()], b"added").1);

    // A descriptor set beside the folder, and its order.
    let set = cached.folder.path().join("set.binpb");
    fs::write(&set, set_of(crate::payload::registry())).unwrap();
    let both = [cached.protos(), set.clone()];
    assert!(cached.load_paths(&both, ADDED).1 && !cached.load_paths(&both, ADDED).1);
    assert!(cached.load_paths(&[set.clone(), cached.protos()], ADDED).1);
    fs::write(&set, set_of(&cached.load().0)).unwrap();
    assert!(cached.load_paths(&both, ADDED).1);
}

#[test]
fn a_damaged_entry_is_made_again() {
    let cached = Cached::new();
    assert!(cached.is_compiled());
    let [entry] = cached.entries().try_into().unwrap();
    let whole = fs::read(&entry).unwrap();
    let mut flipped = whole.clone();
    *flipped.last_mut().unwrap() ^= 1;
    for damaged in [&flipped, &whole[..whole.len() - 1], &whole[..20], &[][..]] {
        fs::write(&entry, damaged).unwrap();
        let (registry, is_compiled) = cached.load();
        assert!(is_compiled && registry.knows("a.Money"));
        assert_eq!(fs::read(&entry).unwrap(), whole);
        assert!(!cached.is_compiled());
    }
}

#[test]
fn what_cannot_be_listed_in_advance_is_not_kept() {
    let cached = Cached::new();
    // The imports of a single file may be in any folder above it.
    let file = cached.protos().join("money.proto");
    assert!(cached.load_paths(std::slice::from_ref(&file), ADDED).1);
    assert!(cached.load_paths(&[file], ADDED).1);
    assert_eq!(cached.entries(), [] as [PathBuf; 0]);

    // A hidden file is only found by its import.
    cached.write(".hidden/part.proto", "message Part {}");
    cached.write(
        "whole.proto",
        "import \".hidden/part.proto\"; message Whole { Part part = 1; }",
    );
    assert!(cached.is_compiled() && cached.is_compiled());
    assert_eq!(cached.entries(), [] as [PathBuf; 0]);
}

#[test]
fn what_changes_while_it_is_compiled_is_not_kept() {
    let cached = Cached::new();
    let paths = [cached.protos()];
    let build = || {
        cached.write("money.proto", "message Cash {}");
        Ok::<_, Infallible>(Registry::from_paths(&paths).unwrap())
    };
    let Ok(registry) = cached.cache().registry(&paths, ADDED, build);
    assert!(registry.knows("a.Cash"));
    assert_eq!(cached.entries(), [] as [PathBuf; 0]);
}

#[test]
fn the_number_of_entries_is_bounded() {
    let cached = Cached::new();
    for number in 1..=20 {
        cached.write(
            "money.proto",
            &format!("message Money {{ int64 units = {number}; }}"),
        );
        assert!(cached.is_compiled());
        assert!(!cached.is_compiled(), "{number}");
    }
    assert_eq!(cached.entries().len(), 16);
}

#[test]
fn many_may_fill_a_cache_at_once() {
    let cached = Cached::new();
    let all_know = std::thread::scope(|scope| {
        let loads: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| cached.load().0.knows("a.Money")))
            .collect();
        loads.into_iter().all(|load| load.join().unwrap())
    });
    assert!(all_know);
    assert_eq!(cached.entries().len(), 1);
    assert!(!cached.is_compiled());
}

#[test]
fn a_folder_that_cannot_be_made_has_no_cache() {
    let cached = Cached::new();
    fs::write(cached.folder.path().join("cache"), "in the way").unwrap();
    let (registry, is_compiled) = cached.load();
    assert!(is_compiled && registry.knows("a.Money"));
}
