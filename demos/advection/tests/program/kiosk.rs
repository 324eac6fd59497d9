//! The kiosk's end of the protocol, played by a test.

use std::{
    io::{Read, Write},
    os::unix::net::{UnixListener, UnixStream},
    process::{Child, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use wire::{
    demo::{Alive, End, FrameHeader, Hello, Statistics, Text},
    kiosk::{Command, Control, Phase, Pointer},
    record::{HEADER_LEN, Header, Kind},
};

use crate::mpirun::{Folder, ends, mpirun};

/// More than a loaded machine needs for anything here.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What a demo has said.
#[derive(Debug)]
pub enum Said {
    Frame(FrameHeader, Vec<u8>),
    Statistics(Statistics),
    Text(Text),
    Alive(Alive),
    End(End),
    State(Vec<u8>),
}

/// A running demo, seen from the kiosk.
pub struct Kiosk {
    pub hello: Hello,
    pub token: String,
    stream: UnixStream,
    child: Child,
    sequence: u32,
    _folder: Folder,
}

impl Kiosk {
    /// Starts the demo on `ranks` ranks and waits for its hello.
    pub fn start(ranks: usize, size: (u16, u16)) -> Self {
        Self::start_with(ranks, size, &[], &[])
    }

    /// The same in advance: it sleeps until it is told to begin.
    pub fn start_asleep(ranks: usize, size: (u16, u16)) -> Self {
        Self::start_with(ranks, size, &[("HPC_KIOSK_WAIT", "1")], &[])
    }

    /// With more in its environment and on its command line.
    pub fn start_with(
        ranks: usize,
        (width, height): (u16, u16),
        more: &[(&str, &str)],
        arguments: &[&str],
    ) -> Self {
        let folder = Folder::new();
        let socket = folder.path("kiosk.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        let token = format!("{:032x}", u128::from(std::process::id()) << 64 | unique());
        let child = mpirun(ranks, &folder)
            .env("HPC_KIOSK_CHANNEL", format!("unix:{}", socket.display()))
            .env("HPC_KIOSK_TOKEN", &token)
            .env("HPC_KIOSK_CANVAS", format!("{width}x{height}"))
            .envs(more.iter().copied())
            .args(arguments)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut stream = accept(&listener);
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let (kind, payload) = read_record(&mut stream).unwrap();
        assert_eq!(kind, Kind::Hello);
        let hello = Hello::decode(&payload).unwrap();
        Self { hello, token, stream, child, sequence: 0, _folder: folder }
    }

    /// The next thing that the demo says.
    pub fn hear(&mut self) -> Said {
        let (kind, payload) = read_record(&mut self.stream).expect("the demo has hung up");
        match kind {
            Kind::Frame => {
                let header = FrameHeader::decode(&payload).unwrap();
                let pixels = payload[FrameHeader::LEN..].to_vec();
                assert_eq!(pixels.len(), self.hello.picture_len());
                Said::Frame(header, pixels)
            }
            Kind::Statistics => Said::Statistics(Statistics::decode(&payload).unwrap()),
            Kind::Text => Said::Text(Text::decode(&payload).unwrap()),
            Kind::Alive => Said::Alive(Alive::decode(&payload).unwrap()),
            Kind::End => Said::End(End::decode(&payload).unwrap()),
            Kind::State => Said::State(payload),
            other => panic!("a demo does not say {other:?}"),
        }
    }

    /// Listens until `wanted` finds what it looks for.
    #[track_caller]
    pub fn until<T>(&mut self, mut wanted: impl FnMut(Said) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Some(found) = wanted(self.hear()) {
                return found;
            }
        }
        panic!("not said within {PATIENCE:?}");
    }

    /// The next picture.
    pub fn frame(&mut self) -> (FrameHeader, Vec<u8>) {
        self.until(|said| match said {
            Said::Frame(header, pixels) => Some((header, pixels)),
            _ => None,
        })
    }

    pub fn say(&mut self, command: &Command) {
        let mut bytes = Vec::new();
        command.encode(&mut bytes);
        self.stream.write_all(&bytes).unwrap();
    }

    pub fn control(&mut self, name: &str, value: f64) {
        self.say(&Command::Control(Control { name: name.into(), value }));
    }

    /// Says what a finger does; the event's sequence number.
    pub fn finger(&mut self, finger: u8, phase: Phase, (x, y): (f32, f32)) -> u32 {
        self.sequence += 1;
        let sequence = self.sequence;
        self.say(&Command::Pointer(Pointer { sequence, finger, phase, x, y }));
        sequence
    }

    /// Breaks the connection, as a kiosk that has crashed does.
    pub fn hang_up(&mut self) {
        self.stream.shutdown(std::net::Shutdown::Both).unwrap();
    }

    /// Waits for mpirun's end.
    #[track_caller]
    pub fn ends(&mut self) -> ExitStatus {
        ends(&mut self.child, PATIENCE)
    }

    /// Sends the signal to mpirun that cannot be refused.
    pub fn kill_mpirun(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Kiosk {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|status| status.is_none()) {
            let _ = self.stream.shutdown(std::net::Shutdown::Both);
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

fn unique() -> u128 {
    static COUNT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed).into()
}

fn accept(listener: &UnixListener) -> UnixStream {
    listener.set_nonblocking(true).unwrap();
    let until = Instant::now() + PATIENCE;
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(false).unwrap();
                return stream;
            }
            Err(_) if Instant::now() < until => std::thread::sleep(Duration::from_millis(2)),
            Err(error) => panic!("the demo does not connect: {error}"),
        }
    }
}

fn read_record(stream: &mut UnixStream) -> std::io::Result<(Kind, Vec<u8>)> {
    let mut header = [0; HEADER_LEN];
    stream.read_exact(&mut header)?;
    let Header { kind, length } = Header::decode(header).unwrap();
    let mut payload = vec![0; length as usize];
    stream.read_exact(&mut payload)?;
    Ok((kind, payload))
}
