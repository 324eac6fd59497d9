//! What stands on the picture while the kiosk plays by itself: short captions in turn, and a plate that never stays.

use std::{collections::BTreeSet, time::Duration};

use slint::ComponentHandle;

use super::numbers::Language;
use crate::{catalogue::Demo, supervisor::Status, ui};

/// How long a caption stays.
const CAPTION: Duration = Duration::from_secs(8);
/// How long the plate stands where it is: nothing may burn in.
const STEP: Duration = Duration::from_secs(60);
/// The places of the plate: so many to the left, so many downwards.
const PLACES: (u64, u64) = (4, 5);

/// Fills the page of the kiosk that has been playing for so long.
pub fn show(
    app: &ui::App,
    demo: Option<&Demo>,
    status: &Status,
    language: Language,
    played: Duration,
) {
    let view = app.global::<ui::AttractView>();
    let line = demo.and_then(|demo| demo.text(language.code())).map_or("", |text| &text.line);
    let computers = computers(status);
    view.set_line(line.into());
    view.set_computers(computers as i32);
    view.set_caption(caption(played, computers, !line.is_empty()));
    let (left, down) = place(played);
    view.set_left(left as i32);
    view.set_down(down as i32);
}

/// The sentences in turn; what is not known is not said.
fn caption(played: Duration, computers: usize, has_line: bool) -> ui::AttractCaption {
    use ui::AttractCaption::{Computers, Invitation, Line, Motto};
    let turn = [Motto, Computers, Line, Invitation];
    match turn[(played.as_secs() / CAPTION.as_secs()) as usize % turn.len()] {
        Computers if computers == 0 => Motto,
        Line if !has_line => Invitation,
        caption => caption,
    }
}

/// How many computers the run is on; 0 before it has said so.
fn computers(status: &Status) -> usize {
    let Some(hello) = &status.hello else { return 0 };
    hello.ranks.iter().map(|rank| &rank.host).collect::<BTreeSet<_>>().len()
}

/// How many steps to the left and downwards the plate is: to and fro, so that no step is wider than one.
fn place(played: Duration) -> (u64, u64) {
    let minute = played.as_secs() / STEP.as_secs();
    let to_and_fro = |step: u64, places: u64| {
        let at = step % (2 * (places - 1));
        at.min(2 * (places - 1) - at)
    };
    (to_and_fro(minute / PLACES.1, PLACES.0), to_and_fro(minute, PLACES.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_caption_has_its_turn_and_what_is_not_known_is_not_said() {
        use ui::AttractCaption::{Computers, Invitation, Line, Motto};
        let at = |seconds| caption(Duration::from_secs(seconds), 3, true);
        assert_eq!(
            [at(0), at(7), at(8), at(16), at(24), at(32)],
            [Motto, Motto, Computers, Line, Invitation, Motto]
        );
        let unknown = |seconds| caption(Duration::from_secs(seconds), 0, false);
        assert_eq!([unknown(8), unknown(16)], [Motto, Invitation]);
    }

    #[test]
    fn the_plate_is_in_every_place_within_ninety_minutes_and_moves_a_step_a_minute() {
        let places: Vec<_> =
            (0..90).map(|minute| place(60 * Duration::from_secs(minute))).collect();
        let distinct: BTreeSet<_> = places.iter().collect();
        assert_eq!(distinct.len() as u64, PLACES.0 * PLACES.1);
        for pair in places.windows(2) {
            let [one, other] = pair else { unreachable!() };
            assert!(one != other && one.0.abs_diff(other.0) <= 1 && one.1.abs_diff(other.1) <= 1);
        }
    }
}
