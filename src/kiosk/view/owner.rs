//! The owner's menu behind a long press and a PIN, the log, and the page that tells what keys mean.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::Arc,
    time::Instant,
};

use slint::{ComponentHandle, ModelRc, SharedString, VecModel, platform::Key as Code};

use super::{
    View, cluster,
    navigation::{Effect, Navigation, Page},
};
use crate::{
    catalogue::Demo,
    intent::Intent,
    keys::{self, Key},
    owner::{Bundle, Entrance, Order, Told, pin, shutdown::ShutDown},
    ui,
};

/// Keys that the tester shows.
const KEYS: usize = 8;
/// How bright the owner may have it, percent.
const BRIGHTNESS: [u8; 4] = [100, 70, 40, 20];

/// What is kept of these pages.
pub struct OwnerPages {
    told: RefCell<Told>,
    digits: RefCell<String>,
    /// A key by its number, whose text may follow.
    code: Cell<Option<u32>>,
    brightness_percent: Cell<u8>,
    keys: Rc<VecModel<ui::PressedKey>>,
    addresses: Rc<VecModel<SharedString>>,
    log: Rc<VecModel<SharedString>>,
    titles: Rc<VecModel<SharedString>>,
}

impl OwnerPages {
    /// Connects the pages of `app`.
    pub fn new(app: &ui::App) -> Self {
        let (keys, addresses) = (Rc::new(VecModel::default()), Rc::new(VecModel::default()));
        let (log, titles) = (Rc::new(VecModel::default()), Rc::new(VecModel::default()));
        app.global::<ui::KeyTesterView>().set_keys(ModelRc::from(Rc::clone(&keys)));
        let view = app.global::<ui::OwnerView>();
        view.set_addresses(ModelRc::from(Rc::clone(&addresses)));
        view.set_log(ModelRc::from(Rc::clone(&log)));
        view.set_demos(ModelRc::from(Rc::clone(&titles)));
        view.set_version(env!("CARGO_PKG_VERSION").into());
        let (told, digits, code) = (RefCell::default(), RefCell::default(), Cell::new(None));
        let brightness_percent = Cell::new(100);
        Self { told, digits, code, brightness_percent, keys, addresses, log, titles }
    }

    fn show_key(&self, name: String, meaning: Option<Key>, repeated: bool) {
        let meaning = match meaning {
            None => ui::KeyMeaning::Nothing,
            Some(Key::Next) => ui::KeyMeaning::Next,
            Some(Key::Previous) => ui::KeyMeaning::Previous,
            Some(Key::Choose) => ui::KeyMeaning::Choose,
            Some(Key::StartStop) => ui::KeyMeaning::StartStop,
            Some(Key::Digit(_)) => ui::KeyMeaning::Digit,
            Some(Key::Dark) => ui::KeyMeaning::Dark,
            Some(Key::Language) => ui::KeyMeaning::Language,
            Some(Key::Help) => ui::KeyMeaning::Help,
        };
        self.keys.insert(0, ui::PressedKey { name: name.into(), meaning, repeated });
        if KEYS < slint::Model::row_count(&*self.keys) {
            self.keys.remove(KEYS);
        }
    }
}

impl View {
    /// The demos that stand in the owner's menu only; told once.
    pub fn set_owners_demos(&self, demos: Vec<Arc<Demo>>) {
        // A second list would be a mistake of the wiring; the first one stays.
        let _ = self.owners_demos.set(demos);
    }

    /// Draws everything so bright, percent.
    pub fn set_brightness(&self, percent: u8) {
        self.owner.brightness_percent.set(percent);
        if let Some(app) = self.app.upgrade() {
            app.global::<ui::WindowView>().set_brightness(f32::from(percent) / 100.0);
        }
    }

    /// What has become of what the owner asked for.
    pub fn show_owner(&self, told: Told, now: Instant) {
        if told.entrance != Entrance::Looking {
            self.owner.digits.borrow_mut().clear();
        }
        if told.entrance == Entrance::Open {
            let page = &mut self.navigation.borrow_mut().page;
            match (*page, &told.shut_down) {
                (Page::Pin, _) | (Page::ShutDown, ShutDown::None) => *page = Page::Owner,
                (Page::Owner, stage) if *stage != ShutDown::None => *page = Page::ShutDown,
                _ => {}
            }
        }
        self.owner.told.replace(told);
        self.show_page(now);
    }

