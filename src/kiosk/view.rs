//! The only module that knows the readings, the run and the markup: state becomes text, taps become intents.
//!
//! Everything here runs on the UI thread and only draws; what a visitor asks for leaves as an [`Intent`].

mod attract;
mod canvas;
pub mod chart;
mod charted;
mod cluster;
mod demo;
mod energy;
mod fault;
mod home;
mod idle;
mod lost;
mod navigation;
mod news;
mod node;
mod nodes;
mod numbers;
mod owner;
pub mod palette;
mod power;
mod resting;
mod scales;
mod selftest;
mod shares;
mod shutdown;
mod strip;
mod touch;

use std::{
    cell::{Cell, OnceCell, RefCell},
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use slint::{ComponentHandle, SharedString, Timer, TimerMode, Weak};
use tokio::sync::{Notify, mpsc, watch};
use wire::kiosk::Phase;

use crate::{
    catalogue::Demo,
    display::{RawInput, RawTouch},
    doctor::Examination,
    intent::Intent,
    keys,
    owner::Told,
    senses::Senses,
    supervisor::{State, Status},
    telemetry::{SharedHistory, Telemetry, history::History},
    ui,
};

pub use canvas::{Counts, Easel, Painter};
use fault::{Ending, How};
pub use home::{TilePicture, decode_pictures};
pub use idle::Wanted;
use idle::{Idle, Rest, Turn};
use navigation::{Effect, Navigation, Page};
pub use numbers::Language;
pub use strip::{Clock, clock};
use touch::Fingers;
pub use touch::Slots;

/// How often the seconds of a waiting page move on.
const WAITING: Duration = Duration::from_millis(100);
/// How long the page of a fault stays before the kiosk goes home by itself.
const FAULT_SHOWN: Duration = Duration::from_secs(20);
/// For so long a presenter may leave the screen dark before the kiosk takes it that nobody is there.
const DARK: Duration = Duration::from_secs(30 * 60);

/// The two ends of the canvas; the UI's end is told of new pictures through the [`Notify`].
pub fn canvas() -> (Painter, Easel, Arc<Notify>) {
    let painted = Arc::new(Notify::new());
    let wake = Arc::clone(&painted);
    let (painter, easel) = canvas::canvas(move || wake.notify_one());
    (painter, easel, painted)
}

/// What the view takes more from than it is told of.
pub struct Sources {
    /// The newest picture of the run.
    pub easel: Easel,
    /// What the nodes did in the last hour.
    pub history: SharedHistory,
}

/// What the screen shows, and where its taps go.
pub struct View {
    me: std::rc::Weak<Self>,
    app: Weak<ui::App>,
    /// The visitors' demos, in the order of their tiles.
    demos: Vec<Arc<Demo>>,
    /// Those of the owner's menu.
    owners_demos: OnceCell<Vec<Arc<Demo>>>,
    owner: owner::OwnerPages,
    /// A sentence for the owner about the configuration, if there is something to say.
    notice: String,
    clock: Clock,
    intents: mpsc::Sender<Intent>,
    navigation: RefCell<Navigation>,
    /// The owner's language, which every visitor finds.
    language: Language,
    idle: RefCell<Idle>,
    /// Runs that visitors left and the kiosk stopped.
    left: Cell<u64>,
    /// The latest moment that anybody has told of: tests are ahead of the clock.
    told: Cell<Instant>,
    easel: RefCell<Easel>,
    fingers: RefCell<Fingers>,
    status: RefCell<Status>,
    telemetry: RefCell<Telemetry>,
    tiles: RefCell<Vec<Option<slint::Image>>>,
    history: SharedHistory,
    strip: strip::Strip,
    cluster: RefCell<cluster::Cluster>,
    node: RefCell<node::NodePage>,
    selftest: selftest::SelftestPage,
    shut_down: shutdown::ShutDownPage,
    examination: RefCell<Examination>,
    power: RefCell<power::PowerPage>,
    senses: RefCell<Senses>,
    /// When the run began whose energy a visitor has watched last.
    watched: Cell<Option<Instant>>,
    run: RefCell<demo::Run>,
    shares: shares::Shares,
    lost: lost::Lost,
    /// The end that the visitor was told of last, and since when.
    ending: RefCell<Option<Ending>>,
    fault_since: Cell<Option<Instant>>,
    waiting: Timer,
}

impl View {
    /// Connects `app` to the rest of the program.
    pub fn connect(
        app: &ui::App,
        demos: Vec<Arc<Demo>>,
        notice: String,
        language: Language,
        clock: Clock,
        intents: mpsc::Sender<Intent>,
        sources: Sources,
    ) -> Rc<Self> {
        let tiles = demos.len();
        let Sources { easel, history } = sources;
        let view = Rc::new_cyclic(|me| Self {
            me: me.clone(),
            app: app.as_weak(),
            notice,
            clock,
            history,
            intents,
            navigation: RefCell::new(Navigation::new(tiles, language)),
            language,
            owners_demos: OnceCell::new(),
            owner: owner::OwnerPages::new(app),
            idle: RefCell::new(Idle::new(Wanted::default(), Instant::now())),
            left: Cell::new(0),
            told: Cell::new(Instant::now()),
            easel: RefCell::new(easel),
            fingers: RefCell::default(),
            status: RefCell::default(),
            telemetry: RefCell::default(),
            tiles: RefCell::new(vec![None; tiles]),
            strip: strip::Strip::new(app),
            cluster: RefCell::new(cluster::Cluster::new(app)),
            node: RefCell::new(node::NodePage::new(app)),
            selftest: selftest::SelftestPage::new(app),
            shut_down: shutdown::ShutDownPage::new(app),
            examination: RefCell::default(),
            power: RefCell::new(power::PowerPage::new(app)),
            senses: RefCell::default(),
            watched: Cell::new(None),
            run: RefCell::new(demo::Run::new(app)),
            shares: shares::Shares::new(app),
            lost: lost::Lost::new(app),
            ending: RefCell::default(),
            fault_since: Cell::new(None),
            waiting: Timer::default(),
            demos,
        });
        view.listen(app);
        view.listen_to_nodes(app);
        view.listen_to_owner(app);
        view.listen_to_shut_down(app);
        view.translate();
        view.show_page(Instant::now());
        view
    }

    fn listen(self: &Rc<Self>, app: &ui::App) {
        let window = app.global::<ui::WindowView>();
        let view = Rc::clone(self);
        window.on_key_pressed(move |text, repeated| view.key(&text, repeated));
        let view = Rc::clone(self);
        window.on_woken(move || view.wake());
        let view = Rc::clone(self);
        window.on_touched(move || view.heed());

        let home = app.global::<ui::HomeView>();
        let view = Rc::clone(self);
        home.on_launch(move |index| {
            view.act(|navigation| navigation.launch(navigation.first + index.max(0) as usize));
        });
        let view = Rc::clone(self);
        home.on_next_page(move || view.change(Navigation::next_page));
        let view = Rc::clone(self);
        home.on_switch_language(move || {
            view.change(|navigation| navigation.language = navigation.language.other());
        });

        let demo = app.global::<ui::DemoView>();
        let view = Rc::clone(self);
        demo.on_back(move || view.act(Navigation::stop));
        let view = Rc::clone(self);
        demo.on_toggle_drawer(move || view.change(Navigation::toggle_drawer));
        let view = Rc::clone(self);
        demo.on_toggle_scales(move || view.change(Navigation::toggle_scales));
        let view = Rc::clone(self);
        demo.on_set_scale(move |index| {
            let offers = Arc::clone(&view.status.borrow().offers);
            if let Some(scale) = offers.get(index.max(0) as usize) {
                view.heed();
                view.send(Intent::Scale(*scale));
            }
        });
        let view = Rc::clone(self);
        app.global::<ui::SharesView>().on_toggled(move || view.change(Navigation::toggle_shares));
        let view = Rc::clone(self);
        demo.on_set_control(move |index, value| {
            view.set_control(index.max(0) as usize, value.into())
        });
        let view = Rc::clone(self);
        demo.on_pointed(move |phase, x, y| {
            let phase = [Phase::Down, Phase::Moved, Phase::Up][phase.clamp(0, 2) as usize];
            view.point(0, phase, (x, y));
        });

        let fault = app.global::<ui::FaultView>();
        let view = Rc::clone(self);
        fault.on_back(move || view.change(Navigation::home));
        let view = Rc::clone(self);
        fault.on_again(move || view.act(Navigation::again));
        self.listen_to_help(app);
    }

    fn listen_to_help(self: &Rc<Self>, app: &ui::App) {
        let help = app.global::<ui::HelpView>();
        let view = Rc::clone(self);
        help.on_back(move || view.act(|navigation| navigation.press(keys::Key::Help, 0)));
        let view = Rc::clone(self);
        help.on_self_test(move || view.act(Navigation::open_selftest));
        let selftest = app.global::<ui::SelftestView>();
        let view = Rc::clone(self);
        selftest.on_back(move || view.change(Navigation::close_selftest));
        let view = Rc::clone(self);
        selftest.on_again(move || view.act(|_| Some(Effect::Examine)));
        let view = Rc::clone(self);
        selftest.on_next(move || view.change(Navigation::next_leaf));
    }

    fn listen_to_nodes(self: &Rc<Self>, app: &ui::App) {
        let view = Rc::clone(self);
        app.global::<ui::StripView>().on_opened(move || view.change(Navigation::open_cluster));
        let view = Rc::clone(self);
        app.global::<ui::StripView>().on_power_opened(move || view.change(Navigation::open_power));
        let power = app.global::<ui::PowerView>();
        let view = Rc::clone(self);
        power.on_back(move || view.change(Navigation::close_power));
        let view = Rc::clone(self);
        power.on_next_span(move || view.change(Navigation::next_span));
        let cluster = app.global::<ui::ClusterView>();
        let view = Rc::clone(self);
        cluster.on_back(move || view.change(Navigation::close_cluster));
        let view = Rc::clone(self);
        cluster.on_next_quantity(move || view.change(Navigation::next_quantity));
        let view = Rc::clone(self);
        cluster.on_next_span(move || view.change(Navigation::next_span));
        let view = Rc::clone(self);
        cluster.on_tapped(move |index| {
            view.change(|navigation| navigation.open_node(index.max(0) as usize));
        });
        let view = Rc::clone(self);
        cluster.on_heat_tapped(move |x, y| {
            let nodes = view.telemetry.borrow().nodes.len();
            if let Some(node) = cluster::square_at(nodes, x, y) {
                view.change(|navigation| navigation.open_node(node));
            }
        });
        let view = Rc::clone(self);
        cluster.on_self_test(move || view.act(Navigation::open_selftest));
        let node = app.global::<ui::NodeView>();
        let view = Rc::clone(self);
        node.on_back(move || view.change(Navigation::close_node));
        let view = Rc::clone(self);
        node.on_next_quantity(move || view.change(Navigation::next_quantity));
        let view = Rc::clone(self);
        node.on_next_span(move || view.change(Navigation::next_span));
    }

    /// Follows the run and the readings for as long as the event loop runs.
    ///
    /// # Errors
    /// If there is no event loop.
    pub fn follow(
        self: &Rc<Self>,
        mut status: watch::Receiver<Status>,
        mut telemetry: watch::Receiver<Telemetry>,
        painted: Arc<Notify>,
    ) -> Result<(), slint::EventLoopError> {
        let view = Rc::clone(self);
        slint::spawn_local(async move {
            while status.changed().await.is_ok() {
                let newest = status.borrow_and_update().clone();
                view.show_status(newest, Instant::now());
            }
        })?;
        let view = Rc::clone(self);
        slint::spawn_local(async move {
            while telemetry.changed().await.is_ok() {
                let newest = telemetry.borrow_and_update().clone();
                view.show_telemetry(newest, Instant::now());
            }
        })?;
        let view = Rc::clone(self);
        slint::spawn_local(async move {
            loop {
                painted.notified().await;
                view.show_picture();
            }
        })?;
        Ok(())
    }

    /// Follows the self-test for as long as the event loop runs.
    ///
    /// # Errors
    /// If there is no event loop.
    pub fn follow_examination(
        self: &Rc<Self>,
        mut examination: watch::Receiver<Examination>,
    ) -> Result<(), slint::EventLoopError> {
        let view = Rc::clone(self);
        slint::spawn_local(async move {
            while examination.changed().await.is_ok() {
                let newest = examination.borrow_and_update().clone();
                view.show_examination(newest, Instant::now());
            }
        })?;
        Ok(())
    }

    /// Follows what the rack itself tells, for as long as the event loop runs.
    ///
    /// # Errors
    /// If there is no event loop.
    pub fn follow_senses(
        self: &Rc<Self>,
        mut senses: watch::Receiver<Senses>,
    ) -> Result<(), slint::EventLoopError> {
        let view = Rc::clone(self);
        slint::spawn_local(async move {
            while senses.changed().await.is_ok() {
                let newest = senses.borrow_and_update().clone();
                view.show_senses(newest, Instant::now());
            }
        })?;
        Ok(())
    }

    /// Follows what the owner asked for, as long as the event loop runs.
    ///
    /// # Errors
    /// If there is no event loop.
    pub fn follow_owner(
        self: &Rc<Self>,
        mut told: watch::Receiver<Told>,
    ) -> Result<(), slint::EventLoopError> {
        let view = Rc::clone(self);
        slint::spawn_local(async move {
            while told.changed().await.is_ok() {
                let newest = told.borrow_and_update().clone();
                view.show_owner(newest, Instant::now());
            }
        })?;
        Ok(())
    }

    /// A finger or a mouse of a display that draws no pointer: one appears for the mouse and goes for the finger.
    pub fn hear(&self, input: RawInput) -> bool {
        if let Some(app) = self.app.upgrade() {
            app.global::<ui::WindowView>().set_own_pointer(input == RawInput::Mouse);
        }
        match input {
            RawInput::Touch(touch) => self.touched(touch),
            RawInput::Mouse => false,
            RawInput::Key(code) => self.raw_key(code),
        }
    }

    /// A finger that the system reported itself; says whether it belongs to the canvas rather than to a button.
    pub fn touched(&self, (finger, phase, (x, y)): RawTouch) -> bool {
        let Some(app) = self.app.upgrade() else { return false };
        let size = app.window().size().to_logical(app.window().scale_factor());
        // Where the 800x480 screen lies in a larger display, as app.slint centres it.
        let theme = app.global::<ui::Theme>();
        let left = (size.width - theme.get_screen_width()) / 2.0;
        let top = (size.height - theme.get_screen_height()) / 2.0;
        let at = (x as f32 * size.width - left, y as f32 * size.height - top);
        let (live, drawer, shares) = {
            let navigation = self.navigation.borrow();
            let live =
                navigation.page == Page::Demo && !navigation.dark && self.run.borrow().painted();
            (live, navigation.drawer || navigation.scales, navigation.shares)
        };
        let caught = self.fingers.borrow_mut().take(finger, phase, at, live, drawer, shares);
        if let Some(at) = caught {
            // Finger 0 is the mouse's.
            self.point(finger as u8 + 1, phase, at);
        }
        caught.is_some()
    }

    /// The picture of a tile has been read.
    pub fn show_tile_picture(&self, picture: TilePicture) {
        if let Some(tile) = self.tiles.borrow_mut().get_mut(picture.demo) {
            *tile = Some(slint::Image::from_rgb8(picture.pixels));
        }
        self.show_page(Instant::now());
    }

    /// The run changed its state.
    pub fn show_status(&self, status: Status, now: Instant) {
        self.navigation.borrow_mut().set_scale_rows(status.offers.len());
        self.status.replace(status);
        if let Some(ending) = fault::of(&self.status.borrow()) {
            self.tell(ending, now);
        }
        self.show_page(now);
    }

    /// Tells of the end of the run that the visitor watches, once; and of one that left something, always.
    fn tell(&self, ending: Ending, now: Instant) {
        let known = self.ending.borrow().as_ref().is_some_and(|told| told.since == ending.since);
        let watched = self.run.borrow().is_ended_by(&ending);
        if watched {
            self.run.borrow_mut().leave();
            if self.idle.borrow().rest() == Rest::Playing {
                if ending.how == How::Finished {
                    // The next one plays, or this one anew.
                    self.idle.borrow_mut().over();
                    *self.ending.borrow_mut() = Some(ending);
                    return;
                }
                // It stands there for a while, and after the idle time it is tried again.
                self.idle.borrow_mut().touch(now.max(self.told.get()));
            }
        }
        if known || !(watched || ending.how == How::LeftOver) {
            return;
        }
        *self.ending.borrow_mut() = Some(ending);
        self.fault_since.set(Some(now));
        self.navigation.borrow_mut().fault();
    }

    /// New readings; they also are the pulse of everything that moves on by itself.
    pub fn show_telemetry(&self, telemetry: Telemetry, now: Instant) {
        self.navigation.borrow_mut().set_nodes(telemetry.nodes.len());
        *self.telemetry.borrow_mut() = telemetry;
        self.told.set(self.told.get().max(now));
        self.rest(now);
        let overdue =
            self.fault_since.get().is_some_and(|since| FAULT_SHOWN < now.duration_since(since));
        if overdue && self.navigation.borrow().page == Page::Fault {
            self.navigation.borrow_mut().home();
        }
        self.show_page(now);
    }

    /// The rack itself has told something; the readings of the nodes are the pulse that shows it.
    pub fn show_senses(&self, senses: Senses, now: Instant) {
        let mut navigation = self.navigation.borrow_mut();
        let ended = |senses: &Senses| senses.run.and_then(|run| run.ended);
        let is_news = navigation.metered != senses.meter.is_some()
            || ended(&self.senses.borrow()) != ended(&senses);
        navigation.metered = senses.meter.is_some();
        drop(navigation);
        self.senses.replace(senses);
        if is_news {
            self.show_page(now);
        }
    }

    /// A self-test began, moved on or is over.
    pub fn show_examination(&self, examination: Examination, now: Instant) {
        self.navigation.borrow_mut().set_leaves(selftest::leaves(&examination));
        self.examination.replace(examination);
        self.show_page(now);
    }

    /// The canvas has a newer picture.
    pub fn show_picture(&self) {
        let Some(app) = self.app.upgrade() else { return };
        let Some((image, _header)) = self.easel.borrow_mut().take() else { return };
        if !self.run.borrow().is_shown_by(&self.status.borrow()) {
            // The last pictures of the run before this one.
            return;
        }
        let view = app.global::<ui::DemoView>();
        view.set_picture(image);
        self.lost.painted(Instant::now());
        if self.run.borrow_mut().paint(Instant::now()) {
            self.show_page(Instant::now());
        }
    }

    fn key(&self, text: &str, repeated: bool) -> bool {
        if self.test_key(text, repeated) {
            return true;
        }
        if repeated {
            return keys::meaning(text).is_some();
        }
        // Any key wakes, whatever it means, and presses nothing.
        self.wake_if_asleep() || self.press(keys::meaning(text))
    }

    /// A key by its number: those that Slint has no text for are ours.
    fn raw_key(&self, code: u32) -> bool {
        if self.test_raw_key(code) {
            return true;
        }
        let key = keys::meaning_of_code(code);
        key.is_some() && (self.wake_if_asleep() || self.press(key))
    }

    fn press(&self, key: Option<keys::Key>) -> bool {
        let Some(key) = key else { return false };
        let controls = self.demo().map_or(0, |demo| demo.controls.len());
        self.act(|navigation| navigation.press(key, controls));
        true
    }

    fn change(&self, change: impl FnOnce(&mut Navigation)) {
        self.act(|navigation| {
            change(navigation);
            None
        });
    }

    fn act(&self, act: impl FnOnce(&mut Navigation) -> Option<Effect>) {
        self.heed();
        let language = self.navigation.borrow().language;
        let effect = act(&mut self.navigation.borrow_mut());
        match effect {
            Some(Effect::Launch(index)) => {
                self.launch(self.demos.get(index));
            }
            Some(Effect::LaunchOwners(index)) => {
                self.launch(self.owners_demos().get(index));
            }
            Some(Effect::Again) => {
                let ended = self.ending.borrow().as_ref().map(|ending| ending.demo.id.clone());
                self.launch(ended.and_then(|id| self.find(&id)));
            }
            Some(Effect::Stop) => {
                self.run.borrow_mut().leave();
                self.send(Intent::Stop);
            }
            Some(Effect::Step(control)) => {
                let next = self.demo().and_then(|demo| {
                    demo::next_value(demo.controls.get(control)?, self.run.borrow().value(control)?)
                });
                if let Some(value) = next {
                    self.set_control(control, value);
                }
            }
            Some(Effect::Scale(row)) => {
                if let Some(scale) = self.status.borrow().offers.get(row) {
                    self.send(Intent::Scale(*scale));
                }
            }
            Some(Effect::Selftest) => self.examine(false),
            Some(Effect::Examine) => self.examine(true),
            None => {}
        }
        if language != self.navigation.borrow().language {
            self.translate();
        }
        self.show_page(Instant::now());
    }

    /// Asks for a self-test unless one goes on; one that was made will do where none is wanted `again`.
    fn examine(&self, again: bool) {
        let is_needed = match &*self.examination.borrow() {
            Examination::Never => true,
            Examination::Going { .. } => false,
            Examination::Done { .. } => again,
        };
        if is_needed {
            self.send(Intent::Examine);
        }
    }

    fn launch(&self, demo: Option<&Arc<Demo>>) {
        let Some(demo) = demo else {
            self.navigation.borrow_mut().home();
            return;
        };
        if self.run.borrow().is_on(&demo.id) {
            // A second tap on what starts or runs already.
            return;
        }
        self.run.borrow_mut().launch(demo, Instant::now());
        self.send(Intent::Launch(demo.id.clone()));
    }

    fn set_control(&self, index: usize, value: f64) {
        let Some(control) = self.demo().and_then(|demo| demo.controls.get(index)) else { return };
        self.heed();
        self.run.borrow_mut().set_value(index, value);
        self.send(Intent::Control { name: control.name.clone(), value });
        self.show_page(Instant::now());
    }

    fn point(&self, finger: u8, phase: Phase, at: (f32, f32)) {
        self.heed();
        let size = self.status.borrow().hello.as_ref().map(|hello| (hello.width, hello.height));
        if let Some((width, height)) = size {
            let (x, y) = touch::in_picture(at, width, height);
            self.send(Intent::Pointer { finger, phase, x, y });
        }
    }

    fn send(&self, intent: Intent) {
        // The queue is long; it is full only if the worker is gone, and then the process ends.
        if self.intents.try_send(intent).is_err() {
            log::warn!("a request of the visitor was lost: the supervisor does not take any more");
        }
    }

    /// The demo on the demo page.
    fn demo(&self) -> Option<&Arc<Demo>> {
        self.find(self.run.borrow().demo()?)
    }

    fn find(&self, id: &str) -> Option<&Arc<Demo>> {
        self.demos.iter().chain(self.owners_demos()).find(|demo| demo.id == id)
    }

    fn translate(&self) {
        let language = self.navigation.borrow().language;
        if let Err(error) = slint::select_bundled_translation(language.code()) {
            log::error!("no translation to '{}': {error}", language.code());
        }
    }

    fn show_page(&self, now: Instant) {
        let Some(app) = self.app.upgrade() else { return };
        self.guard();
        let navigation = self.navigation.borrow();
        let status = self.status.borrow();

        let window = app.global::<ui::WindowView>();
        window.set_dark(navigation.dark);
        window.set_page(match navigation.page {
            Page::Home => ui::Page::Home,
            Page::Demo => ui::Page::Demo,
            Page::Fault => ui::Page::Fault,
            Page::Help => ui::Page::Help,
            Page::Cluster => ui::Page::Cluster,
            Page::Node => ui::Page::Node,
            Page::Selftest => ui::Page::Selftest,
            Page::Power => ui::Page::Power,
            Page::Attract => ui::Page::Attract,
            Page::Pin => ui::Page::Pin,
            Page::Owner => ui::Page::Owner,
            Page::Log => ui::Page::Log,
            Page::KeyTester => ui::Page::KeyTester,
            Page::ShutDown => ui::Page::ShutDown,
        });
        match navigation.page {
            Page::Home => {
                self.show_home(&app, &navigation);
                let (senses, began) = (self.senses.borrow(), self.watched.get());
                energy::show_card(&app, &senses, began, navigation.language, now);
            }
            Page::Demo => {
                let senses = self.senses.borrow();
                energy::show(&app, &senses, navigation.language, now);
                let on = senses.run.filter(|run| run.ended.is_none());
                if on.is_some() {
                    self.watched.set(on.map(|run| run.began));
                }
                if let Some(demo) = self.demo() {
                    self.run.borrow_mut().show(&app, demo, &status, &navigation, now);
                    self.shares.show(&app, &self.telemetry.borrow(), &status, &navigation);
                    self.lost.show(&self.telemetry.borrow(), &status, now);
                }
            }
            Page::Fault => {
                if let Some(ending) = self.ending.borrow().as_ref() {
                    fault::show(&app, ending, &navigation);
                }
            }
            Page::Attract => {
                let played = self.idle.borrow().played(now);
                let shown = self.run.borrow().is_shown_by(&status);
                let said = if shown { &*status } else { &Status::default() };
                attract::show(
                    &app,
                    self.demo().map(|demo| &**demo),
                    said,
                    navigation.language,
                    played,
                );
            }
            Page::Pin | Page::Owner | Page::Log | Page::KeyTester | Page::ShutDown => {
                self.show_owners_pages(&app, &navigation, now);
            }
            Page::Help => app.global::<ui::HelpView>().set_focused(navigation.button.is_some()),
            Page::Selftest => {
                self.selftest.show(&app, &self.examination.borrow(), &navigation, now);
            }
            Page::Power => {
                let (senses, mut page) = (self.senses.borrow(), self.power.borrow_mut());
                page.show(&app, &senses, &self.telemetry.borrow(), &navigation, now);
            }
            Page::Cluster => {
                let history = lock(&self.history);
                let mut page = self.cluster.borrow_mut();
                page.show(&app, &self.telemetry.borrow(), &history, &navigation, now);
            }
            Page::Node => {
                let history = lock(&self.history);
                let mut page = self.node.borrow_mut();
                page.show(&app, &self.telemetry.borrow(), &history, &navigation, now);
            }
        }
        let telemetry = self.telemetry.borrow();
        self.strip.show(&app, &telemetry, &status, &navigation, &self.clock, now);
        strip::show_power(&app, &self.senses.borrow(), navigation.language, now);

        let is_examined = matches!(*self.examination.borrow(), Examination::Done { .. });
        let waits = match navigation.page {
            Page::Demo => !self.run.borrow().painted(),
            Page::Selftest => !is_examined,
            _ => false,
        };
        if waits != self.waiting.running() {
            self.wait(waits);
        }
        if matches!(status.state, State::Idle)
            && !matches!(navigation.page, Page::Demo | Page::Attract)
        {
            app.global::<ui::DemoView>().set_picture(slint::Image::default());
            self.easel.borrow_mut().clear();
        }
    }

    /// Moves the seconds of a waiting page on; nothing ticks on any other page.
    fn wait(&self, waits: bool) {
        if !waits {
            self.waiting.stop();
            return;
        }
        let view = self.me.clone();
        self.waiting.start(TimerMode::Repeated, WAITING, move || {
            if let Some(view) = view.upgrade() {
                view.show_page(Instant::now());
            }
        });
    }

    fn show_home(&self, app: &ui::App, navigation: &Navigation) {
        let code = navigation.language.code();
        let tiles = self.tiles.borrow();
        let shown = self
            .demos
            .iter()
            .zip(tiles.iter())
            .skip(navigation.first)
            .take(navigation::TILES)
            .map(|(demo, picture)| home::tile(demo, picture.as_ref(), code));
        let view = app.global::<ui::HomeView>();
        home::update(&view, shown.collect());
        let selected = navigation.selected.filter(|at| *at < self.demos.len());
        let selected = selected.map_or(-1, |at| at as i32 - navigation.first as i32);
        view.set_selected(selected);
        view.set_more(navigation::TILES < navigation.demos);
        view.set_other_language(navigation.language.other().code().to_uppercase().into());
        view.set_notice(SharedString::from(self.notice.as_str()));
    }
}

/// What a thread that panicked has left half done is numbers only.
fn lock(history: &SharedHistory) -> std::sync::MutexGuard<'_, History> {
    history.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
