//! What a visitor or a presenter asks of the kiosk. How they ask (finger, mouse, clicker) is the view's.

use wire::kiosk::Phase;

use crate::owner::Order;

pub use crate::supervisor::placement::Scale;

/// One wish; the supervisor obeys or ignores it, and never answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Intent {
    /// Start the demo of this id; whatever runs is stopped first. That it already runs or starts is fine.
    Launch(String),
    /// Play the demo of this id although nobody is there; what others want of a shared cluster comes first.
    Play(String),
    /// Put what runs on so many computers and ranks, without a break where the demo can.
    Scale(Scale),
    /// End what runs; that nothing runs is fine.
    Stop,
    /// A finger on the canvas.
    Pointer {
        /// Which finger, from 0; reused once it is up.
        finger: u8,
        /// What it did.
        phase: Phase,
        /// Picture pixels from the left edge; may be outside the picture.
        x: f32,
        /// Picture pixels from the top edge; may be outside the picture.
        y: f32,
    },
    /// A control of the running demo has a new value; values outside its range are drawn to the nearer end.
    Control {
        /// Its name in demo.toml.
        name: String,
        /// The new value.
        value: f64,
    },
    /// Something that only the owner may ask for; not the supervisor's business.
    Owner(Order),
    /// Look at every piece that a run needs; not the supervisor's business.
    Examine,
}
