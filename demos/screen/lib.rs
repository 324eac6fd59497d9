//! The demo's end of the protocol: pictures out, fingers and controls in, and neither ever blocks the simulation.
//!
//! ```no_run
//! use screen::{Event, Screen};
//! # use wire::demo::{FrameHeader, Hello};
//! # fn hello() -> Hello { unimplemented!() }
//! screen::end_with_parent();
//! let Some(mut screen) = Screen::from_environment()? else { return Ok(()) };
//! screen.hello(hello());
//! for step in 0.. {
//!     for event in screen.events() {
//!         if event == Event::Stop {
//!             return Ok(());
//!         }
//!     }
//!     screen.show(FrameHeader { step, ..Default::default() }, |pixels| pixels.fill(step as u8));
//! }
//! # Ok::<(), screen::ScreenError>(())
//! ```
//!
//! Two threads of its own do the waiting. The sender holds at most one picture: a newer one replaces it
//! (the latest wins), so a slow kiosk costs pictures, never steps.

use std::{
    env, io,
    net::{SocketAddr, TcpStream},
    num::NonZero,
    os::unix::net::UnixStream,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        mpsc::{Receiver, TryRecvError, channel},
    },
    thread,
    time::Duration,
};

use wire::{
    channel::{self, Address, Devices, Processor},
    demo::{Alive, End, FrameHeader, Hello, State, Statistics, TOKEN_LEN, Text},
    kiosk::{Command, Control, Pointer},
    record,
};

mod stream;

use stream::Stream;

/// How long the kiosk may take to accept the connection.
const CONNECT: Duration = Duration::from_secs(3);
/// How long [`Screen::end`] waits for the last records to leave.
const FLUSH: Duration = Duration::from_millis(500);
/// Most bytes of small records that wait for a slow kiosk; more are dropped, as pictures are.
const MAX_WAITING: usize = 64 * 1024;

/// Why there is no screen although a kiosk started this demo.
#[derive(Debug, thiserror::Error)]
pub enum ScreenError {
    /// The environment does not say what the protocol asks for.
    #[error("{variable} is '{value}', which is not {expected}")]
    Environment {
        /// The variable.
        variable: &'static str,
        /// What it holds.
        value: String,
        /// What it should hold.
        expected: &'static str,
    },
    /// The kiosk does not answer.
    #[error("cannot reach the kiosk at {address}")]
    Connect {
        /// Where it should be.
        address: Address,
        /// What the system says.
        source: io::Error,
    },
}

/// What the kiosk wants.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A finger on the canvas.
    Pointer(Pointer),
    /// A control has a new value.
    Control(Control),
    /// Hold or go on.
    Pause(bool),
    /// End: the visitor left, or the kiosk is gone.
    Stop,
    /// A demo that [waits](Screen::waits) begins, with the state that another run handed over, or from the start if that is
    /// empty.
    Begin(Vec<u8>),
    /// Hand over the [state](Screen::state) for another run, and go on.
    Save,
}

/// Ends this process when the one that started it ends, however that happens.
///
/// MPI alone does not do that: ranks outlive a killed `mpirun` until they next talk to it, and for ever if they do not.
pub fn end_with_parent() {
    // A refusal leaves only what MPI does by itself; nothing to tell a visitor.
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
}

/// The kiosk, as a demo sees it.
pub struct Screen {
    token: [u8; TOKEN_LEN],
    canvas: (u16, u16),
    waits: bool,
    picture_len: usize,
    outbox: Arc<Outbox>,
    commands: Receiver<Command>,
    stopped: bool,
}

/// What waits to be sent; the sender thread empties it.
struct Outbox {
    state: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    /// Whole small records, in order.
    records: Vec<u8>,
    /// The newest picture, header included.
    picture: Option<Vec<u8>>,
    /// Buffers of pictures that were sent or overtaken.
    spare: Vec<Vec<u8>>,
    /// Nothing more will come.
    closing: bool,
    /// All is sent, or the kiosk is gone.
    done: bool,
}

impl Outbox {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // The state is whole at every point where a panic could happen.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Screen {
    /// Connects to the kiosk that started this process; `None` if none did.
    ///
    /// # Errors
    /// If the environment is malformed or the kiosk cannot be reached within 3 s.
    pub fn from_environment() -> Result<Option<Self>, ScreenError> {
        let Ok(address) = env::var(channel::CHANNEL_VARIABLE) else { return Ok(None) };
        let wrong = |variable, value: &str, expected| ScreenError::Environment {
            variable,
            value: value.into(),
            expected,
        };
        let address: Address = address.parse().map_err(|_| {
            wrong(channel::CHANNEL_VARIABLE, &address, "unix:PATH or tcp:ADDRESS:PORT")
        })?;
        let token = env::var(channel::TOKEN_VARIABLE).unwrap_or_default();
        let token = token
            .as_bytes()
            .try_into()
            .map_err(|_| wrong(channel::TOKEN_VARIABLE, &token, "32 letters and digits"))?;
        let canvas = env::var(channel::CANVAS_VARIABLE).unwrap_or_default();
        let canvas = channel::parse_size(&canvas)
            .ok_or_else(|| wrong(channel::CANVAS_VARIABLE, &canvas, "a size such as 800x400"))?;
        let waits = env::var(channel::WAIT_VARIABLE).is_ok_and(|value| value == "1");
        let mut screen = Self::connect(&address, token, canvas)?;
        screen.waits = waits;
        Ok(Some(screen))
    }

