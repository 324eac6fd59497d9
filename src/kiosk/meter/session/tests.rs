use super::*;

const LOGIN_WELL: &[u8] = &[0x0f, 0x06, 0x17, 0, 0, 0, 0, 0x18, 0xff, 0xff];
const LOGIN_REFUSED: &[u8] = &[0x0f, 0x06, 0x17, 0, 1, 0, 0, 0x19, 0xff, 0xff];
const CLOCK_WELL: &[u8] = &[0x0f, 0x04, 0x01, 0, 0, 2, 0xff, 0xff];
const SETTINGS: &[u8] =
    &[0x0f, 0x0e, 0x10, 0, 0, 0xc8, 0x64, 0, 0, 0, 0, 1, 0, 0x0e, 0x60, 0xac, 0xff, 0xff];
/// 24.344 W.
const MEASURED: &[u8] =
    &[0x0f, 0x11, 4, 0, 1, 0, 0x5f, 0x18, 0xe7, 0, 0xdf, 0x32, 0, 0, 0, 0, 0, 0, 0x75];

/// A meter in simulated time, which can be made to misbehave.
struct Simulated {
    session: Session,
    now: Instant,
    start: Instant,
    /// Requests that are ignored on each link before any is answered.
    ignores: u32,
    ignored: u32,
    is_silent: bool,
    is_damaged: bool,
    refuses: bool,
    /// Why no connection comes about.
    unreachable: Option<Trouble>,
    opened_at: Vec<f64>,
    written: Vec<Vec<u8>>,
    is_open: bool,
}

fn local() -> DateTime {
    jiff::civil::date(2019, 6, 22).at(10, 24, 41, 0)
}

impl Simulated {
    fn new() -> Self {
        let now = Instant::now();
        Self {
            session: Session::new([0; 4], Pace::default(), now),
            now,
            start: now,
            ignores: 0,
            ignored: 0,
            is_silent: false,
            is_damaged: false,
            refuses: false,
            unreachable: None,
            opened_at: Vec::new(),
            written: Vec::new(),
            is_open: false,
        }
    }

    fn seconds(&self) -> f64 {
        (self.now - self.start).as_secs_f64()
    }

    /// So many seconds pass.
    fn run(&mut self, seconds: f64) {
        let end = self.now + Duration::from_secs_f64(seconds);
        loop {
            match self.session.next(self.now, local()) {
                Ask::Wait(until) if end < until => break,
                Ask::Wait(until) => self.now = until,
                Ask::Open => {
                    self.opened_at.push(self.seconds());
                    match self.unreachable {
                        Some(trouble) => self.session.failed(trouble, self.now),
                        None => {
                            (self.is_open, self.ignored) = (true, 0);
                            self.session.opened(None, self.now);
                        }
                    }
                }
                Ask::Close => self.is_open = false,
                Ask::Write(frame) => self.answer(&frame),
            }
        }
        self.now = end;
    }

    fn answer(&mut self, request: &[u8]) {
        assert!(self.is_open, "nothing is said without a connection");
        self.written.push(request.to_vec());
        if self.is_silent || self.ignored < self.ignores {
            self.ignored += 1;
            return;
        }
        // The answer takes a while on the air.
        self.now += Duration::from_millis(60);
        let answer = match request[2] {
            0x17 if self.refuses => LOGIN_REFUSED,
            0x17 => LOGIN_WELL,
            0x01 => CLOCK_WELL,
            0x10 => SETTINGS,
            0x04 => MEASURED,
            // It does not know its history.
            _ => return,
        };
        let mut answer = answer.to_vec();
        if self.is_damaged {
            answer[7] ^= 0x20;
        }
        for piece in answer.chunks(20) {
            self.session.heard(piece, self.now, local());
        }
    }

    fn meter(&self) -> &Meter {
        &self.session.meter
    }

    /// Seconds from `self.now` until a measurement arrives.
    fn recovers_after(&mut self) -> f64 {
        let before = self.now;
        while self.meter().reading.is_none_or(|reading| reading.at <= before) {
            self.run(0.05);
            assert!(self.now - before < Duration::from_secs(120), "{:?}", self.meter());
        }
        (self.now - before).as_secs_f64()
    }
}

#[test]
fn a_meter_that_answers_is_measured_within_a_second_and_then_once_a_second() {
    let mut simulated = Simulated::new();
    assert!(simulated.recovers_after() < 1.1);
    simulated.run(60.0);
    let asked = |command| simulated.written.iter().filter(|frame| frame[2] == command).count();
    assert_eq!((asked(0x17), asked(0x01), asked(0x10), asked(0x0a)), (1, 1, 1, 2));
    assert!((55..=62).contains(&asked(0x04)), "{}", asked(0x04));
    let clock = simulated.written.iter().find(|frame| frame[2] == 1).unwrap();
    assert_eq!(clock[4..9], [0x29, 0x18, 0x0a, 0x16, 0x06], "the local time");
    assert_eq!(simulated.meter().limit_watts, Some(3680));
    assert!(simulated.meter().fresh(simulated.now).is_some());
    assert_eq!(simulated.meter().trouble, None);
}

