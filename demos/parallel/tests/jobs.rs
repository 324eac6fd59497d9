//! Real jobs: this program starts itself under mpirun once per case, and looks at how the job ends.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

use std::{
    env,
    process::{Command, ExitCode, Output},
    time::{Duration, Instant},
};

use parallel::{Job, Stopwatch, Tiles, strip};

/// The variable that tells a rank which case it plays.
const CASE: &str = "PARALLEL_TEST_CASE";

/// What mpirun needs to keep silent, as root, with more ranks than cores.
const QUIET: [(&str, &str); 8] = [
    ("OMPI_ALLOW_RUN_AS_ROOT", "1"),
    ("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1"),
    ("OMPI_MCA_rmaps_base_oversubscribe", "1"),
    ("OMPI_MCA_hwloc_base_binding_policy", "none"),
    ("OMPI_MCA_mpi_yield_when_idle", "1"),
    ("OMPI_MCA_pml", "ob1"),
    ("OMPI_MCA_btl", "self,vader,tcp"),
    ("OMPI_MCA_btl_vader_single_copy_mechanism", "none"),
];

/// No case takes a tenth of this.
const PATIENCE: Duration = Duration::from_secs(30);

/// A case: its name as a sentence, the numbers of ranks it is played with, the exit code of mpirun, what a rank does.
struct Case {
    name: &'static str,
    ranks: &'static [usize],
    exit: i32,
    play: fn(&Job),
}

const CASES: [Case; 7] = [
    Case {
        name: "halos hold the neighbours' rows on one to four ranks",
        ranks: &[1, 2, 3, 4],
        exit: 0,
        play: exchange_halos,
    },
    Case {
        name: "halos larger than what MPI sends at once arrive whole",
        ranks: &[2, 3],
        exit: 0,
        play: exchange_large_halos,
    },
    Case {
        name: "tiles of different lengths arrive in the order of the ranks",
        ranks: &[1, 4],
        exit: 0,
        play: gather_tiles,
    },
    Case {
        name: "reductions and broadcasts give every rank the same",
        ranks: &[1, 3],
        exit: 0,
        play: reduce,
    },
    Case {
        name: "a panic in one rank ends the job instead of hanging it",
        ranks: &[3],
        exit: 101,
        play: panic_in_one_rank,
    },
    Case {
        name: "a rank that aborts ends the job with its exit code",
        ranks: &[3],
        exit: 7,
        play: abort_in_one_rank,
    },
    Case {
        name: "a panic in a thread beside MPI ends the job too",
        ranks: &[2],
        exit: 101,
        play: panic_in_a_thread,
    },
];

fn main() -> ExitCode {
    match env::var(CASE) {
        Ok(case) => {
            let job = parallel::start().unwrap();
            (CASES[case.parse::<usize>().unwrap()].play)(&job);
            ExitCode::SUCCESS
        }
        Err(_) => play_all(),
    }
}

fn play_all() -> ExitCode {
    let mut failed = 0;
    for (index, case) in CASES.iter().enumerate() {
        for ranks in case.ranks {
            let began = Instant::now();
            let Output { status, stderr, .. } = start(index, *ranks);
            let as_expected = status.code() == Some(case.exit) && began.elapsed() < PATIENCE;
            eprintln!(
                "{} ({ranks} ranks) ... {}",
                case.name,
                if as_expected { "ok" } else { "FAILED" }
            );
            if !as_expected {
                failed += 1;
                eprintln!(
                    "{status}, not exit code {}\n{}",
                    case.exit,
                    String::from_utf8_lossy(&stderr)
                );
            }
        }
    }
    ExitCode::from(u8::from(0 < failed))
}

fn start(case: usize, ranks: usize) -> Output {
    // mpirun's own limit turns a job that hangs into exit code 110.
    let limit = PATIENCE.as_secs().to_string();
    let mut command = Command::new("mpirun");
    command.args(["--timeout", &limit, "-n", &ranks.to_string()]).arg(env::current_exe().unwrap());
    command.envs(QUIET).env(CASE, case.to_string()).output().unwrap()
}