    pub(super) fn listen_to_owner(self: &Rc<Self>, app: &ui::App) {
        let view = Rc::clone(self);
        app.global::<ui::HomeView>().on_held(move || view.change(|n| n.page = Page::Pin));
        let asked = app.global::<ui::PinView>();
        let view = Rc::clone(self);
        asked.on_back(move || view.change(Navigation::home));
        let view = Rc::clone(self);
        asked.on_digit(move |digit| {
            let mut digits = view.owner.digits.borrow_mut();
            if digits.len() < *pin::DIGITS.end() {
                digits.push_str(&digit.to_string());
            }
            drop(digits);
            view.change(|_| {});
        });
        let view = Rc::clone(self);
        asked.on_rub_out(move || {
            view.owner.digits.borrow_mut().pop();
            view.change(|_| {});
        });
        let view = Rc::clone(self);
        asked.on_enter(move || {
            let digits = view.owner.digits.take();
            if pin::is_pin(&digits) {
                view.send(Intent::Owner(Order::Enter(digits)));
            }
            view.change(|_| {});
        });

        let menu = app.global::<ui::OwnerView>();
        let view = Rc::clone(self);
        menu.on_back(move || view.change(Navigation::home));
        let view = Rc::clone(self);
        menu.on_self_test(move || view.act(Navigation::open_selftest));
        let view = Rc::clone(self);
        menu.on_key_tester(move || view.change(|n| n.page = Page::KeyTester));
        let view = Rc::clone(self);
        menu.on_log_book(move || view.change(|n| n.page = Page::Log));
        let view = Rc::clone(self);
        menu.on_close_log(move || view.change(|n| n.page = Page::Owner));
        let view = Rc::clone(self);
        menu.on_dim(move || {
            let now = view.owner.brightness_percent.get();
            let darker = BRIGHTNESS.into_iter().find(|percent| *percent < now);
            view.set_brightness(darker.unwrap_or(BRIGHTNESS[0]));
            view.change(|_| {});
        });
        let view = Rc::clone(self);
        menu.on_switch_language(move || view.change(|n| n.language = n.language.other()));
        let view = Rc::clone(self);
        menu.on_restart(move || view.send(Intent::Owner(Order::Restart)));
        let view = Rc::clone(self);
        menu.on_write_bundle(move || view.send(Intent::Owner(Order::Bundle)));
        let view = Rc::clone(self);
        menu.on_launch(move |index| {
            view.act(|navigation| {
                navigation.enter_demo();
                Some(Effect::LaunchOwners(index.max(0) as usize))
            });
        });
        let view = Rc::clone(self);
        let tester = app.global::<ui::KeyTesterView>();
        tester.on_back(move || view.change(|n| n.page = Page::Owner));
    }

    /// Nobody sees what is the owner's without a PIN, and who goes away has closed the menu.
    pub(super) fn guard(&self) {
        let entrance = self.owner.told.borrow().entrance;
        let mut navigation = self.navigation.borrow_mut();
        if navigation.needs_pin() && entrance != Entrance::Open {
            navigation.home();
        }
        if !navigation.is_owners() {
            self.owner.digits.borrow_mut().clear();
            if entrance != Entrance::Closed {
                self.owner.told.take();
                self.send(Intent::Owner(Order::Leave));
            }
        }
    }

