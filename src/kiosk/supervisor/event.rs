//! What can happen to a run and what can be done about it: the words between the machine and its eyes and hands.

use std::{sync::Arc, time::Duration};

use warden::Exit;
use wire::{WireError, demo::End};

use super::status::Fault;
use crate::catalogue::Demo;

/// What can happen to a run.
#[derive(Clone, Debug)]
pub enum Event {
    /// Start this.
    Launch(Arc<Demo>),
    /// End what runs.
    Stop,
    /// End what runs and start nothing more.
    Shutdown,
    /// The program could not be started.
    NotStarted(Fault),
    /// The run is started on other computers, or on this one.
    Placed {
        /// Whether others take part.
        far: bool,
    },
    /// It has to be let in first, for which it may wait so long.
    Queued {
        /// How long.
        limit: Duration,
    },
    /// It was let in.
    Admitted,
    /// The demo has introduced itself.
    Hello,
    /// A picture came.
    Frame,
    /// Another sign of progress came: statistics, or a word that it is alive.
    Progress,
    /// A sentence for the visitor came, which is no progress.
    Said,
    /// The demo said why it ends.
    End(End),
    /// The demo closed its connection; what was cut off, if it was in the middle of a record.
    Closed(Option<WireError>),
    /// The demo sent what it must not.
    Broken(Fault),
    /// Everything the demo sent has been read, and all its processes but `left` are gone.
    Over {
        /// How its program ended.
        exit: Exit,
        /// The last line it printed.
        last_line: String,
        /// Processes that were killed.
        killed: usize,
        /// Processes that could not be.
        left: usize,
        /// Other computers of the run that did not answer when they were asked what is left.
        unreached: Vec<String>,
    },
    /// The warden is gone and has not said a word.
    Unwatched,
    /// The sweep is done.
    Swept {
        /// Processes that were killed.
        killed: usize,
        /// Processes that could not be.
        left: usize,
        /// Other computers of the run that did not answer when they were asked what is left.
        unreached: Vec<String>,
    },
    /// Time has passed.
    Tick,
}

/// What is to be done; each must lead to an event, or the deadline does.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Start this; leads to `NotStarted`, or to `Over` or `Unwatched` in the end.
    Start(Arc<Demo>),
    /// Send the protocol's stop.
    SendStop,
    /// Ask the warden to end the run; leads to `Over` or `Unwatched`.
    AskWarden,
    /// Kill the warden and everything below this process that the run started; leads to `Swept`.
    Sweep,
    /// Close the run's connection and remove its folder: it is over.
    Forget,
    /// Tell the view.
    Publish,
    /// There is nothing more to do, ever.
    Quit,
}
