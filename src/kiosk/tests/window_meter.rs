//! Every fault of the wall power meter as a visitor meets it: the real program in a window of a real X server, an org.bluez on
//! a bus of its own, and the sentence on the Power page. What stands in the window is read by its pixels: the same page is
//! drawn headless, says there by its texts what it shows, and has to look the same in the window, pixel for pixel.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "a test says how long things took")]

mod bluez;
mod headless;
mod xserver;

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use bluez::{Behaviour, Bluez};
use headless::{Headless, cluster, demo};
use kiosk::{
    config::MeterEntry,
    meter::{Doing, Meter, Reading, Trouble, frame::Measurement},
    senses::Senses,
    ui,
    view::Language,
};
use slint::ComponentHandle;
use xserver::{Program, XServer, demos, test_card, until};

/// Only a failing test waits so long.
const PATIENCE: Duration = Duration::from_secs(40);
/// The wall power in the strip, a button.
const POWER: (i16, i16) = (720, 440);

/// Places of the Power page, as x, y, width and height: the plate of the sentence, the watts, and what the mains say where
/// there is nothing to say of the meter.
type Place = (u16, u16, u16, u16);
const PLATE: Place = (16, 164, 248, 120);
const WATTS: Place = (16, 60, 256, 80);
const MAINS: Place = (16, 164, 248, 22);

