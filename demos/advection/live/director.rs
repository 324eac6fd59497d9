//! Rank 0's mind: from what the kiosk says and what the clock shows to the next command. Waits for nothing.

use std::time::{Duration, Instant};

use advection::{flows::Pattern, stir::FADE_S};
use screen::Event;
use wire::{demo::Text, kiosk::Control};

use super::{
    command::{Choice, Command, MOTIFS, PATTERNS, SCHEMES},
    fingers::Fingers,
    pace::{FrameTime, Pace},
};

/// How long the picture that is back stays before it begins anew.
const BACK: Duration = Duration::from_millis(1200);
/// Time between two statistics, and between two signs of life.
const STATISTICS: Duration = Duration::from_millis(500);
/// Most complaints about controls in a run; the log is not for a flood.
const MAX_COMPLAINTS: u32 = 8;

/// The next command, and what to tell the visitor.
pub struct Direction {
    /// For all ranks.
    pub command: Command,
    /// A sentence that fits this moment.
    pub text: Option<Text>,
    /// The sequence number of the newest pointer event in the command.
    pub pointer_sequence: u32,
    /// A sign of life is due.
    pub alive: bool,
}

/// Decides what happens next.
pub struct Director {
    /// Steps in which the swirl does and undoes its work.
    period: u64,
    choice: Choice,
    fingers: Fingers,
    held: bool,
    /// The kiosk wants the state.
    save: bool,
    /// Steps since the flow's time began.
    clock: u64,
    /// The clock when a finger last touched the picture.
    touched: Option<u64>,
    /// The picture is back and rests until then.
    back_until: Option<Instant>,
    complaints: u32,
    pace: Pace,
    last: Option<Instant>,
    last_statistics: Instant,
}

/// What a run knows beyond its field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Score {
    /// What is shown.
    pub choice: Choice,
    /// Steps since the flow's time began.
    pub clock: u64,
    /// Steps since a finger touched the picture; `None` if none has.
    pub untouched_for: Option<u64>,
}

/// What the events since the last frame ask for.
#[derive(Default)]
struct Wishes {
    stop: bool,
    restart: bool,
    rewind: bool,
    changed: bool,
}

impl Director {
    /// For a picture of that many pixels, a swirl of that period and so many steps per frame at most; the first frame
    /// shows the picture at rest.
    pub fn new(size: (u16, u16), period: u64, most_steps: u32, now: Instant) -> Self {
        Self {
            period,
            choice: Choice::FIRST,
            fingers: Fingers::new(size),
            held: false,
            save: false,
            clock: 0,
            touched: None,
            back_until: None,
            complaints: 0,
            pace: Pace::new(most_steps),
            last: None,
            last_statistics: now,
        }
    }

    /// Takes notice of what was said before the beginning, which changes nothing yet.
    pub fn hear(&mut self, events: impl Iterator<Item = Event>) {
        self.listen(events);
    }

    /// What another run needs to know to go on with the picture.
    pub fn score(&self) -> Score {
        let untouched_for = self.touched.map(|touched| self.clock.saturating_sub(touched));
        Score { choice: self.choice, clock: self.clock, untouched_for }
    }

    /// Goes on where another run was.
    pub fn resume(&mut self, score: Score) {
        self.choice = score.choice;
        self.clock = score.clock;
        self.touched = score.untouched_for.map(|steps| score.clock.saturating_sub(steps));
    }

    /// Takes notice of how long a frame took.
    pub fn learn(&mut self, time: FrameTime) {
        self.pace.learn(time);
    }

    /// Takes notice that the last `steps` were lost: they are computed again.
    pub fn lose(&mut self, steps: u64) {
        self.clock = self.clock.saturating_sub(steps);
        self.touched = self.touched.map(|touched| touched.min(self.clock));
        self.back_until = None;
    }