    /// What the kiosk wants to compute on `host`; the demo chooses if it says nothing. Every process may ask.
    ///
    /// # Errors
    /// If the environment is malformed.
    pub fn processor(host: &str) -> Result<Processor, ScreenError> {
        let Ok(value) = env::var(channel::DEVICES_VARIABLE) else { return Ok(Processor::Auto) };
        let devices: Devices = value.parse().map_err(|_| ScreenError::Environment {
            variable: channel::DEVICES_VARIABLE,
            value,
            expected: "auto, cpu or gpu, and after commas HOST=cpu or HOST=gpu",
        })?;
        Ok(devices.on(host))
    }

    /// With how many cores the kiosk wants each rank to compute; the demo chooses if it says nothing. Every process may ask.
    ///
    /// # Errors
    /// If the environment is malformed.
    pub fn threads() -> Result<Option<NonZero<u16>>, ScreenError> {
        let Ok(value) = env::var(channel::THREADS_VARIABLE) else { return Ok(None) };
        match value.parse() {
            Ok(threads) => Ok(Some(threads)),
            Err(_) => Err(ScreenError::Environment {
                variable: channel::THREADS_VARIABLE,
                value,
                expected: "a number of cores, from 1 to 65535",
            }),
        }
    }

    /// Whether the kiosk is on this machine, and needs a core of it. Every process may ask.
    pub fn is_here() -> bool {
        let address = env::var(channel::CHANNEL_VARIABLE).ok().and_then(|text| text.parse().ok());
        matches!(address, Some(Address::Unix(_)))
    }

    /// Connects to a kiosk at `address`, which expects `token` and shows pictures on a canvas of that many pixels.
    ///
    /// # Errors
    /// If the kiosk cannot be reached within 3 s.
    pub fn connect(
        address: &Address,
        token: [u8; TOKEN_LEN],
        canvas: (u16, u16),
    ) -> Result<Self, ScreenError> {
        let failed = |source| ScreenError::Connect { address: address.clone(), source };
        let stream = open(address).map_err(failed)?;
        let outbox =
            Arc::new(Outbox { state: Mutex::new(Waiting::default()), changed: Condvar::new() });

        let reader = stream.try_clone().map_err(failed)?;
        let (sender, commands) = channel();
        // Ends with the connection; a command nobody takes any more ends it too.
        let _detached = thread::spawn(move || {
            while let Ok(Some(command)) = read_command(&reader) {
                if command.is_some_and(|command| sender.send(command).is_err()) {
                    break;
                }
            }
        });
        let _detached = thread::spawn({
            let outbox = Arc::clone(&outbox);
            move || send(&stream, &outbox)
        });
        Ok(Self { token, canvas, waits: false, picture_len: 0, outbox, commands, stopped: false })
    }

    /// Width and height in pixels of what the kiosk shows; pictures of that size are drawn one to one.
    pub fn canvas(&self) -> (u16, u16) {
        self.canvas
    }

    /// Whether the demo was started in advance: after its hello it must sleep until [`Event::Begin`].
    pub fn waits(&self) -> bool {
        self.waits
    }

    /// Introduces the demo; the token is filled in here. Comes first, once.
    pub fn hello(&mut self, hello: Hello) {
        let hello = Hello { token: self.token, ..hello };
        self.picture_len = hello.picture_len();
        self.queue(|out| hello.encode(out));
    }

    /// Hands over the next picture: `paint` fills `width * height * bytes per pixel` bytes, the top row first.
    ///
    /// Returns at once. A picture that the sender has not begun to send is replaced.
    pub fn show(&mut self, header: FrameHeader, paint: impl FnOnce(&mut [u8])) {
        let mut buffer = self.outbox.lock().spare.pop().unwrap_or_default();
        let head = header.encode(self.picture_len);
        buffer.resize(head.len() + self.picture_len, 0);
        buffer[..head.len()].copy_from_slice(&head);
        paint(&mut buffer[head.len()..]);

        let mut waiting = self.outbox.lock();
        if let Some(overtaken) = waiting.picture.replace(buffer) {
            waiting.spare.push(overtaken);
        }
        drop(waiting);
        self.outbox.changed.notify_one();
    }

