//! The states of a run, with the time as an argument: no process, no socket, no waiting.

#![allow(clippy::unwrap_used, reason = "helpers of a test fail as the test does")]

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use kiosk::{
    catalogue::Demo,
    supervisor::{
        Ended, Fault, State,
        machine::{Action, Event, Machine},
    },
};
use warden::Exit;
use wire::{
    WireError,
    demo::{End, EndReason},
};

const FIRST_FRAME: u64 = 5000;
const PROGRESS: u64 = 2500;

fn demo(id: &str) -> Arc<Demo> {
    let text = "order = 1\naudience = 'visitor'\nprogram = 'p'\nmpi = false\nfirst_frame_s = 5\n\
        progress_s = 2.5\n[text.en]\ntitle = 'T'\nline = 'L'\n";
    Arc::new(Demo::parse(id, Path::new("/demos"), "x86_64", text).unwrap())
}

/// A machine and its clock.
struct Scenario {
    machine: Machine,
    start: Instant,
}

impl Scenario {
    fn new() -> Self {
        Self { machine: Machine::default(), start: Instant::now() }
    }

    /// With a demo that was launched at 0 ms, said hello at 100 ms, and has shown a picture at 150 ms.
    fn running() -> Self {
        let mut scenario = Self::starting();
        scenario.at(100, Event::Hello);
        scenario.at(150, Event::Frame);
        scenario
    }

    fn starting() -> Self {
        let mut scenario = Self::new();
        let demo = demo("pipe");
        let actions = scenario.at(0, Event::Launch(Arc::clone(&demo)));
        assert_eq!(actions, [Action::Start(demo), Action::Publish]);
        scenario
    }

    fn at(&mut self, ms: u64, event: Event) -> Vec<Action> {
        self.machine.handle(event, self.start + Duration::from_millis(ms))
    }

    fn deadline_ms(&self) -> Option<u64> {
        let deadline = self.machine.deadline()?;
        Some(deadline.duration_since(self.start).as_millis() as u64)
    }

    /// Nothing before its deadline, which is at `ms`; then what a tick does.
    fn tick_at(&mut self, ms: u64) -> Vec<Action> {
        assert_eq!(self.deadline_ms(), Some(ms));
        assert_eq!(self.at(ms - 1, Event::Tick), []);
        self.at(ms, Event::Tick)
    }

    fn ended(&self) -> Ended {
        assert!(matches!(self.machine.state(), State::Idle), "{:?}", self.machine.state());
        (*self.machine.ended().unwrap()).clone()
    }

    fn fault(&self) -> Option<Fault> {
        self.ended().fault
    }
}

fn over(exit: Exit) -> Event {
    Event::Over {
        exit,
        last_line: "segmentation fault".into(),
        killed: 0,
        left: 0,
        unreached: vec![],
    }
}

fn end(reason: EndReason) -> Event {
    Event::End(End { reason, detail: "the pipe is blocked".into() })
}

fn cut() -> WireError {
    WireError::Truncated { kind: "frame", length: 7, field: "pixels" }
}

const DONE: [Action; 2] = [Action::Forget, Action::Publish];
const ASK: [Action; 2] = [Action::AskWarden, Action::Publish];
const SWEEP: [Action; 2] = [Action::Sweep, Action::Publish];

#[test]
fn the_first_picture_makes_a_start_a_run() {
    let mut scenario = Scenario::starting();
    assert!(matches!(scenario.machine.state(), State::Starting { .. }));
    assert_eq!(scenario.at(100, Event::Hello), []);
    assert_eq!(scenario.at(150, Event::Frame), [Action::Publish]);
    assert_eq!(scenario.at(166, Event::Frame), []);
    let State::Running { first_frame_after, .. } = scenario.machine.state() else {
        panic!("{:?}", scenario.machine.state())
    };
    assert_eq!(first_frame_after, Duration::from_millis(150));
}

#[test]
fn a_demo_that_shows_nothing_in_time_is_ended_whatever_else_it_says() {
    let mut scenario = Scenario::starting();
    scenario.at(100, Event::Hello);
    scenario.at(4000, Event::Progress);
    assert_eq!(scenario.tick_at(FIRST_FRAME), ASK);
    let fault = Fault::NoPicture { after_s: 5.0 };
    assert!(
        matches!(scenario.machine.state(), State::Stopping { fault: Some(f), .. } if f == fault)
    );
    assert_eq!(scenario.at(5100, over(Exit::Signal(15))), DONE);
    assert_eq!(scenario.fault(), Some(fault));
}