/// Rows of `width` entries that all hold the number of their row in the periodic grid.
fn exchange(job: &Job, rows: usize, width: usize, depth: usize) {
    let own = strip(job.rank(), job.size(), rows);
    let entries: Vec<f64> =
        own.clone().flat_map(|row| std::iter::repeat_n(row as f64, width)).collect();
    let (mut low, mut high) = (vec![-1.0; depth * width], vec![-1.0; depth * width]);
    let mut stopwatch = Stopwatch::new(Instant::now());
    let mut interior = 0;
    let sent = job.exchange(&entries, &mut low, &mut high, &mut stopwatch, |own, progress| {
        progress.poll();
        interior = own.len();
    });
    assert_eq!(interior, entries.len());
    assert_eq!(sent as usize, 2 * depth * width * size_of::<f64>());
    let holds = |halo: &[f64], first: usize| {
        for (k, row) in halo.chunks(width).enumerate() {
            assert!(row.iter().all(|entry| *entry == ((first + k) % rows) as f64));
        }
    };
    holds(&low, own.start + rows - depth);
    holds(&high, own.end);
    let shares = stopwatch.lap(Instant::now());
    assert!(0.0 < shares.communicate && 0.0 < shares.wait);
}

fn exchange_halos(job: &Job) {
    for (rows, depth) in [(16, 1), (13, 3), (4 * job.size(), 4)] {
        for _ in 0..20 {
            exchange(job, rows, 10, depth);
        }
    }
}

fn exchange_large_halos(job: &Job) {
    exchange(job, 12, 100_000, 4);
}

fn gather_tiles(job: &Job) {
    let lengths: Vec<usize> = (0..job.size()).map(|rank| 5 + 3 * rank).collect();
    let mut tiles = Tiles::new(job, &lengths);
    for frame in 0..3_u8 {
        let own = vec![10 * job.rank() as u8 + frame; lengths[job.rank()]];
        tiles.gather(job, &own);
        if !job.is_root() {
            continue;
        }
        for (rank, length) in lengths.iter().enumerate() {
            assert_eq!(tiles.tile(rank), vec![10 * rank as u8 + frame; *length]);
        }
    }
    let ranks = job.gather(&[job.rank() as f64, 0.5]);
    let expected: Vec<f64> = (0..job.size()).flat_map(|rank| [rank as f64, 0.5]).collect();
    assert_eq!(ranks, if job.is_root() { expected } else { Vec::new() });
}

fn reduce(job: &Job) {
    let (own, last) = (job.rank() as f64, job.size() as f64 - 1.0);
    assert_eq!((job.minimum(own), job.maximum(own)), (0.0, last));
    assert_eq!(job.sum(own), last * (last + 1.0) / 2.0);
    let mut values = [own, 7.0 - own];
    job.broadcast(&mut values);
    assert_eq!(values, [0.0, 7.0]);
    assert!(!job.host().is_empty());
    if job.size() == 1 {
        return;
    }
    let mut received = [0.0; 3];
    match job.rank() {
        0 => job.send(1, &[1.0, 2.0, 3.0]),
        1 => {
            job.receive(0, &mut received);
            assert_eq!(received, [1.0, 2.0, 3.0]);
        }
        _ => {}
    }
}

fn panic_in_one_rank(job: &Job) {
    if job.rank() == 1 {
        panic!("on purpose");
    }
    // The others wait for it, as in a halo exchange.
    job.sum(1.0);
}

fn abort_in_one_rank(job: &Job) {
    if job.rank() == 2 {
        job.abort(7);
    }
    job.sum(1.0);
}

fn panic_in_a_thread(job: &Job) {
    if job.rank() == 1 {
        let _ = std::thread::spawn(|| panic!("on purpose")).join();
    }
    job.sum(1.0);
}
