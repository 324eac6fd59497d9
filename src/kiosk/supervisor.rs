//! Starts, watches and ends the one running demo, and says what happens to it. Names neither the screen nor sensors.
//!
//! [`machine`] decides; everything else here is its eyes and hands. A demo is other processes, always: whatever they
//! do, this goes on, and nothing of a run outlives it.

use std::{collections::HashMap, future::pending, pin::pin, sync::Arc, time::Instant};

use tokio::{
    select,
    sync::{mpsc, watch},
    time::sleep_until,
};
use wire::demo::{FrameHeader, Hello, Statistics};

use crate::{
    catalogue::{Catalogue, Demo},
    intent::Intent,
    slurm,
};

mod beside;
pub mod channel;
pub mod connection;
mod ending;
mod event;
mod far;
pub mod launch;
pub mod machine;
pub mod outbox;
pub mod placement;
pub mod printed;
pub mod rate;
pub mod records;
mod run;
pub mod run_folder;
pub mod settings;
pub mod status;
mod taking_over;
mod values;
mod warden_process;

pub use placement::{Computer, Computers, Condition, Equipment, Heat, Placement};
pub use settings::Settings;
pub use status::{Ended, Fault, Queue, Standby, State, Status};

use beside::Besides;
use machine::{Action, Event, Machine};
use placement::Scale;
use run::{Happening, Run};
use values::Values;

/// Takes the pictures of a run, on the thread that [`run()`] runs on.
pub trait Pictures {
    /// A demo has said what its pictures look like; a good moment to set memory aside.
    fn begin(&mut self, hello: &Hello);
    /// A picture: `width * height * bytes per pixel` of the hello, the top row first. The bytes are used again for
    /// the next one.
    fn picture(&mut self, header: &FrameHeader, pixels: &[u8]);
    /// How fast the run was since the last call; the pictures that follow may show it.
    fn statistics(&mut self, _statistics: &Statistics) {}
    /// No more pictures of this run will come.
    fn end(&mut self);
}

/// Does what `intents` ask for, with the demos of `demos`, on those of `computers` that are ready, until `stop` or the end
/// of `intents`; then ends what runs and returns when nothing of it is left.
///
/// Runs on a tokio runtime with I/O and time on a thread that lives as long as the process. Every orphan below this
/// process becomes its child from here on. A run whose warden was killed is ended by killing every child of this
/// process that is younger than the run: nothing else may start processes that are to outlive that.
pub async fn run(
    demos: Arc<Catalogue>,
    settings: Settings,
    computers: watch::Receiver<Computers>,
    mut intents: mpsc::Receiver<Intent>,
    status: watch::Sender<Status>,
    pictures: impl Pictures,
    stop: impl Future<Output = ()>,
) {
    if let Err(error) = warden::adopt_orphans() {
        log::warn!("a run whose warden is killed would leave processes: {error}");
    }
    if let Some(slurm) = settings.remote.as_ref().and_then(|remote| remote.slurm.as_ref())
        && let Err(why) = slurm::cancel_left_over(slurm).await
    {
        log::warn!("whether an earlier kiosk has left a job in Slurm's queue is not known: {why}");
    }
    let mut stop = pin!(stop);
    let mut is_asked_to_stop = false;
    let mut supervisor = Supervisor::new(settings, computers, status, pictures);
    supervisor.warm = demos.demos.iter().find(|demo| demo.resumes).map(Arc::clone);
    while !(supervisor.is_done && supervisor.besides.is_empty()) {
        supervisor.tend().await;
        let deadline = supervisor.machine.deadline();
        let again = supervisor.start_again_at();
        let event = select! {
            () = &mut stop, if !is_asked_to_stop => Some(Event::Shutdown),
            intent = intents.recv(), if !is_asked_to_stop => match intent {
                Some(intent) => supervisor.take(intent, &demos),
                None => Some(Event::Shutdown),
            },
            happening = next_of(&mut supervisor.run) => Some(supervisor.see(happening)),
            Ok(()) = supervisor.computers.changed() => supervisor.look_at_computers(),
            (place, happening) = supervisor.besides.next() => supervisor.see_beside(place, happening).await,
            () = until(deadline) => Some(Event::Tick),
            () = until(again) => {
                supervisor.is_untended = true;
                None
            }
        };
        is_asked_to_stop |= matches!(event, Some(Event::Shutdown));
        if let Some(event) = event {
            supervisor.obey(event).await;
        }
    }
}

