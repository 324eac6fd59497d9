//! A Bluetooth service that exists only on a bus of its own, with one SEM6000 behind it: org.bluez, as far as btleplug asks
//! it. It speaks bytes that were captured from real meters, and nothing of our own decoder's.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "every test file uses its own part of it")]

pub mod tree;

use std::{
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, MutexGuard},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use dbus::{
    Message,
    arg::{PropMap, RefArg, Variant},
    channel::Channel,
    message::MessageType,
    strings::ErrorName,
};

/// Captured from hardware 2 and hardware 3, as protocol descriptions quote them.
const MEASURED_2: [&str; 2] =
    ["0f11040001005f18e700df32000000000000 75", "0f11040001002cc8ea005932000000000000 6f"];
const MEASURED_3: &str = "0f0f040001008850dc00d632010000000067 2a";
const LOGIN_WELL: &str = "0f06170000000018ffff";
const LOGIN_REFUSED: &str = "0f06170001000019ffff";
const CLOCK_SET: &str = "0f0401000002ffff";
const SETTINGS: &str = "0f0e100000c864000000000100 0e60 acffff";
const DAY: &str = "0f330a00000e000e000e000e000c00090008000b000e000e0011000f0010000f000d000e000e000e\
    000e000e000e000e000d000042ffff";
const INFO: &str = "564f4c4346540400000000010d02001e";

fn bytes(text: &str) -> Vec<u8> {
    let digits: Vec<char> = text.chars().filter(char::is_ascii_hexdigit).collect();
    let pairs = digits.chunks_exact(2).map(|pair| pair.iter().collect::<String>());
    pairs.map(|pair| u8::from_str_radix(&pair, 16).unwrap()).collect()
}

/// How the meter and its adapter behave, changeable at any time.
#[derive(Clone, Debug)]
pub struct Behaviour {
    pub hardware: u8,
    /// Commands on every link that are not heard.
    pub ignores: u32,
    pub has_modalias: bool,
    pub is_powered: bool,
    /// BlueZ knows the meter.
    pub is_known: bool,
    /// The meter is heard by a scan.
    pub is_near: bool,
    pub resolves: bool,
    /// A phone holds it: no connection.
    pub is_held: bool,
    /// Every connection has other object paths than the one before.
    pub moves: bool,
    pub is_silent: bool,
    pub is_corrupt: bool,
    pub refuses_pin: bool,
    /// Which of the captured measurements.
    pub measured: usize,
    /// From the connection to its services.
    pub resolving: Duration,
    /// From a request to its answer.
    pub latency: Duration,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            hardware: 2,
            ignores: 0,
            has_modalias: true,
            is_powered: true,
            is_known: true,
            is_near: true,
            resolves: true,
            is_held: false,
            moves: false,
            is_silent: false,
            is_corrupt: false,
            refuses_pin: false,
            measured: 0,
            resolving: Duration::from_millis(150),
            latency: Duration::from_millis(30),
        }
    }
}

/// What the test may see and do from outside.
#[derive(Default)]
struct Shared {
    behaviour: Behaviour,
    drop_link: bool,
    quit: bool,
    connections: u32,
    written: Vec<Vec<u8>>,
}

/// The private bus with what is on it.
pub struct Bluez {
    folder: tempfile::TempDir,
    bus: Option<Child>,
    shared: Arc<Mutex<Shared>>,
    service: Option<JoinHandle<()>>,
}

