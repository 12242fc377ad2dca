//! Compiles `proto/` to Rust without `protoc`.

use std::path::PathBuf;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=proto");
    let descriptors =
        protox::compile(["examples/player.proto", "examples/table.proto"], ["proto"])?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    prost_build::Config::new()
        .out_dir(out)
        // The same state has to give the same bytes.
        .btree_map(["."])
        .enable_type_names()
        .compile_fds(descriptors)?;
    Ok(())
}