async fn next_of(run: &mut Option<Run>) -> Happening {
    match run {
        Some(run) => run.next().await,
        None => pending().await,
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline.into()).await,
        None => pending().await,
    }
}

struct Supervisor<P> {
    settings: Settings,
    computers: watch::Receiver<Computers>,
    machine: Machine,
    run: Option<Run>,
    besides: Besides,
    /// What is started in advance while nothing runs.
    warm: Option<Arc<Demo>>,
    /// What the visitor wants the run to be on.
    scale: Scale,
    /// Whether that is new to the run.
    is_scale_new: bool,
    /// Whether something has changed that a run in advance depends on.
    is_untended: bool,
    /// Nobody has asked for the run on the screen.
    is_show: bool,
    /// Of what was launched last.
    values: Option<Values>,
    /// Computers that did not answer about its end: it carries on without them.
    stuck: Vec<String>,
    /// The computers that are ready, and since when.
    ready_since: HashMap<String, Instant>,
    /// The computers of the last run that could not be asked about its end.
    unreached: Vec<String>,
    /// What was published last, but for what the machine knows.
    said: Status,
    status: watch::Sender<Status>,
    pictures: P,
    /// Between [`Pictures::begin`] and [`Pictures::end`].
    is_showing: bool,
    is_done: bool,
}

impl<P: Pictures> Supervisor<P> {
    fn new(
        settings: Settings,
        computers: watch::Receiver<Computers>,
        status: watch::Sender<Status>,
        pictures: P,
    ) -> Self {
        Self {
            settings,
            computers,
            machine: Machine::default(),
            run: None,
            besides: Besides::default(),
            warm: None,
            scale: Scale::default(),
            is_scale_new: false,
            is_untended: true,
            is_show: false,
            values: None,
            stuck: Vec::new(),
            ready_since: HashMap::new(),
            unreached: Vec::new(),
            said: Status::default(),
            status,
            pictures,
            is_showing: false,
            is_done: false,
        }
    }

    /// What a wish means to the machine; nothing if it is for the demo alone.
    fn take(&mut self, intent: Intent, demos: &Catalogue) -> Option<Event> {
        match intent {
            Intent::Stop => return Some(Event::Stop),
            Intent::Launch(id) => return self.launch(&id, demos, false),
            Intent::Play(id) => return self.launch(&id, demos, true),
            Intent::Scale(scale) => {
                self.is_scale_new |= scale != self.scale;
                self.is_untended = true;
                self.scale = scale;
                self.besides.forgive();
                self.publish();
            }
            // The self-test's, and the owner's menu's.
            Intent::Examine | Intent::Owner(_) => {}
            Intent::Pointer { finger, phase, x, y } => {
                if let Some(run) = &mut self.run {
                    run.pointer(finger, phase, x, y);
                }
            }
            Intent::Control { name, value } => {
                let control = self.values.as_mut().and_then(|values| values.set(&name, value));
                let control = control?;
                // The one that takes over must not miss it.
                let standby = self.besides.standby().and_then(|standby| standby.run.as_mut());
                for run in self.run.iter_mut().chain(standby) {
                    run.control(control.clone());
                }
            }
        }
        None
    }

    fn launch(&mut self, id: &str, demos: &Catalogue, is_show: bool) -> Option<Event> {
        let Some(demo) = demos.demo(id) else {
            log::warn!("there is no demo '{id}'");
            return None;
        };
        self.scale = Scale::default();
        self.is_show = is_show;
        Some(Event::Launch(Arc::clone(demo)))
    }