    /// The next command after `events`.
    pub fn direct(&mut self, events: impl Iterator<Item = Event>, now: Instant) -> Direction {
        let wishes = self.listen(events);
        let first = self.last.is_none();
        let passed = self.last.map_or(Duration::ZERO, |last| now.saturating_duration_since(last));
        self.last = Some(now);

        let mut command = Command { stop: wishes.stop, ..Command::NOTHING };
        (command.strokes, command.fingers) = self.fingers.strokes();
        let touched = command.fingers != 0;
        if touched {
            self.back_until = None;
        }
        command.restart = wishes.restart || self.back_until.is_some_and(|until| until <= now);
        command.rewind = wishes.rewind || command.restart;
        if command.rewind {
            self.clock = 0;
            self.back_until = None;
            // Another flow begins with whatever is there, and what comes back later is not the picture.
            self.touched = (!command.restart).then_some(0);
        }
        if touched {
            self.touched = Some(self.clock);
        }

        let moving = !self.held && self.back_until.is_none() && !first;
        let mut text = None;
        if moving {
            command.batch = self.steps();
            command.kept = (-passed.as_secs_f64() / FADE_S).exp();
            text = self.turn(command.batch, now);
            self.clock += u64::from(command.batch);
        }
        if command.restart {
            command.kept = 0.0;
        }
        command.held = !moving && !first;
        command.choice = self.choice;
        command.paint = moving || first || touched || command.restart || wishes.changed;
        let alive = STATISTICS <= now.saturating_duration_since(self.last_statistics);
        if alive {
            self.last_statistics = now;
        }
        command.statistics = alive;
        command.save = std::mem::take(&mut self.save);
        Direction { command, text, pointer_sequence: self.fingers.newest(), alive }
    }

    fn listen(&mut self, events: impl Iterator<Item = Event>) -> Wishes {
        let mut wishes = Wishes::default();
        for event in events {
            match event {
                Event::Pointer(pointer) => self.fingers.point(pointer),
                Event::Control(control) => self.set(&control, &mut wishes),
                Event::Pause(held) => self.held = held,
                Event::Stop => wishes.stop = true,
                Event::Save => self.save = true,
                // It has begun.
                Event::Begin(_) => {}
            }
        }
        wishes
    }

    fn set(&mut self, control: &Control, wishes: &mut Wishes) {
        let Control { name, value } = control;
        let (chosen, count) = match name.as_str() {
            "restart" => {
                wishes.restart = true;
                return;
            }
            "scheme" => (&mut self.choice.scheme, SCHEMES.len()),
            "flow" => (&mut self.choice.flow, PATTERNS.len()),
            "picture" => (&mut self.choice.motif, MOTIFS),
            _ => return self.complain(&format!("there is no control '{name}'")),
        };
        let index = value.round();
        if !(0.0..count as f64).contains(&index) {
            return self.complain(&format!("{name} is 0 to {}, not {value:?}", count - 1));
        }
        *chosen = index as usize;
        wishes.changed = true;
        wishes.restart |= name == "picture";
        wishes.rewind |= name == "flow";
    }

    fn complain(&mut self, about: &str) {
        self.complaints += 1;
        if self.complaints <= MAX_COMPLAINTS {
            parallel::say(format_args!("advection: {about}; ignored"));
        }
    }

    /// Steps of the next frame; none beyond the moment when an untouched picture is back.
    fn steps(&self) -> u32 {
        let batch = self.pace.batch();
        if self.swirls() && self.touched.is_none() {
            let rest = self.period - self.clock % self.period;
            return batch.min(rest as u32);
        }
        batch
    }

    fn swirls(&self) -> bool {
        PATTERNS[self.choice.flow] == Pattern::Swirl
    }

    /// What happens to the swirl during the next `batch` steps.
    fn turn(&mut self, batch: u32, now: Instant) -> Option<Text> {
        if !self.swirls() {
            return None;
        }
        let (before, after) = (self.clock, self.clock + u64::from(batch));
        let half = self.period / 2;
        let passed = |moment: u64| {
            (before + self.period - moment) / self.period
                < (after + self.period - moment) / self.period
        };
        if passed(half) {
            return Some(text(
                "Teraz wstecz: obraz wraca.",
                "Now in reverse: the picture returns.",
            ));
        }
        if !passed(0) {
            return None;
        }
        // A stirred picture does not come back; it begins anew when nobody has touched it for a while.
        let Some(touched) = self.touched else {
            self.back_until = Some(now + BACK);
            return Some(text(
                "Obraz jest z powrotem. Jeszcze raz!",
                "The picture is back. Once more!",
            ));
        };
        if 2 * self.period <= after - touched.min(after) {
            self.back_until = Some(now);
        }
        None
    }
}

/// A sentence in both languages.
pub fn text(polish: &str, english: &str) -> Text {
    Text { sentences: vec![(*b"pl", polish.into()), (*b"en", english.into())] }
}

#[cfg(test)]
mod tests {
    use wire::kiosk::{Phase, Pointer};

    use super::*;
    use crate::live::pace::{FRAME, MOST_STEPS};

