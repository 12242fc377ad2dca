//! Compiled descriptors that are kept for the next process.

use std::convert::Infallible;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use angzarr_replay::internal::model::Payload;
use angzarr_replay::internal::payload::{DescriptorCache, Registry};
use proptest::prelude::*;
use proptest::sample::Index;
use sha2::{Digest as _, Sha256};
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

/// The registry of everything that the test protos describe, once compiled and once from an entry.
fn compiled_and_kept() -> (Registry, Registry) {
    let cached = Cached::new();
    let load = || cached.load_paths(&[protos()], ADDED).0;
    (load(), load())
}

#[test]
fn what_is_kept_knows_everything_about_a_type() {
    let (compiled, kept) = compiled_and_kept();
    assert_eq!(compiled.type_names(), kept.type_names());
    for name in compiled.type_names() {
        assert_eq!(compiled.may_hold_any(&name), kept.may_hold_any(&name));
    }

    let cached = Cached::new();
    cached.write(
        "money.proto",
        "enum Coin { option allow_alias = true; NONE = 0; OLD = -1; DIME = 3; TEN = 3; TENNER = 3; CENT = 1; }
         message Purse {
           Coin coin = 1;
           oneof owner { string name = 2 [debug_redact = true]; bytes id = 3; }
         }",
    );
    let (compiled, kept) = (cached.load().0, cached.load().0);
    let marked: Vec<&str> = kept.types_with_debug_redact().collect();
    assert_eq!(marked, ["a.Purse"]);
    for number in -1..=4 {
        let varint = i64::from(number).cast_unsigned();
        let bytes = [&[8][..], &encoded_varint(varint)].concat();
        let payload = Payload::new("a.Purse", bytes);
        assert_eq!(compiled.decode(&payload), kept.decode(&payload), "{number}");
    }
    for text in [
        "coin: TENNER",
        "coin: OLD",
        "coin: TENER",
        "name: x\nid: ''",
    ] {
        let view = serde_yaml::from_str(text).unwrap();
        let encoded = compiled.encode("a.Purse", &view);
        assert_eq!(encoded, kept.encode("a.Purse", &view), "{text}");
    }
}

fn encoded_varint(value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    prost::encoding::encode_varint(value, &mut bytes);
    bytes
}

proptest! {
    #[test]
    fn what_is_kept_shows_all_bytes_as_what_was_compiled(
        type_name in any::<Index>(),
        bytes in proptest::collection::vec(any::<u8>(), 0..40),
    ) {
        thread_local! {
            static BOTH: (Registry, Registry) = compiled_and_kept();
        }
        BOTH.with(|(compiled, kept)| {
            let names = compiled.type_names();
            let payload = Payload::new(type_name.get::<String>(&names), bytes);
            let shown = compiled.decode(&payload);
            // A view that contains a NaN does not equal itself.
            prop_assert_eq!(format!("{shown:?}"), format!("{:?}", kept.decode(&payload)));
            Ok(())
        })?;
    }

    #[test]
    fn a_damaged_entry_is_never_believed(
        damages in proptest::collection::vec((any::<Index>(), any::<u8>()), 1..4),
        length in any::<Index>(),
        has_hash in any::<bool>(),
    ) {
        thread_local! {
            static CACHED: (Cached, Vec<u8>) = {
                let cached = Cached::new();
                cached.load();
                let entry = fs::read(&cached.entries()[0]).unwrap();
                (cached, entry)
            };
        }
        CACHED.with(|(cached, entry)| {
            let mut damaged = entry.clone();
            damaged.truncate(length.index(entry.len()) + 1);
            for (at, byte) in &damages {
                *at.get_mut(&mut damaged) = *byte;
            }
            // Bytes with the right hash may be believed, but nothing panics.
            if has_hash && damaged.len() > 32 {
                let hash = Sha256::digest(&damaged[32..]);
                damaged[..32].copy_from_slice(&hash);
            }
            fs::write(&cached.entries()[0], &damaged).unwrap();
            let (registry, is_compiled) = cached.load();
            let payload = Payload::new("a.Money", vec![8, 1]);
            let _ = registry.decode(&payload);
            let _ = registry.variations(&payload);
            let _ = registry.shape("a.Money");
            if !has_hash && damaged != *entry {
                prop_assert!(is_compiled);
                prop_assert_eq!(&fs::read(&cached.entries()[0]).unwrap(), entry);
            }
            Ok(())
        })?;
    }
}

#[test]
fn a_descriptor_set_is_kept_by_its_bytes() {
    let cached = Cached::new();
    let set = set_of(&cached.load().0);
    assert_eq!(cached.entries().len(), 1);
    let first = cached.cache().registry_of_set(&set).unwrap();
    assert_eq!(cached.entries().len(), 2);
    let second = cached.cache().registry_of_set(&set).unwrap();
    assert_eq!(cached.entries().len(), 2);
    assert_eq!(first.shape("a.Money"), second.shape("a.Money"));
    assert_eq!(set_of(&first), set_of(&second));

    // A set is never taken for sources that are made of the same bytes, nor the other way round.
    assert!(cached.load_paths(&[], &set).1);
    // What cannot be loaded is not kept.
    let refused = cached.cache().registry_of_set(b"no set").unwrap_err();
    let direct = Registry::from_descriptor_set(b"no set").unwrap_err();
    assert_eq!(refused.to_string(), direct.to_string());
    assert_eq!(cached.entries().len(), 3);
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
fn the_oldest_entries_make_room() {
    let cached = Cached::new();
    assert!(cached.is_compiled());
    let [first] = cached.entries().try_into().unwrap();
    let small = fs::metadata(&first).unwrap().len();
    let of_age = |name: &str, length: u64, hours: u64| {
        let path = first.with_file_name(name);
        let file = fs::File::create(&path).unwrap();
        file.set_len(length).unwrap();
        let age = Duration::from_secs(hours * 3600);
        file.set_modified(SystemTime::now() - age).unwrap();
        path
    };
    let oldest = of_age("descriptors-oldest", 9 * small, 4);
    let older = of_age("descriptors-older", (64 << 20) - 4 * small, 3);
    let other = of_age("not-ours", 64 << 20, 5);
    cached.write("money.proto", "message Cash { int64 units = 1; }");
    assert!(cached.is_compiled());
    assert!(!oldest.exists() && older.exists() && first.exists());
    of_age("descriptors-newer", 9 * small, 2);
    cached.write("money.proto", "message Mint { int64 units = 1; }");
    assert!(cached.is_compiled());
    assert!(!older.exists() && first.exists() && other.exists());
    assert!(!cached.is_compiled());
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
