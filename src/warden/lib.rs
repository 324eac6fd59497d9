//! Owns one run: starts its program, ends it when asked or when the asker dies, and leaves no process of it.
//!
//! The program `hpc-kiosk-warden` is [`watch()`] around one program. The kiosk uses the same [`sweep()`] for the
//! day its warden is killed. Nothing here knows what a demo is or what MPI is.

pub mod process;
pub mod report;
pub mod sweep;
pub mod watch;

use rustix::process::{getpid, set_child_subreaper};

pub use process::Process;
pub use report::{Exit, Report};
pub use sweep::{Swept, children, descendants, sweep};
pub use watch::{Watched, watch};

/// From now on every orphan below this process becomes its child, so that [`sweep()`] finds it.
///
/// # Errors
/// If the kernel refuses (Linux has known the request since 3.4).
pub fn adopt_orphans() -> std::io::Result<()> {
    // The argument is a flag: any process id that is not zero means yes.
    Ok(set_child_subreaper(Some(getpid()))?)
}