    const PERIOD: u64 = 100;

    struct Play {
        director: Director,
        now: Instant,
    }

    impl Play {
        /// A director whose first frame, the picture at rest, is over.
        fn new() -> Self {
            let now = Instant::now();
            let mut play =
                Self { director: Director::new((800, 400), PERIOD, MOST_STEPS, now), now };
            let first = play.frame(vec![]).command;
            assert_eq!((first.batch, first.paint, first.held), (0, true, false));
            play
        }

        /// A machine that does seven steps per frame.
        fn learn_seven_steps(&mut self) {
            let later_steps = Duration::from_millis(2);
            let time = FrameTime { steps: 2, later_steps, ..FrameTime::default() };
            self.director.learn(time);
        }

        fn frame(&mut self, events: Vec<Event>) -> Direction {
            self.now += FRAME;
            self.director.direct(events.into_iter(), self.now)
        }
    }

    fn finger(id: u8, phase: Phase, x: f32, y: f32) -> Event {
        Event::Pointer(Pointer { sequence: 1, finger: id, phase, x, y })
    }

    fn control(name: &str, value: f64) -> Event {
        Event::Control(Control { name: name.into(), value })
    }

    /// Plays until a text comes; the steps until then.
    fn until_text(play: &mut Play) -> (u64, Text) {
        let mut steps = 0;
        for _ in 0..1000 {
            let direction = play.frame(vec![]);
            steps += u64::from(direction.command.batch);
            if let Some(text) = direction.text {
                return (steps, text);
            }
        }
        panic!("nothing is said in {steps} steps");
    }

    #[test]
    fn an_untouched_picture_comes_back_rests_and_begins_anew() {
        let mut play = Play::new();
        play.learn_seven_steps();
        let (half, turned) = until_text(&mut play);
        assert!((50..57).contains(&half) && turned.sentences[1].1.contains("reverse"), "{half}");
        let (rest, back) = until_text(&mut play);
        assert_eq!(half + rest, PERIOD);
        assert!(back.sentences[1].1.contains("back"));
        let resting = play.frame(vec![]).command;
        assert_eq!((resting.batch, resting.held, resting.restart), (0, true, false));
        play.now += BACK;
        let anew = play.frame(vec![]).command;
        assert!(anew.restart && anew.rewind && anew.paint && 0 < anew.batch);
        assert_eq!(anew.kept, 0.0, "what was stirred would stir the new picture");
    }

    #[test]
    fn a_touched_picture_begins_anew_only_after_two_quiet_periods() {
        let mut play = Play::new();
        play.learn_seven_steps();
        let tap = vec![finger(0, Phase::Down, 5.0, 6.0), finger(0, Phase::Up, 5.0, 6.0)];
        let mut steps = u64::from(play.frame(tap).command.batch);
        loop {
            let command = play.frame(vec![]).command;
            if command.restart {
                break;
            }
            steps += u64::from(command.batch);
            assert!(steps < 4 * PERIOD, "it never begins anew");
        }
        assert!((2 * PERIOD..=3 * PERIOD).contains(&steps), "{steps}");
    }

    #[test]
    fn a_held_picture_does_not_move_but_can_be_changed() {
        let mut play = Play::new();
        let held = play.frame(vec![Event::Pause(true)]).command;
        assert_eq!((held.batch, held.held, held.paint), (0, true, false));
        let changed = play.frame(vec![control("picture", 1.0)]).command;
        assert_eq!((changed.batch, changed.restart, changed.paint), (0, true, true));
        assert_eq!(changed.choice.motif, 1);
        assert!(0 < play.frame(vec![Event::Pause(false)]).command.batch);
    }

    #[test]
    fn controls_outside_their_range_change_nothing() {
        let mut play = Play::new();
        for (name, value) in
            [("scheme", 3.0), ("flow", -1.0), ("picture", f64::NAN), ("speed", 0.0)]
        {
            assert_eq!(play.frame(vec![control(name, value)]).command.choice, Choice::FIRST);
        }
        let chosen = play.frame(vec![control("scheme", 1.0), control("flow", 2.0)]).command;
        assert_eq!(chosen.choice, Choice { scheme: 1, flow: 2, motif: 0 });
        assert!(chosen.rewind && !chosen.restart);
    }

    #[test]
    fn stop_is_passed_on() {
        assert!(Play::new().frame(vec![Event::Stop]).command.stop);
    }
}
