//! Asks all nodes, each on its own: a thread that neither the screen nor a run ever waits for.

use std::{
    io,
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use bytes::Bytes;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::{
    sync::watch,
    time::{sleep, sleep_until},
};
use tokio_util::sync::CancellationToken;
use wire::channel::Processor;

use super::{
    SharedHistory, Telemetry, Trouble,
    http::{Budget, Client},
    mapping::{self, Counters, Said},
    offer, schedule,
    store::Store,
    this_host::ThisHost,
};
use crate::config::{Metrics, NodeAddress, NodeEntry};

/// Readings that come closer together than this part of the interval are shown together.
const SHOWN_PER_INTERVAL: u32 = 4;
/// The same at the slowest rates: nobody wants to wait longer than that for what is known.
const LONGEST_DELAY: Duration = Duration::from_millis(250);

/// Files that the rest of the kiosk may have open.
const OTHER_FILES: usize = 512;

/// The thread that asks the nodes, and that of the offer if there is one.
pub struct Gatherer {
    stop: CancellationToken,
    thread: JoinHandle<()>,
    offer: Option<offer::Server>,
}

impl Gatherer {
    /// Starts asking `nodes`, this machine alone if there are none; what they say goes to `seen` and `history`. What
    /// does not work goes to `problems`, a sentence each.
    ///
    /// # Errors
    /// If a thread cannot be started.
    pub fn start(
        nodes: &[NodeEntry],
        metrics: &Metrics,
        seen: watch::Sender<Telemetry>,
        history: SharedHistory,
        problems: &mut Vec<String>,
    ) -> io::Result<Self> {
        let alone = [this_machine()];
        let nodes = if nodes.is_empty() { &alone } else { nodes };
        let store = Store::new(nodes, Instant::now(), history, metrics.listen.is_some());
        let store = Arc::new(store);
        seen.send_replace(store.telemetry());
        let offer = metrics.listen.and_then(|address| {
            let server = offer::Server::start(address, Arc::clone(&store));
            server
                .inspect_err(|problem| log::warn!("{problem}"))
                .map_err(|problem| problems.push(problem))
                .ok()
        });
        allow_connections(nodes.len());
        let sources: Vec<Source> = nodes.iter().map(Source::of).collect::<io::Result<_>>()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, interval) = (CancellationToken::new(), metrics.interval);
        let stopped = stop.clone();
        let thread = thread::Builder::new().name("telemetry".into()).spawn(move || {
            let (budget, count) = (Budget::default(), sources.len());
            let start = Instant::now();
            runtime.block_on(async move {
                for (place, source) in sources.into_iter().enumerate() {
                    let due = start + schedule::phase(place, count, interval);
                    let (store, budget) = (Arc::clone(&store), budget.clone());
                    tokio::spawn(follow(place, source, store, budget, due, interval));
                }
                let delay = (interval / SHOWN_PER_INTERVAL).min(LONGEST_DELAY);
                stopped.run_until_cancelled(publish(&store, &seen, delay)).await;
            });
            // A name that is being looked up cannot be given up: it must not hold the end.
            runtime.shutdown_background();
        })?;
        Ok(Self { stop, thread, offer })
    }

    /// Where the offer listens, if it does.
    pub fn offers_at(&self) -> Option<std::net::SocketAddr> {
        self.offer.as_ref().map(offer::Server::address)
    }

    /// Ends both threads and waits for them.
    ///
    /// # Errors
    /// If one of them has panicked.
    pub fn stop(self) -> thread::Result<()> {
        self.stop.cancel();
        let offered = self.offer.map_or(Ok(()), offer::Server::stop);
        self.thread.join().and(offered)
    }
}

/// Lets this process have a connection to every node: the usual limit of 1,024 files is meant for programs that do not
/// know it.
fn allow_connections(nodes: usize) {
    let limit = getrlimit(Resource::Nofile);
    let wanted = (nodes + OTHER_FILES) as u64;
    if limit.current.is_some_and(|current| current < wanted) {
        let most = limit.maximum.map_or(wanted, |maximum| maximum.min(wanted));
        let raised = Rlimit { current: Some(most), maximum: limit.maximum };
        if most < wanted || setrlimit(Resource::Nofile, raised).is_err() {
            log::warn!(
                "{nodes} nodes need {wanted} open files, this process may have {most}; raise LimitNOFILE"
            );
        }
    }
}

/// What there is without any `[[node]]`.
fn this_machine() -> NodeEntry {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let first = name.split('.').next().filter(|first| !first.is_empty());
    NodeEntry {
        name: first.unwrap_or("localhost").to_owned(),
        address: NodeAddress::Local,
        colour: 0,
        slots: None,
        usb_pair: None,
        processor: Processor::Auto,
    }
}

/// Where the words of a node come from.
pub enum Source {
    /// This machine.
    ThisHost(ThisHost),
    /// Another one.
    Agent(Box<Client>),
}

impl Source {
    /// The source of a node.
    ///
    /// # Errors
    /// If it is this machine and there is no thread left for it.
    pub fn of(node: &NodeEntry) -> io::Result<Self> {
        Self::at(&node.address)
    }

    /// The source at an address.
    ///
    /// # Errors
    /// If it is this machine and there is no thread left for it.
    pub fn at(address: &NodeAddress) -> io::Result<Self> {
        Ok(match address {
            NodeAddress::Local => Self::ThisHost(ThisHost::start()?),
            NodeAddress::Agent { host, port } => {
                Self::Agent(Box::new(Client::new(host.clone(), *port)))
            }
        })
    }

    /// The text of its metrics.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn metrics(&mut self, budget: &Budget) -> Result<Bytes, Trouble> {
        match self {
            Self::ThisHost(host) => host.metrics().await,
            Self::Agent(client) => client.metrics(budget).await,
        }
    }
}

/// Asks one node for ever; one question at a time.
async fn follow(
    place: usize,
    mut source: Source,
    store: Arc<Store>,
    budget: Budget,
    mut due: Instant,
    interval: Duration,
) {
    let mut counters = Counters::default();
    let mut failures = 0u32;
    loop {
        sleep_until(due.into()).await;
        let asked = source.metrics(&budget).await;
        match asked.and_then(|text| hear(place, &text, &store, &mut counters)) {
            Ok(()) => {
                failures = 0;
                due = schedule::next(due, interval, Instant::now());
            }
            Err(trouble) => {
                failures = failures.saturating_add(1);
                store.failed(place, trouble);
                due = Instant::now() + schedule::pause(failures, interval, chance());
            }
        }
    }
}

fn hear(place: usize, text: &[u8], store: &Store, counters: &mut Counters) -> Result<(), Trouble> {
    // The client has looked already; looking again is cheaper than a type for it.
    let text = std::str::from_utf8(text).unwrap_or_default();
    let said = Said::read(text).map_err(Trouble::from)?;
    let reading = mapping::reading(&said, counters, Instant::now());
    store.answered(place, &said, reading);
    Ok(())
}

/// From 0 to 1; without randomness, which only a broken system lacks, pauses are their longest.
fn chance() -> f64 {
    getrandom::u32().map_or(0.0, |random| f64::from(random) / f64::from(u32::MAX))
}

/// Shows what has changed, a few changes at a time.
async fn publish(store: &Store, seen: &watch::Sender<Telemetry>, delay: Duration) {
    loop {
        store.changed.notified().await;
        seen.send_replace(store.telemetry());
        sleep(delay).await;
    }
}
