//! The newest N slots of one series; older ones are overwritten as time goes on.

use super::Band;

/// A slot without a sample.
const GAP: Band = Band { min: f32::NAN, mean: f32::NAN, max: f32::NAN };

/// Slot `n` lies at `n % N`; only those from `newest - N + 1` to `newest` are there.
pub(super) struct Ring<const N: usize> {
    bands: [Band; N],
    newest: u64,
    /// Samples in the newest slot.
    samples: u32,
}

impl<const N: usize> Ring<N> {
    pub(super) fn new() -> Self {
        Self { bands: [GAP; N], newest: 0, samples: 0 }
    }

    /// Adds a sample to `slot`; a slot that is over takes none any more. What was newest stands for the `held` slots
    /// after its own, the rest in between are gaps.
    pub(super) fn add(&mut self, slot: u64, value: f32, held: u64) {
        if slot < self.newest {
            return;
        }
        if self.newest < slot {
            let before = self.bands[place::<N>(self.newest)];
            let passed = (slot - self.newest).min(N as u64);
            for between in slot - passed + 1..=slot {
                let is_held = between <= self.newest.saturating_add(held);
                self.bands[place::<N>(between)] = if is_held { before } else { GAP };
            }
            (self.newest, self.samples) = (slot, 0);
        }
        self.samples = self.samples.saturating_add(1);
        let band = &mut self.bands[place::<N>(slot)];
        *band = if self.samples == 1 {
            Band { min: value, mean: value, max: value }
        } else {
            Band {
                min: band.min.min(value),
                mean: band.mean + (value - band.mean) / self.samples as f32,
                max: band.max.max(value),
            }
        };
    }

    /// The `count` slots up to `last`, oldest first; the newest stands for the `held` slots after its own too.
    pub(super) fn copy(&self, last: u64, count: usize, held: u64, out: &mut Vec<Option<Band>>) {
        let slots = (0..count as u64).rev().map(|back| last.checked_sub(back));
        out.extend(slots.map(|slot| self.band(slot?, held)));
    }

    fn band(&self, slot: u64, held: u64) -> Option<Band> {
        let from =
            if slot <= self.newest.saturating_add(held) { slot.min(self.newest) } else { slot };
        let is_kept = from <= self.newest && self.newest - from < N as u64;
        Some(self.bands[place::<N>(from)]).filter(|band| is_kept && !band.mean.is_nan())
    }
}

fn place<const N: usize>(slot: u64) -> usize {
    (slot % N as u64) as usize
}