    /// The computers as they are for what runs: for show none is taken that somebody else wants.
    fn known(&self) -> Computers {
        let mut computers = self.computers.borrow().clone();
        let is_kept_off = |computer: &&mut Computer| {
            self.is_show && computer.is_wanted && computer.condition == Condition::Ready
        };
        for computer in computers.others.iter_mut().filter(is_kept_off) {
            computer.condition = Condition::Taken;
        }
        computers
    }

    /// What the computers' new state means to the run.
    fn look_at_computers(&mut self) -> Option<Event> {
        self.is_untended = true;
        let taken = self.said.placement.taken(&self.known().others);
        if let Some(host) = taken.filter(|_| self.run.is_some()) {
            self.computers.mark_unchanged();
            return Some(Event::Broken(Fault::Taken { host }));
        }
        let too_hot = self.said.placement.too_hot(&self.computers.borrow_and_update());
        let heat = too_hot.filter(|_| self.run.is_some())?;
        Some(Event::Broken(Fault::TooHot(heat)))
    }

    /// Shows and notes what came from the demo; what it means to the machine.
    fn see(&mut self, happening: Happening) -> Event {
        let is_wanted = self.machine.shows_pictures();
        match happening {
            Happening::Event(event) => {
                self.said.queue = None;
                event
            }
            Happening::Waits(why) => {
                if let (Some(limit), State::Starting { since, .. }) =
                    (self.run.as_ref().and_then(Run::queue_limit), self.machine.state())
                {
                    self.said.queue = Some(Queue { since, limit, why });
                    self.publish();
                }
                Event::Said
            }
            Happening::Hello(hello) => {
                if let (Some(run), Some(values)) = (&mut self.run, &self.values) {
                    values.all().for_each(|control| run.control(control));
                }
                if is_wanted {
                    self.pictures.begin(&hello);
                    self.is_showing = true;
                    self.said.hello = Some(Arc::new(hello));
                    self.publish();
                }
                Event::Hello
            }
            Happening::Frame(header) => {
                if let Some(run) = self.run.as_ref().filter(|_| is_wanted) {
                    self.pictures.picture(&header, run.pixels());
                }
                Event::Frame
            }
            Happening::Statistics(statistics) => {
                if is_wanted {
                    self.pictures.statistics(&statistics);
                    self.said.statistics = Some(Arc::new(statistics));
                    self.publish();
                }
                Event::Progress
            }
            Happening::Text(text) => {
                if is_wanted {
                    self.said.text = Some(Arc::new(text));
                    self.publish();
                }
                Event::Said
            }
            Happening::State(state) => {
                if let Some(standby) = self.besides.standby().filter(|_| is_wanted) {
                    standby.begin(state, Instant::now());
                }
                Event::Said
            }
        }
    }

    /// Tells the machine and does what it says.
    async fn obey(&mut self, event: Event) {
        let mut next = Some(event);
        while let Some(event) = next.take() {
            self.is_untended |= matches!(event, Event::Shutdown);
            if let Event::Over { unreached, .. } | Event::Swept { unreached, .. } = &event {
                self.unreached.clone_from(unreached);
            }
            for action in self.machine.handle(event, Instant::now()) {
                next = self.perform(action).await.or(next);
            }
            let carries_on = self.machine.detach(Instant::now());
            if !carries_on.is_empty() {
                self.leave_lost_run().await;
            }
            for action in carries_on {
                next = self.perform(action).await.or(next);
            }
            if self.is_showing && !self.machine.shows_pictures() {
                self.is_showing = false;
                self.pictures.end();
            }
        }
    }

    /// Whoever did not answer about the end of the run before this one; none for a run that a visitor wants.
    fn note_the_stuck(&mut self) {
        match self.machine.carried_on() {
            None => self.stuck.clear(),
            Some(_) => self.stuck.append(&mut self.unreached),
        }
    }