#[test]
fn signs_of_progress_keep_a_run_alive_and_texts_do_not() {
    let mut scenario = Scenario::running();
    for ms in [1000, 3000, 5000] {
        assert_eq!(scenario.at(ms, Event::Progress), []);
        assert_eq!(scenario.deadline_ms(), Some(ms + PROGRESS));
    }
    scenario.at(7000, Event::Said);
    assert_eq!(scenario.tick_at(5000 + PROGRESS), ASK);
    scenario.at(7600, over(Exit::Code(1)));
    assert_eq!(scenario.fault(), Some(Fault::Hung { after_s: 2.5 }));
}

#[test]
fn a_run_in_a_queue_has_the_time_of_the_queue_and_then_that_of_a_first_picture() {
    let mut scenario = Scenario::starting();
    assert_eq!(scenario.at(10, Event::Queued { limit: Duration::from_secs(30) }), []);
    assert_eq!(scenario.deadline_ms(), Some(10 + 30_000 + FIRST_FRAME));
    assert_eq!(scenario.at(20_000, Event::Admitted), [Action::Publish]);
    assert_eq!(scenario.tick_at(20_000 + FIRST_FRAME), ASK);
    scenario.at(25_100, over(Exit::Signal(15)));
    assert_eq!(scenario.fault(), Some(Fault::NoPicture { after_s: 5.0 }));

    // Let in too late, or after the visitor has left, changes nothing.
    let mut scenario = Scenario::starting();
    scenario.at(10, Event::Queued { limit: Duration::from_secs(30) });
    assert_eq!(scenario.at(100, Event::Stop), ASK);
    let deadline = scenario.deadline_ms();
    scenario.at(200, Event::Admitted);
    scenario.at(210, Event::Queued { limit: Duration::from_secs(30) });
    assert_eq!(scenario.deadline_ms(), deadline);
    assert_eq!(scenario.at(300, over(Exit::Signal(15))), DONE);
    assert_eq!(scenario.fault(), None);
}

#[test]
fn a_stop_is_polite_then_firm_then_final_and_done_within_three_seconds() {
    let mut scenario = Scenario::running();
    assert_eq!(scenario.at(1000, Event::Stop), [Action::SendStop, Action::Publish]);
    assert!(!scenario.machine.shows_pictures());
    assert_eq!(scenario.tick_at(1700), [Action::AskWarden]);
    assert_eq!(scenario.tick_at(3400), SWEEP);
    assert_eq!(scenario.deadline_ms(), None);
    assert_eq!(scenario.at(3430, Event::Swept { killed: 4, left: 0, unreached: vec![] }), DONE);
    let ended = scenario.ended();
    assert_eq!((ended.fault, ended.verified, ended.processes_killed), (None, true, 4));
}

#[test]
fn a_stop_before_the_hello_goes_to_the_warden_at_once() {
    let mut scenario = Scenario::starting();
    assert_eq!(scenario.at(50, Event::Stop), ASK);
    assert_eq!(scenario.at(60, Event::Hello), []);
    assert_eq!(scenario.at(70, Event::Frame), []);
    assert_eq!(scenario.at(90, over(Exit::Signal(15))), DONE);
    assert_eq!(scenario.fault(), None);
}

#[test]
fn a_stop_hastens_what_already_ends_by_itself() {
    let mut scenario = Scenario::running();
    scenario.at(1000, Event::Closed(None));
    assert_eq!(scenario.deadline_ms(), Some(2500));
    scenario.at(1200, Event::Stop);
    assert_eq!(scenario.tick_at(1900), [Action::AskWarden]);
}

#[test]
fn a_second_stop_changes_nothing() {
    let mut scenario = Scenario::running();
    scenario.at(1000, Event::Stop);
    assert_eq!(scenario.at(1500, Event::Stop), [Action::Publish]);
    assert_eq!(scenario.deadline_ms(), Some(1700));
    assert_eq!(Scenario::new().at(0, Event::Stop), []);
}

