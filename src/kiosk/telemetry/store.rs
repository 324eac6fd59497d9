//! What is known of all nodes, shared by whoever asks them and whoever shows or offers it.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use tokio::sync::Notify;

use super::{
    Node, SharedHistory, Telemetry, Trouble,
    mapping::{self, Said},
    offer::Told,
    reading::Reading,
};
use crate::config::NodeEntry;

/// The newest of every node, in the order of the configuration.
pub struct Store {
    entries: Mutex<Vec<Entry>>,
    history: SharedHistory,
    keeps_words: bool,
    /// Rung at every change.
    pub changed: Notify,
}

struct Entry {
    node: Arc<Node>,
    told: Option<Arc<Told>>,
}

impl Store {
    /// Nothing is known yet; what the nodes say is kept word by word only if somebody is offered it.
    pub fn new(
        nodes: &[NodeEntry],
        now: Instant,
        history: SharedHistory,
        keeps_words: bool,
    ) -> Self {
        let entry = |node: &NodeEntry| Entry {
            node: Arc::new(Node {
                name: node.name.clone(),
                colour: node.colour,
                since: now,
                reading: None,
                trouble: None,
                refused: 0,
            }),
            told: None,
        };
        Self {
            entries: Mutex::new(nodes.iter().map(entry).collect()),
            history,
            keeps_words,
            changed: Notify::new(),
        }
    }

    /// The node at `place` has said something that can be used.
    pub fn answered(&self, place: usize, said: &Said<'_>, reading: Reading) {
        {
            let mut history = self.history.lock().unwrap_or_else(PoisonError::into_inner);
            for (quantity, value) in mapping::charted(&reading) {
                if let Some(value) = value {
                    history.record(place, quantity, value, reading.at);
                }
            }
        }
        let told = self.keeps_words.then(|| Arc::new(Told::of(said)));
        self.change(place, |entry| {
            if entry.node.trouble.is_some() {
                log::info!("{} answers again", entry.node.name);
            }
            let node = &entry.node;
            entry.node = Arc::new(Node {
                name: node.name.clone(),
                colour: node.colour,
                since: node.since,
                reading: Some(Arc::new(reading)),
                trouble: None,
                refused: node.refused + said.refused,
            });
            entry.told = told;
        });
    }

    /// The node at `place` was asked in vain.
    pub fn failed(&self, place: usize, trouble: Trouble) {
        self.change(place, |entry| {
            if entry.node.trouble.as_ref() != Some(&trouble) {
                log::warn!("{}: {trouble}", entry.node.name);
                entry.node = Arc::new(Node { trouble: Some(trouble), ..Node::clone(&entry.node) });
            }
        });
    }

    /// All nodes, as they are now.
    pub fn telemetry(&self) -> Telemetry {
        Telemetry { nodes: self.entries().iter().map(|entry| Arc::clone(&entry.node)).collect() }
    }

    /// All nodes and what they said, word by word.
    pub fn words(&self) -> Vec<(Arc<Node>, Option<Arc<Told>>)> {
        self.entries().iter().map(|entry| (Arc::clone(&entry.node), entry.told.clone())).collect()
    }

    fn change(&self, place: usize, change: impl FnOnce(&mut Entry)) {
        if let Some(entry) = self.entries().get_mut(place) {
            change(entry);
        }
        self.changed.notify_one();
    }

    fn entries(&self) -> MutexGuard<'_, Vec<Entry>> {
        // What is there is whole: every change is one assignment.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
