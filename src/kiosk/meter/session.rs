//! What is said to the meter, and when: a state machine without a radio and without a clock. Whoever has both asks
//! [`Session::next`] what to do, does it, and tells what came of it.

use std::time::{Duration, Instant};

use jiff::civil::DateTime;

use super::{
    Doing, Meter, Reading, Trouble,
    day::Day,
    frame::{self, Answer, Assembly, Info},
};

/// Silent logins before it is tried without: some meters never answer one.
const LOGINS: u32 = 3;
/// Tries of what is only useful.
const TRIES: u32 = 2;
/// Measurements without an answer after which the link is dead.
const MISSES: u32 = 3;

/// How fast the meter is spoken to.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// From the connection to the first word.
    pub settle: Duration,
    /// From one word to the next.
    pub gap: Duration,
    /// How long the answer to a login is awaited; the first one on a link is often ignored.
    pub login: Duration,
    /// How long any other answer is awaited.
    pub answer: Duration,
    /// From one measurement to the next; the meter renews its numbers once a second.
    pub interval: Duration,
    /// From each failure in a row to the next attempt, the last one for ever.
    pub pauses: [Duration; 5],
    /// From a refused PIN to the next attempt.
    pub wrong_pin: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        let ms = Duration::from_millis;
        Self {
            settle: ms(500),
            gap: ms(400),
            login: ms(700),
            answer: ms(2_000),
            interval: ms(1_000),
            pauses: [1, 2, 5, 10, 30].map(Duration::from_secs),
            wrong_pin: Duration::from_secs(60),
        }
    }
}

/// What is to be done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Find the meter, connect to it and listen to it; tell [`Session::opened`] or [`Session::failed`].
    Open,
    /// Send these bytes.
    Write(Vec<u8>),
    /// Give the connection up.
    Close,
    /// Nothing until then, unless something is heard.
    Wait(Instant),
}

/// What is asked of the meter on a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Topic {
    Login,
    Measure,
    Clock,
    Settings,
    Hours,
}

impl Topic {
    fn command(self) -> u8 {
        match self {
            Self::Login => frame::LOGIN,
            Self::Measure => frame::MEASURE,
            Self::Clock => frame::CLOCK,
            Self::Settings => frame::SETTINGS,
            Self::Hours => frame::HOURS,
        }
    }
}

#[derive(Debug)]
enum State {
    Down { until: Instant },
    Opening,
    Up(Link),
    Closing { until: Instant },
}

#[derive(Debug)]
struct Link {
    topic: Topic,
    /// What only has to be said once on a link, in this order, between the first measurements.
    todo: &'static [Topic],
    /// Until when the answer to the topic is awaited; `None` while it is not yet asked.
    deadline: Option<Instant>,
    /// Nothing is said before.
    due: Instant,
    tries: u32,
    misses: u32,
    is_damaged: bool,
}

/// The talk with one meter.
#[derive(Debug)]
pub struct Session {
    /// What is known.
    pub meter: Meter,
    pin: [u8; 4],
    pace: Pace,
    state: State,
    assembly: Assembly,
    failures: usize,
    /// The largest that its energy counter has said.
    total_wh: f64,
}

impl Session {
    /// Nothing is known yet.
    pub fn new(pin: [u8; 4], pace: Pace, now: Instant) -> Self {
        let (meter, assembly) = (Meter::default(), Assembly::default());
        Self {
            meter,
            pin,
            pace,
            state: State::Down { until: now },
            assembly,
            failures: 0,
            total_wh: 0.0,
        }
    }

    /// What to do at `now`, which is `local` where the meter is.
    pub fn next(&mut self, now: Instant, local: DateTime) -> Ask {
        loop {
            match &mut self.state {
                State::Down { until } if now < *until => return Ask::Wait(*until),
                State::Down { .. } => {
                    self.state = State::Opening;
                    self.meter.doing = Doing::Connecting;
                    self.meter.again_at = None;
                    return Ask::Open;
                }
                // Whoever opens has not said yet how it went.
                State::Opening => return Ask::Open,
                State::Closing { until } => {
                    self.state = State::Down { until: *until };
                    return Ask::Close;
                }
                State::Up(link) => match link.deadline {
                    Some(deadline) if now < deadline => return Ask::Wait(deadline),
                    Some(_) => self.missed(now),
                    None if now < link.due => return Ask::Wait(link.due),
                    None => return self.say(now, local),
                },
            }
        }
    }

    /// The meter is connected and is listened to.
    pub fn opened(&mut self, info: Option<Info>, now: Instant) {
        self.assembly.clear();
        self.meter.info = info.or(self.meter.info.take());
        self.meter.connections += 1;
        self.meter.doing = Doing::LoggingIn;
        self.state = State::Up(Link {
            topic: Topic::Login,
            todo: &[Topic::Clock, Topic::Settings, Topic::Hours],
            deadline: None,
            due: now + self.pace.settle,
            tries: 0,
            misses: 0,
            is_damaged: false,
        });
    }

    /// No connection came about.
    pub fn failed(&mut self, trouble: Trouble, now: Instant) {
        let until = self.pause(trouble, now);
        self.state = State::Down { until };
    }

    /// The connection is gone.
    pub fn lost(&mut self, now: Instant) {
        if matches!(self.state, State::Up(_)) {
            self.close(Trouble::Lost, now);
        }
    }

