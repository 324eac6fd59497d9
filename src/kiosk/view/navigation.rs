//! Where the screen is and what a key does there: a pure state machine, the same for touch, mouse and clicker.

use super::numbers::Language;
use crate::{
    keys::Key,
    telemetry::history::{Quantity, Span},
};

/// Tiles on one home page.
pub const TILES: usize = 3;

/// What the screen shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Page {
    /// The demos as tiles.
    #[default]
    Home,
    /// A demo that starts or runs.
    Demo,
    /// Why a run ended by itself.
    Fault,
    /// What the keys mean.
    Help,
    /// All nodes.
    Cluster,
    /// One node.
    Node,
    /// What the self-test has found.
    Selftest,
    /// The wall power and the air in the chassis.
    Power,
    /// The kiosk plays by itself.
    Attract,
    /// The owner's PIN is asked for.
    Pin,
    /// The owner's menu.
    Owner,
    /// The newest lines of the log.
    Log,
    /// What the keys of a clicker mean.
    KeyTester,
    /// The cluster is shut down.
    ShutDown,
}

/// What a key asks of the rest of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Start the demo with this index.
    Launch(usize),
    /// Start the demo of the run that ended once more.
    Again,
    /// Start the owner's demo with this index.
    LaunchOwners(usize),
    /// Stop the run.
    Stop,
    /// Move this control of the running demo one step on.
    Step(usize),
    /// Put the run on what stands in this row of the choice of computers.
    Scale(usize),
    /// Show the newest self-test; the first time it has to be made.
    Selftest,
    /// Look at every piece once more.
    Examine,
}

/// Where the screen is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Navigation {
    /// What is shown.
    pub page: Page,
    /// How many demos there are to choose from.
    pub demos: usize,
    /// The demo the keys are on, after the last one the strip; none before a key was used.
    pub selected: Option<usize>,
    /// The first demo of the shown home page.
    pub first: usize,
    /// The demo page's controls are open.
    pub drawer: bool,
    /// Whether the choice of computers covers the right of the running demo.
    pub scales: bool,
    /// The demo page shows where the ranks' time goes.
    pub shares: bool,
    /// The control the keys are on.
    pub control: Option<usize>,
    /// The row of the choice of computers the keys are on.
    pub scale: Option<usize>,
    /// How many rows it has.
    pub scale_rows: usize,
    /// The button of the fault page the keys are on: 0 back, 1 again; of the help page: 0 self-test.
    pub button: Option<usize>,
    /// The presenter made the screen dark.
    pub dark: bool,
    /// What the texts are written in.
    pub language: Language,
    /// How many nodes there are to look at.
    pub nodes: usize,
    /// The node that is looked at or that the keys are on.
    pub node: Option<usize>,
    /// What is charted.
    pub quantity: Quantity,
    /// How far back.
    pub span: Span,
    /// How many pages of findings the self-test has.
    pub leaves: usize,
    /// The shown one, from 0.
    pub leaf: usize,
    /// There is a power meter to be tapped in the strip.
    pub metered: bool,
    before_help: Page,
    before_cluster: Page,
    before_power: Page,
    before_selftest: Page,
}

impl Navigation {
    /// At home, with so many demos.
    pub fn new(demos: usize, language: Language) -> Self {
        Self { demos, language, ..Default::default() }
    }

    /// What `key` does here; `controls` is the number of controls of the running demo.
    pub fn press(&mut self, key: Key, controls: usize) -> Option<Effect> {
        if self.dark {
            // Any key wakes and presses nothing.
            self.dark = false;
            return None;
        }
        if matches!(
            self.page,
            Page::Pin | Page::Owner | Page::Log | Page::KeyTester | Page::ShutDown
        ) {
            // The owner's pages are for fingers; a clicker can leave them.
            match key {
                Key::StartStop => self.home(),
                Key::Language => self.language = self.language.other(),
                _ => {}
            }
            return None;
        }
        match key {
            Key::Dark => self.dark = true,
            Key::Language => self.language = self.language.other(),
            Key::Help if self.page == Page::Help => self.enter(self.before_help),
            Key::Help if self.page == Page::Selftest => {
                if self.before_selftest != Page::Help {
                    self.before_help = self.before_selftest;
                }
                self.page = Page::Help;
            }
            Key::Help => {
                self.before_help = self.page;
                self.page = Page::Help;
            }
            Key::Digit(number) => return self.launch(number - 1),
            Key::Next | Key::Previous | Key::Choose | Key::StartStop => {
                return match self.page {
                    Page::Home => self.press_home(key),
                    Page::Demo => self.press_demo(key, controls),
                    Page::Fault => self.press_fault(key),
                    Page::Help => self.press_help(key),
                    Page::Cluster => self.press_cluster(key),
                    Page::Node => self.press_node(key),
                    Page::Selftest => self.press_selftest(key),
                    Page::Power => self.press_power(key),
                    Page::Attract
                    | Page::Pin
                    | Page::Owner
                    | Page::Log
                    | Page::KeyTester
                    | Page::ShutDown => {
                        self.home();
                        None
                    }
                };
            }
        }
        None
    }

