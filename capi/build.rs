//! Gives the shared library its name: programs that are linked to it look for this one, whatever its file is called.

fn main() {
    let os = std::env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    // The number changes when a program that was compiled before could not use the library any more.
    match os.as_str() {
        "macos" | "ios" | "windows" => {}
        _ => println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libmailslot.so.0"),
    }
    println!("cargo:rerun-if-changed=build.rs");
}