impl Bluez {
    /// Bus and service, the latter with a meter of this behaviour.
    pub fn start(behaviour: Behaviour) -> Self {
        let shared = Arc::new(Mutex::new(Shared { behaviour, ..Default::default() }));
        let mut bluez =
            Self { folder: tempfile::tempdir().unwrap(), bus: None, shared, service: None };
        bluez.start_bus();
        bluez.start_service();
        bluez
    }

    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("bus")
    }

    /// For the environment of a program that shall find this bus.
    pub fn variable(&self) -> (&'static str, String) {
        ("DBUS_SYSTEM_BUS_ADDRESS", format!("unix:path={}", self.socket().display()))
    }

    pub fn start_bus(&mut self) {
        let address = format!("--address=unix:path={}", self.socket().display());
        let bus = Command::new("dbus-daemon")
            .args(["--session", "--nofork", "--nopidfile", &address])
            .stdin(Stdio::null())
            .spawn()
            .expect("the Debian package dbus has dbus-daemon");
        self.bus = Some(bus);
        until("the bus listens", || std::os::unix::net::UnixStream::connect(self.socket()).is_ok());
    }

    /// The bus dies, and with it the service's connection.
    pub fn kill_bus(&mut self) {
        let mut bus = self.bus.take().unwrap();
        bus.kill().unwrap();
        bus.wait().unwrap();
        let _ = std::fs::remove_file(self.socket());
        self.stop_service();
    }

    /// bluetoothd is started.
    pub fn start_service(&mut self) {
        let mut channel =
            Channel::open_private(&format!("unix:path={}", self.socket().display())).unwrap();
        channel.register().unwrap();
        let bus = "org.freedesktop.DBus";
        let request = Message::new_method_call(bus, "/org/freedesktop/DBus", bus, "RequestName");
        let request = request.unwrap().append2("org.bluez", 4u32);
        channel.send_with_reply_and_block(request, Duration::from_secs(5)).unwrap();
        let shared = Arc::clone(&self.shared);
        lock(&shared).quit = false;
        self.service = Some(thread::spawn(move || Service::new(channel, shared).serve()));
    }

    /// bluetoothd ends.
    pub fn stop_service(&mut self) {
        lock(&self.shared).quit = true;
        if let Some(service) = self.service.take() {
            service.join().unwrap();
        }
    }

    /// Changes how the meter behaves from now on.
    pub fn set(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut lock(&self.shared).behaviour);
    }

    pub fn drop_link(&self) {
        lock(&self.shared).drop_link = true;
    }

    pub fn connections(&self) -> u32 {
        lock(&self.shared).connections
    }

    /// What was written so far.
    pub fn written(&self) -> Vec<Vec<u8>> {
        lock(&self.shared).written.clone()
    }

    /// Forgets what was written.
    pub fn forget(&self) {
        lock(&self.shared).written.clear();
    }
}

impl Drop for Bluez {
    fn drop(&mut self) {
        lock(&self.shared).quit = true;
        if let Some(service) = self.service.take() {
            let _ = service.join();
        }
        if let Some(mut bus) = self.bus.take() {
            let _ = bus.kill();
            let _ = bus.wait();
        }
    }
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap()
}

pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < end, "in vain for a minute: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// What happens by itself, later.
enum Later {
    Resolve(Message),
    Answer(Vec<u8>),
}

struct Service {
    channel: Channel,
    shared: Arc<Mutex<Shared>>,
    state: tree::State,
    /// As it was told to everybody last.
    was: Behaviour,
    later: Vec<(Instant, Later)>,
    heard: u32,
}

impl Service {
    fn new(channel: Channel, shared: Arc<Mutex<Shared>>) -> Self {
        let was = lock(&shared).behaviour.clone();
        let state = tree::State { service: 0x0e, ..Default::default() };
        Self { channel, shared, state, was, later: Vec::new(), heard: 0 }
    }

    fn serve(&mut self) {
        while !lock(&self.shared).quit
            && self.channel.read_write(Some(Duration::from_millis(2))).is_ok()
        {
            while let Some(message) = self.channel.pop_message() {
                if message.msg_type() == MessageType::MethodCall {
                    let reply = self.call(&message);
                    reply.into_iter().for_each(|reply| self.send(reply));
                }
            }
            self.follow();
            let now = Instant::now();
            let (due, later): (Vec<_>, Vec<_>) =
                self.later.drain(..).partition(|(at, _)| *at <= now);
            self.later = later;
            for (_, what) in due {
                self.happen(what);
            }
        }
        self.channel.flush();
    }

    fn behaviour(&self) -> Behaviour {
        lock(&self.shared).behaviour.clone()
    }

