//! Compiles the variadic functions of the C API and the charts of the East Asian encodings, and says how the artifacts
//! are linked.

#[path = "build/charts.rs"]
mod charts;

fn main() {
    charts::compile();
    println!("cargo:rerun-if-changed=src/capi/variadic.c");
    cc::Build::new()
        .file("src/capi/variadic.c")
        .std("c11")
        .flag_if_supported("-fno-strict-aliasing")
        .compile("hognose_variadic");
    // Extension modules find the C API in the command itself.
    println!("cargo:rustc-link-arg-bins=-Wl,--export-dynamic");
    // At a fixed address nothing is relocated when the command starts: a third of its page faults.
    if std::env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|libc| libc == "gnu") {
        println!("cargo:rustc-link-arg-bins=-no-pie");
    }
    println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libhognose.so");
}