    fn press_home(&mut self, key: Key) -> Option<Effect> {
        // The strip comes after the last tile.
        let stops = self.demos + 1 + usize::from(self.metered);
        match (key, self.selected) {
            (Key::Next, at) => self.select(at.map_or(0, |at| (at + 1) % stops)),
            (Key::Previous, at) => self.select((at.unwrap_or(0) + stops - 1) % stops),
            (Key::Choose, Some(at)) if at == self.demos => self.open_cluster(),
            (Key::Choose, Some(at)) if self.demos < at => self.open_power(),
            (_, Some(at)) if at < self.demos => return self.launch(at),
            _ => return self.launch(self.first),
        }
        None
    }

    fn press_demo(&mut self, key: Key, controls: usize) -> Option<Effect> {
        match key {
            Key::StartStop => return self.stop(),
            Key::Next | Key::Previous | Key::Choose if self.scale.is_some() => {
                return self.press_scales(key, controls);
            }
            Key::Previous if self.control.is_none() && !self.drawer => self.toggle_shares(),
            Key::Next if self.control.map_or(0, |at| at + 1) == controls => {
                self.focus_scale((0 < self.scale_rows).then_some(0));
            }
            _ if controls == 0 => {}
            Key::Next => self.focus(Some(self.control.map_or(0, |at| at + 1))),
            // Back from the first control closes the drawer.
            Key::Previous => self.focus(self.control.and_then(|at| at.checked_sub(1))),
            _ => match self.control {
                Some(control) => return Some(Effect::Step(control)),
                None => self.focus(Some(0)),
            },
        }
        None
    }

    /// The choice of computers comes after the last control.
    fn press_scales(&mut self, key: Key, controls: usize) -> Option<Effect> {
        match (key, self.scale) {
            (Key::Next, Some(at)) => self.focus_scale(Some((at + 1).min(self.scale_rows - 1))),
            (Key::Previous, Some(0)) => self.focus(controls.checked_sub(1)),
            (Key::Previous, Some(at)) => self.focus_scale(Some(at - 1)),
            (_, scale) => return scale.map(Effect::Scale),
        }
        None
    }

    fn press_fault(&mut self, key: Key) -> Option<Effect> {
        match (key, self.button) {
            (Key::Next, _) => self.button = Some(1),
            (Key::Previous, _) => self.button = Some(0),
            (Key::Choose, Some(1)) => return self.again(),
            _ => self.home(),
        }
        None
    }

    fn press_help(&mut self, key: Key) -> Option<Effect> {
        match key {
            Key::Next => self.button = Some(0),
            Key::Previous => self.button = None,
            Key::Choose if self.button.is_some() => return self.open_selftest(),
            _ => self.enter(self.before_help),
        }
        None
    }

    fn press_selftest(&mut self, key: Key) -> Option<Effect> {
        match key {
            Key::Next => self.next_leaf(),
            Key::Previous => {
                self.leaf = (self.leaf + self.leaves.max(1) - 1) % self.leaves.max(1);
            }
            Key::Choose => return Some(Effect::Examine),
            _ if self.before_selftest == Page::Help => self.enter(self.before_help),
            _ => self.close_cluster(),
        }
        None
    }

    /// The self-test was tapped or chosen, on the help page or on that of the computers.
    pub fn open_selftest(&mut self) -> Option<Effect> {
        self.before_selftest = self.page;
        self.page = Page::Selftest;
        self.leaf = 0;
        Some(Effect::Selftest)
    }

    /// From the self-test back to where it was asked for.
    pub fn close_selftest(&mut self) {
        self.page = self.before_selftest;
    }