    fn send(&self, message: Message) {
        let _ = self.channel.send(message);
    }

    /// What was changed from outside is told.
    fn follow(&mut self) {
        let (now, is_dropped) = {
            let mut shared = lock(&self.shared);
            (shared.behaviour.clone(), std::mem::take(&mut shared.drop_link))
        };
        if is_dropped || (self.state.is_connected && (!now.is_known || !now.is_powered)) {
            self.disconnect();
        }
        if now.is_powered != self.was.is_powered {
            let powered = tree::property("Powered", now.is_powered);
            self.changed(tree::ADAPTER, "org.bluez.Adapter1", powered);
        }
        if now.is_known != self.was.is_known {
            self.tell_known(now.is_known);
        }
        self.was = now;
    }

    fn tell_known(&self, is_known: bool) {
        let manager = "org.freedesktop.DBus.ObjectManager";
        let path = dbus::Path::from(tree::DEVICE);
        self.send(if is_known {
            let interfaces = self.state.objects(&self.behaviour()).remove(tree::DEVICE).unwrap();
            let signal = Message::new_signal("/", manager, "InterfacesAdded").unwrap();
            signal.append2(path, interfaces)
        } else {
            let signal = Message::new_signal("/", manager, "InterfacesRemoved").unwrap();
            signal.append2(path, vec!["org.bluez.Device1"])
        });
    }

    fn changed(&self, path: &str, interface: &str, properties: PropMap) {
        let signal =
            Message::new_signal(path, "org.freedesktop.DBus.Properties", "PropertiesChanged");
        let nothing: Vec<String> = Vec::new();
        self.send(signal.unwrap().append3(interface, properties, nothing));
    }

    fn disconnect(&mut self) {
        self.later.clear();
        let was = (self.state.is_resolved, self.state.is_connected);
        (self.state.is_resolved, self.state.is_connected) = (false, false);
        self.state.is_notifying = false;
        if was.0 {
            self.changed(
                tree::DEVICE,
                "org.bluez.Device1",
                tree::property("ServicesResolved", false),
            );
        }
        if was.1 {
            self.changed(tree::DEVICE, "org.bluez.Device1", tree::property("Connected", false));
        }
    }

    fn happen(&mut self, what: Later) {
        match what {
            Later::Resolve(reply) => {
                if self.behaviour().resolves {
                    self.state.is_resolved = true;
                    let resolved = tree::property("ServicesResolved", true);
                    self.changed(tree::DEVICE, "org.bluez.Device1", resolved);
                }
                self.send(reply);
            }
            Later::Answer(answer) => {
                let piece = if self.behaviour().hardware < 3 { 20 } else { 160 };
                for piece in answer.chunks(piece).filter(|_| self.state.is_notifying) {
                    let value = tree::property("Value", piece.to_vec());
                    let path = self.state.characteristic(4);
                    self.changed(&path, "org.bluez.GattCharacteristic1", value);
                }
            }
        }
    }

