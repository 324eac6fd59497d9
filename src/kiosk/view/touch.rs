//! Fingers on the canvas, each for itself. Slint turns two fingers into a pinch; here both of them stir.

use wire::kiosk::Phase;

/// Fingers a touch screen reports at once, at most.
const MAX_FINGERS: usize = 10;
/// The canvas, the picture's place on the screen: 800x400 at the top.
pub const CANVAS: (f32, f32) = (800.0, 400.0);
/// Left edge of the open drawer.
const DRAWER_LEFT: f32 = 536.0;
/// Left, top, width, height.
type Plate = (f32, f32, f32, f32);
/// The back button, the choice of computers, the controls button and the speed.
const PLATES: [Plate; 4] = [
    (12.0, 12.0, 64.0, 64.0),
    (724.0, 248.0, 64.0, 64.0),
    (724.0, 324.0, 64.0, 64.0),
    (508.0, 12.0, 280.0, 72.0),
];
/// Where the time of the ranks goes, if that is asked for.
const SHARES: Plate = (324.0, 92.0, 464.0, 228.0);

/// Which fingers went down on the canvas and belong to it until they are up, and where they are.
#[derive(Debug, Default)]
pub struct Fingers {
    caught: [Option<(f32, f32)>; MAX_FINGERS],
}

impl Fingers {
    /// Where on the canvas this touch is, if it belongs to the canvas rather than to the buttons; `live` says that
    /// a picture to stir is shown, `drawer` that the controls cover its right part, `shares` that the ranks' time covers some. A finger that leaves is where
    /// it was last: the system does not say where that is.
    pub fn take(
        &mut self,
        finger: usize,
        phase: Phase,
        at: (f32, f32),
        live: bool,
        drawer: bool,
        shares: bool,
    ) -> Option<(f32, f32)> {
        let caught = self.caught.get_mut(finger)?;
        match phase {
            Phase::Down => {
                *caught = (live && is_free(at, drawer, shares)).then_some(at);
                *caught
            }
            Phase::Moved => {
                *caught = caught.map(|_| at);
                *caught
            }
            Phase::Up => caught.take(),
        }
    }
}

/// The place of every finger among those that are down, for systems that number touches without end.
#[derive(Debug, Default)]
pub struct Slots {
    touches: [Option<u64>; MAX_FINGERS],
}

impl Slots {
    /// The slot of a touch: the first free one when it begins, given back when it is over.
    pub fn of(&mut self, touch: u64, phase: Phase) -> Option<usize> {
        let known = self.touches.iter().position(|slot| *slot == Some(touch));
        let slot = match phase {
            Phase::Down => known.or(self.touches.iter().position(Option::is_none))?,
            Phase::Moved | Phase::Up => known?,
        };
        self.touches[slot] = (phase != Phase::Up).then_some(touch);
        Some(slot)
    }
}

/// Whether nothing covers the canvas there.
fn is_free((x, y): (f32, f32), drawer: bool, shares: bool) -> bool {
    let right = if drawer { DRAWER_LEFT } else { CANVAS.0 };
    let on_plate = |(left, top, width, height): Plate| {
        (left..left + width).contains(&x) && (top..top + height).contains(&y)
    };
    let plates = PLATES.into_iter().chain(shares.then_some(SHARES));
    (0.0..right).contains(&x) && (0.0..CANVAS.1).contains(&y) && !plates.into_iter().any(on_plate)
}

/// Where in a picture of `width` by `height` pixels a point of the canvas lies; the picture is shown as large
/// as it fits, in the middle.
pub fn in_picture((x, y): (f32, f32), width: u16, height: u16) -> (f32, f32) {
    let (scale, left, top) = fit((width, height));
    ((x - left) / scale, (y - top) / scale)
}

/// Where on the canvas a point of a picture of this size lies.
pub fn on_canvas((x, y): (f32, f32), size: (u16, u16)) -> (f32, f32) {
    let (scale, left, top) = fit(size);
    (left + x * scale, top + y * scale)
}

/// How much larger a picture is shown, and its left and top edge on the canvas.
fn fit((width, height): (u16, u16)) -> (f32, f32, f32) {
    let (width, height) = (f32::from(width), f32::from(height));
    let scale = (CANVAS.0 / width).min(CANVAS.1 / height);
    (scale, (CANVAS.0 - width * scale) / 2.0, (CANVAS.1 - height * scale) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_fingers_on_the_canvas_are_both_its_own() {
        let mut fingers = Fingers::default();
        let mut take = |finger, phase, at| fingers.take(finger, phase, at, true, false, false);
        assert_eq!(take(0, Phase::Down, (300.0, 200.0)), Some((300.0, 200.0)));
        assert_eq!(take(1, Phase::Down, (500.0, 200.0)), Some((500.0, 200.0)));
        assert_eq!(
            take(0, Phase::Moved, (30.0, 30.0)),
            Some((30.0, 30.0)),
            "over a button, still stirring"
        );
        assert_eq!(take(1, Phase::Up, (0.0, 0.0)), Some((500.0, 200.0)), "it leaves where it was");
        assert_eq!(take(1, Phase::Moved, (500.0, 200.0)), None);
        assert_eq!(take(0, Phase::Up, (0.0, 0.0)), Some((30.0, 30.0)));
    }

    #[test]
    fn buttons_and_the_drawer_keep_their_touches() {
        let mut fingers = Fingers::default();
        let mut down =
            |finger, at, live, drawer| fingers.take(finger, Phase::Down, at, live, drawer, false);
        assert_eq!(down(0, (40.0, 40.0), true, false), None, "back");
        assert_eq!(down(0, (750.0, 350.0), true, false), None, "controls");
        assert_eq!(down(0, (600.0, 80.0), true, false), None, "speed");
        assert_eq!(down(0, (600.0, 100.0), true, true), None, "drawer");
        assert_eq!(down(0, (300.0, 440.0), true, false), None, "strip");
        assert_eq!(down(0, (300.0, 200.0), false, false), None, "no picture");
        assert_eq!(down(10, (300.0, 200.0), true, false), None, "an eleventh finger");
        let mut shares = |at| fingers.take(0, Phase::Down, at, true, false, true);
        assert_eq!((shares((400.0, 200.0)), shares((400.0, 330.0))), (None, Some((400.0, 330.0))));
    }

    #[test]
    fn touches_with_ever_new_numbers_stay_in_ten_slots() {
        let mut slots = Slots::default();
        for touch in 0..1000 {
            assert_eq!(slots.of(touch, Phase::Down), Some(0));
            assert_eq!(slots.of(touch + 5000, Phase::Down), Some(1));
            assert_eq!(slots.of(touch, Phase::Moved), Some(0));
            assert_eq!(slots.of(touch + 5000, Phase::Up), Some(1));
            assert_eq!(slots.of(touch, Phase::Up), Some(0));
        }
        assert_eq!(slots.of(7, Phase::Moved), None);
    }

    #[test]
    fn a_point_of_the_canvas_is_found_in_a_picture_of_any_size() {
        assert_eq!(in_picture((300.0, 200.0), 800, 400), (300.0, 200.0));
        assert_eq!(in_picture((300.0, 200.0), 400, 200), (150.0, 100.0));
        // A square picture stands in the middle: 400 wide, from 200 to 600.
        assert_eq!(in_picture((200.0, 400.0), 100, 100), (0.0, 100.0));
        assert_eq!(on_canvas((0.0, 100.0), (100, 100)), (200.0, 400.0));
        assert_eq!(on_canvas((800.0, 200.0), (1600, 800)), (400.0, 100.0));
    }
}
