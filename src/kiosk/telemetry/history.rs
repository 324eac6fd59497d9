//! An hour of every charted quantity of every node, in fixed memory.

use std::time::Instant;

/// What is kept and charted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quantity {
    /// Load of the CPU, 0 to 1.
    #[default]
    Load,
    /// Load of the first GPU, 0 to 1.
    Gpu,
    /// Main memory in use, 0 to 1.
    Memory,
    /// Temperature of the processor, degrees Celsius.
    Celsius,
    /// Power, watts.
    Watts,
    /// The first fan, share of full speed.
    Fan,
    /// Received over all interfaces but the loopback, bytes per second.
    Received,
    /// Sent over all interfaces but the loopback, bytes per second.
    Sent,
}

impl Quantity {
    /// All of them, in the order of the screens.
    pub const ALL: [Quantity; 8] = [
        Quantity::Load,
        Quantity::Gpu,
        Quantity::Memory,
        Quantity::Celsius,
        Quantity::Watts,
        Quantity::Fan,
        Quantity::Received,
        Quantity::Sent,
    ];
}

/// How far back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Span {
    /// At full rate.
    #[default]
    Minute,
    /// Every 10 s.
    TenMinutes,
    /// Every 10 s.
    Hour,
}

/// What a quantity did in one slot of time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Band {
    /// Smallest.
    pub min: f32,
    /// Mean.
    pub mean: f32,
    /// Largest.
    pub max: f32,
}

/// The history of all nodes.
#[derive(Default)]
pub struct History {}

impl History {
    /// The slots of `span` up to `now`, oldest first, into `out`, which is emptied first; a slot without any sample
    /// is `None`. Their number depends on `span` only (120 for the minute, 60 for ten minutes, 360 for the hour).
    pub fn slots(
        &self,
        _node: usize,
        _quantity: Quantity,
        _span: Span,
        _now: Instant,
        out: &mut Vec<Option<Band>>,
    ) {
        out.clear();
    }
}
