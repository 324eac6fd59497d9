//! Halo exchange along the outer dimension of a periodic grid, on a ring of strips.

use mpi::{
    request,
    topology::SimpleCommunicator,
    traits::{Communicator, Destination, Source},
};

use crate::{Activity, Element, Job, Stopwatch};

/// Rows that travel towards lower rows.
const DOWN: i32 = 1;
/// Rows that travel towards higher rows.
const UP: i32 = 2;
/// No message has this tag: to ask for one only lets MPI work.
const NOTHING: i32 = 3;

/// Lets MPI move messages along while this rank computes: without a call now and then, nothing may travel.
pub struct Progress<'a>(&'a SimpleCommunicator);

impl Progress<'_> {
    /// Gives MPI a moment; takes well under a microsecond.
    pub fn poll(&self) {
        let _never = self.0.any_process().immediate_probe_with_tag(NOTHING);
    }
}

impl Job {
    /// Fills the halo of this rank's strip from the neighbouring ranks and computes meanwhile.
    ///
    /// `own` are the entries of this rank's rows, `low` and `high` the halo before and after them, equally long and
    /// no longer than `own`. `interior` computes what needs no halo and polls its argument now and then. The
    /// stopwatch stands at [`Activity::Compute`] during `interior` and afterwards. Returns the bytes sent.
    pub fn exchange<T: Element>(
        &self,
        own: &[T],
        low: &mut [T],
        high: &mut [T],
        stopwatch: &mut Stopwatch,
        interior: impl FnOnce(&[T], Progress<'_>),
    ) -> u64 {
        let (first, last) = (&own[..high.len()], &own[own.len() - low.len()..]);
        let size = self.size();
        let before = self.world.process_at_rank(((self.rank() + size - 1) % size) as i32);
        let after = self.world.process_at_rank(((self.rank() + 1) % size) as i32);
        request::scope(|scope| {
            stopwatch.switch(Activity::Communicate);
            let requests = [
                before.immediate_receive_into_with_tag(scope, low, UP),
                after.immediate_receive_into_with_tag(scope, high, DOWN),
            ];
            let sends = [
                before.immediate_send_with_tag(scope, first, DOWN),
                after.immediate_send_with_tag(scope, last, UP),
            ];
            stopwatch.switch(Activity::Compute);
            interior(own, Progress(&self.world));
            stopwatch.switch(Activity::Wait);
            for request in requests {
                request.wait_without_status();
            }
            for send in sends {
                send.wait_without_status();
            }
            stopwatch.switch(Activity::Compute);
        });
        (size_of_val(first) + size_of_val(last)) as u64
    }
}
