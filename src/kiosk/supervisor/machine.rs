//! The states of the one run and what leads from one to the next. Pure: events and times in, actions out.
//!
//! A run ends in steps, each with its deadline: it is left to end by itself (after a stop in the protocol, an end
//! record, a closed connection), then its warden is asked, then the warden is killed and everything swept.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use warden::Exit;
use wire::{
    WireError,
    demo::{End, EndReason},
};

pub use super::event::{Action, Event};
use super::{
    ending::{COLLAPSE, Cause, Ending, FAREWELL, STOP, Step},
    status::{Ended, Fault, State},
};
use crate::catalogue::Demo;

/// The one run, or none.
#[derive(Debug, Default)]
pub struct Machine {
    phase: Phase,
    ended: Option<Arc<Ended>>,
    quitting: bool,
    /// Whether the run is on other computers, which can be lost.
    far: bool,
    /// How often the run was started anew because something went wrong with it there.
    attempt: u8,
    /// How often since it was last sound.
    restarts: u8,
    carried_on: Option<Fault>,
}

/// Attempts after the first: one with whoever is left, and the last one here.
const LAST_ATTEMPT: u8 = 2;
/// Restarts in a row of what was never well for [`SOUND_AFTER`]: what goes wrong so often is no accident of a computer.
const MOST_RESTARTS: u8 = 6;
/// A run that has shown pictures for so long is sound.
const SOUND_AFTER: Duration = Duration::from_secs(60);
/// A run that has shown pictures for so long was well; what happens to it then is a new story.
const WELL_AFTER: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
enum Phase {
    #[default]
    Idle,
    Starting {
        demo: Arc<Demo>,
        since: Instant,
        connected: bool,
        /// When the first picture is due.
        until: Instant,
    },
    Running {
        demo: Arc<Demo>,
        since: Instant,
        first_frame_after: Duration,
        heard: Instant,
    },
    Ending(Ending),
}

impl Machine {
    /// For a run that is started in advance, or that another one has taken over from: what happens to it leads to no new
    /// run.
    pub fn beside(demo: Arc<Demo>, far: bool, now: Instant) -> Self {
        let until = now + demo.first_frame;
        let phase = Phase::Starting { demo, since: now, connected: false, until };
        Self { phase, far, attempt: LAST_ATTEMPT, ..Self::default() }
    }

    /// What the view is told.
    pub fn state(&self) -> State {
        match &self.phase {
            Phase::Idle => State::Idle,
            Phase::Starting { demo, since, .. } => {
                State::Starting { demo: Arc::clone(demo), since: *since }
            }
            Phase::Running { demo, since, first_frame_after, .. } => State::Running {
                demo: Arc::clone(demo),
                since: *since,
                first_frame_after: *first_frame_after,
            },
            Phase::Ending(ending) => State::Stopping {
                demo: Arc::clone(&ending.demo),
                since: ending.since,
                fault: ending.fault().cloned(),
                next: ending.next.clone(),
            },
        }
    }

    /// Whether nothing more is to start, ever.
    pub fn is_quitting(&self) -> bool {
        self.quitting
    }

    /// Whether the run that is started next must stay on this machine: elsewhere it was lost too often.
    pub fn stays_here(&self) -> bool {
        LAST_ATTEMPT <= self.attempt
    }

    /// What went wrong with the run that the present one carries on for.
    pub fn carried_on(&self) -> Option<Fault> {
        self.carried_on.clone()
    }

    /// How the last run ended, until the next one starts.
    pub fn ended(&self) -> Option<Arc<Ended>> {
        self.ended.clone()
    }

    /// Whether the pictures that come are to be shown.
    pub fn shows_pictures(&self) -> bool {
        matches!(self.phase, Phase::Starting { .. } | Phase::Running { .. })
    }

    /// When [`Event::Tick`] is due, if nothing happens before.
    pub fn deadline(&self) -> Option<Instant> {
        match &self.phase {
            Phase::Idle => None,
            Phase::Starting { until, .. } => Some(*until),
            Phase::Running { demo, heard, .. } => Some(*heard + demo.progress),
            Phase::Ending(ending) => match ending.step {
                Step::Alone { until } | Step::Asked { until } => Some(until),
                Step::Gone | Step::Swept => None,
            },
        }
    }

