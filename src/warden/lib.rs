//! Owns one run: starts its program, ends it when asked or when the asker dies, and leaves no process of it.
//!
//! The program `hpc-kiosk-warden` is [`watch()`] around one program. The kiosk uses the same [`sweep()`] for the
//! day its warden is killed. A warden on another computer is started through ssh: it is told what to run by an [`Order`],
//! and ends the run when it does not hear of the kiosk any more; [`sweep_marked`] ends what a run left on the others. Nothing here knows what a demo is or what MPI is.

pub mod marked;
pub mod order;
pub mod process;
pub mod report;
pub mod sweep;
pub mod watch;

use rustix::process::{getpid, set_child_subreaper};

pub use marked::sweep_marked;
pub use order::Order;
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
