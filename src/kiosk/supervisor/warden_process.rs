//! The warden of a run, here or on another computer, as a process of ours: started, asked, listened to, and replaced by a
//! sweep if it fails.

use std::{
    ffi::OsString,
    io,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command},
    sync::oneshot,
    task::{JoinHandle, spawn_blocking},
    time::{sleep, timeout},
};
use warden::{Order, Process, Report, Swept, children, sweep};

use super::{ending::GRACE, launch, settings::Remote};

/// How long a warden on another computer may hear nothing of us before it ends the run.
const HEARTBEAT: Duration = Duration::from_secs(4);
/// Most bytes of a report.
const MAX_REPORT: usize = 4096;
/// How long the warden may take from its report to its end, and from SIGKILL to its end.
const LEAVING: Duration = Duration::from_millis(300);
/// How long a sweep may take; only a process that is stuck in the kernel takes longer than a few ms.
const SWEEP: Duration = Duration::from_millis(500);

/// A running warden.
pub struct WardenProcess {
    child: Child,
    ask: Option<Asking>,
    say: Option<ChildStdout>,
    said: Vec<u8>,
    /// The children that this process had besides the warden: not of this run.
    others: JoinHandle<io::Result<Vec<Process>>>,
}

/// How a warden is asked for the end.
enum Asking {
    /// One that runs here.
    Here(ChildStdin),
    /// One that runs elsewhere and must hear of us all the time.
    There(oneshot::Sender<()>),
}

/// Gives an order, is heard from time to time, and in the end asks for the end.
async fn be_heard(mut input: ChildStdin, order: Vec<u8>, mut asked: oneshot::Receiver<()>) {
    let mut is_heard = input.write_all(&order).await.is_ok();
    while is_heard {
        tokio::select! {
            // Also when whoever could ask is gone.
            _ = &mut asked => break,
            () = sleep(HEARTBEAT / 4) => is_heard = input.write_all(b"\n").await.is_ok(),
        }
    }
    let _ = input.write_all(b"stop\n").await;
}

impl WardenProcess {
    /// Starts `command` under the warden at `program`, which is to remove `folder` in the end; also what the run prints.
    ///
    /// # Errors
    /// If the warden cannot be started.
    pub fn start(
        program: &Path,
        command: &launch::Command,
        folder: &Path,
    ) -> io::Result<(Self, Option<ChildStderr>)> {
        let mut warden = Command::new(program);
        warden
            .arg("--grace-ms")
            .arg(GRACE.as_millis().to_string())
            .arg("--remove")
            .arg(folder)
            .arg("--")
            .arg(&command.program)
            .args(&command.arguments)
            .envs(command.environment.iter().map(|(name, value)| (name, value)));
        Self::spawn(warden, Asking::Here)
    }

    /// Starts `command` under a warden on the computer at `address`, which makes `folder` there and removes it in the end;
    /// also what the run prints.
    ///
    /// # Errors
    /// If the program that leads there cannot be started.
    pub fn start_there(
        remote: &Remote,
        address: &str,
        command: &launch::Command,
        folder: PathBuf,
    ) -> io::Result<(Self, Option<ChildStderr>)> {
        let (ssh, arguments) = remote.ssh.split_first().ok_or(io::ErrorKind::InvalidInput)?;
        let mut there = Command::new(ssh);
        there
            .args(arguments)
            .arg(address)
            .arg(remote.warden())
            .args(["--grace-ms", &GRACE.as_millis().to_string()])
            .args(["--heartbeat-ms", &HEARTBEAT.as_millis().to_string()])
            .arg("--read-order");
        let entry = |(name, value): &(String, OsString)| {
            let mut entry = OsString::from(format!("{name}="));
            entry.push(value);
            entry
        };
        let mut environment: Vec<OsString> = command.environment.iter().map(entry).collect();
        environment.push(entry(&("TMPDIR".into(), folder.clone().into())));
        let order = Order {
            program: command.program.clone().into(),
            arguments: command.arguments.clone(),
            environment,
            folder: Some(folder),
        };
        Self::spawn(there, |input| {
            let (ask, asked) = oneshot::channel();
            tokio::spawn(be_heard(input, order.encode(), asked));
            Asking::There(ask)
        })
    }

    fn spawn(
        mut warden: Command,
        asking: impl FnOnce(ChildStdin) -> Asking,
    ) -> io::Result<(Self, Option<ChildStderr>)> {
        let mut child = warden
            // A signal from a terminal is for the kiosk, which then ends its run in order.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let (ask, say, printed) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let ask = ask.map(asking);
        let own = child.id();
        let others = spawn_blocking(move || {
            let is_other =
                |process: &Process| u32::try_from(process.pid.as_raw_nonzero().get()).ok() != own;
            children().map(|children| children.into_iter().filter(is_other).collect())
        });
        Ok((Self { child, ask, say, said: Vec::new(), others }, printed))
    }

    /// Asks for the end of the run; doing it again changes nothing.
    pub async fn ask(&mut self) {
        // A warden that is gone needs no asking. Closing the pipe says the same once more.
        match self.ask.take() {
            Some(Asking::Here(mut input)) => {
                let _ = input.write_all(b"stop\n").await;
            }
            Some(Asking::There(ask)) => {
                let _ = ask.send(());
            }
            None => {}
        }
    }

    /// Its report, when the run is over; `None` if it is gone without one. May be dropped and called again.
    pub async fn next(&mut self) -> Option<Report> {
        while let Some(say) = &mut self.say {
            let mut bytes = [0; 256];
            match say.read(&mut bytes).await {
                Ok(count) if 0 < count && self.said.len() < MAX_REPORT => {
                    self.said.extend_from_slice(&bytes[..count]);
                }
                _ => self.say = None,
            }
        }
        // Its status tells nothing that the report does not; it is taken so that no dead child stays.
        if timeout(LEAVING, self.child.wait()).await.is_err() {
            // What leads to another computer may take its time to leave, and has nothing more to tell.
            let _ = timeout(LEAVING, self.child.kill()).await;
        }
        String::from_utf8_lossy(&self.said).parse().ok()
    }

    /// The process itself, while its status is not taken.
    pub fn process(&self) -> Option<Process> {
        let pid = self.child.id().and_then(|pid| i32::try_from(pid).ok());
        pid.and_then(rustix::process::Pid::from_raw).and_then(Process::read)
    }

    /// Kills the warden and then everything of the run, from here; `spared` and what is below it is none of it.
    pub fn replace_by_sweep(self, spared: Vec<Process>) -> JoinHandle<io::Result<Swept>> {
        let Self { mut child, others, .. } = self;
        tokio::spawn(async move {
            let _ = child.start_kill();
            // Only when it is dead are its children ours.
            let _ = timeout(LEAVING, child.wait()).await;
            let mut others = others.await.map_err(io::Error::other)??;
            others.extend(spared);
            let began = Instant::now();
            let swept = spawn_blocking(move || sweep(&others, SWEEP, |_, _| {})).await;
            let swept = swept.map_err(io::Error::other)??;
            log::warn!(
                "swept a run whose warden failed: {} killed, {} left, {:?}",
                swept.killed,
                swept.left,
                began.elapsed()
            );
            Ok(swept)
        })
    }
}
