//! A real X server without a screen, and the real program in it: fingers by XTEST, eyes by GetImage.

#![allow(dead_code, reason = "every program that includes it uses its own part of it")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use x11rb::{
    connection::Connection,
    protocol::{
        xproto::{
            BUTTON_PRESS_EVENT, BUTTON_RELEASE_EVENT, ConnectionExt as _, ImageFormat,
            MOTION_NOTIFY_EVENT, Window,
        },
        xtest::ConnectionExt as _,
    },
    rust_connection::RustConnection,
};

/// An X server of 800x480 pixels.
pub struct XServer {
    server: Child,
    /// Its name in `DISPLAY`.
    pub display: String,
    connection: RustConnection,
    root: Window,
}

impl XServer {
    /// Starts one on a display that is free.
    pub fn start() -> Self {
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "800x480x24", "-nolisten", "tcp", "-noreset"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb starts (Debian package xvfb; ./kiosk test installs it)");
        let mut number = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut number).unwrap();
        let display = format!(":{}", number.trim());
        let (connection, screen) = x11rb::connect(Some(&display)).unwrap();
        let root = connection.setup().roots[screen].root;
        Self { server, display, connection, root }
    }

    /// The pixels of a rectangle, 0x00RRGGBB, row by row.
    pub fn pixels(&self, x: i16, y: i16, width: u16, height: u16) -> Vec<u32> {
        let image = self
            .connection
            .get_image(ImageFormat::Z_PIXMAP, self.root, x, y, width, height, !0)
            .unwrap()
            .reply()
            .unwrap();
        let pixel = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().unwrap()) & 0x00ff_ffff;
        image.data.chunks_exact(4).map(pixel).collect()
    }

    /// One pixel.
    pub fn pixel(&self, x: i16, y: i16) -> u32 {
        self.pixels(x, y, 1, 1)[0]
    }

    fn fake(&self, kind: u8, detail: u8, x: i16, y: i16) {
        self.connection.xtest_fake_input(kind, detail, 0, self.root, x, y, 0).unwrap();
        self.connection.flush().unwrap();
    }

    /// The pointer goes there.
    pub fn move_to(&self, x: i16, y: i16) {
        self.fake(MOTION_NOTIFY_EVENT, 0, x, y);
    }

    /// The left button goes down.
    pub fn press(&self) {
        self.fake(BUTTON_PRESS_EVENT, 1, 0, 0);
    }

    /// And up.
    pub fn release(&self) {
        self.fake(BUTTON_RELEASE_EVENT, 1, 0, 0);
    }

    /// Whether it does nothing at all from now on.
    pub fn stand_still(&self, still: bool) {
        use rustix::process::{Pid, Signal, kill_process};
        let signal = if still { Signal::STOP } else { Signal::CONT };
        kill_process(Pid::from_child(&self.server), signal).unwrap();
    }

    /// A short touch.
    pub fn tap(&self, x: i16, y: i16) {
        self.move_to(x, y);
        self.press();
        self.release();
    }
}

impl Drop for XServer {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// The kiosk's own program in a window of an [`XServer`].
pub struct Program {
    pub process: Child,
    /// Its run-time folder, and the mark by which the processes of its runs are known.
    pub folder: tempfile::TempDir,
}

impl Program {
    /// Starts `program` with the demos of `demos` before its own.
    pub fn start(program: &Path, server: &XServer, demos: &Path) -> Self {
        Self::start_with(program, server, &[Path::new("--demos"), demos])
    }

    /// Starts `program` with these arguments.
    pub fn start_with(program: &Path, server: &XServer, arguments: &[&Path]) -> Self {
        Self::spawn(Command::new(program).args(arguments), server)
    }

    /// Starts `program` with the demos of `demos`, watched over by whoever listens at the socket `notify`.
    pub fn start_noticed(program: &Path, server: &XServer, demos: &Path, notify: &Path) -> Self {
        let mut command = Command::new(program);
        command.args([Path::new("--demos"), demos]).env("NOTIFY_SOCKET", notify);
        Self::spawn(&mut command, server)
    }

    /// Starts `program` with these arguments on a bus of its own, which a variable names.
    pub fn start_on_bus(
        program: &Path,
        server: &XServer,
        arguments: &[&Path],
        (name, value): (&str, String),
    ) -> Self {
        Self::spawn(Command::new(program).args(arguments).env(name, value), server)
    }

    fn spawn(command: &mut Command, server: &XServer) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let process = command
            .env("DISPLAY", &server.display)
            .env("XDG_RUNTIME_DIR", folder.path())
            .env("HPC_KIOSK_LOG", "warn")
            .env_remove("WAYLAND_DISPLAY")
            .env_remove("SLINT_BACKEND")
            .spawn()
            .unwrap();
        Self { process, folder }
    }

    /// The processes of its runs that are alive: those that carry its run-time folder in their environment.
    pub fn processes_of_runs(&self) -> Vec<(u32, String)> {
        let mark = format!("XDG_RUNTIME_DIR={}", self.folder.path().display());
        let processes = fs::read_dir("/proc").unwrap().filter_map(|entry| {
            let path = entry.ok()?.path();
            let process: u32 = path.file_name()?.to_str()?.parse().ok()?;
            let environment = fs::read(path.join("environ")).ok()?;
            let carries =
                environment.split(|byte| *byte == 0).any(|entry| entry == mark.as_bytes());
            let name = fs::read_to_string(path.join("comm")).ok()?;
            (carries && process != self.process.id()).then(|| (process, name.trim().to_owned()))
        });
        processes.collect()
    }

    /// Processor time that the threads it has now have used so far, as the scheduler counts it: to the nanosecond, where
    /// ticks are too coarse for a program that mostly sleeps.
    pub fn cpu_time(&self) -> Duration {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.process.id())).unwrap();
        let nanoseconds = tasks.filter_map(|task| {
            let schedstat = fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
            schedstat.split_ascii_whitespace().next()?.parse::<u64>().ok()
        });
        Duration::from_nanos(nanoseconds.sum())
    }

    /// Resident memory, kB.
    pub fn resident_kb(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_ascii_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Looks every millisecond until `holds`; how long that took, or a panic after `limit`.
pub fn until(what: &str, limit: Duration, mut holds: impl FnMut() -> bool) -> Duration {
    let since = Instant::now();
    while !holds() {
        assert!(since.elapsed() < limit, "waited {limit:?} in vain for: {what}");
        thread::sleep(Duration::from_millis(1));
    }
    since.elapsed()
}

/// A folder of demos: every pair is a folder name and the text of its demo.toml.
pub fn demos(texts: &[(&str, String)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in texts {
        fs::create_dir_all(folder.path().join(name)).unwrap();
        fs::write(folder.path().join(name).join("demo.toml"), text).unwrap();
    }
    folder
}

/// The demo.toml of a test card for visitors.
pub fn test_card(order: u32, arguments: &[&str]) -> String {
    format!(
        "order = {order}\naudience = \"visitor\"\nprogram = \"testcard\"\narguments = {arguments:?}\n\
         mpi = false\ngpu = \"no\"\nfirst_frame_s = 5\n[text.en]\ntitle = \"Test card {order}\"\nline = \"Bars\"\n"
    )
}

/// The checkout's own advection, as it is shipped.
pub fn checkout_demo(name: &str) -> (PathBuf, String) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../demos").join(name);
    let text = fs::read_to_string(folder.join("demo.toml")).unwrap();
    (folder, text)
}