#[test]
fn another_demo_starts_when_the_one_before_is_over() {
    let mut scenario = Scenario::running();
    let cone = demo("cone");
    let launch = Event::Launch(Arc::clone(&cone));
    assert_eq!(scenario.at(1000, launch), [Action::SendStop, Action::Publish]);
    assert!(matches!(scenario.machine.state(), State::Stopping { next: Some(_), .. }));
    scenario.at(1010, end(EndReason::Stopped));
    let actions = scenario.at(1100, over(Exit::Code(0)));
    assert_eq!(actions, [Action::Forget, Action::Start(cone), Action::Publish]);
    assert_eq!(scenario.deadline_ms(), Some(1100 + FIRST_FRAME));
    assert!(scenario.machine.ended().is_none());
}

#[test]
fn the_last_wish_counts_while_a_run_ends() {
    let mut scenario = Scenario::running();
    scenario.at(1000, Event::Launch(demo("cone")));
    scenario.at(1100, Event::Launch(demo("swirl")));
    let State::Stopping { next: Some(next), .. } = scenario.machine.state() else {
        panic!("{:?}", scenario.machine.state())
    };
    assert_eq!(next.id, "swirl");
    scenario.at(1200, Event::Stop);
    assert_eq!(scenario.at(1300, over(Exit::Code(0))), DONE);
}

#[test]
fn a_second_tap_on_the_same_tile_changes_nothing() {
    let mut scenario = Scenario::starting();
    assert_eq!(scenario.at(10, Event::Launch(demo("pipe"))), []);
    scenario.at(20, Event::Frame);
    assert_eq!(scenario.at(30, Event::Launch(demo("pipe"))), []);
    // While it ends, the same tap means: again.
    scenario.at(40, Event::Stop);
    scenario.at(50, Event::Launch(demo("pipe")));
    assert!(scenario.at(60, over(Exit::Code(0))).contains(&Action::Start(demo("pipe"))));
}

#[test]
fn a_demo_that_says_it_is_done_has_no_fault_whatever_its_status() {
    for reason in [EndReason::Finished, EndReason::Stopped] {
        let mut scenario = Scenario::running();
        assert_eq!(scenario.at(1000, end(reason)), [Action::Publish]);
        assert_eq!(scenario.at(1010, Event::Closed(None)), []);
        assert_eq!(scenario.at(1100, over(Exit::Code(1))), DONE);
        assert_eq!(scenario.fault(), None);
    }
}

#[test]
fn a_demo_that_says_it_is_done_and_stays_is_ended() {
    let mut scenario = Scenario::running();
    scenario.at(1000, end(EndReason::Finished));
    assert_eq!(scenario.tick_at(2000), [Action::AskWarden]);
    assert_eq!(scenario.at(2100, over(Exit::Signal(15))), DONE);
    assert_eq!(scenario.fault(), None);
}

#[test]
fn a_demo_that_gives_up_is_quoted() {
    let mut scenario = Scenario::running();
    scenario.at(1000, end(EndReason::Failed));
    scenario.at(1100, over(Exit::Code(1)));
    assert_eq!(scenario.fault(), Some(Fault::Failed { detail: "the pipe is blocked".into() }));
}

#[test]
fn a_closed_connection_is_explained_by_the_end_of_the_program() {
    let crashed = |exit| Some(Fault::Crashed { exit, last_line: "segmentation fault".into() });
    for (closed, exit, fault) in [
        (None, Exit::Code(137), crashed(Exit::Code(137))),
        (None, Exit::Signal(9), crashed(Exit::Signal(9))),
        (Some(cut()), Exit::Signal(9), crashed(Exit::Signal(9))),
        (Some(cut()), Exit::Code(0), Some(Fault::Garbage(cut()))),
        (None, Exit::Code(0), None),
    ] {
        let mut scenario = Scenario::running();
        assert_eq!(scenario.at(1000, Event::Closed(closed)), [Action::Publish]);
        assert_eq!(scenario.at(2030, over(exit)), DONE);
        assert_eq!(scenario.fault(), fault);
    }
}

#[test]
fn a_demo_that_closes_its_connection_and_stays_is_ended() {
    for (closed, fault) in [(None, Fault::Disconnected), (Some(cut()), Fault::Garbage(cut()))] {
        let mut scenario = Scenario::running();
        scenario.at(1000, Event::Closed(closed));
        assert_eq!(scenario.tick_at(2500), [Action::AskWarden]);
        scenario.at(2600, over(Exit::Signal(15)));
        assert_eq!(scenario.fault(), Some(fault));
    }
}

