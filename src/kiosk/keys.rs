//! What the keys of a clicker or a keyboard mean; a clicker is a keyboard with its maker's ideas.

use slint::platform::Key as Code;

/// The meaning of a key, the same on every page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// The next tile, control or button.
    Next,
    /// The one before.
    Previous,
    /// Do what is selected.
    Choose,
    /// Start the selected demo, or stop the running one and go home.
    StartStop,
    /// Start the demo with this number, from 1.
    Digit(usize),
    /// Make the screen dark, or light again.
    Dark,
    /// The next language.
    Language,
    /// What the keys mean.
    Help,
}

/// Keys that Slint has no name for, by Linux' number (input-event-codes.h). Debian's table of keyboards
/// (60-keyboard.hwdb) makes these of two buttons of a Logitech R400 and its kin.
const PRESENTATION: u32 = 425;
const DISPLAY_TOGGLE: u32 = 431;

/// The meaning of a key by its number, for those that come without a text.
pub fn meaning_of_code(code: u32) -> Option<Key> {
    match code {
        PRESENTATION => Some(Key::StartStop),
        DISPLAY_TOGGLE => Some(Key::Dark),
        _ => None,
    }
}

/// The meaning of a key whose text is as Slint reports it; `None` for a key that means nothing here.
///
/// F5 and Esc alternate on one button of common clickers (Logitech R400 and kin), so they are one toggle.
pub fn meaning(text: &str) -> Option<Key> {
    let mut characters = text.chars();
    let (Some(key), None) = (characters.next(), characters.next()) else { return None };
    let is = |code: Code| key == char::from(code);
    if is(Code::PageDown) || is(Code::RightArrow) || is(Code::DownArrow) {
        return Some(Key::Next);
    }
    if is(Code::PageUp) || is(Code::LeftArrow) || is(Code::UpArrow) || is(Code::Backspace) {
        return Some(Key::Previous);
    }
    if is(Code::Return) || is(Code::Space) {
        return Some(Key::Choose);
    }
    if is(Code::F5) || is(Code::Escape) {
        return Some(Key::StartStop);
    }
    if is(Code::F1) {
        return Some(Key::Help);
    }
    match key {
        '1'..='9' => key.to_digit(10).map(|digit| Key::Digit(digit as usize)),
        'n' | 'N' => Some(Key::Next),
        'p' | 'P' => Some(Key::Previous),
        '.' | 'b' | 'B' => Some(Key::Dark),
        'l' | 'L' => Some(Key::Language),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(code: Code) -> Option<Key> {
        meaning(&char::from(code).to_string())
    }

    #[test]
    fn the_five_buttons_of_a_clicker_have_a_meaning() {
        assert_eq!(of(Code::PageUp), Some(Key::Previous));
        assert_eq!(of(Code::PageDown), Some(Key::Next));
        assert_eq!(of(Code::F5), Some(Key::StartStop));
        assert_eq!(of(Code::Escape), Some(Key::StartStop));
        assert_eq!(meaning("."), Some(Key::Dark));
    }

    #[test]
    fn buttons_that_debian_gives_other_keys_mean_the_same() {
        assert_eq!(meaning_of_code(PRESENTATION), of(Code::F5));
        assert_eq!(meaning_of_code(DISPLAY_TOGGLE), meaning("."));
        assert_eq!(meaning_of_code(109), None, "Page Down comes with a text");
    }

    #[test]
    fn digits_count_from_one() {
        assert_eq!(meaning("1"), Some(Key::Digit(1)));
        assert_eq!(meaning("9"), Some(Key::Digit(9)));
        assert_eq!(meaning("0"), None);
    }

    #[test]
    fn other_keys_mean_nothing() {
        for text in ["", "q", "ab", "ź"] {
            assert_eq!(meaning(text), None, "{text}");
        }
        assert_eq!(of(Code::F4), None);
        assert_eq!(of(Code::Control), None);
    }
}
