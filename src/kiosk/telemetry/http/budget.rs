//! Memory for the answers of all nodes together, so that a thousand large ones at once do not take it all.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// What every answer may have without asking: more than any of our agents or a usual node_exporter sends.
const FREE: usize = 256 << 10;

/// Bytes that answers under way may take beyond that.
#[derive(Clone, Debug)]
pub struct Budget {
    left: Arc<AtomicUsize>,
}

impl Default for Budget {
    /// 64 MiB.
    fn default() -> Self {
        Self::new(64 << 20)
    }
}

impl Budget {
    /// `bytes` for all answers under way.
    pub fn new(bytes: usize) -> Self {
        Self { left: Arc::new(AtomicUsize::new(bytes)) }
    }

    /// The part of one answer, nothing yet; it is given back when dropped.
    pub(super) fn share(&self) -> Share<'_> {
        Share { budget: self, taken: 0 }
    }
}

/// What one answer has taken.
pub(super) struct Share<'a> {
    budget: &'a Budget,
    taken: usize,
}

impl Share<'_> {
    /// Whether the answer may be `length` bytes long.
    pub(super) fn grow(&mut self, length: usize) -> bool {
        let more = length.saturating_sub(FREE).saturating_sub(self.taken);
        let subtract = |left: usize| left.checked_sub(more);
        let left = &self.budget.left;
        let granted = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, subtract).is_ok();
        if granted {
            self.taken += more;
        }
        granted
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        self.budget.left.fetch_add(self.taken, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_answers_are_free_and_large_ones_share_what_there_is() {
        let budget = Budget::new(1000);
        let (mut one, mut two, mut usual) = (budget.share(), budget.share(), budget.share());
        assert!(one.grow(FREE + 600) && one.grow(FREE + 700));
        assert!(!two.grow(FREE + 600), "only 300 are left");
        assert!(usual.grow(FREE));
        drop(one);
        assert!(two.grow(FREE + 600) && !two.grow(FREE + 1001) && two.grow(FREE + 1000));
    }
}