    /// The next findings, the first after the last.
    pub fn next_leaf(&mut self) {
        self.leaf = (self.leaf + 1) % self.leaves.max(1);
    }

    /// There are other findings, on so many pages.
    pub fn set_leaves(&mut self, leaves: usize) {
        (self.leaves, self.leaf) = (leaves, 0);
    }

    fn press_cluster(&mut self, key: Key) -> Option<Effect> {
        match key {
            Key::Next => self.look_at(self.node.map_or(0, |at| at + 1)),
            Key::Previous => self.look_at(self.node.unwrap_or(0) + self.nodes.max(1) - 1),
            Key::Choose if self.node.is_some() => self.page = Page::Node,
            Key::Choose => self.next_quantity(),
            _ => self.close_cluster(),
        }
        None
    }

    fn press_power(&mut self, key: Key) -> Option<Effect> {
        match key {
            Key::Next | Key::Choose => self.next_span(),
            _ => self.close_power(),
        }
        None
    }

    /// The wall power in the strip was tapped or chosen: on its page that closes it.
    pub fn open_power(&mut self) {
        if self.page == Page::Power {
            self.close_power();
            return;
        }
        self.before_power = match self.page {
            Page::Help if self.before_help == Page::Power => self.before_power,
            Page::Help => self.before_help,
            page => page,
        };
        self.page = Page::Power;
    }

    /// Back to where the wall power was tapped.
    pub fn close_power(&mut self) {
        self.page = self.before_power;
    }

    fn press_node(&mut self, key: Key) -> Option<Effect> {
        match key {
            Key::Next => self.look_at(self.node.map_or(0, |at| at + 1)),
            Key::Previous => self.look_at(self.node.unwrap_or(0) + self.nodes.max(1) - 1),
            Key::Choose => self.page = Page::Cluster,
            _ => self.close_cluster(),
        }
        None
    }

    fn look_at(&mut self, node: usize) {
        self.node = (0 < self.nodes).then(|| node % self.nodes);
    }

    /// The strip was tapped or chosen: from the pages it opens it closes them.
    pub fn open_cluster(&mut self) {
        if matches!(self.page, Page::Cluster | Page::Node) {
            self.close_cluster();
            return;
        }
        let under = match self.page {
            // What the keys mean is not where anybody wants to go back to.
            Page::Selftest if self.before_selftest != Page::Help => self.before_cluster,
            Page::Help | Page::Selftest => self.before_help,
            Page::Pin | Page::Owner | Page::Log | Page::KeyTester | Page::ShutDown => Page::Home,
            page => page,
        };
        let under = if under == Page::Power { self.before_power } else { under };
        if !matches!(under, Page::Cluster | Page::Node) {
            self.before_cluster = under;
        }
        self.page = Page::Cluster;
        self.node = None;
    }

    /// Back to where the strip was tapped.
    pub fn close_cluster(&mut self) {
        self.page = self.before_cluster;
    }

    /// A node was tapped.
    pub fn open_node(&mut self, node: usize) {
        if node < self.nodes {
            self.node = Some(node);
            self.page = Page::Node;
        }
    }

    /// From one node back to all of them.
    pub fn close_node(&mut self) {
        self.page = Page::Cluster;
    }

    /// Charts the next quantity.
    pub fn next_quantity(&mut self) {
        self.quantity = next(&Quantity::ALL, self.quantity);
    }

    /// Charts a longer time, the shortest after the longest.
    pub fn next_span(&mut self) {
        self.span = next(&[Span::Minute, Span::TenMinutes, Span::Hour], self.span);
    }

    /// There are so many nodes.
    pub fn set_nodes(&mut self, nodes: usize) {
        self.nodes = nodes;
        self.node = self.node.filter(|node| *node < nodes);
        if self.page == Page::Node && self.node.is_none() {
            self.page = Page::Cluster;
        }
    }

    /// There are so many rows in the choice of computers.
    pub fn set_scale_rows(&mut self, rows: usize) {
        self.scale_rows = rows;
        self.scale = self.scale.filter(|row| *row < rows);
    }

    /// The kiosk plays by itself: everything that visitors have set is as it was.
    pub fn play(&mut self, language: Language) {
        let (demos, nodes, leaves) = (self.demos, self.nodes, self.leaves);
        *self = Self { demos, nodes, leaves, language, page: Page::Attract, ..Self::default() };
    }

