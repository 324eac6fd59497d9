//! What the view does about time: the kiosk that plays by itself, sleeps, and is woken.

use std::time::{Duration, Instant};

use super::{DARK, Idle, Page, Rest, Turn, View, Wanted};
use crate::intent::Intent;

impl View {
    /// What the owner wants of it while nobody is there, from `now` on; nothing before this is said.
    pub fn rest_as(&self, wanted: Wanted, now: Instant) {
        self.idle.replace(Idle::new(wanted, now));
    }

    /// How many runs visitors have left to be stopped by the kiosk.
    pub fn left(&self) -> u64 {
        self.left.get()
    }

    /// Somebody is there.
    pub(super) fn heed(&self) {
        self.idle.borrow_mut().touch(Instant::now().max(self.told.get()));
    }

    /// The screen was touched while it was dark or the kiosk played by itself.
    pub(super) fn wake(&self) {
        self.wake_if_asleep();
    }

    /// Says whether it was asleep.
    pub(super) fn wake_if_asleep(&self) -> bool {
        let is_dark = std::mem::take(&mut self.navigation.borrow_mut().dark);
        let is_playing = self.navigation.borrow().page == Page::Attract;
        self.heed();
        if is_playing {
            self.stop_run();
            self.navigation.borrow_mut().home();
        }
        if is_dark || is_playing {
            self.show_page(Instant::now().max(self.told.get()));
        }
        is_dark || is_playing
    }

    /// What is due at `now` because nobody is there.
    pub(super) fn rest(&self, now: Instant) {
        // A shut-down is not interrupted by a show.
        if self.navigation.borrow().page == Page::ShutDown {
            return;
        }
        let patience = if self.navigation.borrow().dark { DARK } else { Duration::ZERO };
        let was = self.idle.borrow().rest();
        let turn = self.idle.borrow_mut().turn(now, (self.clock)(), self.demos.len(), patience);
        let Some(turn) = turn else { return };
        if was == Rest::Awake && self.is_on() {
            self.left.set(self.left.get() + 1);
            log::info!("a visitor left a run; it is stopped, the {}. of its kind", self.left.get());
        }
        self.stop_run();
        let mut navigation = self.navigation.borrow_mut();
        let before = navigation.language;
        navigation.play(self.language);
        match turn {
            Turn::Play(index) => {
                if let Some(demo) = self.demos.get(index) {
                    self.run.borrow_mut().launch(demo, Instant::now());
                    self.send(Intent::Play(demo.id.clone()));
                }
            }
            Turn::Sleep => {
                navigation.home();
                navigation.dark = true;
            }
            Turn::Rise => navigation.home(),
        }
        drop(navigation);
        if before != self.language {
            self.translate();
        }
    }

    fn is_on(&self) -> bool {
        let run = self.run.borrow();
        run.demo().is_some_and(|demo| run.is_on(demo))
    }

    pub(super) fn stop_run(&self) {
        if self.is_on() {
            self.run.borrow_mut().leave();
            self.send(Intent::Stop);
        }
    }
}
