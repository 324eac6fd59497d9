//! What every node does: the newest reading of each, how old it is, and an hour of history; knows nothing of who
//! shows it.
//!
//! Reading order: [`gather`] asks every node in its turn ([`schedule`]), by [`http`] or, this machine, directly
//! ([`this_host`]); [`mapping`] makes a [`reading`] of the answer, within what is real ([`range`]); [`store`] and
//! [`history`] keep it, [`offer`] tells it to others.

pub mod gather;
pub mod history;
pub mod http;
pub mod mapping;
pub mod offer;
pub mod range;
pub mod reading;
pub mod schedule;
pub mod store;
pub mod this_host;

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use history::History;
use reading::Reading;

/// A reading older than this is stale: shown with its age, never as current.
pub const STALE_AFTER: Duration = Duration::from_secs(3);
/// A node without an answer for this long is lost.
pub const LOST_AFTER: Duration = Duration::from_secs(10);

/// Why there is no new reading of a node; the text is for the owner.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// The name of the node means nothing to the network.
    #[error("the name is unknown to the network")]
    NoSuchName,
    /// Nothing answers there, not even to refuse.
    #[error("no answer")]
    NoAnswer,
    /// The computer is there, its agent is not.
    #[error("no agent listens there")]
    NoAgent,
    /// It answers, but not with metrics that can be used.
    #[error("{0}")]
    BadAnswer(String),
}

impl From<mapping::AnswerError> for Trouble {
    fn from(error: mapping::AnswerError) -> Self {
        Self::BadAnswer(format!("its answer is refused: {error}"))
    }
}

/// How old what we know of a node is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Freshness {
    /// Never heard of yet.
    Awaited,
    /// Current.
    Fresh,
    /// Not current any more, but the node may only be slow.
    Stale {
        /// Age of the newest reading.
        age: Duration,
    },
    /// Silent for long.
    Lost {
        /// Age of the newest reading; `None` if there never was one.
        age: Option<Duration>,
    },
}

/// One node of `[[node]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Its name in the configuration.
    pub name: String,
    /// Index of its colour.
    pub colour: usize,
    /// When it was first asked.
    pub since: Instant,
    /// The newest that it said.
    pub reading: Option<Arc<Reading>>,
    /// Why the newest attempt failed; `None` if it did not.
    pub trouble: Option<Trouble>,
    /// Values refused since the start because nothing real can have them.
    pub refused: u64,
}

impl Node {
    /// How old what we know of it is.
    pub fn freshness(&self, now: Instant) -> Freshness {
        match &self.reading {
            Some(reading) => {
                let age = now.saturating_duration_since(reading.at);
                if age <= STALE_AFTER {
                    Freshness::Fresh
                } else if age <= LOST_AFTER {
                    Freshness::Stale { age }
                } else {
                    Freshness::Lost { age: Some(age) }
                }
            }
            None if now.saturating_duration_since(self.since) <= STALE_AFTER => Freshness::Awaited,
            None => Freshness::Lost { age: None },
        }
    }
}

/// All nodes, in the order of the configuration.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Telemetry {
    /// One for each `[[node]]`; this machine alone where there is none.
    pub nodes: Vec<Arc<Node>>,
}

/// The history, shared with whoever draws it; held for the copying of one line only.
pub type SharedHistory = Arc<Mutex<History>>;
