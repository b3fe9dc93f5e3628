//! Links the compiler's unwinder into the program where the C compiler has it as a static library, as most have.
//!
//! As a shared library it costs each start of `seawall` a twentieth of a millisecond, and a confined command costs few of those.
//! Where there is none, the shared one is linked as always.

use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=CC");
    if let Some(directory) = unwinder().as_deref().and_then(Path::parent) {
        println!("cargo::rustc-link-search=native={}", directory.display());
        println!("cargo::rustc-link-lib=static:-bundle=gcc_eh");
    }
}

/// The static library, when the program is built for this kind of host, with its C library as a shared one.
fn unwinder() -> Option<PathBuf> {
    let var = |name: &str| std::env::var(name).unwrap_or_default();
    let here = var("HOST") == var("TARGET") && var("CARGO_CFG_TARGET_ENV") == "gnu";
    let is_static = var("CARGO_CFG_TARGET_FEATURE").contains("crt-static");
    if !here || is_static {
        return None;
    }
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    let asked = Command::new(compiler)
        .arg("-print-file-name=libgcc_eh.a")
        .output();
    let said = asked.ok().filter(|said| said.status.success())?;
    let found = PathBuf::from(String::from_utf8(said.stdout).ok()?.trim());
    // A compiler that has none says the bare name.
    (found.is_absolute() && found.is_file()).then_some(found)
}
