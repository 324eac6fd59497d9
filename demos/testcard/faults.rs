//! Every way in which a demo can fail, on demand: what the kiosk is tested with. Not an example; it speaks to the
//! socket directly, because the crate `screen` does not let a demo do any of this.

use std::{
    env,
    io::Write,
    net::TcpStream,
    os::unix::net::UnixStream,
    process::{self, Command},
    sync::{Arc, atomic::AtomicBool},
    thread,
    time::Duration,
};

use anyhow::{Context, bail};
use clap::ValueEnum;
use wire::{
    channel::{Address, CHANNEL_VARIABLE, TOKEN_VARIABLE},
    demo::{Alive, Device, End, EndReason, FrameHeader, Hello, PixelFormat, Rank, TOKEN_LEN, Text},
};

/// Time between two pictures.
const INTERVAL: Duration = Duration::from_millis(20);
/// Width and height of the pictures, pixels.
const SIDE: u16 = 64;
/// Where the version stands in the bytes of a hello: after the record's header and the magic.
const VERSION_AT: usize = 12;

/// What goes wrong. Those that say nothing else do it after `--after` pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Fault {
    /// Aborts before it connects.
    CrashAtStart,
    /// Aborts.
    Crash,
    /// Exits with status 3, without an end record.
    Exit,
    /// Exits with status 0, without an end record.
    Leave,
    /// Panics.
    Panic,
    /// Does nothing any more.
    Hang,
    /// Never connects.
    Silent,
    /// Connects and never says a word.
    Mute,
    /// Says hello and is alive, and never sends a picture.
    NoFrame,
    /// Sends pictures as fast as it can.
    Flood,
    /// Sends texts as fast as it can.
    FloodText,
    /// Prints as fast as it can.
    FloodLog,
    /// Sends bytes that are no record.
    Garbage,
    /// Says something else than hello.
    GarbageAtStart,
    /// Exits with status 0 in the middle of a picture.
    Truncated,
    /// Announces a picture of 4 GB.
    HugeFrame,
    /// Sends a picture of another size than announced.
    WrongSize,
    /// Speaks another version of the protocol.
    WrongVersion,
    /// Does not know the token of the run.
    WrongToken,
    /// Closes the connection and goes on.
    Disconnect,
    /// Leaves a process in a session of its own behind, and finishes.
    Orphan,
    /// Goes on painting whatever the kiosk says.
    IgnoreStop,
    /// The same, and ignores SIGTERM too.
    IgnoreTerm,
    /// Says that it cannot go on.
    Fail,
    /// Says that it is done.
    Finish,
    /// Says that it is done, and does not end.
    FinishAndStay,
}

/// Behaves well for `after` pictures, then as `fault` says.
pub fn play(fault: Fault, after: u64) -> anyhow::Result<()> {
    match fault {
        Fault::CrashAtStart => process::abort(),
        Fault::Silent => sleep_for_ever(),
        _ => {}
    }
    let mut kiosk = Kiosk::connect()?;
    match fault {
        Fault::Mute => sleep_for_ever(),
        Fault::GarbageAtStart => {
            kiosk.send(b"GET / HTTP/1.1\r\nHost: kiosk\r\n\r\n")?;
            sleep_for_ever();
        }
        Fault::WrongVersion => {
            let mut bytes = hello(kiosk.token);
            bytes[VERSION_AT..VERSION_AT + 2].copy_from_slice(&2_u16.to_le_bytes());
            kiosk.send(&bytes)?;
            sleep_for_ever();
        }
        Fault::WrongToken => {
            kiosk.send(&hello([b'0'; TOKEN_LEN]))?;
            sleep_for_ever();
        }
        _ => kiosk.send(&hello(kiosk.token))?,
    }
    if fault == Fault::NoFrame {
        for step in 0.. {
            kiosk.send_record(|bytes| Alive { step }.encode(bytes))?;
            thread::sleep(INTERVAL);
        }
    }
    for step in 1..=after {
        kiosk.send(&frame(step, usize::from(SIDE) * usize::from(SIDE)))?;
        thread::sleep(INTERVAL);
    }
    strike(fault, kiosk, after)
}