    /// Takes an event that happens `now`; an event that makes no sense in this state changes nothing.
    pub fn handle(&mut self, event: Event, now: Instant) -> Vec<Action> {
        match event {
            Event::Launch(demo) => self.launch(demo, now),
            Event::Stop => self.stop(None, now),
            Event::Shutdown => {
                self.quitting = true;
                if matches!(self.phase, Phase::Idle) {
                    vec![Action::Quit]
                } else {
                    self.stop(None, now)
                }
            }
            Event::Placed { far } => {
                self.far = far;
                Vec::new()
            }
            Event::Queued { limit } => {
                if let Phase::Starting { demo, until, .. } = &mut self.phase {
                    *until = now + limit + demo.first_frame;
                }
                Vec::new()
            }
            Event::Admitted => {
                if let Phase::Starting { demo, until, .. } = &mut self.phase {
                    *until = now + demo.first_frame;
                }
                vec![Action::Publish]
            }
            Event::Hello => {
                if let Phase::Starting { connected, .. } = &mut self.phase {
                    *connected = true;
                }
                Vec::new()
            }
            Event::Frame => self.frame(now),
            Event::Progress => {
                if let Phase::Running { heard, .. } = &mut self.phase {
                    *heard = now;
                }
                Vec::new()
            }
            Event::Said => Vec::new(),
            Event::End(end) => self.end_by_itself(end, now),
            Event::Closed(cut) => self.closed(cut, now),
            Event::Broken(fault) => self.fail(fault, now),
            Event::NotStarted(fault) => {
                self.begin_ending(Cause::Fault(fault), Step::Swept, now);
                self.finish(true, Vec::new(), now)
            }
            Event::Exited { exit, last_line } => self.exited(exit, last_line, now),
            Event::Over { exit, last_line, killed, left, unreached } => {
                self.over(exit, last_line, (killed, left, unreached), now)
            }
            Event::Unwatched(fault) => {
                self.begin_ending(Cause::Fault(fault), Step::Swept, now);
                self.sweep()
            }
            Event::Swept { killed, left, unreached } => {
                if let Phase::Ending(ending) = &mut self.phase {
                    ending.killed += killed;
                }
                self.finish(left == 0, unreached, now)
            }
            Event::Tick => self.tick(now),
        }
    }

    fn launch(&mut self, demo: Arc<Demo>, now: Instant) -> Vec<Action> {
        if self.quitting {
            return Vec::new();
        }
        match &self.phase {
            Phase::Idle => self.start_anew(demo, now),
            // A second tap on the same tile.
            Phase::Starting { demo: current, .. } | Phase::Running { demo: current, .. }
                if current.id == demo.id =>
            {
                Vec::new()
            }
            _ => self.stop(Some(demo), now),
        }
    }

    /// A visitor wants it.
    fn start_anew(&mut self, demo: Arc<Demo>, now: Instant) -> Vec<Action> {
        self.attempt = 0;
        self.restarts = 0;
        self.carried_on = None;
        self.start(demo, now)
    }

    fn start(&mut self, demo: Arc<Demo>, now: Instant) -> Vec<Action> {
        self.far = false;
        self.ended = None;
        let until = now + demo.first_frame;
        self.phase =
            Phase::Starting { demo: Arc::clone(&demo), since: now, connected: false, until };
        vec![Action::Start(demo), Action::Publish]
    }

    fn stop(&mut self, next: Option<Arc<Demo>>, now: Instant) -> Vec<Action> {
        let actions = match &self.phase {
            Phase::Idle => return Vec::new(),
            Phase::Ending(_) => vec![Action::Publish],
            // Nobody there yet who could obey.
            Phase::Starting { connected: false, .. } => {
                self.begin_ending(Cause::Wanted, Step::asked(now), now);
                vec![Action::AskWarden, Action::Publish]
            }
            Phase::Starting { .. } | Phase::Running { .. } => {
                self.begin_ending(Cause::Wanted, Step::Alone { until: now + STOP }, now);
                vec![Action::SendStop, Action::Publish]
            }
        };
        if let Phase::Ending(ending) = &mut self.phase {
            ending.next = next;
            ending.carries_on = false;
            ending.is_unwanted = true;
            // What ends by itself may take longer; not when somebody waits for it.
            if let Step::Alone { until } = &mut ending.step {
                *until = (*until).min(now + STOP);
            }
        }
        actions
    }