    pub(super) fn show_owners_pages(&self, app: &ui::App, navigation: &Navigation, now: Instant) {
        let told = self.owner.told.borrow();
        if navigation.page == Page::Pin {
            let view = app.global::<ui::PinView>();
            view.set_digits(self.owner.digits.borrow().len() as i32);
            let until = match told.entrance {
                Entrance::Wrong(Some(until)) => until.saturating_duration_since(now),
                _ => std::time::Duration::ZERO,
            };
            view.set_seconds(until.as_secs_f64().ceil() as i32);
            view.set_entrance(match told.entrance {
                Entrance::Closed | Entrance::Open => ui::Entrance::Closed,
                Entrance::Looking => ui::Entrance::Looking,
                Entrance::Wrong(_) if until.is_zero() => ui::Entrance::Wrong,
                Entrance::Wrong(_) => ui::Entrance::Waits,
                Entrance::NotSet => ui::Entrance::NotSet,
            });
            return;
        }
        self.shut_down.show(app, &told.shut_down, now);
        let view = app.global::<ui::OwnerView>();
        view.set_left(self.left.get().try_into().unwrap_or(i32::MAX));
        view.set_brightness_percent(self.owner.brightness_percent.get().into());
        view.set_other_language(navigation.language.other().code().to_uppercase().into());
        let strings = |lines: &[String]| lines.iter().map(SharedString::from).collect::<Vec<_>>();
        cluster::update(&self.owner.addresses, strings(&told.addresses).into_iter());
        cluster::update(&self.owner.log, strings(&told.log).into_iter());
        let title = |demo: &Arc<Demo>| {
            let text = demo.text(navigation.language.code());
            SharedString::from(text.map_or("", |text| &text.title))
        };
        cluster::update(&self.owner.titles, self.owners_demos().iter().map(title));
        let (state, said) = match &told.bundle {
            Bundle::None => (ui::BundleState::None, String::new()),
            Bundle::Writing => (ui::BundleState::Writing, String::new()),
            Bundle::Written(file) => (ui::BundleState::Written, file.display().to_string()),
            Bundle::Failed(why) => (ui::BundleState::Failed, why.clone()),
        };
        view.set_bundle(state);
        view.set_bundle_said(said.into());
    }

    /// Shows a key instead of doing what it means, on the page for that; says whether it is shown.
    pub(super) fn test_key(&self, text: &str, repeated: bool) -> bool {
        if self.navigation.borrow().page != Page::KeyTester {
            return false;
        }
        let mut name = name(text);
        if let Some(code) = self.owner.code.take() {
            // The same key once more, now with its text.
            self.owner.keys.remove(0);
            name = format!("{name} · {code}");
        }
        self.owner.show_key(name, keys::meaning(text), repeated);
        self.heed();
        true
    }

    /// The same for a key by its number.
    pub(super) fn test_raw_key(&self, code: u32) -> bool {
        if self.navigation.borrow().page != Page::KeyTester {
            return false;
        }
        let meaning = keys::meaning_of_code(code);
        self.owner.show_key(code.to_string(), meaning, false);
        // Slint has no text for what has a meaning by its number.
        self.owner.code.set(meaning.is_none().then_some(code));
        self.heed();
        meaning.is_some()
    }

    pub(super) fn owners_demos(&self) -> &[Arc<Demo>] {
        self.owners_demos.get().map_or(&[], |demos| demos)
    }
}

/// What a key is called.
fn name(text: &str) -> String {
    let named = [
        (Code::PageDown, "Page Down"),
        (Code::PageUp, "Page Up"),
        (Code::RightArrow, "→"),
        (Code::LeftArrow, "←"),
        (Code::UpArrow, "↑"),
        (Code::DownArrow, "↓"),
        (Code::Return, "Enter"),
        (Code::Space, "Space"),
        (Code::Escape, "Esc"),
        (Code::Backspace, "Backspace"),
        (Code::Tab, "Tab"),
        (Code::Shift, "Shift"),
        (Code::Control, "Ctrl"),
        (Code::Alt, "Alt"),
        (Code::F1, "F1"),
        (Code::F5, "F5"),
    ];
    let is = |(code, _): &&(Code, &str)| text == char::from(*code).to_string();
    match named.iter().find(is) {
        Some((_, name)) => (*name).to_owned(),
        None if text.chars().all(|c| !c.is_control() && !is_private(c)) => text.to_owned(),
        None => text.chars().map(|c| format!("U+{:04X}", c as u32)).collect(),
    }
}

/// Where Slint puts keys without a character.
fn is_private(character: char) -> bool {
    ('\u{E000}'..='\u{F8FF}').contains(&character)
}
