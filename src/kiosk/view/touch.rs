//! Fingers on the canvas, each for itself. Slint turns two fingers into a pinch; here both of them stir.

use wire::kiosk::Phase;

/// Fingers a touch screen reports at once, at most.
const MAX_FINGERS: usize = 10;
/// The canvas, the picture's place on the screen: 800x400 at the top.
pub const CANVAS: (f32, f32) = (800.0, 400.0);
/// Left edge of the open drawer.
const DRAWER_LEFT: f32 = 536.0;
/// The back and the controls button: left, top, side.
const PLATES: [(f32, f32, f32); 2] = [(12.0, 12.0, 64.0), (724.0, 324.0, 64.0)];

/// Which fingers went down on the canvas and belong to it until they are up.
#[derive(Debug, Default)]
pub struct Fingers {
    caught: [bool; MAX_FINGERS],
}

impl Fingers {
    /// Whether this touch belongs to the canvas rather than to the buttons; `live` says that a picture to
    /// stir is shown, `drawer` that the controls cover its right part.
    pub fn take(
        &mut self,
        finger: usize,
        phase: Phase,
        at: (f32, f32),
        live: bool,
        drawer: bool,
    ) -> bool {
        let Some(caught) = self.caught.get_mut(finger) else { return false };
        match phase {
            Phase::Down => {
                *caught = live && on_canvas(at, drawer);
                *caught
            }
            Phase::Moved => *caught,
            Phase::Up => std::mem::take(caught),
        }
    }
}

fn on_canvas((x, y): (f32, f32), drawer: bool) -> bool {
    let right = if drawer { DRAWER_LEFT } else { CANVAS.0 };
    let on_plate = |(left, top, side): (f32, f32, f32)| {
        (left..left + side).contains(&x) && (top..top + side).contains(&y)
    };
    (0.0..right).contains(&x) && (0.0..CANVAS.1).contains(&y) && !PLATES.into_iter().any(on_plate)
}

/// Where in a picture of `width` by `height` pixels a point of the canvas lies; the picture is shown as large
/// as it fits, in the middle.
pub fn in_picture((x, y): (f32, f32), width: u16, height: u16) -> (f32, f32) {
    let (width, height) = (f32::from(width), f32::from(height));
    let scale = (CANVAS.0 / width).min(CANVAS.1 / height);
    let (left, top) = ((CANVAS.0 - width * scale) / 2.0, (CANVAS.1 - height * scale) / 2.0);
    ((x - left) / scale, (y - top) / scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_fingers_on_the_canvas_are_both_its_own() {
        let mut fingers = Fingers::default();
        assert!(fingers.take(0, Phase::Down, (300.0, 200.0), true, false));
        assert!(fingers.take(1, Phase::Down, (500.0, 200.0), true, false));
        assert!(
            fingers.take(0, Phase::Moved, (30.0, 30.0), true, false),
            "over a button, still stirring"
        );
        assert!(fingers.take(1, Phase::Up, (500.0, 200.0), true, false));
        assert!(!fingers.take(1, Phase::Moved, (500.0, 200.0), true, false));
        assert!(fingers.take(0, Phase::Up, (30.0, 30.0), true, false));
    }

    #[test]
    fn buttons_and_the_drawer_keep_their_touches() {
        let mut fingers = Fingers::default();
        assert!(!fingers.take(0, Phase::Down, (40.0, 40.0), true, false), "back");
        assert!(!fingers.take(0, Phase::Down, (750.0, 350.0), true, false), "controls");
        assert!(!fingers.take(0, Phase::Down, (600.0, 100.0), true, true), "drawer");
        assert!(!fingers.take(0, Phase::Down, (300.0, 440.0), true, false), "strip");
        assert!(!fingers.take(0, Phase::Down, (300.0, 200.0), false, false), "no picture");
        assert!(!fingers.take(10, Phase::Down, (300.0, 200.0), true, false), "an eleventh finger");
    }

    #[test]
    fn a_point_of_the_canvas_is_found_in_a_picture_of_any_size() {
        assert_eq!(in_picture((300.0, 200.0), 800, 400), (300.0, 200.0));
        assert_eq!(in_picture((300.0, 200.0), 400, 200), (150.0, 100.0));
        // A square picture stands in the middle: 400 wide, from 200 to 600.
        assert_eq!(in_picture((200.0, 400.0), 100, 100), (0.0, 100.0));
    }
}