#[test]
fn an_end_before_the_first_picture_is_a_crash_even_with_status_0() {
    let mut scenario = Scenario::starting();
    assert_eq!(scenario.at(100, over(Exit::Code(0))), DONE);
    assert!(matches!(scenario.fault(), Some(Fault::Crashed { exit: Exit::Code(0), .. })));
}

#[test]
fn the_first_thing_that_goes_wrong_is_the_one_that_is_told() {
    let mut scenario = Scenario::running();
    let flood = Fault::Flood { limit: "250 pictures a second" };
    assert_eq!(scenario.at(1000, Event::Broken(flood.clone())), ASK);
    assert_eq!(scenario.at(1001, Event::Closed(Some(cut()))), []);
    assert_eq!(scenario.at(1002, end(EndReason::Failed)), []);
    scenario.at(1100, over(Exit::Signal(15)));
    assert_eq!(scenario.fault(), Some(flood));

    // What a demo does while it obeys a stop is no fault.
    let mut scenario = Scenario::running();
    scenario.at(1000, Event::Stop);
    assert_eq!(scenario.at(1001, Event::Broken(Fault::Garbage(cut()))), []);
    scenario.at(1100, over(Exit::Signal(11)));
    assert_eq!(scenario.fault(), None);
}

#[test]
fn a_run_without_its_warden_is_swept_from_here() {
    let mut scenario = Scenario::running();
    assert_eq!(scenario.at(1000, Event::Unwatched(Fault::Unwatched)), SWEEP);
    assert_eq!(scenario.at(1040, Event::Swept { killed: 3, left: 1, unreached: vec![] }), DONE);
    let ended = scenario.ended();
    assert_eq!(ended.fault, Some(Fault::Unwatched));
    assert_eq!((ended.verified, ended.processes_killed), (false, 3));
}

#[test]
fn what_the_warden_could_not_kill_is_swept_again() {
    let mut scenario = Scenario::running();
    scenario.at(1000, Event::Stop);
    let left = Event::Over {
        exit: Exit::Unknown,
        last_line: String::new(),
        killed: 2,
        left: 1,
        unreached: vec![],
    };
    assert_eq!(scenario.at(2000, left), SWEEP);
    assert_eq!(scenario.at(2040, Event::Swept { killed: 1, left: 0, unreached: vec![] }), DONE);
    let ended = scenario.ended();
    assert_eq!((ended.fault, ended.verified, ended.processes_killed), (None, true, 3));
}

#[test]
fn what_cannot_be_started_is_said_and_nothing_stays() {
    let mut scenario = Scenario::starting();
    let fault = Fault::CannotStart { program: "p".into(), why: "it is not there".into() };
    assert_eq!(scenario.at(1, Event::NotStarted(fault.clone())), DONE);
    assert_eq!(scenario.fault(), Some(fault));
    // The next start takes the message away.
    scenario.at(1000, Event::Launch(demo("cone")));
    assert!(scenario.machine.ended().is_none());
}

#[test]
fn at_the_end_of_the_kiosk_the_run_is_over_first_and_nothing_more_starts() {
    assert_eq!(Scenario::new().at(0, Event::Shutdown), [Action::Quit]);

    let mut scenario = Scenario::running();
    scenario.at(900, Event::Launch(demo("cone")));
    assert_eq!(scenario.at(1000, Event::Shutdown), [Action::Publish]);
    assert_eq!(scenario.at(1010, Event::Launch(demo("swirl"))), []);
    let actions = scenario.at(1100, over(Exit::Code(0)));
    assert_eq!(actions, [Action::Forget, Action::Publish, Action::Quit]);
}

/// Numbers of chance that are the same in every run (Knuth, MMIX).
fn chance(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
    *seed >> 33
}

fn anything(seed: &mut u64) -> Event {
    match chance(seed) % 14 {
        0 | 1 => Event::Launch(demo(["pipe", "cone"][chance(seed) as usize % 2])),
        2 => Event::Stop,
        3 => Event::Hello,
        4 | 5 => Event::Frame,
        6 => Event::Progress,
        7 => end([EndReason::Finished, EndReason::Failed][chance(seed) as usize % 2]),
        8 => Event::Closed([None, Some(cut())][chance(seed) as usize % 2].clone()),
        9 => Event::Broken(Fault::Flood { limit: "x" }),
        10 => over([Exit::Code(0), Exit::Signal(9)][chance(seed) as usize % 2]),
        11 => Event::Unwatched(Fault::Unwatched),
        12 => Event::Swept { killed: 0, left: 0, unreached: vec![] },
        _ => Event::Tick,
    }
}

