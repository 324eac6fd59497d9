//! The radio: BlueZ through btleplug. Everything that is awaited here has a limit, because a call whose D-Bus has died
//! never returns; streams are opened once, before the first connection, and kept, because the bus removes the wrong match
//! when one of several is dropped; whether the bus is there is seen at a connection of our own.

use std::{
    io,
    pin::Pin,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use btleplug::{
    api::{
        Central, CentralEvent, CentralState, Characteristic, Manager as _, Peripheral as _,
        ScanFilter, ValueNotification, WriteType,
    },
    platform::{Adapter, Manager, Peripheral},
};
use dbus::channel::{BusType, Channel};
use futures_util::{Stream, StreamExt};
use jiff::civil::DateTime;
use tokio::{
    sync::watch,
    time::{sleep, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    Meter, Trouble,
    frame::Info,
    session::{Ask, Pace, Session},
};
use crate::config::MeterEntry;

/// Our service, and its characteristics, on Bluetooth's base UUID.
const SERVICE: Uuid = short(0xfff0);
const INFO: Uuid = short(0xfff1);
const COMMANDS: Uuid = short(0xfff3);
const ANSWERS: Uuid = short(0xfff4);
/// What the factory calls it.
const FACTORY_NAME: &str = "Voltcraft";

/// For whatever BlueZ can say at once.
const SHORT: Duration = Duration::from_secs(5);
/// For a connection, and for the look at what is connected.
const CONNECT: Duration = Duration::from_secs(12);
const DISCONNECT: Duration = Duration::from_secs(2);
/// How long a meter that does not show itself is looked for.
const SCAN: Duration = Duration::from_secs(10);
const LOOK_AGAIN: Duration = Duration::from_millis(250);
/// Every connection that btleplug has had to the bus stays open, and a bus allows 256; a bus that died this often is the
/// owner's matter.
const MAX_BUSES: u32 = 64;

const fn short(uuid: u16) -> Uuid {
    Uuid::from_u128(0x0000_0000_0000_1000_8000_0080_5f9b_34fb | ((uuid as u128) << 96))
}

type Items<T> = Pin<Box<dyn Stream<Item = T> + Send>>;

/// The thread that talks to the meter.
pub struct MeterThread {
    stop: CancellationToken,
    thread: JoinHandle<()>,
}

impl MeterThread {
    /// Begins to look for the meter; what is known of it goes to `seen`.
    ///
    /// # Errors
    /// If the thread cannot be started.
    pub fn start(entry: MeterEntry, seen: watch::Sender<Meter>) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let thread = thread::Builder::new().name("meter".into()).spawn(move || {
            let talk = talk(entry, Pace::default(), seen);
            // The radio is dropped in here: its streams need the runtime.
            runtime.block_on(stopped.run_until_cancelled(talk));
            runtime.shutdown_background();
        })?;
        Ok(Self { stop, thread })
    }

    /// Ends the thread and waits for it.
    ///
    /// # Errors
    /// If it has panicked.
    pub fn stop(self) -> thread::Result<()> {
        self.stop.cancel();
        self.thread.join()
    }
}

/// Talks to the meter for ever; what is known of it goes to `seen`.
pub async fn talk(entry: MeterEntry, pace: Pace, seen: watch::Sender<Meter>) {
    let mut session = Session::new(entry.pin, pace, Instant::now());
    let mut radio = Radio { entry, buses: 0, bus: None };
    loop {
        let ask = session.next(Instant::now(), local());
        show(&session.meter, &seen);
        match ask {
            Ask::Open => match radio.open().await {
                Ok(info) => session.opened(info, Instant::now()),
                Err(trouble) => session.failed(radio.blame(trouble), Instant::now()),
            },
            Ask::Write(frame) => {
                if radio.write(&frame).await.is_err() {
                    session.lost(Instant::now());
                }
            }
            Ask::Close => radio.close().await,
            Ask::Wait(until) => tokio::select! {
                happened = radio.happens() => match happened {
                    Happened::Heard(piece) => session.heard(&piece, Instant::now(), local()),
                    Happened::Lost => session.lost(Instant::now()),
                    Happened::Appeared => session.wake(Instant::now()),
                    Happened::Nothing => {}
                },
                () = sleep_until(until.into()) => {}
            },
        }
    }
}

fn show(meter: &Meter, seen: &watch::Sender<Meter>) {
    seen.send_if_modified(|shown| {
        if shown.trouble != meter.trouble {
            match &meter.trouble {
                Some(trouble) => log::warn!("power meter: {trouble}"),
                None => log::info!("power meter: it measures"),
            }
        }
        let is_new = shown != meter;
        if is_new {
            shown.clone_from(meter);
        }
        is_new
    });
}

fn local() -> DateTime {
    jiff::Zoned::now().datetime()
}

/// What came by itself.
enum Happened {
    Heard(Vec<u8>),
    Lost,
    Appeared,
    Nothing,
}

struct Radio {
    entry: MeterEntry,
    buses: u32,
    bus: Option<Bus>,
}

/// One connection to the bus, and what was opened over it.
struct Bus {
    /// Ours: it knows when the bus dies.
    channel: Channel,
    manager: Manager,
    adapter: Option<(Adapter, Items<CentralEvent>)>,
    device: Option<Device>,
}

struct Device {
    peripheral: Peripheral,
    notifications: Items<ValueNotification>,
    commands: Option<Characteristic>,
    /// Only its answer about itself says whether it is a meter.
    is_guess: bool,
}

impl Radio {
    /// The trouble behind a trouble: without a bus nothing else counts.
    fn blame(&mut self, trouble: Trouble) -> Trouble {
        let Some(bus) = &mut self.bus else { return trouble };
        // Reads until there is nothing, or nobody, any more.
        while bus.channel.read_write(Some(Duration::ZERO)).is_ok()
            && bus.channel.pop_message().is_some()
        {}
        if bus.channel.is_connected() {
            return trouble;
        }
        self.bus = None;
        Trouble::NoBus
    }

    async fn open(&mut self) -> Result<Option<Info>, Trouble> {
        let entry = &self.entry;
        let bus = match &mut self.bus {
            Some(bus) => bus,
            None => {
                if self.buses == MAX_BUSES {
                    return Err(Trouble::NoBus);
                }
                // Looked at first, because what btleplug opens stays open.
                let channel = Channel::get_private(BusType::System).map_err(|_| Trouble::NoBus)?;
                self.buses += 1;
                let manager = limited(SHORT, Manager::new()).await.map_err(|_| Trouble::NoBus)?;
                self.bus.insert(Bus { channel, manager, adapter: None, device: None })
            }
        };
        let adapter = bus.adapter(entry).await?;
        let is_known = match &bus.device {
            Some(device) => {
                let known = limited(SHORT, adapter.peripheral(&device.peripheral.id())).await;
                known.map(|_| true).or_else(|trouble| match trouble {
                    Trouble::NotFound => Ok(false),
                    trouble => Err(trouble),
                })?
            }
            None => false,
        };
        if !is_known {
            let (peripheral, is_guess) = find(&adapter, entry).await?;
            let is_same = |device: &Device| device.peripheral.id() == peripheral.id();
            if !bus.device.as_ref().is_some_and(is_same) {
                let notifications = limited(SHORT, peripheral.notifications()).await?;
                bus.device = Some(Device { peripheral, notifications, commands: None, is_guess });
            }
        }
        let Some(device) = &mut bus.device else { return Err(Trouble::NotFound) };
        let opened = device.connect().await;
        if opened.is_err() {
            // BlueZ would go on connecting, and the meter would be busy with us.
            let _ = limited(DISCONNECT, device.peripheral.disconnect()).await;
        }
        if opened == Err(Trouble::NotAMeter) && device.is_guess {
            bus.device = None;
        }
        opened
    }

    async fn write(&mut self, frame: &[u8]) -> Result<(), Trouble> {
        let device = self.bus.as_mut().and_then(|bus| bus.device.as_mut());
        let device = device.ok_or(Trouble::Lost)?;
        let commands = device.commands.as_ref().ok_or(Trouble::Lost)?;
        let writing = device.peripheral.write(commands, frame, WriteType::WithoutResponse);
        limited(DISCONNECT, writing).await
    }

    async fn close(&mut self) {
        if let Some(device) = self.bus.as_mut().and_then(|bus| bus.device.as_mut()) {
            device.commands = None;
            let _ = limited(DISCONNECT, device.peripheral.disconnect()).await;
        }
    }

    /// The next that happens by itself. What is lost is not relied on: silence says it too, later.
    async fn happens(&mut self) -> Happened {
        let Some(bus) = &mut self.bus else { return std::future::pending().await };
        let (adapter, device) = (&mut bus.adapter, &mut bus.device);
        let ours = device.as_ref().map(|device| device.peripheral.id());
        tokio::select! {
            event = next(adapter.as_mut().map(|(_, events)| events)) => match event {
                CentralEvent::DeviceDisconnected(id) if Some(&id) == ours.as_ref() => Happened::Lost,
                CentralEvent::StateUpdate(CentralState::PoweredOff) => Happened::Lost,
                CentralEvent::StateUpdate(CentralState::PoweredOn) => Happened::Appeared,
                CentralEvent::DeviceDiscovered(id) if Some(&id) == ours.as_ref() => Happened::Appeared,
                _ => Happened::Nothing,
            },
            item = next(device.as_mut().map(|device| &mut device.notifications)) => {
                // What was read of another characteristic comes here too.
                if item.uuid == ANSWERS { Happened::Heard(item.value) } else { Happened::Nothing }
            }
        }
    }
}

/// The next item of a stream that is there and does not end.
async fn next<T>(stream: Option<&mut Items<T>>) -> T {
    if let Some(stream) = stream
        && let Some(item) = stream.next().await
    {
        return item;
    }
    std::future::pending().await
}

impl Bus {
    async fn adapter(&mut self, entry: &MeterEntry) -> Result<Adapter, Trouble> {
        if self.adapter.is_none() {
            let adapters = limited(SHORT, self.manager.adapters()).await?;
            let mut named = Vec::new();
            for adapter in adapters {
                let info = limited(SHORT, adapter.adapter_info()).await?;
                // "hci0 (usb:v1D6Bp0246d0542)"
                let name = info.split(' ').next().unwrap_or_default().to_owned();
                named.push((name, adapter));
            }
            named.sort_by(|(one, _), (other, _)| one.cmp(other));
            let wanted =
                |(name, _): &(String, Adapter)| entry.adapter.as_ref().is_none_or(|it| it == name);
            let (_, adapter) = named.into_iter().find(wanted).ok_or(Trouble::NoAdapter)?;
            let events = limited(SHORT, adapter.events()).await?;
            self.adapter = Some((adapter, events));
        }
        let Some((adapter, _)) = &self.adapter else { return Err(Trouble::NoAdapter) };
        // Asked first, because the state of an adapter that nobody answers for is "off".
        limited(SHORT, adapter.adapter_info()).await.map_err(|trouble| match trouble {
            // Pulled out; it will have the same path when it is back.
            Trouble::NotFound => Trouble::NoAdapter,
            trouble => trouble,
        })?;
        // A scan would switch it on; whoever has switched it off has a reason.
        match limited(SHORT, adapter.adapter_state()).await? {
            CentralState::PoweredOff => Err(Trouble::AdapterOff),
            _ => Ok(adapter.clone()),
        }
    }
}

/// The meter, and whether that it is one has still to be seen: what BlueZ knows of it, else what it hears.
async fn find(adapter: &Adapter, entry: &MeterEntry) -> Result<(Peripheral, bool), Trouble> {
    if let Some(found) = known(adapter, entry).await? {
        return Ok(found);
    }
    limited(SHORT, adapter.start_scan(ScanFilter { services: vec![SERVICE] })).await?;
    let end = Instant::now() + SCAN;
    let mut found = Ok(None);
    while matches!(found, Ok(None)) && Instant::now() < end {
        sleep(LOOK_AGAIN).await;
        found = known(adapter, entry).await;
    }
    let _ = limited(SHORT, adapter.stop_scan()).await;
    found?.ok_or(Trouble::NotFound)
}

async fn known(
    adapter: &Adapter,
    entry: &MeterEntry,
) -> Result<Option<(Peripheral, bool)>, Trouble> {
    let mut guesses = Vec::new();
    for peripheral in limited(SHORT, adapter.peripherals()).await? {
        if let Some(address) = &entry.address {
            if peripheral.address().to_string().eq_ignore_ascii_case(address) {
                return Ok(Some((peripheral, false)));
            }
            continue;
        }
        let Ok(Some(properties)) = limited(SHORT, peripheral.properties()).await else { continue };
        let name = properties.local_name.unwrap_or_default();
        let is_named = match &entry.name {
            Some(wanted) => name == *wanted,
            None => name.starts_with(FACTORY_NAME),
        };
        // The service is one that many vendors use.
        if properties.services.contains(&SERVICE) {
            if is_named {
                return Ok(Some((peripheral, false)));
            }
            guesses.push(peripheral);
        }
    }
    let only = guesses.pop().filter(|_| guesses.is_empty() && entry.name.is_none());
    Ok(only.map(|peripheral| (peripheral, true)))
}

impl Device {
    /// Connects, and listens. Paths may be others than last time, so everything is looked up anew.
    async fn connect(&mut self) -> Result<Option<Info>, Trouble> {
        let it = &self.peripheral;
        self.commands = None;
        if limited(SHORT, it.is_connected()).await? {
            // A link from before we were started; without us it would stay for ever.
            let _ = limited(DISCONNECT, it.disconnect()).await;
        }
        match timeout(CONNECT, it.connect()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => match trouble(&error) {
                Trouble::NoConnection => return Err(self.refused().await),
                trouble => return Err(trouble),
            },
            Err(_) => return Err(self.refused().await),
        }
        let looked = timeout(CONNECT, it.discover_services()).await;
        looked.map_err(|_| Trouble::NoConnection)?.map_err(|error| trouble(&error))?;
        let all = it.characteristics();
        let find = |uuid: Uuid| all.iter().find(|it| it.uuid == uuid && it.service_uuid == SERVICE);
        let (Some(commands), Some(answers)) = (find(COMMANDS), find(ANSWERS)) else {
            return Err(Trouble::NotAMeter);
        };
        let info = match find(INFO) {
            Some(info) => limited(SHORT, it.read(info)).await.ok(),
            None => None,
        };
        let info = info.and_then(|bytes| Info::read(&bytes));
        if self.is_guess && info.is_none() {
            return Err(Trouble::NotAMeter);
        }
        limited(SHORT, it.subscribe(answers)).await?;
        self.commands = Some(commands.clone());
        Ok(info)
    }

    /// Why it takes no connection: one that shows itself is not held by anybody else.
    async fn refused(&self) -> Trouble {
        if limited(SHORT, self.peripheral.is_connected()).await == Ok(true) {
            return Trouble::NoConnection;
        }
        match limited(SHORT, self.peripheral.properties()).await {
            Ok(Some(properties)) if properties.rssi.is_some() => Trouble::NoConnection,
            Ok(_) => Trouble::Busy,
            Err(trouble) => trouble,
        }
    }
}

/// Awaits what BlueZ says, for so long.
async fn limited<T>(
    limit: Duration,
    call: impl Future<Output = btleplug::Result<T>>,
) -> Result<T, Trouble> {
    match timeout(limit, call).await {
        Ok(answer) => answer.map_err(|error| trouble(&error)),
        Err(_) => Err(Trouble::NoBluetooth),
    }
}

/// What an error of BlueZ means; btleplug hands on its D-Bus name, such as `org.bluez.Error.NotReady`, only as text.
fn trouble(error: &btleplug::Error) -> Trouble {
    if matches!(error, btleplug::Error::DeviceNotFound) {
        return Trouble::NotFound;
    }
    let text = format!("{error:?}");
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if says(&["ServiceUnknown", "NameHasNoOwner", "Error.NoReply", "Error.Disconnected"]) {
        Trouble::NoBluetooth
    } else if says(&["Error.NotReady"]) {
        Trouble::AdapterOff
    } else if says(&["UnknownObject", "UnknownMethod", "DoesNotExist", "RequiredPropertyMissing"]) {
        Trouble::NotFound
    } else if says(&["Error.InProgress", "busy"]) {
        Trouble::Busy
    } else {
        log::debug!("Bluetooth: {text}");
        Trouble::NoConnection
    }
}
