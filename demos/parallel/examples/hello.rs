//! The least that an MPI program can do; what starting any of them costs at least.

use mpi::traits::Communicator;

fn main() {
    let Some(universe) = mpi::initialize() else {
        eprintln!("MPI does not start");
        std::process::exit(1);
    };
    let world = universe.world();
    eprintln!("rank {} of {}", world.rank(), world.size());
}
