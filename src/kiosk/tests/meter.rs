//! The wall power meter through the real Bluetooth path, as an owner sees it: `hpc-kiosk watch meter` against an org.bluez on
//! a bus of its own. No root, no radio.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod bluez;

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

use bluez::{Behaviour, Bluez, tree::ADDRESS};

/// A watching program and what it has printed.
struct Watching {
    program: Child,
    lines: Receiver<String>,
}

impl Watching {
    /// With these lines in `[meter]`.
    fn start(bluez: &Bluez, meter: &str) -> Self {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), format!("[meter]\n{meter}\n")).unwrap();
        let (name, value) = bluez.variable();
        let mut program = Command::new(env!("CARGO_BIN_EXE_hpc-kiosk"))
            .arg("--config")
            .arg(file.path())
            .args(["watch", "meter"])
            .env(name, value)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = program.stdout.take().unwrap();
        let (sender, lines) = channel();
        // The file has been read once there is a line.
        thread::spawn(move || {
            let _file = file;
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Self { program, lines }
    }

    /// Waits for a line with this in it; how long it took.
    fn until(&self, said: &str) -> Duration {
        let start = Instant::now();
        let mut heard = Vec::new();
        loop {
            let left = Duration::from_secs(60).saturating_sub(start.elapsed());
            match self.lines.recv_timeout(left) {
                Ok(line) if line.contains(said) => return start.elapsed(),
                Ok(line) => heard.push(line),
                Err(_) => panic!("'{said}' was not said within a minute, but {heard:#?}"),
            }
        }
    }

    /// The same for what is said from now on only.
    fn again(&self, said: &str) -> Duration {
        while self.lines.try_recv().is_ok() {}
        self.until(said)
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

#[test]
fn both_generations_are_found_logged_into_and_measured() {
    for (hardware, address, said) in [
        (
            2,
            "",
            [
                "power = 24.344 W, measured, 0.",
                "power factor = 0.473",
                "energy since ",
                "switches off above = 3680 W",
            ],
        ),
        (
            3,
            ADDRESS,
            [
                "power = 34.896 W, measured, 0.",
                "energy counter = 103 Wh",
                "hardware 2, firmware 1.13",
                "switches off above = 3680 W",
            ],
        ),
    ] {
        let bluez = Bluez::start(Behaviour { hardware, ..Default::default() });
        let address =
            if address.is_empty() { String::new() } else { format!("address = '{address}'") };
        let watching = Watching::start(&bluez, &address);
        for said in said {
            watching.until(said);
        }
        bluez.set(|meter| meter.measured = 1);
        if hardware == 2 {
            watching.until("power = 11.464 W");
        }
        let written = bluez.written();
        let commands: Vec<u8> = written.iter().map(|frame| frame[2]).collect();
        assert_eq!(commands[..2], [0x17, 0x04], "the login comes first");
        assert_eq!(commands.iter().filter(|command| **command == 1).count(), 1, "{commands:?}");
    }
}

#[test]
fn a_meter_is_found_by_a_scan_and_by_the_name_that_it_was_given() {
    let bluez = Bluez::start(Behaviour { is_known: false, ..Default::default() });
    let watching = Watching::start(&bluez, "name = 'Voltcraft'");
    watching.until("power = 24.344 W");
    // Another name is another meter.
    let other = Watching::start(&bluez, "name = 'Volt'");
    other.until("no reading: no meter to be found");
}

/// A fault that is there from the start, what is said of it, and how it ends.
fn fault(behaviour: Behaviour, said: &str, mend: impl FnOnce(&mut Behaviour)) {
    let bluez = Bluez::start(behaviour);
    let watching = Watching::start(&bluez, "");
    watching.until(said);
    bluez.set(mend);
    watching.until("power = 24.344 W");
}

fn good() -> Behaviour {
    Behaviour::default()
}

#[test]
fn an_adapter_that_btleplug_cannot_use_is_said_and_left_when_it_can() {
    let said = "no Bluetooth adapter that can be used";
    fault(Behaviour { has_modalias: false, ..good() }, said, |it| it.has_modalias = true);
}

#[test]
fn an_adapter_that_is_off_is_said_and_not_switched_on() {
    let bluez = Bluez::start(Behaviour { is_powered: false, ..good() });
    let watching = Watching::start(&bluez, "");
    watching.until("no reading: Bluetooth is switched off");
    watching.until("no reading: Bluetooth is switched off");
    assert_eq!(bluez.connections(), 0);
    bluez.set(|it| it.is_powered = true);
    // Told by the adapter, nobody waits out the pause.
    assert!(watching.until("power = 24.344 W") < Duration::from_secs(4));
    bluez.set(|it| it.is_powered = false);
    watching.until("no reading: the connection to the meter is lost");
    watching.until("no reading: Bluetooth is switched off");
    bluez.set(|it| it.is_powered = true);
    watching.until("power = 24.344 W");
}

#[test]
fn a_meter_that_a_phone_holds_is_busy() {
    fault(Behaviour { is_held: true, ..good() }, "no reading: meter busy: another device", |it| {
        it.is_held = false;
    });
}

#[test]
fn services_that_never_come_are_no_connection() {
    let said = "can be heard, but no connection comes about";
    fault(Behaviour { resolves: false, ..good() }, said, |it| it.resolves = true);
}

#[test]
fn a_wrong_pin_is_said_to_the_owner_and_not_hammered() {
    let bluez = Bluez::start(Behaviour { refuses_pin: true, ..good() });
    let watching = Watching::start(&bluez, "pin = '1234'");
    watching
        .until("the meter refuses the PIN; see pin in [meter] of kiosk.toml; next attempt in 60 s");
    let login = [0x0f, 0x0c, 0x17, 0, 0, 1, 2, 3, 4, 0, 0, 0, 0, 0x22, 0xff, 0xff];
    assert_eq!(bluez.written(), [login.to_vec()]);
}

#[test]
fn first_commands_that_are_ignored_cost_two_seconds() {
    let bluez = Bluez::start(Behaviour { ignores: 2, ..good() });
    let watching = Watching::start(&bluez, "");
    watching.until("logging in");
    assert!(watching.until("power = 24.344 W") < Duration::from_secs(4));
    assert_eq!(bluez.connections(), 1);
}

#[test]
fn damaged_and_missing_answers_are_told_apart() {
    let bluez = Bluez::start(good());
    let watching = Watching::start(&bluez, "");
    watching.until("power = 24.344 W");
    bluez.set(|it| it.is_corrupt = true);
    watching.until("no reading: what the meter answers arrives damaged");
    bluez.set(|it| it.is_corrupt = false);
    watching.until("power = 24.344 W");
    bluez.set(|it| it.is_silent = true);
    watching.until("no reading: the meter is connected and does not answer");
    bluez.set(|it| it.is_silent = false);
    watching.until("power = 24.344 W");
}

#[test]
fn a_dropped_link_moved_handles_and_a_forgotten_device_are_back_by_themselves() {
    let bluez = Bluez::start(Behaviour { moves: true, ..good() });
    let watching = Watching::start(&bluez, "");
    watching.until("power = 24.344 W");
    for connections in 2..=4 {
        bluez.drop_link();
        watching.until("the connection to the meter is lost");
        let took = watching.until("power = 24.344 W");
        assert!(took < Duration::from_secs(5), "{took:?}");
        assert_eq!(bluez.connections(), connections);
    }
    // BlueZ forgets devices that it has not seen for a while.
    bluez.set(|it| it.is_known = false);
    watching.until("the connection to the meter is lost");
    let took = watching.until("power = 24.344 W");
    assert!(took < Duration::from_secs(6), "{took:?}");
}

#[test]
fn a_bluetooth_service_that_is_restarted_is_used_again() {
    let mut bluez = Bluez::start(good());
    let watching = Watching::start(&bluez, "");
    watching.until("power = 24.344 W");
    bluez.stop_service();
    watching.until("no reading: the Bluetooth service of this computer does not run");
    bluez.start_service();
    let took = watching.until("power = 24.344 W");
    assert!(took < Duration::from_secs(15), "{took:?}");
}

#[test]
fn a_bus_that_dies_is_said_and_its_successor_used() {
    let mut bluez = Bluez::start(good());
    let watching = Watching::start(&bluez, "");
    watching.until("power = 24.344 W");
    bluez.kill_bus();
    watching.until("no reading: this computer's D-Bus does not answer");
    bluez.start_bus();
    bluez.start_service();
    watching.until("power = 24.344 W");
    watching.again("power = 24.344 W");
}
