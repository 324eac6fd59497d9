//! Runs beside the one on the screen: one that is started in advance and sleeps until it takes over, and those that were
//! taken over from and end.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::Poll,
    time::{Duration, Instant},
};

use warden::Process;
use wire::demo::Hello;

use super::{
    machine::{Action, Event, Machine},
    placement::Placement,
    run::{Happening, Run},
    status::{Standby, State},
};
use crate::{catalogue::Demo, slurm::said::Why};

/// How long the two runs may take to hand over, from the question for the state to the first picture.
const HAND_OVER: Duration = Duration::from_secs(3);
/// How long after a failure another run is started in advance; twice as long after each further one, up to [`MOST_PATIENCE`].
const PATIENCE: Duration = Duration::from_secs(5);
const MOST_PATIENCE: Duration = Duration::from_secs(80);

/// How far a run beside the screen's is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Stage {
    /// Its processes start.
    Warming,
    /// All ranks are there and asleep.
    Ready,
    /// The state of the run on the screen is asked for.
    Asked { by: Instant },
    /// It has been told to begin; its first picture takes over.
    Begun { by: Instant },
    /// It ends.
    Leaving,
}

/// A run beside the screen's.
pub(super) struct Beside {
    pub demo: Arc<Demo>,
    pub placement: Arc<Placement>,
    pub processes: u16,
    pub hello: Option<Hello>,
    pub stage: Stage,
    pub run: Option<Run>,
    /// Why it stands in Slurm's queue, if it does.
    waits: Option<Why>,
    /// When it was wanted last.
    wanted: Instant,
    machine: Machine,
}

/// All of them; at most one is not leaving.
#[derive(Default)]
pub(super) struct Besides {
    all: Vec<Beside>,
    /// The computers that could not be asked about the end of one, and when that end began.
    pub unreached: Vec<(String, Instant)>,
    failures: u32,
    not_before: Option<Instant>,
}

impl Besides {
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The one that may take over.
    pub fn standby(&mut self) -> Option<&mut Beside> {
        self.all.iter_mut().find(|beside| beside.stage != Stage::Leaving)
    }

    /// The same, taken out of here.
    pub fn take_standby(&mut self) -> Option<Beside> {
        let place = self.all.iter().position(|beside| beside.stage != Stage::Leaving)?;
        Some(self.all.remove(place))
    }

    /// What the view is told.
    pub fn told(&self) -> Standby {
        let standby = self.all.iter().find(|beside| beside.stage != Stage::Leaving);
        let computers = |beside: &Beside| beside.placement.hosts.len() as u16;
        match standby {
            None => Standby::None,
            Some(Beside { stage: Stage::Warming, waits: Some(why), .. }) => Standby::Queued(*why),
            Some(beside) if beside.stage == Stage::Warming => Standby::Starting(computers(beside)),
            Some(beside) => Standby::Ready(computers(beside)),
        }
    }

    /// Whether another one may be started, after those that failed.
    pub fn may_start(&self, now: Instant) -> bool {
        self.not_before.is_none_or(|not_before| not_before <= now)
    }

    /// One that has just been started.
    pub fn add(&mut self, run: Run, demo: Arc<Demo>, placement: Arc<Placement>, processes: u16) {
        let now = Instant::now();
        let mut machine = Machine::beside(Arc::clone(&demo), true, now);
        if let Some(limit) = run.queue_limit() {
            machine.handle(Event::Queued { limit }, now);
        }
        let (run, stage) = (Some(run), Stage::Warming);
        self.all.push(Beside {
            demo,
            placement,
            processes,
            hello: None,
            stage,
            run,
            waits: None,
            wanted: now,
            machine,
        });
    }

    /// Ends the run on the screen, which another one has taken over from.
    pub async fn retire(
        &mut self,
        run: Run,
        demo: Arc<Demo>,
        placement: Arc<Placement>,
        now: Instant,
    ) {
        let far = !placement.hosts.is_empty();
        let mut machine = Machine::beside(Arc::clone(&demo), far, now);
        machine.handle(Event::Hello, now);
        let (run, stage) = (Some(run), Stage::Warming);
        self.all.push(Beside {
            demo,
            placement,
            processes: 0,
            hello: None,
            stage,
            run,
            waits: None,
            wanted: now,
            machine,
        });
        let last = self.all.len() - 1;
        self.dismiss(last, now).await;
    }

    /// Ends the one that might take over, if there is one.
    pub async fn dismiss_standby(&mut self, now: Instant) {
        if let Some(place) = self.all.iter().position(|beside| beside.stage != Stage::Leaving) {
            self.dismiss(place, now).await;
        }
    }

    async fn dismiss(&mut self, place: usize, now: Instant) {
        self.all[place].stage = Stage::Leaving;
        self.all[place].wanted = now;
        self.obey(place, Event::Stop, now).await;
    }

    /// It was not possible to start one, or to go on with it.
    pub fn failed(&mut self, now: Instant) {
        let patience = PATIENCE * 2_u32.pow(self.failures.min(8));
        self.failures += 1;
        self.not_before = Some(now + patience.min(MOST_PATIENCE));
    }

    /// Something is different now: what failed may work.
    pub fn forgive(&mut self) {
        (self.failures, self.not_before) = (0, None);
    }