/// What happens after the pictures.
fn strike(fault: Fault, mut kiosk: Kiosk, after: u64) -> anyhow::Result<()> {
    let whole = usize::from(SIDE) * usize::from(SIDE);
    match fault {
        Fault::Crash => process::abort(),
        Fault::Exit => {
            eprintln!("the test card leaves with status 3");
            process::exit(3);
        }
        Fault::Leave => process::exit(0),
        Fault::Panic => panic!("the test card panics because it was asked to"),
        Fault::Flood => loop {
            kiosk.send(&frame(after, whole))?;
        },
        Fault::FloodText => loop {
            let sentences = vec![(*b"en", "again".into())];
            kiosk.send_record(|bytes| Text { sentences }.encode(bytes))?;
        },
        Fault::FloodLog => loop {
            eprintln!("{}", "the test card says so again and again ".repeat(20));
        },
        Fault::Garbage => kiosk.send(&[0xa5; 4096])?,
        Fault::Truncated => {
            kiosk.send(&frame(after, whole)[..whole / 2])?;
            process::exit(0);
        }
        Fault::HugeFrame => kiosk.send(&[2, 0, 0, 0, 0xff, 0xff, 0xff, 0xff])?,
        Fault::WrongSize => kiosk.send(&frame(after, whole - 1))?,
        Fault::Disconnect => drop(kiosk),
        Fault::Orphan => {
            let status = Command::new("setsid").args(["--fork", "sleep", "1000"]).status()?;
            if !status.success() {
                bail!("setsid has not started the sleeper: {status}");
            }
            return kiosk.end(EndReason::Finished, "");
        }
        Fault::IgnoreStop => kiosk.paint_for_ever(after)?,
        Fault::IgnoreTerm => {
            let noticed = Arc::new(AtomicBool::new(false));
            signal_hook::flag::register(signal_hook::consts::SIGTERM, noticed)?;
            kiosk.paint_for_ever(after)?;
        }
        Fault::Fail => return kiosk.end(EndReason::Failed, "the pipe is blocked"),
        Fault::Finish => return kiosk.end(EndReason::Finished, ""),
        Fault::FinishAndStay => kiosk.end(EndReason::Finished, "")?,
        // Those that happen at the start have happened.
        _ => {}
    }
    sleep_for_ever()
}

fn sleep_for_ever() -> ! {
    loop {
        thread::park();
    }
}

/// The connection, and the token that opens it.
struct Kiosk {
    stream: Box<dyn Write>,
    token: [u8; TOKEN_LEN],
}

impl Kiosk {
    fn connect() -> anyhow::Result<Self> {
        let address =
            env::var(CHANNEL_VARIABLE).with_context(|| format!("{CHANNEL_VARIABLE} is not set"))?;
        let token =
            env::var(TOKEN_VARIABLE).with_context(|| format!("{TOKEN_VARIABLE} is not set"))?;
        let token =
            token.as_bytes().try_into().with_context(|| format!("'{token}' is no token"))?;
        let stream: Box<dyn Write> = match address.parse()? {
            Address::Unix(path) => Box::new(UnixStream::connect(path)?),
            Address::Tcp(address) => Box::new(TcpStream::connect(address)?),
        };
        Ok(Self { stream, token })
    }

    fn send(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        self.stream.write_all(bytes).context("the kiosk does not listen any more")
    }

    fn send_record(&mut self, encode: impl FnOnce(&mut Vec<u8>)) -> anyhow::Result<()> {
        let mut bytes = Vec::new();
        encode(&mut bytes);
        self.send(&bytes)
    }

    fn end(&mut self, reason: EndReason, detail: &str) -> anyhow::Result<()> {
        self.send_record(|bytes| End { reason, detail: detail.into() }.encode(bytes))
    }

    fn paint_for_ever(&mut self, after: u64) -> anyhow::Result<()> {
        for step in after.. {
            // That the kiosk is gone changes nothing for this one.
            let _ = self.send(&frame(step, usize::from(SIDE) * usize::from(SIDE)));
            thread::sleep(INTERVAL);
        }
        Ok(())
    }
}

fn hello(token: [u8; TOKEN_LEN]) -> Vec<u8> {
    let rank = Rank {
        x: 0,
        y: 0,
        width: SIDE,
        height: SIDE,
        device: Device::Cpu,
        host: "testcard".into(),
    };
    let format = PixelFormat::Indexed;
    let mut bytes = Vec::new();
    Hello { token, format, width: SIDE, height: SIDE, ranks: vec![rank] }.encode(&mut bytes);
    bytes
}

fn frame(step: u64, picture_len: usize) -> Vec<u8> {
    let mut bytes = FrameHeader { step, ..Default::default() }.encode(picture_len).to_vec();
    bytes.resize(bytes.len() + picture_len, step as u8);
    bytes
}
