//! What the supervisor says about the run on the screen: its state, what it told about itself, how the last one ended.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use warden::Exit;
use wire::{
    WireError,
    demo::{Hello, Statistics, Text},
};

use super::placement::{Heat, Placement, Scale};
use crate::{catalogue::Demo, slurm::said::Why};

/// Everything the view needs to know; published only when something in it changes.
#[derive(Clone, Debug, Default)]
pub struct Status {
    /// What the supervisor does.
    pub state: State,
    /// MPI processes that this run was started with, 0 for a demo without MPI.
    pub processes: u16,
    /// Where this run is, and who is left out.
    pub placement: Arc<Placement>,
    /// What the visitor may put this run on; empty where there is no choice.
    pub offers: Arc<Vec<Scale>>,
    /// Which of them it is on, if it is one.
    pub scale: Option<Scale>,
    /// Which of them is on its way.
    pub scale_awaited: Option<Scale>,
    /// The run that is started in advance, on other computers.
    pub standby: Standby,
    /// What it waits for before it is started.
    pub queue: Option<Queue>,
    /// What went wrong with the run that this one carries on for.
    pub carried_on: Option<Fault>,
    /// What the demo said about its pictures and ranks; from its hello to the start of the next run.
    pub hello: Option<Arc<Hello>>,
    /// The newest statistics of this run.
    pub statistics: Option<Arc<Statistics>>,
    /// The newest sentence for the visitor of this run.
    pub text: Option<Arc<Text>>,
    /// How the last run ended; until the next one starts.
    pub ended: Option<Arc<Ended>>,
}

/// What is known of a run that is started in advance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standby {
    /// There is none.
    #[default]
    None,
    /// Slurm does not let it in yet, for this reason.
    Queued(Why),
    /// It starts, on so many computers.
    Starting(u16),
    /// It is there and asleep, or takes over.
    Ready(u16),
}

/// A run stands in Slurm's queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queue {
    /// Since when.
    pub since: Instant,
    /// How long it may; then it runs here.
    pub limit: Duration,
    /// Why.
    pub why: Why,
}

/// What the supervisor does.
#[derive(Clone, Debug, Default)]
pub enum State {
    /// Nothing runs.
    #[default]
    Idle,
    /// Started, and no picture yet.
    Starting {
        /// What is started.
        demo: Arc<Demo>,
        /// When the start was asked for, or the run before it was over.
        since: Instant,
    },
    /// Pictures arrive.
    Running {
        /// What runs.
        demo: Arc<Demo>,
        /// When the start was asked for, or the run before it was over.
        since: Instant,
        /// Time from then to the first picture.
        first_frame_after: Duration,
    },
    /// The run is being ended, or ends by itself; it is over when nothing of it is left.
    Stopping {
        /// What ends.
        demo: Arc<Demo>,
        /// When that began.
        since: Instant,
        /// What went wrong, as far as that is known already.
        fault: Option<Fault>,
        /// What is started then.
        next: Option<Arc<Demo>>,
    },
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Ended {
    /// What ran.
    pub demo: Arc<Demo>,
    /// When it was over.
    pub at: Instant,
    /// What went wrong; `None` if it finished or was asked to end.
    pub fault: Option<Fault>,
    /// Whether it is certain that no process of it is left, on all computers that could be asked.
    pub verified: bool,
    /// The other computers of the run that could not be asked, by name.
    pub unreached: Vec<String>,
    /// Processes that did not end by themselves.
    pub processes_killed: usize,
}

/// What went wrong with a run. The text is a line for the owner; the view has sentences for visitors.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Fault {
    /// There is nothing to run.
    #[error("cannot start {program}: {why}")]
    CannotStart {
        /// The program.
        program: String,
        /// Why, and what to do.
        why: String,
    },
    /// The first picture did not come in time.
    #[error("no picture within {after_s} s (first_frame_s in demo.toml)")]
    NoPicture {
        /// The time it had, s.
        after_s: f64,
    },
    /// Nothing came from it for too long.
    #[error("no sign of progress for {after_s} s (progress_s in demo.toml)")]
    Hung {
        /// The time it had, s.
        after_s: f64,
    },
    /// It ended without saying why.
    #[error("{}{}", HowItEnded(*.exit), LastLine(.last_line))]
    Crashed {
        /// How.
        exit: Exit,
        /// The last line it printed; empty if none.
        last_line: String,
    },
    /// It closed its connection and went on running.
    #[error("closed its connection to the kiosk but did not end")]
    Disconnected,
    /// What it sent is not the protocol.
    #[error("breaks the protocol: {0}")]
    Garbage(#[from] WireError),
    /// It sent more than the kiosk takes.
    #[error("sends too much: more than {limit}")]
    Flood {
        /// What it went beyond.
        limit: &'static str,
    },
    /// It said that it cannot go on.
    #[error("gave up: {detail}")]
    Failed {
        /// What it said.
        detail: String,
    },
    /// A computer of the run is hotter than the owner allows.
    #[error("{} has {:.1} degrees Celsius, its limit is {:.0}", .0.host, .0.celsius, .0.limit_celsius)]
    TooHot(Heat),
    /// Slurm has given a computer of the run to somebody else.
    #[error("Slurm has given {host} to somebody else")]
    Taken {
        /// Its name.
        host: String,
    },
    /// Slurm gave it no computers.
    #[error("Slurm gives it no computers: {why}")]
    NotAllocated {
        /// What it says.
        why: String,
    },
    /// Slurm has taken its computers back.
    #[error("its job in Slurm was ended from outside: {why}")]
    Revoked {
        /// What it says.
        why: String,
    },
    /// Its warden was killed or is out of reach, so that nobody watched over it.
    #[error("its warden, hpc-kiosk-warden, was killed, or the connection to it broke")]
    Unwatched,
}

struct HowItEnded(Exit);

impl fmt::Display for HowItEnded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Exit::Code(code) => write!(f, "ended with status {code} without saying why"),
            Exit::Signal(signal) => write!(f, "was ended by signal {signal}"),
            Exit::Unknown => write!(f, "did not end, not even when killed"),
        }
    }
}

struct LastLine<'a>(&'a str);

impl fmt::Display for LastLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, "; its last line: {}", self.0) }
    }
}
