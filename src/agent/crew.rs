//! Reads all sources within a deadline, whatever one of them does.
//!
//! One thread reads them one after the other. When one does not come back, another thread is called in for the rest;
//! the source that blocks is not asked again until it has come back, so there are never more threads than sources.

use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use wire::metrics::family;

use crate::{
    flags, power,
    samples::Samples,
    sources::{Outcome, Source},
};

/// Longest wait for all sources together.
pub const DEADLINE: Duration = Duration::from_millis(150);
/// A source that takes longer than this is left to its thread; the others are read by another one.
const PATIENCE: Duration = Duration::from_millis(20);
/// How long what was read is given to further askers.
///
/// Short beside the time between two questions: whoever makes rates of two answers takes the time of reading for that of
/// asking.
pub const FRESH: Duration = Duration::from_millis(20);
/// What the machine does not have is looked for again after this: it may be plugged in.
const MISSING_FOR: Duration = Duration::from_secs(10);
/// Stack of a thread. Only what is touched takes memory; NVIDIA's library needs the most.
const STACK: usize = 256 * 1024;

/// Those who read; dropped, they end as soon as what they read lets them.
pub struct Crew {
    shared: Arc<Shared>,
    /// What was read last, and when; held while reading, so that askers at the same time share one reading.
    latest: Mutex<Option<(Instant, Arc<Samples>)>>,
}

struct Shared {
    state: Mutex<State>,
    /// There is something to read, or the crew is dismissed.
    work: Condvar,
    /// A round is complete.
    done: Condvar,
}

struct State {
    slots: Vec<Slot>,
    queue: VecDeque<usize>,
    /// Which reading of all sources this is.
    round: u64,
    /// How many of this round's sources have not come back.
    outstanding: usize,
    /// How many sources ever came back: progress.
    finished: u64,
    threads: usize,
    idle: usize,
    dismissed: bool,
}

struct Slot {
    name: String,
    /// `None` while a thread reads it.
    source: Option<Box<dyn Source>>,
    /// When it was asked last.
    round: u64,
    last: Option<Reading>,
}

struct Reading {
    at: Instant,
    /// Which round asked for it.
    round: u64,
    outcome: Outcome,
    samples: Samples,
    fresh_for: Duration,
    kept_for: Duration,
}

impl Crew {
    /// A crew for these sources; its first thread starts with the first reading.
    pub fn new(sources: Vec<Box<dyn Source>>) -> Self {
        let slot = |source: Box<dyn Source>| Slot {
            name: source.name().into(),
            source: Some(source),
            round: 0,
            last: None,
        };
        let state = State {
            slots: sources.into_iter().map(slot).collect(),
            queue: VecDeque::new(),
            round: 0,
            outstanding: 0,
            finished: 0,
            threads: 0,
            idle: 0,
            dismissed: false,
        };
        let shared =
            Shared { state: Mutex::new(state), work: Condvar::new(), done: Condvar::new() };
        Self { shared: Arc::new(shared), latest: Mutex::new(None) }
    }

    /// What all sources say, settled, at most [`FRESH`] old, after at most [`DEADLINE`].
    pub fn read(&self) -> Arc<Samples> {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, samples)) = &*latest
            && at.elapsed() < FRESH
        {
            return samples.clone();
        }
        let asked = Instant::now();
        let samples = Arc::new(self.shared.read_all(asked));
        *latest = Some((asked, samples.clone()));
        samples
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.shared.lock().dismissed = true;
        self.shared.work.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read_all(self: &Arc<Self>, asked: Instant) -> Samples {
        let mut state = self.lock();
        state.begin_round(asked);
        self.call_in(&mut state);
        let mut finished = state.finished;
        while 0 < state.outstanding {
            let left = DEADLINE.saturating_sub(asked.elapsed());
            if left.is_zero() {
                break;
            }
            let wait = self.done.wait_timeout(state, left.min(PATIENCE));
            state = wait.unwrap_or_else(PoisonError::into_inner).0;
            if finished == state.finished {
                self.call_in(&mut state);
            }
            finished = state.finished;
        }
        // What nobody came to read is not read later, when nobody waits for it.
        state.queue.clear();
        let mut samples = state.gather(Instant::now());
        drop(state);
        flags::combine(&mut samples);
        power::choose(&mut samples);
        samples.settle();
        samples
    }

    /// Has a thread take what waits, an idle one or a new one.
    fn call_in(self: &Arc<Self>, state: &mut State) {
        if state.queue.is_empty() {
            return;
        }
        if 0 < state.idle {
            self.work.notify_one();
        } else if state.threads <= state.slots.len() {
            let shared = self.clone();
            let thread = thread::Builder::new().name("reader".into()).stack_size(STACK);
            // Without a thread the sources are absent this time, and the next time is another try.
            if thread.spawn(move || shared.serve()).is_ok() {
                state.threads += 1;
            }
        }
    }

    /// The life of a thread.
    fn serve(&self) {
        let mut state = self.lock();
        while !state.dismissed {
            let next = state.queue.pop_front();
            let taken = next.and_then(|index| Some((index, state.slots[index].source.take()?)));
            let Some((index, mut source)) = taken else {
                state.idle += 1;
                state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
                state.idle -= 1;
                continue;
            };
            drop(state);
            let mut samples = Samples::default();
            let outcome = source.read(&mut samples);
            let (fresh_for, kept_for) = match outcome {
                Outcome::Missing => (MISSING_FOR, MISSING_FOR),
                _ => (source.fresh_for(), source.kept_for()),
            };
            let at = Instant::now();
            let reading = Reading { at, round: 0, outcome, samples, fresh_for, kept_for };
            state = self.lock();
            state.finish(index, source, reading);
            if state.outstanding == 0 {
                self.done.notify_all();
            }
        }
        state.threads -= 1;
    }
}