/// What is said of the meter, and why.
type Said = (Option<Trouble>, &'static str);

/// Most that a channel differs by where a part of the window is drawn anew and not all of it, of 255.
const ROUNDING: u8 = 8;

/// The same to the eye.
fn same(seen: &[u32], drawn: &[u32]) -> bool {
    let channels = |pixel: &u32| pixel.to_be_bytes();
    let (seen, drawn) = (seen.iter().flat_map(channels), drawn.iter().flat_map(channels));
    seen.zip(drawn).all(|(seen, drawn)| seen.abs_diff(drawn) <= ROUNDING)
}

/// The page as it has to be.
struct Drawn {
    screen: Headless,
}

impl Drawn {
    fn new() -> Self {
        let screen = Headless::new(vec![demo("card", 1)], Language::English);
        let drawn = Self { screen };
        drawn.show(Meter::default(), Instant::now());
        drawn.screen.app.global::<ui::StripView>().invoke_power_opened();
        drawn
    }

    fn show(&self, meter: Meter, now: Instant) {
        let senses = Senses { meter: Some((MeterEntry::default(), meter)), ..Default::default() };
        self.screen.view.show_senses(senses, now);
        self.screen.view.show_telemetry(cluster(1), now);
    }

    fn pixels(&self, (x, y, width, height): Place) -> Vec<u32> {
        let pixels = self.screen.pixels();
        let rows = usize::from(y)..usize::from(y + height);
        let row = |row: usize| {
            let at = row * 800 + usize::from(x);
            &pixels.as_slice()[at..at + usize::from(width)]
        };
        let colour = |it: &slint::Rgba8Pixel| u32::from_be_bytes([0, it.r, it.g, it.b]);
        rows.flat_map(|at| row(at).iter().map(colour)).collect()
    }

    /// The plate with this sentence, without a next attempt and with one in a while.
    fn plates(&self, (trouble, sentence): Said) -> Vec<Vec<u32>> {
        let now = Instant::now();
        let soon = if trouble == Some(Trouble::WrongPin) { 50..=60 } else { 0..=10 };
        let plate = |again: Option<u64>| {
            let again_at = again.map(|seconds| now + Duration::from_secs(seconds));
            self.show(
                Meter { trouble, again_at, doing: Doing::Waiting, ..Default::default() },
                now,
            );
            let next = again.filter(|seconds| 0 < *seconds);
            let next = next.map(|seconds| format!(" Next try in {seconds}\u{a0}s."));
            assert_eq!(self.screen.said("meter"), sentence.to_owned() + &next.unwrap_or_default());
            self.pixels(PLATE)
        };
        std::iter::once(None).chain(soon.map(Some)).map(plate).collect()
    }

    /// The captured measurement of hardware 2, current or old.
    fn watts(&self, age: Duration) -> (Vec<u32>, Vec<u32>) {
        let at = Instant::now();
        let measured = Measurement {
            is_on: true,
            watts: 24.344,
            volts: 231.0,
            amperes: 0.223,
            hertz: 50.0,
            total_wh: None,
        };
        let reading = Some(Reading { at, measured });
        self.show(Meter { reading, doing: Doing::Measuring, ..Default::default() }, at + age);
        assert_eq!(self.screen.said("wall power"), "24.3\u{a0}W");
        assert_eq!(self.screen.said("mains"), "231\u{a0}V  50\u{a0}Hz  power factor 0.47");
        (self.pixels(WATTS), self.pixels(MAINS))
    }
}

/// The program with its Power page open, and the meter that it reads.
struct Kiosk {
    drawn: Drawn,
    server: XServer,
    bluez: Bluez,
    folder: tempfile::TempDir,
    _program: Program,
}

impl Kiosk {
    /// With these lines in `[meter]`.
    fn start(behaviour: Behaviour, meter: &str) -> Self {
        let bluez = Bluez::start(behaviour);
        let server = XServer::start();
        let folder = demos(&[("card", test_card(1, &[]))]);
        let program = run(&server, &bluez, folder.path(), meter);
        Self { drawn: Drawn::new(), server, bluez, folder, _program: program }
    }

    /// The owner has changed the file and starts it anew.
    fn restart(self, meter: &str) -> Self {
        let Self { drawn, server, bluez, folder, _program: before } = self;
        drop(before);
        let program = run(&server, &bluez, folder.path(), meter);
        Self { drawn, server, bluez, folder, _program: program }
    }

    fn pixels(&self, (x, y, width, height): Place) -> Vec<u32> {
        self.server.pixels(x as i16, y as i16, width, height)
    }

    /// Does harm, and waits for the sentence of it.
    fn says(&self, said: Said, harm: impl FnOnce(&Bluez)) {
        // Drawn first, because some sentences stand there for a second only.
        let plates = self.drawn.plates(said);
        harm(&self.bluez);
        let took = self.until(said.1, || {
            let seen = self.pixels(PLATE);
            plates.iter().any(|plate| same(&seen, plate))
        });
        println!("'{}' after {took:.1?}", said.1);
    }

    /// Waits for the watts, and for there to be nothing to say of the meter.
    fn measures(&self) {
        let (watts, mains) = self.drawn.watts(Duration::ZERO);
        let took = self.until("24.3 W", || {
            same(&self.pixels(WATTS), &watts) && same(&self.pixels(MAINS), &mains)
        });
        println!("24.3 W after {took:.1?}");
    }

    /// Waits for watts that are not shown as current any more.
    fn remembers(&self) {
        let (faint, _) = self.drawn.watts(Duration::from_secs(4));
        self.until("24.3 W, faint", || same(&self.pixels(WATTS), &faint));
    }

    fn until(&self, what: &str, mut holds: impl FnMut() -> bool) -> Duration {
        let since = Instant::now();
        while !holds() {
            if PATIENCE < since.elapsed() {
                let seen = std::env::temp_dir().join("seen-power-page.png");
                let bytes = self.server.pixels(0, 0, 800, 480).into_iter();
                let bytes = bytes.flat_map(|pixel| pixel.to_be_bytes().into_iter().skip(1));
                image::RgbImage::from_raw(800, 480, bytes.collect()).unwrap().save(&seen).unwrap();
                panic!("{PATIENCE:?} without '{what}'; see {}", seen.display());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        since.elapsed()
    }

    /// A fault that lasts until it is mended.
    fn suffers(
        &self,
        said: Said,
        harm: impl FnOnce(&mut Behaviour),
        mend: impl FnOnce(&mut Behaviour),
    ) {
        self.says(said, |bluez| bluez.set(harm));
        self.bluez.set(mend);
        self.measures();
    }
}

/// Starts the program and opens its Power page.
fn run(server: &XServer, bluez: &Bluez, folder: &Path, meter: &str) -> Program {
    let file = folder.join("kiosk.toml");
    fs::write(
        &file,
        format!("[screen]\nlanguage = \"en\"\n[idle]\nafter_s = 0\n[meter]\n{meter}\n"),
    )
    .unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_hpc-kiosk"));
    let arguments = [Path::new("--demos"), folder, Path::new("--config"), &file];
    let program = Program::start_on_bus(program, server, &arguments, bluez.variable());
    until("the first frame", PATIENCE, || server.pixel(6, 402) == 0xFFB000);
    // The hero tile is gone from where the page of the power has its watts.
    let before = server.pixels(300, 4, 300, 60);
    server.tap(POWER.0, POWER.1);
    until("the page of the power", PATIENCE, || server.pixels(300, 4, 300, 60) != before);
    program
}

fn good() -> Behaviour {
    Behaviour::default()
}

const LOST: Said = (Some(Trouble::Lost), "The connection to the meter is lost.");

#[test]
fn an_adapter_a_service_and_a_bus_that_fail_are_said_and_the_watts_come_back() {
    let mut kiosk = Kiosk::start(Behaviour { has_modalias: false, ..good() }, "");
    let unusable = (Some(Trouble::NoAdapter), "There is no Bluetooth adapter that can be used.");
    kiosk.suffers(unusable, |_| (), |it| it.has_modalias = true);

    let off = (Some(Trouble::AdapterOff), "Bluetooth is switched off.");
    kiosk.says(off, |bluez| bluez.set(|it| it.is_powered = false));
    kiosk.remembers();
    kiosk.bluez.set(|it| it.is_powered = true);
    kiosk.measures();

    kiosk.bluez.stop_service();
    kiosk.says((Some(Trouble::NoBluetooth), "The Bluetooth service does not run."), |_| ());
    kiosk.bluez.start_service();
    kiosk.measures();

    kiosk.bluez.kill_bus();
    kiosk.says((Some(Trouble::NoBus), "This computer's D-Bus does not answer."), |_| ());
    kiosk.bluez.start_bus();
    kiosk.bluez.start_service();
    kiosk.measures();
}

#[test]
fn a_link_that_drops_moves_or_is_somebody_elses_is_said_and_the_watts_come_back() {
    // The first commands are not heard: nothing is wrong yet, and that stands there long enough to be read.
    let resolving = Duration::from_secs(4);
    let kiosk = Kiosk::start(Behaviour { ignores: 2, resolving, ..good() }, "");
    kiosk.says((None, "Looking for the power meter."), |_| ());
    kiosk.measures();
    assert_eq!(kiosk.bluez.connections(), 1);
    kiosk.bluez.set(|it| it.resolving = good().resolving);

    for moves in [false, true] {
        kiosk.bluez.set(|it| it.moves = moves);
        kiosk.says(LOST, Bluez::drop_link);
        kiosk.measures();
    }

    // BlueZ has forgotten it, and a scan finds it again.
    kiosk.suffers(LOST, |it| it.is_known = false, |_| ());

    let busy = "Meter busy: another device is connected to it, or it has no power.";
    kiosk.says((Some(Trouble::Busy), busy), |bluez| {
        bluez.set(|it| it.is_held = true);
        bluez.drop_link();
    });
    kiosk.bluez.set(|it| it.is_held = false);
    kiosk.measures();
}

#[test]
fn answers_that_are_damaged_or_do_not_come_are_said_and_the_watts_come_back() {
    let kiosk = Kiosk::start(good(), "");
    kiosk.measures();
    let damaged = (Some(Trouble::Damaged), "What the meter answers arrives damaged.");
    kiosk.suffers(damaged, |it| it.is_corrupt = true, |it| it.is_corrupt = false);
    let silent = (Some(Trouble::Silent), "The meter is connected and does not answer.");
    kiosk.suffers(silent, |it| it.is_silent = true, |it| it.is_silent = false);
}

#[test]
fn a_wrong_pin_is_the_owners_matter_and_the_right_one_brings_the_watts() {
    let kiosk = Kiosk::start(Behaviour { refuses_pin: true, ..good() }, "pin = \"1234\"");
    kiosk.says((Some(Trouble::WrongPin), "The meter refuses the PIN. See kiosk.toml."), |_| ());
    let kiosk = kiosk.restart("pin = \"0000\"");
    kiosk.bluez.set(|it| it.refuses_pin = false);
    kiosk.measures();
}

#[test]
fn a_meter_without_services_and_one_that_is_away_are_said_and_the_watts_come_back() {
    let kiosk = Kiosk::start(Behaviour { resolves: false, ..good() }, "");
    let heard = "The meter can be heard, but no connection comes about.";
    kiosk.suffers((Some(Trouble::NoConnection), heard), |_| (), |it| it.resolves = true);
    let away = "No meter to be found: it has no power, is too far away, or another device is \
                connected to it.";
    kiosk.suffers(
        (Some(Trouble::NotFound), away),
        |it| (it.is_known, it.is_near) = (false, false),
        |it| it.is_near = true,
    );
}