    fn call(&mut self, call: &Message) -> Option<Message> {
        let path = call.path().unwrap().to_string();
        let interface = call.interface().map(|name| name.to_string()).unwrap_or_default();
        let member = call.member().unwrap().to_string();
        let objects = self.state.objects(&self.behaviour());
        let answer = match (&interface[..], &member[..]) {
            ("org.freedesktop.DBus.ObjectManager", _) => {
                let objects: std::collections::HashMap<dbus::Path<'_>, _> =
                    objects.into_iter().map(|(path, object)| (path.into(), object)).collect();
                return Some(call.method_return().append1(objects));
            }
            ("org.freedesktop.DBus.Introspectable", _) => {
                tree::introspect(&path, &objects).map(|xml| call.method_return().append1(xml))
            }
            ("org.freedesktop.DBus.Properties", "GetAll") => {
                let of = call.get1::<String>().unwrap();
                let found = objects.get(&path).and_then(|object| object.get(&of));
                found.map(|found| call.method_return().append1(tree::copy(found)))
            }
            ("org.freedesktop.DBus.Properties", "Get") => {
                let (of, name) = call.read2::<String, String>().unwrap();
                let found = objects.get(&path).and_then(|object| object.get(&of)?.get(&name));
                found.map(|found| call.method_return().append1(Variant(found.0.box_clone())))
            }
            ("org.freedesktop.DBus.Properties", "Set") => {
                // A scan switches the adapter on.
                lock(&self.shared).behaviour.is_powered = true;
                Some(call.method_return())
            }
            _ if !objects.contains_key(&path) => None,
            ("org.bluez.Adapter1", "StartDiscovery") => {
                let mut shared = lock(&self.shared);
                if shared.behaviour.is_near {
                    shared.behaviour.is_known = true;
                }
                Some(call.method_return())
            }
            ("org.bluez.Adapter1", _) => Some(call.method_return()),
            ("org.bluez.Device1", "Connect") => return self.connect(call),
            ("org.bluez.Device1", "Disconnect") => {
                self.disconnect();
                Some(call.method_return())
            }
            ("org.bluez.GattCharacteristic1", _) => self.characteristic(call, &path, &member),
            _ => None,
        };
        Some(answer.unwrap_or_else(|| error(call, "org.freedesktop.DBus.Error.UnknownObject")))
    }

    fn connect(&mut self, call: &Message) -> Option<Message> {
        let behaviour = self.behaviour();
        if !behaviour.is_powered {
            return Some(error(call, "org.bluez.Error.NotReady"));
        }
        if behaviour.is_held {
            return Some(error(call, "org.bluez.Error.Failed"));
        }
        self.heard = 0;
        if behaviour.moves {
            self.state.service += 0x39;
        }
        lock(&self.shared).connections += 1;
        self.state.is_connected = true;
        self.changed(tree::DEVICE, "org.bluez.Device1", tree::property("Connected", true));
        let reply = call.method_return();
        self.later.push((Instant::now() + behaviour.resolving, Later::Resolve(reply)));
        None
    }

    fn characteristic(&mut self, call: &Message, path: &str, member: &str) -> Option<Message> {
        match member {
            "ReadValue" if path == self.state.characteristic(1) => {
                // The real service tells everybody what was read.
                let value = tree::property("Value", bytes(INFO));
                self.changed(path, "org.bluez.GattCharacteristic1", value);
                Some(call.method_return().append1(bytes(INFO)))
            }
            "StartNotify" if path == self.state.characteristic(4) => {
                self.state.is_notifying = true;
                Some(call.method_return())
            }
            "WriteValue" if path == self.state.characteristic(3) => {
                let (value, options): (Vec<u8>, PropMap) = call.read2().unwrap();
                let kind = options.get("type").and_then(|kind| kind.0.as_str()).unwrap();
                assert_eq!(kind, "command", "the meter does not know writes with an answer");
                self.heard += 1;
                lock(&self.shared).written.push(value.clone());
                let behaviour = self.behaviour();
                if behaviour.ignores < self.heard && !behaviour.is_silent {
                    let answer = answer(&behaviour, &value);
                    self.later.push((Instant::now() + behaviour.latency, Later::Answer(answer)));
                }
                Some(call.method_return())
            }
            _ => None,
        }
    }
}

fn answer(behaviour: &Behaviour, request: &[u8]) -> Vec<u8> {
    let mut answer = bytes(match request[2] {
        0x17 if behaviour.refuses_pin => LOGIN_REFUSED,
        0x17 => LOGIN_WELL,
        0x01 => CLOCK_SET,
        0x10 => SETTINGS,
        0x0a => DAY,
        0x04 if behaviour.hardware < 3 => MEASURED_2[behaviour.measured],
        0x04 => MEASURED_3,
        other => panic!("the kiosk asks what a monitor must not: {other:02x}"),
    });
    if behaviour.is_corrupt {
        answer[5] ^= 0x40;
    }
    answer
}

fn error(call: &Message, name: &str) -> Message {
    call.error(&ErrorName::from(name), c"as it was told")
}