#[test]
fn whatever_happens_runs_never_overlap_and_a_stop_leads_home_within_three_seconds() {
    for first_seed in 0..300 {
        let mut seed = first_seed;
        let mut scenario = Scenario::new();
        let mut ms = 0;
        let mut runs = 0_i32;
        let mut count = |actions: &[Action]| {
            for action in actions {
                match action {
                    Action::Start(_) => runs += 1,
                    Action::Forget => runs -= 1,
                    _ => {}
                }
                assert!((0..=1).contains(&runs), "seed {first_seed}");
            }
            actions.contains(&Action::Sweep)
        };
        let mut is_sweeping = false;
        for _ in 0..200 {
            ms += chance(&mut seed) % 900;
            let event = anything(&mut seed);
            // A sweep is answered once, and only a sweep is.
            if matches!(event, Event::Swept { .. }) && !is_sweeping {
                continue;
            }
            is_sweeping &= !matches!(event, Event::Swept { .. });
            is_sweeping |= count(&scenario.at(ms, event));
            if matches!(scenario.machine.state(), State::Idle) {
                assert_eq!(scenario.deadline_ms(), None);
                is_sweeping = false;
            }
        }
        // From now on the run is mute: only sweeps are answered.
        let stopped = ms;
        is_sweeping |= count(&scenario.at(ms, Event::Stop));
        while !matches!(scenario.machine.state(), State::Idle) {
            if is_sweeping {
                ms += 500;
                is_sweeping =
                    count(&scenario.at(ms, Event::Swept { killed: 1, left: 0, unreached: vec![] }));
                continue;
            }
            ms = scenario.deadline_ms().unwrap();
            is_sweeping = count(&scenario.at(ms, Event::Tick));
            assert!(ms <= stopped + 2400, "seed {first_seed}: {:?}", scenario.machine.state());
        }
    }
}

/// A demo that runs on other computers and shows pictures since 100 ms.
fn far_away(scenario: &mut Scenario) -> Arc<Demo> {
    let demo = demo("pipe");
    assert!(matches!(
        scenario.at(0, Event::Launch(Arc::clone(&demo)))[..],
        [Action::Start(_), Action::Publish]
    ));
    scenario.at(0, Event::Placed { far: true });
    scenario.at(50, Event::Hello);
    scenario.at(100, Event::Frame);
    demo
}

fn swept() -> Event {
    Event::Swept { killed: 0, left: 0, unreached: vec!["major-tom".into()] }
}

#[test]
fn a_run_that_is_lost_on_other_computers_carries_on_by_itself_and_in_the_end_here() {
    let mut scenario = Scenario::new();
    let demo = far_away(&mut scenario);
    let mut ms = 100;
    for stays_here in [false, true] {
        let hung = ms + 3000;
        scenario.at(hung, Event::Tick);
        let State::Stopping { fault: Some(Fault::Hung { .. }), next: Some(next), .. } =
            scenario.machine.state()
        else {
            panic!("{:?}", scenario.machine.state());
        };
        assert_eq!(next.id, demo.id);
        scenario.at(hung + 10, Event::Unwatched(Fault::Unwatched));
        let actions = scenario.at(hung + 20, swept());
        assert!(actions.contains(&Action::Start(Arc::clone(&demo))), "{actions:?}");
        assert!(matches!(scenario.machine.carried_on(), Some(Fault::Hung { .. })));
        assert_eq!(scenario.machine.stays_here(), stays_here);
        scenario.at(hung + 20, Event::Placed { far: !stays_here });
        scenario.at(hung + 50, Event::Hello);
        ms = hung + 100;
        scenario.at(ms, Event::Frame);
    }
    // Here it is a fault like any other.
    scenario.at(ms + 3000, Event::Tick);
    scenario.at(ms + 3010, Event::Unwatched(Fault::Unwatched));
    assert_eq!(scenario.at(ms + 3020, swept()), DONE);
    assert_eq!(scenario.ended().unreached, ["major-tom"]);
}

