//! What runs on the node: the host's name and its kernel.

use wire::metrics::family;

use super::{Outcome, Source};
use crate::{
    root::{Root, name, printable},
    samples::{Label, Samples},
};

pub struct System(pub Root);

impl Source for System {
    fn name(&self) -> &str {
        "uname"
    }

    fn read(&mut self, found: &mut Samples) -> Outcome {
        let labels = if self.0.is_live() { asked() } else { captured(&self.0) };
        if labels.iter().all(|(_, value)| value.is_empty()) {
            return Outcome::Missing;
        }
        found.add(&family::UNAME, labels, 1.0);
        Outcome::Read
    }
}

/// By uname(2).
fn asked() -> Vec<Label> {
    let system = rustix::system::uname();
    let text = |text: &std::ffi::CStr| printable(&text.to_string_lossy()).into();
    vec![
        ("domainname", text(system.domainname())),
        ("machine", text(system.machine())),
        ("nodename", text(system.nodename())),
        ("release", text(system.release())),
        ("sysname", text(system.sysname())),
        ("version", text(system.version())),
    ]
}

/// By the files that hold the same; `arch` is there since Linux 6.1.
fn captured(root: &Root) -> Vec<Label> {
    let files = [
        ("domainname", "domainname"),
        ("machine", "arch"),
        ("nodename", "hostname"),
        ("release", "osrelease"),
        ("sysname", "ostype"),
        ("version", "version"),
    ];
    let kernel = root.at("proc/sys/kernel");
    let text = |file| name(&kernel.join(file)).unwrap_or_default().into();
    files.into_iter().map(|(label, file)| (label, text(file))).collect()
}