    /// A tile was tapped or chosen.
    pub fn launch(&mut self, demo: usize) -> Option<Effect> {
        if self.demos <= demo {
            return None;
        }
        self.enter(Page::Demo);
        if self.selected.is_some() {
            self.select(demo);
        }
        Some(Effect::Launch(demo))
    }

    /// A demo of the owner's was tapped.
    pub fn enter_demo(&mut self) {
        self.enter(Page::Demo);
    }

    /// Whether nobody but the owner may see this page.
    pub fn needs_pin(&self) -> bool {
        matches!(self.page, Page::Owner | Page::Log | Page::KeyTester | Page::ShutDown)
    }

    /// Whether the owner's menu stays open on this page.
    pub fn is_owners(&self) -> bool {
        let is_selftest = self.page == Page::Selftest && self.before_selftest == Page::Owner;
        self.page == Page::Pin || self.needs_pin() || is_selftest
    }

    /// The demo that ended is wanted once more.
    pub fn again(&mut self) -> Option<Effect> {
        self.enter(Page::Demo);
        Some(Effect::Again)
    }

    /// The visitor leaves the running demo.
    pub fn stop(&mut self) -> Option<Effect> {
        self.home();
        Some(Effect::Stop)
    }

    /// Home, whatever was shown.
    pub fn home(&mut self) {
        self.enter(Page::Home);
    }

    /// A run ended: says how.
    pub fn fault(&mut self) {
        self.enter(Page::Fault);
    }

    /// The controls are opened or closed by hand.
    pub fn toggle_drawer(&mut self) {
        self.drawer = !self.drawer;
        (self.scales, self.scale) = (false, None);
        self.shares = false;
        self.control = None;
    }

    /// The choice of computers is opened or closed by hand.
    pub fn toggle_scales(&mut self) {
        self.scales = !self.scales;
        self.scale = None;
        self.shares = false;
        self.drawer = false;
        self.control = None;
    }

    /// Where the ranks' time goes is asked for, or enough seen.
    pub fn toggle_shares(&mut self) {
        self.shares = !self.shares;
        (self.scales, self.scale) = (false, None);
        self.drawer = false;
        self.control = None;
    }

    /// The next page of tiles, the first one after the last.
    pub fn next_page(&mut self) {
        self.first = if self.first + TILES < self.demos { self.first + TILES } else { 0 };
        self.selected = None;
    }

    fn enter(&mut self, page: Page) {
        self.page = page;
        self.drawer = false;
        (self.scales, self.scale) = (false, None);
        self.shares = false;
        self.control = None;
        self.button = None;
    }

    fn select(&mut self, demo: usize) {
        self.selected = Some(demo);
        if demo < self.demos {
            self.first = demo / TILES * TILES;
        }
    }

    fn focus(&mut self, control: Option<usize>) {
        self.control = control;
        (self.scales, self.scale) = (false, None);
        self.drawer = control.is_some();
        self.shares &= !self.drawer;
    }

    fn focus_scale(&mut self, scale: Option<usize>) {
        if scale.is_some() {
            self.control = None;
            self.drawer = false;
            self.shares = false;
            self.scales = true;
        }
        self.scale = scale;
    }
}

