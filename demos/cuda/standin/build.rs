//! Gives the library the name under which programs look for the driver, so a test can put it in the driver's place.

fn main() {
    println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libcuda.so.1");
    println!("cargo::rerun-if-changed=build.rs");
}