    fn frame(&mut self, now: Instant) -> Vec<Action> {
        match &mut self.phase {
            Phase::Starting { demo, since, .. } => {
                let (demo, since) = (Arc::clone(demo), *since);
                let first_frame_after = now.saturating_duration_since(since);
                self.phase = Phase::Running { demo, since, first_frame_after, heard: now };
                vec![Action::Publish]
            }
            Phase::Running { heard, .. } => {
                *heard = now;
                Vec::new()
            }
            Phase::Idle | Phase::Ending(_) => Vec::new(),
        }
    }

    fn end_by_itself(&mut self, end: End, now: Instant) -> Vec<Action> {
        let cause = match end.reason {
            EndReason::Finished | EndReason::Stopped => Cause::Wanted,
            EndReason::Failed => Cause::Fault(Fault::Failed { detail: end.detail }),
        };
        self.leave_alone(cause, FAREWELL, now)
    }

    fn closed(&mut self, cut: Option<WireError>, now: Instant) -> Vec<Action> {
        let had_picture = matches!(self.phase, Phase::Running { .. });
        self.leave_alone(Cause::Closed { cut, had_picture }, COLLAPSE, now)
    }

    /// Lets a run that ends by itself do so.
    fn leave_alone(&mut self, cause: Cause, limit: Duration, now: Instant) -> Vec<Action> {
        if !self.shows_pictures() {
            return Vec::new();
        }
        self.begin_ending(cause, Step::Alone { until: now + limit }, now);
        vec![Action::Publish]
    }

    fn fail(&mut self, fault: Fault, now: Instant) -> Vec<Action> {
        if !self.shows_pictures() {
            return Vec::new();
        }
        self.begin_ending(Cause::Fault(fault), Step::asked(now), now);
        vec![Action::AskWarden, Action::Publish]
    }

    /// Leaves `Starting` and `Running`; a run that already ends goes on to do so for the first cause.
    fn begin_ending(&mut self, cause: Cause, step: Step, now: Instant) {
        let (demo, well_for) = match &mut self.phase {
            Phase::Starting { demo, .. } => (Arc::clone(demo), Duration::ZERO),
            // Counted up to its last sign of life: what it was silent for is no time in which it was well.
            Phase::Running { demo, since, first_frame_after, heard } => {
                let first_frame = *since + *first_frame_after;
                (Arc::clone(demo), heard.saturating_duration_since(first_frame))
            }
            Phase::Idle | Phase::Ending(_) => return,
        };
        if WELL_AFTER <= well_for {
            self.attempt = 0;
        }
        if SOUND_AFTER <= well_for {
            self.restarts = 0;
        }
        let ending = Ending::new(demo, cause, step, now);
        self.phase = Phase::Ending(ending);
        self.carry_on();
    }

    /// What was lost on other computers goes on by itself, on those that are left.
    fn carry_on(&mut self) {
        let may = self.far
            && self.attempt < LAST_ATTEMPT
            && self.restarts < MOST_RESTARTS
            && !self.quitting;
        let Phase::Ending(ending) = &mut self.phase else { return };
        if may && ending.fault().is_some() && ending.next.is_none() && !ending.is_unwanted {
            ending.next = Some(Arc::clone(&ending.demo));
            ending.carries_on = true;
        }
    }

    /// The program has ended, which says why; not judged later, when time has passed for other reasons.
    fn exited(&mut self, exit: Exit, last_line: String, now: Instant) -> Vec<Action> {
        let had_picture = matches!(self.phase, Phase::Running { .. });
        self.begin_ending(
            Cause::Closed { cut: None, had_picture },
            Step::Alone { until: now },
            now,
        );
        let Phase::Ending(ending) = &mut self.phase else { return Vec::new() };
        ending.judge(exit, last_line);
        ending.step = Step::Gone;
        self.carry_on();
        vec![Action::Publish]
    }

