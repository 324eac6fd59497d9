//! What one node does: `/proc`, `/sys` and the few commands that know more, read into metrics.

mod command;
mod crew;
mod flags;
mod power;
mod root;
mod samples;
mod sources;

use std::path::PathBuf;

use wire::metrics::Format;

use crate::crew::Crew;

/// What a node's reader is told by its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where `proc`, `sys`, `etc` and the commands lie: `/`, or a captured tree.
    pub root: PathBuf,
    /// Mount points whose space is reported, such as the shared folder.
    pub storage: Vec<PathBuf>,
    /// Whether a fan is fitted: a board's files tell of its connector, not of the fan.
    pub fan_fitted: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { root: "/".into(), storage: vec!["/".into()], fan_fitted: true }
    }
}

/// Reads the node it runs on, source by source, so that one that blocks delays no other.
pub struct Node {
    crew: Crew,
}

impl Node {
    /// Starts reading; nothing is read before it is asked for.
    pub fn start(settings: Settings) -> Self {
        Self { crew: Crew::new(sources::all(&settings)) }
    }

    /// Reads everything now and appends it to `out`; waits at most 150 ms, what comes later is absent.
    ///
    /// What was read less than 20 ms ago is told again.
    pub fn metrics(&self, format: Format, out: &mut String) {
        self.crew.read().write(format, out);
    }
}
