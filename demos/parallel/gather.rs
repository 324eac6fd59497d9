//! Bringing what all ranks have to rank 0.

use mpi::{datatype::PartitionMut, topology::Communicator, traits::Root};

use crate::{Element, Job};

/// The parts of a picture, one of every rank, one behind the other on rank 0.
pub struct Tiles {
    all: Vec<u8>,
    counts: Vec<i32>,
    starts: Vec<i32>,
}

impl Tiles {
    /// Room for parts of that many bytes, in the order of the ranks; every rank must bring the same `lengths`.
    pub fn new(job: &Job, lengths: &[usize]) -> Self {
        let counts: Vec<i32> = lengths.iter().map(|length| *length as i32).collect();
        let starts = counts
            .iter()
            .scan(0, |end, count| {
                let start = *end;
                *end += count;
                Some(start)
            })
            .collect();
        let room = if job.is_root() { lengths.iter().sum() } else { 0 };
        Self { all: vec![0; room], counts, starts }
    }

    /// Brings every rank's part to rank 0; all ranks call it.
    pub fn gather(&mut self, job: &Job, own: &[u8]) {
        let root = job.world.process_at_rank(0);
        if job.is_root() {
            let mut parts =
                PartitionMut::new(&mut self.all[..], &self.counts[..], &self.starts[..]);
            root.gather_varcount_into_root(own, &mut parts);
        } else {
            root.gather_varcount_into(own);
        }
    }

    /// The part of a rank, after [`Self::gather`] on rank 0.
    pub fn tile(&self, rank: usize) -> &[u8] {
        &self.all[self.starts[rank] as usize..][..self.counts[rank] as usize]
    }
}

impl Job {
    /// Brings the same number of values of every rank to rank 0, in the order of the ranks; empty on the others.
    pub fn gather<T: Element + Default>(&self, own: &[T]) -> Vec<T> {
        let root = self.world.process_at_rank(0);
        if !self.is_root() {
            root.gather_into(own);
            return Vec::new();
        }
        let mut all = vec![T::default(); own.len() * self.size()];
        root.gather_into_root(own, &mut all[..]);
        all
    }
}