    /// Says how fast the run is; about twice a second.
    pub fn statistics(&mut self, statistics: &Statistics) {
        self.queue(|out| statistics.encode(out));
    }

    /// Says something to the visitor.
    pub fn text(&mut self, text: &Text) {
        self.queue(|out| text.encode(out));
    }

    /// Says that the run makes progress although there is no picture; at least once a second while held.
    pub fn alive(&mut self, step: u64) {
        self.queue(|out| Alive { step }.encode(out));
    }

    /// Hands over what another run of this demo can go on from, at most [`wire::demo::MAX_STATE`] bytes.
    pub fn state(&mut self, state: State) {
        self.queue(|out| state.encode(out));
    }

    /// The next thing that the kiosk says, slept for; [`Event::Stop`] again and again after that has been said.
    pub fn wait(&mut self) -> Event {
        let command = if self.stopped { None } else { self.commands.recv().ok() };
        command.map_or(Event::Stop, |command| self.event(command))
    }

    fn event(&mut self, command: Command) -> Event {
        match command {
            Command::Pointer(pointer) => Event::Pointer(pointer),
            Command::Control(control) => Event::Control(control),
            Command::Pause(held) => Event::Pause(held),
            Command::Begin(state) => Event::Begin(state),
            Command::Save => Event::Save,
            Command::Stop => {
                self.stopped = true;
                Event::Stop
            }
        }
    }

    /// What the kiosk has said since the last call; never waits. After [`Event::Stop`] every call yields it again.
    pub fn events(&mut self) -> impl Iterator<Item = Event> + '_ {
        let mut said_stop = false;
        std::iter::from_fn(move || {
            if self.stopped {
                return (!std::mem::replace(&mut said_stop, true)).then_some(Event::Stop);
            }
            let command = match self.commands.try_recv() {
                Ok(command) => command,
                Err(TryRecvError::Disconnected) => Command::Stop,
                Err(TryRecvError::Empty) => return None,
            };
            said_stop |= command == Command::Stop;
            Some(self.event(command))
        })
    }

    /// Says why the demo ends and waits, half a second at most, until that has left.
    pub fn end(mut self, end: &End) {
        self.queue(|out| end.encode(out));
        let mut waiting = self.outbox.lock();
        waiting.closing = true;
        self.outbox.changed.notify_one();
        let _flushed = self.outbox.changed.wait_timeout_while(waiting, FLUSH, |w| !w.done);
    }

    fn queue(&mut self, encode: impl FnOnce(&mut Vec<u8>)) {
        let mut waiting = self.outbox.lock();
        if waiting.records.len() < MAX_WAITING && !waiting.done {
            encode(&mut waiting.records);
        }
        drop(waiting);
        self.outbox.changed.notify_one();
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.outbox.lock().closing = true;
        self.outbox.changed.notify_one();
    }
}

fn open(address: &Address) -> io::Result<Stream> {
    match address {
        Address::Unix(path) => UnixStream::connect(path).map(Stream::Unix),
        Address::Tcp(address) => connect_tcp(*address).map(Stream::Tcp),
    }
}

fn connect_tcp(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, CONNECT)?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// The sender thread: writes what waits, small records first, until there is nothing more or nobody listens.
fn send(stream: &Stream, outbox: &Outbox) {
    let mut records = Vec::new();
    loop {
        let mut waiting = outbox.lock();
        while waiting.records.is_empty() && waiting.picture.is_none() && !waiting.closing {
            waiting = outbox.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        std::mem::swap(&mut records, &mut waiting.records);
        let picture = if waiting.closing { None } else { waiting.picture.take() };
        let closing = waiting.closing;
        drop(waiting);

        let mut sent = stream.write_all(&records);
        records.clear();
        if let (Ok(()), Some(picture)) = (&sent, &picture) {
            sent = stream.write_all(picture);
        }
        let mut waiting = outbox.lock();
        waiting.spare.extend(picture);
        if sent.is_err() || (closing && waiting.records.is_empty()) {
            waiting.done = true;
            drop(waiting);
            stream.shutdown_write();
            outbox.changed.notify_all();
            return;
        }
    }
}

/// Reads one record; `Ok(None)` is the end of the stream, `Ok(Some(None))` a kind that this version does not know.
fn read_command(mut stream: &Stream) -> io::Result<Option<Option<Command>>> {
    use io::Read;
    let invalid = |error| io::Error::new(io::ErrorKind::InvalidData, error);
    let mut header = [0; record::HEADER_LEN];
    if let Err(error) = stream.read_exact(&mut header) {
        return if error.kind() == io::ErrorKind::UnexpectedEof { Ok(None) } else { Err(error) };
    }
    let header = record::Header::decode(header).map_err(invalid)?;
    let mut payload = vec![0; header.length as usize];
    stream.read_exact(&mut payload)?;
    Ok(Some(Command::decode(header, &payload).map_err(invalid)?))
}