#[test]
fn a_run_that_was_well_for_long_may_be_lost_as_often_as_it_likes() {
    let mut scenario = Scenario::new();
    far_away(&mut scenario);
    let mut ms = 100;
    for _ in 0..50 {
        for second in 1..=60 {
            scenario.at(ms + 1000 * second, Event::Frame);
        }
        let lost = ms + 60_500;
        scenario.at(lost, Event::Unwatched(Fault::Unwatched));
        scenario.at(lost + 10, swept());
        assert!(!scenario.machine.stays_here());
        scenario.at(lost + 10, Event::Placed { far: true });
        scenario.at(lost + 50, Event::Hello);
        ms = lost + 100;
        scenario.at(ms, Event::Frame);
    }
}

#[test]
fn a_demo_that_fails_again_and_again_is_not_restarted_for_ever() {
    let mut scenario = Scenario::new();
    far_away(&mut scenario);
    let mut ms = 100;
    let mut restarts = 0;
    loop {
        for second in 1..=11 {
            scenario.at(ms + 1000 * second, Event::Frame);
        }
        let failed = ms + 11_500;
        scenario.at(failed, Event::Broken(Fault::Flood { limit: "x" }));
        scenario.at(failed + 10, over(Exit::Code(1)));
        if matches!(scenario.machine.state(), State::Idle) {
            break;
        }
        restarts += 1;
        scenario.at(failed + 10, Event::Placed { far: true });
        ms = failed + 100;
        scenario.at(ms, Event::Frame);
    }
    assert_eq!(restarts, 6);
    assert_eq!(scenario.fault(), Some(Fault::Flood { limit: "x" }));
}

#[test]
fn a_run_elsewhere_is_judged_when_its_program_ends_and_not_when_all_have_answered() {
    let exited = |exit| Event::Exited { exit, last_line: "bus error".into() };
    let mut scenario = Scenario::new();
    far_away(&mut scenario);
    scenario.at(1000, Event::Closed(None));
    assert_eq!(scenario.at(2490, exited(Exit::Code(0))), [Action::Publish]);
    assert_eq!(scenario.deadline_ms(), None, "looking elsewhere has its own end");
    assert_eq!(scenario.at(3600, over(Exit::Code(0))), DONE);
    assert_eq!(scenario.fault(), None, "a script that is done");

    let mut scenario = Scenario::new();
    let demo = far_away(&mut scenario);
    scenario.at(1000, exited(Exit::Signal(7)));
    let State::Stopping { fault: Some(Fault::Crashed { .. }), next: Some(_), .. } =
        scenario.machine.state()
    else {
        panic!("{:?}", scenario.machine.state());
    };
    let actions = scenario.at(2200, over(Exit::Signal(7)));
    assert!(actions.contains(&Action::Start(demo)), "{actions:?}");
}

#[test]
fn what_does_not_even_begin_on_other_computers_runs_here_the_next_time() {
    let mut scenario = Scenario::starting();
    scenario.at(0, Event::Placed { far: true });
    let fault = Fault::CannotStart { program: "ssh a".into(), why: "refused".into() };
    scenario.at(300, Event::Unwatched(fault.clone()));
    scenario.at(400, swept());
    assert!(scenario.machine.stays_here());
    assert_eq!(scenario.machine.carried_on(), Some(fault));
}

#[test]
fn a_visitor_who_leaves_while_a_lost_run_ends_is_not_brought_back() {
    let mut scenario = Scenario::new();
    far_away(&mut scenario);
    scenario.at(200, Event::Unwatched(Fault::Unwatched));
    scenario.at(210, Event::Stop);
    assert_eq!(scenario.at(220, swept()), DONE);
    assert!(matches!(scenario.machine.state(), State::Idle));
}

#[test]
fn a_connection_that_closes_with_nobody_left_to_ask_is_a_loss_too() {
    let mut scenario = Scenario::new();
    let demo = far_away(&mut scenario);
    scenario.at(1000, Event::Closed(None));
    // It does not end by itself, and its warden does not answer.
    assert_eq!(scenario.at(2500, Event::Tick), [Action::AskWarden]);
    assert_eq!(scenario.at(4200, Event::Tick), SWEEP);
    let actions = scenario.at(4300, swept());
    assert!(actions.contains(&Action::Start(demo)), "{actions:?}");
    assert_eq!(scenario.machine.carried_on(), Some(Fault::Disconnected));
}
