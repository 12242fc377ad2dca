//! Compiles `proto/` to Rust without `protoc`.

use std::path::PathBuf;

/// A link to the folder at the root, so that a package of this crate has it.
const PROTO: &str = "proto";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed={PROTO}");
    let descriptors = protox::compile(["wire.proto", "editions.proto"], [PROTO])?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    // Redaction and views read these messages through descriptors, not through generated types: see `wire::framework`.
    for name in ["framework", "calls", "wire"] {
        let mut described = protox::Compiler::new([PROTO])?;
        described
            .include_imports(true)
            .open_file(format!("{name}.proto"))?;
        let set = described.encode_file_descriptor_set();
        std::fs::write(out.join(format!("{name}.binpb")), set)?;
    }
    prost_build::Config::new()
        .out_dir(out)
        .bytes(["."])
        .compile_fds(descriptors)?;
    Ok(())
}
