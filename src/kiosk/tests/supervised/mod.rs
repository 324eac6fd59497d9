//! A kiosk without a screen: the real supervisor on a thread of its own, with the real warden and real demos.

#![allow(dead_code, reason = "each test program uses a part of it")]

use std::{
    cell::Cell,
    env, fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use kiosk::{
    catalogue::{Catalogue, Demo},
    config::Config,
    intent::Intent,
    supervisor::{self, Computers, Ended, Fault, Pictures, Settings, State, Status},
};
use rustix::process::{Pid, Signal, getpid, kill_process};
use tokio::sync::{mpsc, oneshot, watch};
use warden::{Process, descendants};
use wire::demo::{FrameHeader, Hello};

/// How long anything may take; only a failing test waits so long.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// How long after a fault the visitor may have to wait for the way back.
pub const WAY_BACK: Duration = Duration::from_secs(5);
pub const CANVAS: (u16, u16) = (320, 160);

/// What was shown.
#[derive(Default)]
pub struct Shown {
    pub hello: Option<Hello>,
    pub header: FrameHeader,
    pub pixels: Vec<u8>,
    pub count: usize,
    pub ends: usize,
}

struct Album(Arc<Mutex<Shown>>);

impl Pictures for Album {
    fn begin(&mut self, hello: &Hello) {
        let mut shown = lock(&self.0);
        assert_eq!(shown.hello, None, "two runs at once");
        shown.hello = Some(hello.clone());
    }

    fn picture(&mut self, header: &FrameHeader, pixels: &[u8]) {
        let mut shown = lock(&self.0);
        let expected = shown.hello.as_ref().map(Hello::picture_len);
        assert_eq!(Some(pixels.len()), expected);
        shown.header = *header;
        shown.pixels.clear();
        shown.pixels.extend_from_slice(pixels);
        shown.count += 1;
    }

    fn end(&mut self) {
        let mut shown = lock(&self.0);
        assert!(shown.hello.take().is_some(), "an end without a beginning");
        shown.ends += 1;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A running supervisor. Only one at a time in a process, as in the kiosk: a sweep takes all that is below it.
pub struct Kiosk {
    pub intents: mpsc::Sender<Intent>,
    pub status: watch::Receiver<Status>,
    shown: Arc<Mutex<Shown>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    folder: tempfile::TempDir,
    launched: Cell<Instant>,
    _alone: MutexGuard<'static, ()>,
}

impl Kiosk {
    /// With these demos, each an id and the lines of its demo.toml that are not in [`demo`].
    pub fn new(demos: &[(&str, &str)]) -> Self {
        Self::with(demos, |_| {})
    }

    pub fn with(demos: &[(&str, &str)], change: impl FnOnce(&mut Settings)) -> Self {
        let (_, nobody) = watch::channel(Computers::default());
        Self::on(demos, nobody, change)
    }

    /// The same on these computers.
    pub fn on(
        demos: &[(&str, &str)],
        computers: watch::Receiver<Computers>,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        static ALONE: Mutex<()> = Mutex::new(());
        let alone = lock(&ALONE);
        assert_eq!(below(), [], "a test before left something");
        let folder = tempfile::Builder::new().prefix("k").tempdir_in("/tmp").unwrap();
        let mut settings = Settings::new(&Config::default(), &programs().join("hpc-kiosk"), CANVAS);
        settings.folders = vec![folder.path().into()];
        change(&mut settings);

        let demos = demos.iter().map(|(id, text)| Arc::new(demo(id, text))).collect();
        let catalogue = Arc::new(Catalogue { demos, problems: Vec::new() });
        let (intents, asked) = mpsc::channel(64);
        let (said, status) = watch::channel(Status::default());
        let (stop, stopped) = oneshot::channel::<()>();
        let shown = Arc::new(Mutex::new(Shown::default()));
        let album = Album(Arc::clone(&shown));
        let thread = thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(supervisor::run(
                catalogue,
                settings,
                computers,
                asked,
                said,
                album,
                async {
                    let _ = stopped.await;
                },
            ));
        });
        let (stop, thread) = (Some(stop), Some(thread));
        let launched = Cell::new(Instant::now());
        Self { intents, status, shown, stop, thread, folder, launched, _alone: alone }
    }

    pub fn ask(&self, intent: Intent) {
        self.intents.blocking_send(intent).unwrap();
    }

    pub fn launch(&self, id: &str) {
        self.launched.set(Instant::now());
        self.ask(Intent::Launch(id.into()));
    }

    /// Waits until `condition` holds of the newest status.
    pub fn until(&self, what: &str, condition: impl Fn(&Status) -> bool) -> Status {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let status = self.status.borrow().clone();
            if condition(&status) {
                return status;
            }
            assert!(Instant::now() < deadline, "waited for {what}, got {status:?}");
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Waits until `condition` holds of what is shown.
    pub fn until_shown(&self, what: &str, condition: impl Fn(&Shown) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !condition(&lock(&self.shown)) {
            assert!(
                Instant::now() < deadline,
                "waited for {what}, got {:?}",
                *self.status.borrow()
            );
            thread::sleep(Duration::from_millis(2));
        }
    }

    pub fn shown(&self) -> MutexGuard<'_, Shown> {
        lock(&self.shown)
    }

    pub fn until_running(&self) {
        self.until("a run", |status| matches!(status.state, State::Running { .. }));
    }

    /// Waits for the end of the run that was launched last; asserts that nothing of it is left: no process, no file.
    pub fn until_ended(&self) -> Ended {
        let is_of_it = |ended: &Arc<Ended>| self.launched.get() < ended.at;
        let is_over = |status: &Status| {
            matches!(status.state, State::Idle) && status.ended.as_ref().is_some_and(is_of_it)
        };
        let status = self.until("the end of the run", is_over);
        self.assert_clean();
        let ended = status.ended.unwrap();
        assert!(ended.verified, "{ended:?}");
        (*ended).clone()
    }

    pub fn assert_clean(&self) {
        assert_eq!(below(), [], "processes are left");
        let files: Vec<_> = fs::read_dir(self.folder.path()).unwrap().collect();
        assert!(files.is_empty(), "files are left: {files:?}");
    }

    /// Names of the files in the folder of the run, at any depth.
    pub fn files(&self) -> Vec<String> {
        let mut names = Vec::new();
        let mut folders = vec![self.folder.path().to_path_buf()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let entry = entry.unwrap();
                if entry.file_type().unwrap().is_dir() {
                    folders.push(entry.path());
                }
                names.push(entry.file_name().into_string().unwrap());
            }
        }
        names
    }

    /// Launches a demo and waits for its fault; asserts that the way back was free within 5 s after `good`.
    pub fn fault_of(&self, id: &str, good: Duration) -> Option<Fault> {
        self.launch(id);
        let ended = self.until_ended();
        let took = ended.at - self.launched.get();
        assert!(took < good + WAY_BACK, "{took:?} {ended:?}");
        ended.fault
    }
}

