//! The end of a run: why it ends, how far its end has come, and what its program's status says about it. Pure.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use warden::Exit;
use wire::WireError;

use super::status::{Ended, Fault};
use crate::catalogue::Demo;

/// How long a demo may take to obey the protocol's stop.
pub(super) const STOP: Duration = Duration::from_millis(700);
/// How long the warden waits between SIGTERM and SIGKILL.
pub(super) const GRACE: Duration = Duration::from_millis(1000);
/// How long the warden may take beyond its grace to say that all is over.
const REPORT: Duration = Duration::from_millis(700);
/// How long a demo may take from its end record to the end of its processes.
pub(super) const FAREWELL: Duration = Duration::from_millis(1000);
/// How long after a closed connection the processes may take to end; `mpirun` needs up to 1.03 s when a rank dies.
pub(super) const COLLAPSE: Duration = Duration::from_millis(1500);

/// A run that ends.
#[derive(Debug)]
pub(super) struct Ending {
    pub(super) demo: Arc<Demo>,
    /// When the end began.
    pub(super) since: Instant,
    pub(super) cause: Cause,
    pub(super) step: Step,
    /// Processes that had to be killed.
    pub(super) killed: usize,
    /// What is started afterwards.
    pub(super) next: Option<Arc<Demo>>,
    /// Whether that is this demo again, by itself.
    pub(super) carries_on: bool,
    /// A visitor does not want it any more.
    pub(super) is_unwanted: bool,
}

/// Why a run ends.
#[derive(Debug)]
pub(super) enum Cause {
    /// A visitor wants it, or the demo has said that it is done.
    Wanted,
    /// This went wrong.
    Fault(Fault),
    /// The connection was closed, in the middle of a record or not; how the program ends tells what that meant.
    Closed { cut: Option<WireError>, had_picture: bool },
}

/// How far the end of a run has come.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// It may end by itself.
    Alone { until: Instant },
    /// The warden ends it.
    Asked { until: Instant },
    /// It is over here, and elsewhere it is looked for what is left; that has its own limit.
    Gone,
    /// We end it, or it never began.
    Swept,
}

impl Step {
    pub(super) fn asked(now: Instant) -> Self {
        Step::Asked { until: now + GRACE + REPORT }
    }
}

impl Ending {
    pub(super) fn new(demo: Arc<Demo>, cause: Cause, step: Step, since: Instant) -> Self {
        let (next, carries_on, is_unwanted) = (None, false, false);
        Self { demo, since, cause, step, killed: 0, next, carries_on, is_unwanted }
    }

    /// What went wrong, as far as it is known.
    pub(super) fn fault(&self) -> Option<&Fault> {
        match &self.cause {
            Cause::Fault(fault) => Some(fault),
            Cause::Wanted | Cause::Closed { .. } => None,
        }
    }

    /// The program has ended: that explains a closed connection.
    pub(super) fn judge(&mut self, exit: Exit, last_line: String) {
        let Cause::Closed { cut, had_picture } = &mut self.cause else { return };
        // After we asked, its status says only that it obeyed.
        let was_asked = matches!(self.step, Step::Asked { .. });
        let is_content = exit == Exit::Code(0);
        self.cause = match cut.take() {
            Some(cut) if was_asked || is_content => Cause::Fault(Fault::Garbage(cut)),
            None if was_asked => Cause::Fault(Fault::Disconnected),
            // A script of the owner's that is done and knows no end record.
            None if *had_picture && is_content => Cause::Wanted,
            _ => Cause::Fault(Fault::Crashed { exit, last_line }),
        };
    }

    /// Nobody will tell how the program ends.
    pub(super) fn give_up_waiting(&mut self) {
        if let Cause::Closed { cut, .. } = &mut self.cause {
            self.cause = Cause::Fault(cut.take().map_or(Fault::Disconnected, Fault::Garbage));
        }
        self.step = Step::Swept;
    }

    pub(super) fn into_ended(self, verified: bool, unreached: Vec<String>, at: Instant) -> Ended {
        let fault = match self.cause {
            Cause::Fault(fault) => Some(fault),
            Cause::Wanted | Cause::Closed { .. } => None,
        };
        let processes_killed = self.killed;
        Ended { demo: self.demo, at, fault, verified, unreached, processes_killed }
    }
}
