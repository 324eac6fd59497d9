//! The keys by which Slint itself ends on a bare display: Ctrl+Alt+Del and Ctrl+Alt+Backspace.

use std::cell::Cell;

// linux/input-event-codes.h
const CTRL: [u32; 2] = [29, 97];
const ALT: [u32; 2] = [56, 100];
const BACKSPACE: u32 = 14;
const DELETE: u32 = 111;

/// Which of the keys in question are down.
#[derive(Debug, Default)]
pub struct WaysOut {
    held: Cell<[bool; 4]>,
}

impl WaysOut {
    /// Takes note of a key, and says whether Slint must not hear of it.
    pub fn closes(&self, key: u32, is_down: bool) -> bool {
        let mut held = self.held.get();
        if let Some(place) = CTRL.iter().chain(&ALT).position(|known| *known == key) {
            held[place] = is_down;
            self.held.set(held);
        }
        let [left_ctrl, right_ctrl, left_alt, right_alt] = held;
        let both = (left_ctrl || right_ctrl) && (left_alt || right_alt);
        both && is_down && matches!(key, BACKSPACE | DELETE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_two_that_end_slint_are_closed() {
        let out = WaysOut::default();
        assert!(!out.closes(DELETE, true));
        for (ctrl, alt) in [(29, 56), (97, 100), (29, 100)] {
            assert!(!out.closes(ctrl, true));
            assert!(!out.closes(BACKSPACE, true));
            assert!(!out.closes(alt, true));
            assert!(out.closes(BACKSPACE, true));
            assert!(!out.closes(BACKSPACE, false));
            assert!(out.closes(DELETE, true));
            assert!(!out.closes(63, true)); // F5
            assert!(!out.closes(ctrl, false));
            assert!(!out.closes(DELETE, true));
            assert!(!out.closes(alt, false));
        }
    }
}
