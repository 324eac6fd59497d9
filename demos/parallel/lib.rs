//! What every MPI demo of ours needs: start and end of a job, strips of a grid, halo exchange, gathering.
//!
//! A demo names MPI nowhere else. Nothing here knows what is computed or how a picture is shown.
//!
//! ```no_run
//! let job = parallel::start()?;
//! let rows = parallel::strip(job.rank(), job.size(), 480);
//! println!("rank {} of {} on {} has rows {rows:?}", job.rank(), job.size(), job.host());
//! # Ok::<(), parallel::StartError>(())
//! ```

use std::{
    fmt::{self, Write as _},
    io::{self, Write as _},
    panic, process, thread,
    time::Duration,
};

use mpi::{
    Threading,
    collective::SystemOperation,
    datatype::Equivalence,
    environment::Universe,
    request,
    topology::SimpleCommunicator,
    traits::{Communicator, CommunicatorCollectives, Destination, Root, Source},
};

mod gather;
mod halo;
mod stopwatch;
mod strip;

pub use gather::Tiles;
pub use halo::Progress;
pub use stopwatch::{Activity, Shares, Stopwatch};
pub use strip::strip;

/// How long a rank that waits asleep may be late.
pub const NAP: Duration = Duration::from_millis(10);
/// What a rank that panics makes `mpirun` exit with, as a Rust program that panics alone does.
const PANIC_EXIT: i32 = 101;

/// Says a line on standard error, whole: the ranks of a job share it, and a line that `eprintln!` writes in
/// pieces comes out mixed with another rank's.
///
/// What cannot be said, to a closed terminal for one, is lost.
pub fn say(line: fmt::Arguments<'_>) {
    let mut whole = String::new();
    let _ = writeln!(whole, "{line}");
    let _ = io::stderr().write_all(whole.as_bytes());
}

/// A number that MPI can carry: `f32`, `f64`, `u8` and the other plain ones.
pub trait Element: Equivalence + Copy + Send + Sync + 'static {}

impl<T: Equivalence + Copy + Send + Sync + 'static> Element for T {}

/// Why there is no job.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// MPI runs already in this process.
    #[error("MPI was started twice in this process: call start once, before anything else")]
    Twice,
    /// The MPI library was built without the threads that the screen needs beside it.
    #[error("this MPI offers {0:?} threads, the demos need Funneled: install another MPI")]
    Threads(Threading),
}

/// The ranks that work together; MPI ends when it is dropped, on all ranks.
///
/// A rank that fails calls [`Job::abort`]: to return from `main` would wait for the others for ever.
pub struct Job {
    world: SimpleCommunicator,
    _universe: Universe,
}

/// Joins the job that `mpirun` started, or makes one of a single rank without `mpirun`.
///
/// From here on this process ends with the one that started it, and a panic ends every rank of the job.
///
/// # Errors
/// If it is called twice, or MPI allows no second thread that leaves it alone.
pub fn start() -> Result<Job, StartError> {
    screen::end_with_parent();
    let (universe, threading) =
        mpi::initialize_with_threading(Threading::Funneled).ok_or(StartError::Twice)?;
    end_job_on_panic();
    if threading < Threading::Funneled {
        return Err(StartError::Threads(threading));
    }
    Ok(Job { world: universe.world(), _universe: universe })
}

/// Without this, a rank that panics waits in `MPI_Finalize` for ranks that wait for it.
fn end_job_on_panic() {
    let main_thread = thread::current().id();
    let print = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        print(info);
        if thread::current().id() == main_thread {
            SimpleCommunicator::world().abort(PANIC_EXIT);
        }
        // Only the main thread may call MPI; mpirun ends the others when one rank leaves without a word.
        process::exit(PANIC_EXIT);
    }));
}

impl Job {
    /// This rank, from 0.
    pub fn rank(&self) -> usize {
        self.world.rank() as usize
    }

    /// Number of ranks.
    pub fn size(&self) -> usize {
        self.world.size() as usize
    }

    /// Whether this is rank 0, which alone talks to people and to the kiosk.
    pub fn is_root(&self) -> bool {
        self.world.rank() == 0
    }

    /// The name of this rank's host, without its domain.
    pub fn host(&self) -> String {
        let name = mpi::environment::processor_name().unwrap_or_default();
        name.split('.').next().unwrap_or_default().to_owned()
    }

    /// Ends every rank of the job now; `mpirun` exits with `code`.
    pub fn abort(&self, code: i32) -> ! {
        self.world.abort(code)
    }

    /// Gives rank 0's `values` to every rank; all must bring the same number of them.
    pub fn broadcast<T: Element>(&self, values: &mut [T]) {
        self.world.process_at_rank(0).broadcast_into(values);
    }

    /// As [`Job::broadcast`], for a message that may be long in coming: the ranks that wait for it sleep instead of burning a
    /// core each, and look for it every [`NAP`].
    pub fn broadcast_asleep<T: Element>(&self, values: &mut [T]) {
        let root = self.world.process_at_rank(0);
        request::scope(|scope| {
            let mut request = root.immediate_broadcast_into(scope, values);
            while let Err(pending) = request.test() {
                request = pending;
                thread::sleep(NAP);
            }
        });
    }

    /// The smallest of all ranks' values, the same on every rank.
    pub fn minimum(&self, value: f64) -> f64 {
        self.reduce(value, SystemOperation::min())
    }

    /// The largest of all ranks' values, the same on every rank.
    pub fn maximum(&self, value: f64) -> f64 {
        self.reduce(value, SystemOperation::max())
    }

    /// The sum of all ranks' values, the same on every rank; its last bits depend on their number.
    pub fn sum(&self, value: f64) -> f64 {
        self.reduce(value, SystemOperation::sum())
    }

    fn reduce(&self, value: f64, operation: SystemOperation) -> f64 {
        let mut result = 0.0;
        self.world.all_reduce_into(&value, &mut result, operation);
        result
    }

    /// Sends `values` to a rank, which must [`receive`](Self::receive) as many.
    pub fn send<T: Element>(&self, to: usize, values: &[T]) {
        self.world.process_at_rank(to as i32).send(values);
    }

    /// Waits for the `values.len()` values that a rank [`sends`](Self::send).
    pub fn receive<T: Element>(&self, from: usize, values: &mut [T]) {
        self.world.process_at_rank(from as i32).receive_into(values);
    }
}
