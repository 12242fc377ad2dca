//! Compiles `proto/` to Rust without `protoc`.

use std::path::PathBuf;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=proto");
    let descriptors = protox::compile(["wire.proto", "editions.proto"], ["proto"])?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    // Angzarr's own messages inside payloads are described, not generated: see `wire::framework`.
    let mut framework = protox::Compiler::new(["proto"])?;
    framework
        .include_imports(true)
        .open_file("framework.proto")?;
    std::fs::write(
        out.join("framework.binpb"),
        framework.encode_file_descriptor_set(),
    )?;
    prost_build::Config::new()
        .out_dir(out)
        .bytes(["."])
        .compile_fds(descriptors)?;
    Ok(())
}