    /// Something has changed for the better: what is waited for may be there.
    pub fn wake(&mut self, now: Instant) {
        if let State::Down { until } = &mut self.state
            && self.meter.trouble != Some(Trouble::WrongPin)
        {
            *until = now.min(*until);
        }
    }

    /// The meter has said something.
    pub fn heard(&mut self, piece: &[u8], now: Instant, local: DateTime) {
        self.assembly.push(piece);
        while let Some(answer) = self.assembly.take() {
            let State::Up(link) = &mut self.state else { return };
            match answer {
                Ok(answer) => {
                    link.is_damaged = false;
                    self.understood(&answer, now, local);
                }
                Err(_) => {
                    link.is_damaged = true;
                    self.meter.damaged += 1;
                    if link.deadline.is_some() {
                        self.missed(now);
                    }
                }
            }
        }
    }

    fn say(&mut self, now: Instant, local: DateTime) -> Ask {
        let State::Up(link) = &mut self.state else { return Ask::Wait(now) };
        self.assembly.clear();
        let wait = if link.topic == Topic::Login { self.pace.login } else { self.pace.answer };
        link.deadline = Some(now + wait);
        link.tries += 1;
        link.due = now + self.pace.gap;
        Ask::Write(match link.topic {
            Topic::Login => frame::login(self.pin),
            Topic::Clock => frame::clock(local),
            topic => frame::ask(topic.command()),
        })
    }

    fn understood(&mut self, answer: &Answer, now: Instant, local: DateTime) {
        let (command, is_end) = match answer {
            Answer::Login { is_accepted: false } => {
                self.close(Trouble::WrongPin, now);
                return;
            }
            Answer::Login { .. } => (frame::LOGIN, true),
            Answer::Clock => (frame::CLOCK, true),
            Answer::Settings { limit_watts } => {
                self.meter.limit_watts = Some(*limit_watts);
                (frame::SETTINGS, true)
            }
            Answer::Hours(hours) => {
                self.meter.day.get_or_insert_with(|| Day::new(local)).remember(hours, local);
                (frame::HOURS, true)
            }
            Answer::Measurement(measured) => {
                self.measured(*measured, now, local);
                (frame::MEASURE, true)
            }
            Answer::Other(command) => (*command, false),
        };
        if let State::Up(link) = &mut self.state
            && is_end
            && link.topic.command() == command
            && link.deadline.is_some()
        {
            self.proceed(now);
        }
    }

    fn measured(&mut self, mut measured: frame::Measurement, now: Instant, local: DateTime) {
        let meter = &mut self.meter;
        // A counter that goes back is none.
        measured.total_wh = measured.total_wh.filter(|total| self.total_wh <= *total);
        self.total_wh = measured.total_wh.unwrap_or(self.total_wh);
        meter.largest_watts = meter.largest_watts.max(measured.watts);
        meter.day.get_or_insert_with(|| Day::new(local)).add(now, measured.watts, local);
        meter.reading = Some(Reading { at: now, measured });
        meter.trouble = None;
        meter.doing = Doing::Measuring;
        self.failures = 0;
        if let State::Up(link) = &mut self.state {
            link.misses = 0;
        }
    }

    /// The topic is dealt with, one way or the other: on to the next one.
    fn proceed(&mut self, now: Instant) {
        let State::Up(link) = &mut self.state else { return };
        link.deadline = None;
        link.tries = 0;
        match (link.topic, link.todo) {
            (Topic::Measure, [first, rest @ ..]) => {
                link.topic = *first;
                link.todo = rest;
                link.due = link.due.max(now);
            }
            (Topic::Measure, []) => {
                // What was due is one gap after what was said.
                link.due = (link.due - self.pace.gap + self.pace.interval).max(now);
            }
            _ => {
                link.topic = Topic::Measure;
                link.due = link.due.max(now);
            }
        }
    }

    /// The answer did not come, or came damaged.
    fn missed(&mut self, now: Instant) {
        let State::Up(link) = &mut self.state else { return };
        link.deadline = None;
        link.due = link.due.max(now);
        match link.topic {
            Topic::Login if link.tries < LOGINS => {}
            Topic::Login => {
                link.topic = Topic::Measure;
                // One try is what it gets.
                link.misses = MISSES - 1;
            }
            Topic::Measure => {
                link.misses += 1;
                if link.misses == MISSES {
                    let trouble = if link.is_damaged { Trouble::Damaged } else { Trouble::Silent };
                    self.close(trouble, now);
                }
            }
            _ if link.tries < TRIES => {}
            _ => self.proceed(now),
        }
    }

    fn close(&mut self, trouble: Trouble, now: Instant) {
        let until = self.pause(trouble, now);
        self.state = State::Closing { until };
        self.assembly.clear();
    }

    /// When the next attempt is due after this trouble.
    fn pause(&mut self, trouble: Trouble, now: Instant) -> Instant {
        let pause = match trouble {
            Trouble::WrongPin => self.pace.wrong_pin,
            _ => self.pace.pauses[self.failures.min(self.pace.pauses.len() - 1)],
        };
        self.failures += 1;
        self.meter.trouble = Some(trouble);
        self.meter.doing = Doing::Waiting;
        self.meter.again_at = Some(now + pause);
        now + pause
    }
}

#[cfg(test)]
mod tests;