impl State {
    /// Asks every source that is not being read already and whose last reading is not fresh.
    fn begin_round(&mut self, now: Instant) {
        self.round += 1;
        self.queue.clear();
        for (index, slot) in self.slots.iter_mut().enumerate() {
            let fresh =
                slot.last.as_ref().is_some_and(|last| now.duration_since(last.at) < last.fresh_for);
            if slot.source.is_some() && !fresh {
                slot.round = self.round;
                self.queue.push_back(index);
            }
        }
        self.outstanding = self.queue.len();
    }

    fn finish(&mut self, index: usize, source: Box<dyn Source>, reading: Reading) {
        let slot = &mut self.slots[index];
        slot.source = Some(source);
        slot.last = Some(Reading { round: slot.round, ..reading });
        self.finished += 1;
        if slot.round == self.round {
            self.outstanding = self.outstanding.saturating_sub(1);
        }
    }

    /// What may be told now, with whether each source could be read. A source that the machine does not have is not
    /// mentioned.
    fn gather(&mut self, now: Instant) -> Samples {
        let mut samples = Samples::default();
        for slot in &mut self.slots {
            let last = slot.last.as_mut().filter(|last| {
                last.round == self.round || now.duration_since(last.at) < last.kept_for
            });
            let up = match last.as_ref().map(|last| last.outcome) {
                Some(Outcome::Missing) => continue,
                Some(Outcome::Read) => 1.0,
                Some(Outcome::Failed) | None => 0.0,
            };
            match last {
                Some(last) if last.kept_for.is_zero() => samples.append(&mut last.samples),
                Some(last) => samples.append(&mut last.samples.clone()),
                None => {}
            }
            samples.add(&family::SOURCE_UP, [("source", slot.name.clone().into())], up);
        }
        samples
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// Reads whatever its function reads.
    struct Asked<F>(&'static str, F);

    impl<F: FnMut(&mut Samples) -> Outcome + Send> Source for Asked<F> {
        fn name(&self) -> &str {
            self.0
        }

        fn read(&mut self, found: &mut Samples) -> Outcome {
            (self.1)(found)
        }
    }

    fn load(found: &mut Samples) -> Outcome {
        found.add(&family::LOAD1, [], 1.0);
        Outcome::Read
    }

    fn up(samples: &Samples, name: &str) -> Option<f64> {
        samples.of(&family::SOURCE_UP).find(|up| up.label("source") == name).map(|up| up.value)
    }

    #[test]
    fn sources_that_block_hide_no_other_and_come_back() {
        let (release, gate) = mpsc::channel::<()>();
        let (second_release, second_gate) = mpsc::channel::<()>();
        let stuck = move |found: &mut Samples| {
            let _ = gate.recv();
            found.add(&family::LOAD5, [], 5.0);
            Outcome::Read
        };
        let stuck_too = move |_: &mut Samples| {
            let _ = second_gate.recv();
            Outcome::Missing
        };
        let crew = Crew::new(vec![
            Box::new(Asked("stuck", stuck)),
            Box::new(Asked("stuck too", stuck_too)),
            Box::new(Asked("load", load)),
            Box::new(Asked("absent", |_: &mut Samples| Outcome::Missing)),
            Box::new(Asked("broken", |_: &mut Samples| Outcome::Failed)),
        ]);
        for _ in 0..20 {
            let begun = Instant::now();
            let samples = crew.shared.read_all(begun);
            // Twice the deadline: the test's machine is busy with others.
            assert!(begun.elapsed() < 2 * DEADLINE, "{:?}", begun.elapsed());
            assert_eq!(samples.of(&family::LOAD1).count(), 1);
            assert_eq!(samples.of(&family::LOAD5).count(), 0);
            let ups = ["stuck", "stuck too", "load", "absent", "broken"].map(|n| up(&samples, n));
            assert_eq!(ups, [Some(0.0), Some(0.0), Some(1.0), None, Some(0.0)]);
            assert!(
                crew.shared.lock().threads <= 6,
                "a stuck source takes one thread, not one a scrape"
            );
        }
        drop((release, second_release));
        let deadline = Instant::now() + Duration::from_secs(5);
        while up(&crew.shared.read_all(Instant::now()), "stuck") != Some(1.0) {
            assert!(Instant::now() < deadline, "the source came back and was not asked again");
        }
    }

    #[test]
    fn askers_at_the_same_time_share_one_reading() {
        let (count, counted) = mpsc::channel();
        let crew = Crew::new(vec![Box::new(Asked("load", move |found: &mut Samples| {
            let _ = count.send(());
            load(found)
        }))]);
        let begun = Instant::now();
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| assert_eq!(crew.read().of(&family::LOAD1).count(), 1));
            }
        });
        let most = 1 + begun.elapsed().as_millis() / FRESH.as_millis();
        assert!((counted.try_iter().count() as u128) <= most);
    }

    #[test]
    fn a_crew_that_is_dropped_ends_its_threads() {
        let crew = Crew::new(vec![Box::new(Asked("load", load))]);
        crew.read();
        let shared = Arc::downgrade(&crew.shared);
        drop(crew);
        let deadline = Instant::now() + Duration::from_secs(5);
        while shared.upgrade().is_some() {
            assert!(Instant::now() < deadline, "a thread lives on");
            thread::yield_now();
        }
    }
}