impl Drop for Kiosk {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            if !thread::panicking() {
                ended.unwrap();
                self.assert_clean();
            }
        }
    }
}

/// What is below this process, but for what looks at Slurm's queue every second and belongs to no run.
fn below() -> Vec<Process> {
    let looks = |process: &Process| {
        let path = format!("/proc/{}/comm", process.pid.as_raw_nonzero());
        fs::read_to_string(path).is_ok_and(|comm| ["sinfo", "squeue"].contains(&comm.trim()))
    };
    let mut below = descendants(getpid(), &[]).unwrap();
    below.retain(|process| !looks(process));
    below
}

/// A demo of the test card, or of what else `text` says; lines of `text` win.
pub fn demo(id: &str, text: &str) -> Demo {
    let mut all = String::new();
    for line in ["order = 1", "audience = 'owner'", "program = 'testcard'", "mpi = false"] {
        let key = line.split_once(' ').unwrap().0;
        if !text.lines().any(|other| other.starts_with(key)) {
            all.push_str(line);
            all.push('\n');
        }
    }
    let (keys, controls) = text.split_once("[[control]]").unwrap_or((text, ""));
    all.push_str(keys);
    all.push_str("\n[text.en]\ntitle = 'T'\nline = 'L'\n");
    if !controls.is_empty() {
        all.push_str("[[control]]");
        all.push_str(controls);
    }
    Demo::parse(id, Path::new("/nonexistent"), "x86_64", &all).unwrap()
}

/// The folder of the workspace's programs: above that of the test's own.
pub fn programs() -> PathBuf {
    let own = env::current_exe().unwrap();
    let folder = own.ancestors().nth(2).unwrap().to_path_buf();
    for program in ["hpc-kiosk-warden", "testcard"] {
        let path = folder.join(program);
        assert!(
            path.is_file(),
            "{} is missing: run `cargo build --workspace` first",
            path.display()
        );
    }
    folder
}

/// The living descendants of this process whose name is `name`.
pub fn processes(name: &str) -> Vec<Pid> {
    let is_named = |process: &&Process| {
        let path = format!("/proc/{}/comm", process.pid.as_raw_nonzero());
        !process.is_dead && fs::read_to_string(path).is_ok_and(|comm| comm.trim() == name)
    };
    descendants(getpid(), &[]).unwrap().iter().filter(is_named).map(|process| process.pid).collect()
}

/// The one process of that name, once it is there.
pub fn process(name: &str) -> Pid {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let [pid] = processes(name)[..] {
            return pid;
        }
        assert!(Instant::now() < deadline, "waited for one {name}, got {:?}", processes(name));
        thread::sleep(Duration::from_millis(2));
    }
}

pub fn signal(pid: Pid, signal: Signal) {
    kill_process(pid, signal).unwrap();
}