/// The one after `current`, the first after the last.
fn next<T: Copy + PartialEq>(all: &[T], current: T) -> T {
    let after = all.iter().skip_while(|one| **one != current).nth(1);
    after.or(all.first()).copied().unwrap_or(current)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_home(demos: usize) -> Navigation {
        Navigation::new(demos, Language::Polish)
    }

    fn press(navigation: &mut Navigation, keys: &[Key]) -> Option<Effect> {
        keys.iter().fold(None, |_, key| navigation.press(*key, 3))
    }

    #[test]
    fn the_start_key_launches_the_recommended_demo_and_stops_it_again() {
        let mut navigation = at_home(2);
        assert_eq!(press(&mut navigation, &[Key::StartStop]), Some(Effect::Launch(0)));
        assert_eq!(navigation.page, Page::Demo);
        assert_eq!(press(&mut navigation, &[Key::StartStop]), Some(Effect::Stop));
        assert_eq!(navigation.page, Page::Home);
    }

    #[test]
    fn the_wall_power_is_reached_by_keys_and_left_to_where_it_was_asked_for() {
        let mut navigation = Navigation { metered: true, ..at_home(2) };
        press(&mut navigation, &[Key::Next, Key::Next, Key::Next, Key::Next, Key::Choose]);
        assert_eq!(navigation.page, Page::Power);
        press(&mut navigation, &[Key::Next]);
        assert_eq!((navigation.page, navigation.span), (Page::Power, Span::TenMinutes));
        press(&mut navigation, &[Key::StartStop]);
        assert_eq!(navigation.page, Page::Home);
        // Page by page, the strip always leads somewhere and back.
        press(&mut navigation, &[Key::Digit(1)]);
        navigation.open_power();
        navigation.open_cluster();
        navigation.open_power();
        navigation.open_power();
        assert_eq!(navigation.page, Page::Cluster);
        navigation.open_power();
        press(&mut navigation, &[Key::Help]);
        navigation.open_cluster();
        navigation.close_cluster();
        assert_eq!(navigation.page, Page::Demo);
    }

    #[test]
    fn arrows_and_enter_reach_every_tile_on_every_page() {
        for demo in 0..7 {
            let mut navigation = at_home(7);
            press(&mut navigation, &vec![Key::Next; demo + 1]);
            assert_eq!(navigation.first, demo / 3 * 3);
            assert_eq!(press(&mut navigation, &[Key::Choose]), Some(Effect::Launch(demo)));
        }
    }

    #[test]
    fn a_digit_launches_from_every_page_but_only_what_exists() {
        let pages = [Page::Home, Page::Demo, Page::Fault, Page::Help, Page::Cluster, Page::Node];
        for page in pages.into_iter().chain([Page::Selftest, Page::Power]) {
            let mut navigation = Navigation { page, ..at_home(2) };
            assert_eq!(press(&mut navigation, &[Key::Digit(3)]), None);
            assert_eq!(
                press(&mut navigation, &[Key::Digit(2)]),
                Some(Effect::Launch(1)),
                "{page:?}"
            );
            assert_eq!(navigation.page, Page::Demo);
        }
    }

    #[test]
    fn a_clicker_reaches_every_control() {
        let mut navigation = at_home(1);
        press(&mut navigation, &[Key::Choose]);
        assert_eq!(
            press(&mut navigation, &[Key::Next, Key::Next, Key::Choose]),
            Some(Effect::Step(1))
        );
        assert!(navigation.drawer);
        press(&mut navigation, &[Key::Previous, Key::Previous]);
        assert!(!navigation.drawer);
    }

    #[test]
    fn a_clicker_reaches_every_choice_of_computers_after_the_controls() {
        let mut navigation = at_home(1);
        press(&mut navigation, &[Key::Choose]);
        navigation.set_scale_rows(3);
        press(&mut navigation, &[Key::Next; 4]);
        assert_eq!(
            (navigation.scales, navigation.drawer, navigation.scale),
            (true, false, Some(0))
        );
        let choose = [Key::Next, Key::Next, Key::Next, Key::Choose];
        assert_eq!(press(&mut navigation, &choose), Some(Effect::Scale(2)));
        press(&mut navigation, &[Key::Previous; 3]);
        assert_eq!((navigation.scales, navigation.control), (false, Some(2)));
        // A demo without controls has the choice all the same, and none is none.
        let mut navigation = Navigation { scale_rows: 2, page: Page::Demo, ..at_home(1) };
        assert_eq!(navigation.press(Key::Next, 0), None);
        assert_eq!(navigation.press(Key::Choose, 0), Some(Effect::Scale(0)));
        navigation.press(Key::Previous, 0);
        assert!(!navigation.scales && navigation.scale.is_none());
        navigation.set_scale_rows(0);
        assert_eq!((navigation.press(Key::Next, 0), navigation.scales), (None, false));
    }

    #[test]
    fn playing_by_itself_forgets_what_visitors_have_set() {
        let mut navigation = at_home(4);
        navigation.set_nodes(3);
        press(&mut navigation, &[Key::Language, Key::Choose, Key::Next, Key::Dark]);
        navigation.next_quantity();
        navigation.play(Language::Polish);
        let mut fresh = Navigation { page: Page::Attract, ..at_home(4) };
        fresh.set_nodes(3);
        assert_eq!(navigation, fresh);
        assert_eq!(press(&mut navigation, &[Key::Next]), None);
        assert_eq!(navigation.page, Page::Home);
    }

    #[test]
    fn a_clicker_shows_where_the_time_goes_and_the_controls_take_its_place() {
        let mut navigation = at_home(1);
        press(&mut navigation, &[Key::Choose, Key::Previous]);
        assert!(navigation.shares);
        press(&mut navigation, &[Key::Next]);
        assert_eq!((navigation.shares, navigation.drawer), (false, true));
        press(&mut navigation, &[Key::Previous]);
        assert_eq!((navigation.shares, navigation.drawer), (false, false));
        press(&mut navigation, &[Key::Previous, Key::Previous]);
        assert!(!navigation.shares, "it closes as it opens");
    }

    #[test]
    fn a_dark_screen_is_woken_by_any_key_and_nothing_is_pressed() {
        let mut navigation = at_home(1);
        press(&mut navigation, &[Key::Choose, Key::Dark]);
        assert!(navigation.dark);
        assert_eq!(press(&mut navigation, &[Key::StartStop]), None);
        assert_eq!((navigation.dark, navigation.page), (false, Page::Demo));
    }

    #[test]
    fn a_fault_offers_another_try() {
        let mut navigation = at_home(1);
        press(&mut navigation, &[Key::Choose]);
        navigation.fault();
        assert_eq!(navigation.page, Page::Fault);
        assert_eq!(press(&mut navigation, &[Key::Next, Key::Choose]), Some(Effect::Again));
    }

    #[test]
    fn a_clicker_reaches_the_computers_and_each_of_them_and_comes_back() {
        let mut navigation = at_home(2);
        navigation.set_nodes(3);
        press(&mut navigation, &[Key::Next, Key::Next, Key::Next, Key::Choose]);
        assert_eq!(navigation.page, Page::Cluster);
        press(&mut navigation, &[Key::Next, Key::Choose]);
        assert_eq!((navigation.page, navigation.node), (Page::Node, Some(0)));
        press(&mut navigation, &[Key::Previous]);
        assert_eq!(navigation.node, Some(2));
        press(&mut navigation, &[Key::StartStop]);
        assert_eq!(navigation.page, Page::Home);
    }

    #[test]
    fn the_computers_are_seen_beside_a_run_that_goes_on() {
        let mut navigation = at_home(1);
        press(&mut navigation, &[Key::Choose]);
        navigation.open_cluster();
        navigation.open_cluster();
        assert_eq!(navigation.page, Page::Demo, "a second tap on the strip goes back");
    }

    #[test]
    fn a_clicker_reaches_the_self_test_turns_its_pages_and_repeats_it() {
        let mut navigation = at_home(1);
        let open = [Key::Help, Key::Next, Key::Choose];
        assert_eq!(press(&mut navigation, &open), Some(Effect::Selftest));
        assert_eq!(navigation.page, Page::Selftest);
        navigation.set_leaves(3);
        press(&mut navigation, &[Key::Next, Key::Next]);
        assert_eq!(navigation.leaf, 2);
        press(&mut navigation, &[Key::Next, Key::Previous]);
        assert_eq!(navigation.leaf, 2, "the first page comes after the last");
        assert_eq!(press(&mut navigation, &[Key::Choose]), Some(Effect::Examine));
        press(&mut navigation, &[Key::Help]);
        assert_eq!(navigation.page, Page::Help);
        press(&mut navigation, &[Key::StartStop]);
        assert_eq!(navigation.page, Page::Home);
    }

    #[test]
    fn every_quantity_and_span_has_its_turn() {
        let mut navigation = at_home(1);
        let mut seen = Vec::new();
        while !seen.contains(&navigation.quantity) {
            seen.push(navigation.quantity);
            navigation.next_quantity();
        }
        assert_eq!(seen, Quantity::ALL);
    }

    #[test]
    fn no_sequence_of_keys_leaves_the_kiosk_or_loses_the_way_home() {
        let keys = [
            Key::Next,
            Key::Previous,
            Key::Choose,
            Key::StartStop,
            Key::Digit(1),
            Key::Dark,
            Key::Language,
            Key::Help,
        ];
        for word in 0..8usize.pow(5) {
            let mut navigation = at_home(2);
            navigation.set_nodes(2);
            let mut rest = word;
            for _ in 0..5 {
                press(&mut navigation, &[keys[rest % 8]]);
                rest /= 8;
            }
            // Two presses of the toggle, after one that wakes, reach home from everywhere.
            let mut presses = 0;
            while navigation.dark || navigation.page != Page::Home {
                press(&mut navigation, &[Key::StartStop]);
                presses += 1;
                assert!(presses <= 3, "{word}");
            }
        }
    }
}
