//! The fingers on the picture, from pointer events to strokes.

use advection::stroke::Stroke;
use wire::kiosk::{Phase, Pointer};

use super::command::{Command, MAX_FINGERS};

/// The fingers that are on the picture.
pub struct Fingers {
    /// Width and height of the picture.
    size: (f64, f64),
    slots: [Option<Finger>; MAX_FINGERS],
    newest: u32,
}

#[derive(Clone, Copy)]
struct Finger {
    id: u8,
    /// Where it was at the last frame, or came down.
    from: [f64; 2],
    /// Where it is.
    at: [f64; 2],
    /// It has left since the last frame.
    up: bool,
}

impl Fingers {
    /// None yet, on a picture of that many pixels.
    pub fn new((width, height): (u16, u16)) -> Self {
        Self { size: (f64::from(width), f64::from(height)), slots: [None; MAX_FINGERS], newest: 0 }
    }

    /// The sequence number of the newest event, 0 before the first.
    pub fn newest(&self) -> u32 {
        self.newest
    }

    /// Takes notice of an event; one finger more than there is room for does nothing.
    pub fn point(&mut self, pointer: Pointer) {
        self.newest = pointer.sequence;
        let at = [
            f64::from(pointer.x).clamp(0.0, self.size.0),
            f64::from(pointer.y).clamp(0.0, self.size.1),
        ];
        let known = |slot: &&mut Option<Finger>| {
            slot.is_some_and(|finger| finger.id == pointer.finger && !finger.up)
        };
        if let Some(finger) = self.slots.iter_mut().find(known).and_then(Option::as_mut) {
            // Where a finger was lost says nothing; where it was last seen does.
            finger.up = pointer.phase == Phase::Up;
            finger.at = if finger.up { finger.at } else { at };
        } else if pointer.phase == Phase::Down
            && let Some(free) = self.slots.iter_mut().find(|slot| slot.is_none())
        {
            *free = Some(Finger { id: pointer.finger, from: at, at, up: false });
        }
    }

    /// The ways of the fingers since the last call, and their number; those that have left are forgotten after this.
    pub fn strokes(&mut self) -> ([Stroke; MAX_FINGERS], usize) {
        let (mut strokes, mut count) = (Command::NOTHING.strokes, 0);
        for slot in &mut self.slots {
            let Some(finger) = slot else { continue };
            strokes[count] = Stroke { from: finger.from, to: finger.at };
            count += 1;
            finger.from = finger.at;
            if finger.up {
                *slot = None;
            }
        }
        (strokes, count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOWN: Phase = Phase::Down;
    const MOVED: Phase = Phase::Moved;
    const UP: Phase = Phase::Up;

    fn after(fingers: &mut Fingers, events: &[(u8, Phase, f32, f32)]) -> Vec<[[f64; 2]; 2]> {
        for (finger, phase, x, y) in events.iter().copied() {
            fingers.point(Pointer { sequence: 1, finger, phase, x, y });
        }
        let (strokes, count) = fingers.strokes();
        strokes[..count].iter().map(|stroke| [stroke.from, stroke.to]).collect()
    }

    #[test]
    fn a_finger_draws_from_frame_to_frame_until_it_leaves() {
        let mut fingers = Fingers::new((800, 400));
        let down = after(&mut fingers, &[(3, DOWN, 10.0, 20.0), (3, MOVED, 15.0, 20.0)]);
        assert_eq!(down, [[[10.0, 20.0], [15.0, 20.0]]]);
        assert_eq!(after(&mut fingers, &[]), [[[15.0, 20.0], [15.0, 20.0]]]);
        let lost = after(&mut fingers, &[(3, MOVED, 30.0, 25.0), (3, UP, 0.0, 0.0)]);
        assert_eq!(lost, [[[15.0, 20.0], [30.0, 25.0]]]);
        assert!(after(&mut fingers, &[]).is_empty());
    }

    #[test]
    fn a_tap_between_two_frames_is_not_lost() {
        let mut fingers = Fingers::new((800, 400));
        let tap = after(&mut fingers, &[(0, DOWN, 5.0, 6.0), (0, UP, 5.0, 6.0)]);
        assert_eq!(tap, [[[5.0, 6.0], [5.0, 6.0]]]);
        assert!(after(&mut fingers, &[]).is_empty());
    }

    #[test]
    fn a_finger_that_slides_off_stays_at_the_edge() {
        let mut fingers = Fingers::new((800, 400));
        let off = after(&mut fingers, &[(0, DOWN, 790.0, 390.0), (0, MOVED, 1e30, -7.0)]);
        assert_eq!(off, [[[790.0, 390.0], [800.0, 0.0]]]);
    }

    #[test]
    fn an_eleventh_finger_does_nothing() {
        let mut fingers = Fingers::new((800, 400));
        let hands: Vec<_> = (0..=10).map(|id| (id, DOWN, 1.0, 1.0)).collect();
        assert_eq!(after(&mut fingers, &hands).len(), MAX_FINGERS);
    }
}