    /// The wardens of all: not to be ended with another run.
    pub fn wardens(&self) -> Vec<Process> {
        self.all.iter().filter_map(|beside| beside.run.as_ref()?.warden()).collect()
    }

    /// The next thing that happens to one of them, or time that has passed: then `None`. May be dropped and called again
    /// without loss.
    pub async fn next(&mut self) -> (usize, Option<Happening>) {
        let mut waits: Vec<Pin<Box<_>>> = self.all.iter_mut().map(|b| Box::pin(b.next())).collect();
        poll_fn(|context| {
            for (place, wait) in waits.iter_mut().enumerate() {
                if let Poll::Ready(happening) = wait.as_mut().poll(context) {
                    return Poll::Ready((place, happening));
                }
            }
            Poll::Pending
        })
        .await
    }

    /// What has happened to one of them; whether its first picture is there, which takes over.
    pub async fn see(&mut self, place: usize, happening: Option<Happening>, now: Instant) -> bool {
        let Some(beside) = self.all.get_mut(place) else { return false };
        match happening {
            Some(Happening::Hello(hello)) => {
                beside.machine.handle(Event::Hello, now);
                beside.hello = Some(hello);
                if beside.stage == Stage::Warming {
                    beside.stage = Stage::Ready;
                    self.forgive();
                }
                false
            }
            Some(Happening::Frame(_)) => matches!(beside.stage, Stage::Begun { .. }),
            Some(Happening::Event(event)) => {
                beside.waits = None;
                self.obey(place, event, now).await;
                false
            }
            Some(Happening::Waits(why)) => {
                beside.waits = Some(why);
                false
            }
            Some(Happening::Statistics(_) | Happening::Text(_) | Happening::State(_)) => false,
            None => {
                let late = match beside.stage {
                    Stage::Asked { by } | Stage::Begun { by } => by <= now,
                    _ => false,
                };
                if late {
                    log::warn!("{}: the other run does not take over", beside.demo.id);
                    self.failed(now);
                    self.dismiss(place, now).await;
                } else {
                    self.obey(place, Event::Tick, now).await;
                }
                false
            }
        }
    }

    /// Tells the machine of one of them and does what it says; forgets it when it is over.
    async fn obey(&mut self, place: usize, event: Event, now: Instant) {
        if let Event::Over { unreached, .. } | Event::Swept { unreached, .. } = &event {
            let wanted = self.all[place].wanted;
            self.unreached.extend(unreached.iter().map(|name| (name.clone(), wanted)));
        }
        let mut others = self.wardens();
        let beside = &mut self.all[place];
        let own = beside.run.as_ref().and_then(Run::warden);
        others.retain(|other| own.is_none_or(|own| !own.is_same_as(other)));
        for action in beside.machine.handle(event, now) {
            match (action, &mut beside.run) {
                (Action::SendStop, Some(run)) => run.send_stop(),
                (Action::AskWarden, Some(run)) => run.ask_warden().await,
                (Action::Sweep, Some(run)) => run.sweep(others.clone()),
                (Action::Forget, run) => *run = None,
                _ => {}
            }
        }
        let was_wanted = beside.stage != Stage::Leaving;
        let ends = !matches!(beside.machine.state(), State::Starting { .. });
        if ends && was_wanted {
            beside.stage = Stage::Leaving;
            beside.wanted = now;
            let fault = match (beside.machine.state(), beside.machine.ended()) {
                (State::Stopping { fault: Some(fault), .. }, _) => fault.to_string(),
                (_, Some(ended)) => {
                    ended.fault.as_ref().map(ToString::to_string).unwrap_or_default()
                }
                _ => String::new(),
            };
            log::warn!("{}: the run that was started in advance ends: {fault}", beside.demo.id);
        }
        if matches!(beside.machine.state(), State::Idle) {
            self.all.remove(place);
        }
        if ends && was_wanted {
            self.failed(now);
        }
    }

    /// When another one may be started, if that is what is waited for.
    pub fn not_before(&self) -> Option<Instant> {
        self.not_before
    }
}

impl Beside {
    /// Whether it sleeps, for `demo` where `placement` says.
    pub fn is_ready_for(&self, demo: &Demo, placement: &Placement) -> bool {
        self.stage == Stage::Ready
            && self.demo.id == demo.id
            && self.placement.hosts == placement.hosts
    }

    /// The state of the run on the screen is asked for.
    pub fn ask(&mut self, now: Instant) {
        self.stage = Stage::Asked { by: now + HAND_OVER };
    }

    /// It begins.
    pub fn begin(&mut self, state: Vec<u8>, now: Instant) {
        self.stage = Stage::Begun { by: now + HAND_OVER };
        if let Some(run) = &mut self.run {
            run.begin(state);
        }
    }

    fn deadline(&self) -> Option<Instant> {
        match self.stage {
            // It may sleep for as long as it likes.
            Stage::Ready => None,
            Stage::Asked { by } | Stage::Begun { by } => Some(by),
            Stage::Warming | Stage::Leaving => self.machine.deadline(),
        }
    }

    async fn next(&mut self) -> Option<Happening> {
        let deadline = self.deadline();
        let run = async {
            match &mut self.run {
                Some(run) => run.next().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            happening = run => Some(happening),
            () = super::until(deadline) => None,
        }
    }
}
