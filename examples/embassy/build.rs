//! Puts the linker's scripts where it finds them.

use std::path::PathBuf;
use std::{env, fs};

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    fs::copy("memory.x", out.join("memory.x")).expect("memory.x lies beside this file");
    // cortex-m-rt asks for the interrupts' names, to give them a default. The table in src/uart.rs has no names.
    fs::write(out.join("device.x"), "").expect("cargo made the folder");
    println!("cargo:rustc-link-search={}", out.display());
    println!("cargo:rerun-if-changed=memory.x");
}