    async fn perform(&mut self, action: Action) -> Option<Event> {
        if matches!(action, Action::Start(_)) {
            self.note_the_stuck();
        }
        match (action, &mut self.run) {
            (Action::Start(demo), _) => return self.start(demo).await,
            (Action::SendStop, Some(run)) => run.send_stop(),
            (Action::AskWarden, Some(run)) => run.ask_warden().await,
            (Action::Sweep, Some(run)) => run.sweep(self.besides.wardens()),
            (Action::Forget, run) => *run = None,
            (Action::Publish, _) => self.publish(),
            (Action::Quit, _) => self.is_done = true,
            (Action::Sweep, None) => {
                return Some(Event::Swept { killed: 0, left: 0, unreached: Vec::new() });
            }
            (Action::SendStop | Action::AskWarden, None) => {}
        }
        None
    }

    /// Starts a run for the screen; or lets the one that waits for it begin.
    async fn start(&mut self, demo: Arc<Demo>) -> Option<Event> {
        let mut placement = self.place(&demo);
        let is_ready = |standby: &&mut beside::Beside| standby.is_ready_for(&demo, &placement);
        let is_warm = self.besides.standby().as_ref().is_some_and(is_ready);
        let heat_here = self.computers.borrow().here.clone();
        // The picture is there at once, and goes over to the others when they are; not on a machine that is too hot.
        let begins_here = demo.resumes && !is_warm && heat_here.is_none();
        if self.machine.stays_here() || begins_here {
            placement.hosts.clear();
        }
        let far = !placement.hosts.is_empty();
        let processes = self.processes(&demo, &placement);
        if demo.resumes {
            self.warm = Some(Arc::clone(&demo));
        }
        self.is_scale_new = false;
        if self.machine.carried_on().is_none() {
            self.values = Some(Values::new(&demo));
        }
        if let Some(fault) = self.machine.carried_on() {
            let place = match placement.ranks() {
                0 => "on this machine".to_owned(),
                ranks => format!("with {ranks} ranks on other computers"),
            };
            log::warn!("{}: {fault}; carries on {place}", demo.id);
        }
        let placement = Arc::new(placement);
        self.said = Status { processes, placement, ..Status::default() };
        if let Some(heat) = heat_here.filter(|_| !far) {
            return Some(Event::NotStarted(Fault::TooHot(heat)));
        }
        self.machine.handle(Event::Placed { far }, Instant::now());
        let standby = if is_warm { self.besides.take_standby() } else { None };
        if let Some((Some(started), Some(hello))) =
            standby.map(|standby| (standby.run, standby.hello))
        {
            self.run = Some(started);
            let event = self.see(Happening::Hello(hello));
            if let Some(run) = &mut self.run {
                run.begin(Vec::new());
            }
            return Some(event);
        }
        match Run::start(&demo, &self.settings, &self.said.placement, false).await {
            Ok(started) => {
                if let Some(limit) = started.queue_limit() {
                    self.machine.handle(Event::Queued { limit }, Instant::now());
                }
                self.run = Some(started);
            }
            Err(fault) => return Some(Event::NotStarted(fault)),
        }
        None
    }

    /// The lost run on the screen ends beside the next one.
    async fn leave_lost_run(&mut self) {
        if let (Some(run), State::Starting { demo, .. }) = (self.run.take(), self.machine.state()) {
            let placement = Arc::clone(&self.said.placement);
            self.besides.retire(run, demo, placement, Instant::now()).await;
        }
        if self.is_showing {
            self.is_showing = false;
            self.pictures.end();
        }
    }

    fn publish(&mut self) {
        self.said.state = self.machine.state();
        self.is_untended = true;
        self.said.standby = self.besides.told();
        self.tell_scales();
        self.said.ended = self.machine.ended();
        self.said.carried_on = self.machine.carried_on();
        self.status.send_replace(self.said.clone());
    }
}
