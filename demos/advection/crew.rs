//! The cores that compute a rank's rows together: each sweeps a band of them on its own.
//!
//! A sweep computes a row by the same operations in the same order wherever it begins ([`crate::mpdata`]), so the bits do
//! not depend on the number of threads. A band repeats `halo` rows of its neighbour's intermediate results on either side.

use std::{
    hint,
    ops::Range,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::{
    mpdata::{Field, FieldMut, Motion, Mpdata, Options},
    real::Real,
    rows::width,
    simd::Level,
};

/// Fewest rows of a band: with fewer, what it repeats and the start of a thread cost more than they bring.
const FEWEST: usize = 16;
/// Rows between two pauses.
const ROWS_PER_PAUSE: usize = 32;
/// How long the first thread waits awake for the others.
const PATIENCE: Duration = Duration::from_micros(200);
/// Most threads of a rank.
pub const MAX_THREADS: usize = 256;

/// How a processor computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cpu {
    /// Its instructions.
    pub level: Level,
    /// Its cores, each of which takes a band of the rows.
    pub threads: usize,
}

impl From<Level> for Cpu {
    /// One core.
    fn from(level: Level) -> Self {
        Self { level, threads: 1 }
    }
}

/// Threads that sweep, each with the stages of a step for its band; the calling thread is the first.
pub struct Crew<T> {
    cpu: Cpu,
    ny: usize,
    options: Options,
    others: Option<ThreadPool>,
    bands: Vec<Mpdata<T>>,
    /// The band that had the last rows.
    last: usize,
}

impl<T: Real> Crew<T> {
    /// A crew for rows of `ny` cells; as many threads as there can be, if the system grants fewer than are wanted.
    pub fn new(options: Options, ny: usize, cpu: Cpu) -> Self {
        let threads = cpu.threads.clamp(1, MAX_THREADS);
        let start = |others: usize| {
            let name = |k: usize| format!("band-{}", k + 1);
            ThreadPoolBuilder::new().num_threads(others).thread_name(name).build()
        };
        let others = (threads > 1).then(|| start(threads - 1)).and_then(|pool| {
            pool.inspect_err(|error| {
                parallel::say(format_args!(
                    "advection: the {threads} threads of a rank cannot be had ({error}); one computes"
                ));
            })
            .ok()
        });
        let threads = others.as_ref().map_or(1, |pool| 1 + pool.current_num_threads());
        let mut crew = Self {
            cpu: Cpu { threads, ..cpu },
            ny,
            options,
            others,
            bands: Vec::with_capacity(threads),
            last: 0,
        };
        crew.choose(options);
        crew
    }

    /// Goes on with another member of the family.
    pub fn choose(&mut self, options: Options) {
        if options == self.options && !self.bands.is_empty() {
            return;
        }
        self.options = options;
        self.bands.clear();
        let band = || Mpdata::new(options, self.ny, self.cpu.level);
        self.bands.extend(std::iter::repeat_with(band).take(self.cpu.threads));
    }

    /// The member of the family.
    pub fn options(&self) -> Options {
        self.options
    }

    /// Threads that compute.
    pub fn threads(&self) -> usize {
        self.cpu.threads
    }

    /// Sweeps the rows `inputs` of `before` and writes the rows of `after`, whose entries begin with row 0, that are
    /// complete then: all but the first and the last `halo` of them.
    ///
    /// The calling thread sweeps the first band and calls `pause` now and then; no other may call MPI.
    pub fn sweep(
        &mut self,
        inputs: Range<usize>,
        before: Field<'_, T>,
        motion: Motion<'_, T>,
        after: &mut [T],
        mut pause: impl FnMut(),
    ) {
        let (reach, width) = (self.options.halo(), width::<T>(self.ny));
        let targets = inputs.start + reach..(inputs.end - reach).max(inputs.start + reach);
        let bands = self.bands.len().min(targets.len() / FEWEST).max(1);
        self.last = bands - 1;
        let start = |k: usize| targets.start + k * targets.len() / bands;
        let mut rest = &mut after[targets.start * width..targets.end * width];
        let mut sweeps = self.bands.iter_mut().zip(0..bands).map(|(mpdata, k)| {
            let (first, end) = (start(k), start(k + 1));
            let entries = rest.split_off_mut(..(end - first) * width).unwrap_or_default();
            (mpdata, first - reach..end + reach, FieldMut { entries, first })
        });
        let Some((mpdata, rows, own)) = sweeps.next() else { return };
        let rows = if bands == 1 { inputs } else { rows };
        let mut sweep_own = || {
            mpdata.begin(rows.start);
            for start in rows.clone().step_by(ROWS_PER_PAUSE) {
                let end = (start + ROWS_PER_PAUSE).min(rows.end);
                let own = FieldMut { entries: &mut *own.entries, first: own.first };
                mpdata.sweep(start..end, before, motion, own);
                pause();
            }
        };
        let Some(others) = self.others.as_ref().filter(|_| 1 < bands) else { return sweep_own() };
        let busy = &AtomicUsize::new(bands - 1);
        others.in_place_scope(|scope| {
            for (mpdata, rows, own) in sweeps {
                scope.spawn(move |_| {
                    mpdata.begin(rows.start);
                    mpdata.sweep(rows, before, motion, own);
                    busy.fetch_sub(1, Ordering::Release);
                });
            }
            sweep_own();
            // The bands are alike: to fall asleep and be woken would take longer than the others still do.
            let until = Instant::now() + PATIENCE;
            while 0 < busy.load(Ordering::Acquire) && Instant::now() < until {
                hint::spin_loop();
            }
        });
    }

    /// Goes on with the rows `inputs`, which come after those of the last [`Self::sweep`].
    pub fn go_on(
        &mut self,
        inputs: Range<usize>,
        before: Field<'_, T>,
        motion: Motion<'_, T>,
        after: &mut [T],
    ) {
        let after = FieldMut { entries: after, first: 0 };
        self.bands[self.last].sweep(inputs, before, motion, after);
    }
}