#[test]
fn nothing_is_ever_said_that_switches_the_socket_or_changes_more_than_the_clock() {
    let mut simulated = Simulated::new();
    for (is_silent, is_damaged) in [(false, false), (true, false), (false, true), (false, false)] {
        (simulated.is_silent, simulated.is_damaged) = (is_silent, is_damaged);
        simulated.run(100.0);
        simulated.session.lost(simulated.now);
    }
    let known = [0x17, 0x01, 0x10, 0x04, 0x0a];
    assert!(simulated.written.iter().all(|frame| known.contains(&frame[2])));
    // Of the PIN's commands only the login.
    assert!(simulated.written.iter().all(|frame| frame[2] != 0x17 || frame[4] == 0));
}

#[test]
fn ignored_commands_at_the_beginning_of_a_link_are_repeated() {
    for (ignores, limit) in [(1, 2.0), (2, 2.8), (3, 3.4)] {
        let mut simulated = Simulated { ignores, ..Simulated::new() };
        let after = simulated.recovers_after();
        assert!(after < limit, "{ignores} ignored: {after}");
        assert_eq!(simulated.meter().connections, 1);
    }
    // The login is not answered at all, and then not the measurement either: the link is given up.
    let mut simulated = Simulated { ignores: 4, ..Simulated::new() };
    simulated.run(10.0);
    assert_eq!(simulated.meter().trouble, Some(Trouble::Silent));
}

#[test]
fn a_lost_link_is_back_after_two_seconds() {
    let mut simulated = Simulated::new();
    simulated.run(20.0);
    simulated.session.lost(simulated.now);
    simulated.is_open = false;
    assert_eq!(simulated.meter().trouble, Some(Trouble::Lost));
    let after = simulated.recovers_after();
    assert!(after <= 2.1, "{after}");
    assert_eq!((simulated.meter().trouble, simulated.meter().connections), (None, 2));
}

#[test]
fn silence_is_noticed_after_three_misses_and_left_at_once_when_it_ends() {
    let mut simulated = Simulated::new();
    simulated.run(20.0);
    simulated.is_silent = true;
    let mut noticed = 0.0;
    while simulated.meter().trouble != Some(Trouble::Silent) {
        simulated.run(0.1);
        noticed += 0.1;
        assert!(noticed < 8.0);
    }
    assert!(5.0 < noticed, "{noticed}");
    simulated.run(200.0);
    assert!(simulated.meter().fresh(simulated.now).is_none());
    simulated.is_silent = false;
    assert!(simulated.recovers_after() < 34.0);
}

#[test]
fn damaged_answers_are_counted_repeated_and_never_shown() {
    let mut simulated = Simulated::new();
    simulated.run(20.0);
    let known = simulated.meter().reading.unwrap().at;
    simulated.is_damaged = true;
    simulated.run(10.0);
    assert_eq!(simulated.meter().trouble, Some(Trouble::Damaged));
    assert_eq!(simulated.meter().reading.unwrap().at - known, Duration::ZERO);
    assert!(2 < simulated.meter().damaged);
    simulated.is_damaged = false;
    assert!(simulated.recovers_after() < 34.0);
}

#[test]
fn a_refused_pin_is_tried_again_once_a_minute() {
    let mut simulated = Simulated { refuses: true, ..Simulated::new() };
    simulated.run(185.0);
    assert_eq!(simulated.meter().trouble, Some(Trouble::WrongPin));
    assert_eq!(simulated.opened_at.len(), 4);
    assert_eq!(simulated.written.len(), 4, "one login for each connection, and nothing else");
    assert!(!simulated.is_open, "the meter is left to its app");
    // Not even a change of the adapter makes it hammer.
    simulated.session.wake(simulated.now);
    simulated.run(1.0);
    assert_eq!(simulated.opened_at.len(), 4);
    simulated.refuses = false;
    assert!(simulated.recovers_after() <= 61.0);
}

#[test]
fn pauses_grow_to_half_a_minute_and_stay_there_for_ever() {
    let mut simulated = Simulated { unreachable: Some(Trouble::AdapterOff), ..Simulated::new() };
    simulated.run(140.0);
    let expected = [0.0, 1.0, 3.0, 8.0, 18.0, 48.0, 78.0, 108.0, 138.0];
    assert_eq!(simulated.opened_at.len(), expected.len());
    for (at, expected) in simulated.opened_at.iter().zip(expected) {
        assert!((at - expected).abs() < 1e-6, "{:?}", simulated.opened_at);
    }
    assert_eq!(simulated.meter().doing, Doing::Waiting);
    // What is waited for is there: nobody waits out the pause.
    simulated.unreachable = None;
    simulated.session.wake(simulated.now);
    assert!(simulated.recovers_after() < 1.1);
    // And the next trouble begins with short pauses again.
    simulated.session.lost(simulated.now);
    assert!(simulated.recovers_after() < 2.1);
}

#[test]
fn a_counter_that_goes_back_is_not_believed() {
    let mut session = Session::new([0; 4], Pace::default(), Instant::now());
    let now = Instant::now();
    let total = |wh: u8| {
        let mut frame = MEASURED.to_vec();
        frame[17] = wh;
        frame[18] = frame[18].wrapping_add(wh);
        frame
    };
    for (wh, believed) in [(103, Some(103.0)), (104, Some(104.0)), (2, None)] {
        session.opened(None, now);
        session.heard(&total(wh), now, local());
        assert_eq!(session.meter.reading.unwrap().measured.total_wh, believed);
    }
}

#[test]
fn near_the_limit_is_said() {
    let mut simulated = Simulated::new();
    simulated.run(5.0);
    assert!(!simulated.meter().is_near_limit());
    simulated.session.meter.limit_watts = Some(29);
    assert!(simulated.meter().is_near_limit(), "29 W is less than 1.2 x 24.3 W");
}