    fn over(
        &mut self,
        exit: Exit,
        last_line: String,
        (killed, left, unreached): (usize, usize, Vec<String>),
        now: Instant,
    ) -> Vec<Action> {
        self.exited(exit, last_line, now);
        let Phase::Ending(ending) = &mut self.phase else { return Vec::new() };
        ending.killed += killed;
        // What is left elsewhere was asked for already.
        if 0 < left && !self.far {
            return self.sweep();
        }
        self.finish(left == 0, unreached, now)
    }

    fn tick(&mut self, now: Instant) -> Vec<Action> {
        if self.deadline().is_none_or(|deadline| now < deadline) {
            return Vec::new();
        }
        match &mut self.phase {
            Phase::Idle => Vec::new(),
            Phase::Starting { demo, .. } => {
                let after_s = demo.first_frame.as_secs_f64();
                self.fail(Fault::NoPicture { after_s }, now)
            }
            Phase::Running { demo, .. } => {
                let after_s = demo.progress.as_secs_f64();
                self.fail(Fault::Hung { after_s }, now)
            }
            Phase::Ending(ending) => match ending.step {
                Step::Alone { .. } => {
                    ending.step = Step::asked(now);
                    vec![Action::AskWarden]
                }
                Step::Asked { .. } => self.sweep(),
                Step::Gone | Step::Swept => Vec::new(),
            },
        }
    }

    fn sweep(&mut self) -> Vec<Action> {
        let Phase::Ending(ending) = &mut self.phase else { return Vec::new() };
        ending.give_up_waiting();
        self.carry_on();
        vec![Action::Sweep, Action::Publish]
    }

    /// A lost run that would carry on once it is over carries on now: whoever asks sees to its end elsewhere. Nothing if
    /// there is no such run, or if its demo cannot begin while it ends.
    pub fn detach(&mut self, now: Instant) -> Vec<Action> {
        let next = match &self.phase {
            Phase::Ending(ending) if ending.carries_on && ending.demo.resumes => {
                ending.next.clone()
            }
            _ => None,
        };
        let Some(next) = next else { return Vec::new() };
        let Phase::Ending(ending) = std::mem::take(&mut self.phase) else { return Vec::new() };
        // Who is to blame is not known yet; the next attempt begins here in any case.
        self.carry_on_as(next, ending.fault().cloned(), true, now)
    }

    /// The next attempt.
    fn carry_on_as(
        &mut self,
        next: Arc<Demo>,
        fault: Option<Fault>,
        is_one_to_blame: bool,
        now: Instant,
    ) -> Vec<Action> {
        // What did not even begin there will not the next time, unless without whoever could not be asked why.
        let never_began = match fault {
            Some(
                Fault::CannotStart { .. }
                | Fault::Garbage(_)
                | Fault::NotAllocated { .. }
                | Fault::Revoked { .. },
            ) => true,
            Some(Fault::NoPicture { .. }) => !is_one_to_blame,
            _ => false,
        };
        self.attempt = if never_began { LAST_ATTEMPT } else { self.attempt + 1 };
        self.restarts += 1;
        self.carried_on = fault;
        self.start(next, now)
    }

    /// The run is over; `verified` if nothing of it is left.
    fn finish(&mut self, verified: bool, unreached: Vec<String>, now: Instant) -> Vec<Action> {
        let phase = std::mem::take(&mut self.phase);
        let Phase::Ending(ending) = phase else {
            self.phase = phase;
            return Vec::new();
        };
        let next = ending.next.clone().filter(|_| !self.quitting);
        let carries_on = ending.carries_on;
        let is_one_to_blame = !unreached.is_empty();
        let ended = ending.into_ended(verified, unreached, now);
        let fault = ended.fault.clone();
        self.ended = Some(Arc::new(ended));
        let mut actions = vec![Action::Forget];
        match next {
            Some(next) if carries_on => {
                actions.extend(self.carry_on_as(next, fault, is_one_to_blame, now));
            }
            Some(next) => actions.extend(self.start_anew(next, now)),
            None => actions.push(Action::Publish),
        }
        if self.quitting {
            actions.push(Action::Quit);
        }
        actions
    }
}
