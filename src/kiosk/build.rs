//! Turns the markup in `ui/` and its translations into Rust.

use slint_build::CompilerConfiguration;

fn main() -> Result<(), slint_build::CompileError> {
    // Element names stay in, so that tests can find elements; they cost a few kilobytes.
    let configuration = CompilerConfiguration::new()
        .with_style("fluent-dark".into())
        .with_bundled_translations("../../ui/lang")
        .with_debug_info(true);
    println!("cargo::rerun-if-changed=../../ui/lang");
    slint_build::compile_with_config("../../ui/app.slint", configuration)
}
