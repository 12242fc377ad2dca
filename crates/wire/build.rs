//! Compiles `proto/` to Rust without `protoc`.

use std::path::{Path, PathBuf};

/// In the repository, the folder at its root. A package of this crate holds a copy: `proto` is a link to that folder.
const PROTO: [&str; 2] = ["../../proto", "proto"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let is_there = |folder: &&str| Path::new(folder).join("wire.proto").is_file();
    let proto = PROTO
        .into_iter()
        .find(is_there)
        .ok_or("no folder `proto`")?;
    println!("cargo:rerun-if-changed={proto}");
    let descriptors =
        protox::compile(["wire.proto", "editions.proto", "speculate.proto"], [proto])?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    // Redaction and views read these messages through descriptors, not through generated types: see `wire::framework`.
    for name in ["framework", "calls", "wire"] {
        let mut described = protox::Compiler::new([proto])?;
        described
            .include_imports(true)
            .open_file(format!("{name}.proto"))?;
        let set = described.encode_file_descriptor_set();
        std::fs::write(out.join(format!("{name}.binpb")), set)?;
    }
    prost_build::Config::new()
        .out_dir(out)
        .extern_path(".google.protobuf.Any", "crate::wire::messages::Any")
        .bytes(["."])
        .compile_fds(descriptors)?;
    Ok(())
}
