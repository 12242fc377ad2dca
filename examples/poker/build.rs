//! Compiles `proto/` and `hand_proto/` to Rust without `protoc`.

use std::path::PathBuf;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=proto");
    println!("cargo:rerun-if-changed=hand_proto");
    let files = ["player", "table", "buy_in", "legacy", "views", "hand"]
        .map(|name| format!("examples/{name}.proto"));
    let descriptors = protox::compile(files, ["proto", "hand_proto"])?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    prost_build::Config::new()
        .out_dir(out)
        // The same state has to give the same bytes.
        .btree_map(["."])
        .enable_type_names()
        .compile_fds(descriptors)?;
    Ok(())
}
