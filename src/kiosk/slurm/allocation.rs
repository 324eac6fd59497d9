//! Computers that Slurm gives to one run: asked for, waited for, and given back.
//!
//! `salloc` keeps them for as long as a `cat` runs that reads from a pipe of ours. So they are ours when the `cat` answers,
//! and Slurm has them back when the pipe is closed, by whatever: also when the kiosk is killed.

use std::{
    future::pending,
    io::{self, PipeWriter, Write},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::geteuid;
use tokio::{
    io::AsyncReadExt,
    process::{Child, ChildStdout, Command},
    select,
    task::JoinHandle,
    time::{Instant, sleep, sleep_until, timeout},
};

use super::{
    ask, cancel_left_over, program,
    said::{self, JOBS, Why},
};
use crate::config::Slurm;

/// From one look at the queue to the next; the first comes only to those who are not let in at once.
const LOOK: Duration = Duration::from_millis(700);
/// The same once the computers are ours: salloc itself says sooner when they are not any more.
const LOOK_AFTER: Duration = Duration::from_secs(2);
/// How long giving them back may take.
const RELEASE: Duration = Duration::from_millis(2500);
/// How long it is tried again afterwards, and how often, if Slurm does not answer.
const TRY_AGAIN: (Duration, u32) = (Duration::from_secs(5), 120);
/// How long something takes that is done at once, and the pause before it is asked for again.
const AT_ONCE: Duration = Duration::from_millis(100);
/// Most bytes of what salloc says that are kept.
const MAX_SAID: u64 = 4096;

/// What becomes of a request for computers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// It has to wait.
    Waits(Why),
    /// The computers are ours.
    Granted,
    /// They will not be ours, or not soon enough; why.
    Refused(String),
    /// They are not ours any more, and we did not want that; why.
    Revoked(String),
}

/// A request for computers, or computers that are ours.
pub struct Allocation {
    slurm: Slurm,
    job: String,
    nodes: Vec<String>,
    /// What earlier kiosks have left is cleared away.
    clearing: Option<JoinHandle<Result<usize, String>>>,
    salloc: Option<Salloc>,
    is_granted: bool,
    /// There is nothing more to hear.
    is_over: bool,
    until: Instant,
    look: Instant,
    looking: Option<JoinHandle<Result<InQueue, String>>>,
    why: Option<Why>,
}

struct Salloc {
    child: Child,
    /// Closing it gives the computers back.
    input: PipeWriter,
    echo: ChildStdout,
    said: JoinHandle<String>,
}

impl Allocation {
    /// Asks for exactly these nodes, for a job of this name, which must begin with [`super::JOB`].
    pub fn new(slurm: Slurm, job: String, nodes: Vec<String>) -> Self {
        let now = Instant::now();
        let (clearing, until) = (slurm.clone(), now + slurm.queue_wait);
        let clearing = Some(tokio::spawn(async move { cancel_left_over(&clearing).await }));
        let (salloc, is_granted, is_over) = (None, false, false);
        let (look, looking, why) = (now + LOOK, None, None);
        Self { slurm, job, nodes, clearing, salloc, is_granted, is_over, until, look, looking, why }
    }

    /// How long it may wait.
    pub fn limit(&self) -> Duration {
        self.slurm.queue_wait
    }

    /// What becomes of it next; nothing after it was refused or revoked. May be dropped and called again without loss.
    pub async fn next(&mut self) -> Heard {
        if self.is_over {
            return pending().await;
        }
        let heard = self.hear().await;
        self.is_over = matches!(heard, Heard::Refused(_) | Heard::Revoked(_));
        heard
    }

    async fn hear(&mut self) -> Heard {
        if let Some(clearing) = &mut self.clearing {
            let cleared = select! {
                cleared = clearing => cleared.map_err(|error| error.to_string()).flatten(),
                () = sleep_until(self.until) => Err("Slurm does not answer".to_owned()),
            };
            self.clearing = None;
            if let Err(why) = cleared {
                return Heard::Refused(why);
            }
            match salloc(&self.slurm, &self.job, &self.nodes) {
                Ok(salloc) => self.salloc = Some(salloc),
                Err(error) => {
                    let program = program(&self.slurm, "salloc");
                    return Heard::Refused(format!("{} cannot be run: {error}", program.display()));
                }
            }
        }
        let Some(salloc) = &mut self.salloc else { return pending().await };
        loop {
            let mut byte = [0];
            select! {
                Ok(1) = salloc.echo.read(&mut byte), if !self.is_granted => {
                    self.is_granted = true;
                    self.look = Instant::now() + LOOK_AFTER;
                    return Heard::Granted;
                }
                exit = salloc.child.wait() => {
                    let why = salloc.last_words(exit).await;
                    return if self.is_granted { Heard::Revoked(why) } else { Heard::Refused(why) };
                }
                () = sleep_until(self.until), if !self.is_granted => {
                    let limit = self.slurm.queue_wait.as_secs_f64();
                    return Heard::Refused(format!("{limit} s in the queue were not enough"));
                }
                looked = next_look(&self.slurm, &self.job, &mut self.looking, self.look) => {
                    self.look = Instant::now() + if self.is_granted { LOOK_AFTER } else { LOOK };
                    match looked {
                        // No answer is no answer: Slurm may be away for a while without harm.
                        Err(_) => {}
                        Ok(InQueue::Nothing) if self.is_granted => {
                            return Heard::Revoked(format!("there is no job {} any more", self.job));
                        }
                        Ok(InQueue::Waits(why)) if !self.is_granted && self.why != Some(why) => {
                            self.why = Some(why);
                            return Heard::Waits(why);
                        }
                        Ok(_) => {}
                    }
                }
            }
        }
    }

    /// Gives the computers back, or leaves the queue; says whether Slurm has confirmed that. If not, it is tried for
    /// some minutes more.
    pub async fn release(self) -> bool {
        let Self { slurm, job, salloc, clearing, .. } = self;
        if let Some(clearing) = clearing {
            clearing.abort();
        }
        // Without salloc nothing was asked for.
        let Some(Salloc { mut child, input, .. }) = salloc else { return true };
        drop(input);
        let is_gone = timeout(RELEASE, cancel(&slurm, &job, Some(&mut child))).await.is_ok();
        if let Err(error) = child.kill().await {
            log::warn!("salloc cannot be ended: {error}");
        }
        if !is_gone {
            log::warn!("Slurm does not confirm the end of job {job}; it is tried again");
            tokio::spawn(async move {
                let (pause, times) = TRY_AGAIN;
                for _ in 0..times {
                    sleep(pause).await;
                    if timeout(pause, cancel(&slurm, &job, None)).await.is_ok() {
                        return;
                    }
                }
                log::error!("job {job} may still be in Slurm's queue: scancel --name={job}");
            });
        }
        is_gone
    }
}

/// Returns when no job of this name is there and `salloc` has ended.
async fn cancel(slurm: &Slurm, job: &str, salloc: Option<&mut Child>) {
    let user = format!("--user={}", geteuid().as_raw());
    let name = format!("--name={job}");
    if let Some(salloc) = salloc {
        // Whose `cat` runs ends now that its pipe is closed; who waits in the queue does so when the job is cancelled.
        let _ = timeout(AT_ONCE, salloc.wait()).await;
    }
    loop {
        match look(slurm.clone(), job.to_owned()).await {
            Ok(InQueue::Nothing | InQueue::Over) => return,
            Ok(InQueue::Waits(_) | InQueue::Runs) => {
                if let Err(why) = ask(slurm, "scancel", [&user, &name]).await {
                    log::warn!("job {job} cannot be cancelled: {why}");
                }
            }
            Err(why) => log::warn!("whether job {job} is over is not known: {why}"),
        }
        sleep(AT_ONCE).await;
    }
}

/// A job as the queue shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum InQueue {
    Nothing,
    Waits(Why),
    Runs,
    Over,
}

async fn look(slurm: Slurm, job: String) -> Result<InQueue, String> {
    let user = format!("--user={}", geteuid().as_raw());
    let text = ask(&slurm, "squeue", ["--noheader", &user, &format!("--name={job}"), JOBS]).await?;
    Ok(said::jobs(&text).next().map_or(InQueue::Nothing, |job| {
        if job.is_pending() {
            InQueue::Waits(Why::of(job.reason))
        } else if job.is_over() {
            InQueue::Over
        } else {
            InQueue::Runs
        }
    }))
}

/// Looks at `at`; may be dropped and called again.
async fn next_look(
    slurm: &Slurm,
    job: &str,
    looking: &mut Option<JoinHandle<Result<InQueue, String>>>,
    at: Instant,
) -> Result<InQueue, String> {
    if looking.is_none() {
        sleep_until(at).await;
    }
    let asked = looking.get_or_insert_with(|| tokio::spawn(look(slurm.clone(), job.to_owned())));
    let looked = asked.await.map_err(|error| error.to_string()).flatten();
    *looking = None;
    looked
}

impl Salloc {
    async fn last_words(&mut self, exit: io::Result<ExitStatus>) -> String {
        let said = timeout(Duration::from_millis(200), &mut self.said).await;
        let said = said.ok().and_then(Result::ok).unwrap_or_default();
        match said.lines().last() {
            Some(line) => line.trim_start_matches("salloc: ").trim_start_matches("error: ").into(),
            None => exit.map_or_else(|error| error.to_string(), |exit| format!("salloc: {exit}")),
        }
    }
}

fn salloc(slurm: &Slurm, job: &str, nodes: &[String]) -> io::Result<Salloc> {
    let (from_us, mut input) = io::pipe()?;
    // What the `cat` answers when it runs. A pipe has room for it.
    input.write_all(b"\n")?;
    let mut command = Command::new(program(slurm, "salloc"));
    command
        .arg(format!("--job-name={job}"))
        .arg(format!("--nodes={}", nodes.len()))
        .arg(format!("--nodelist={}", nodes.join(",")))
        .arg(format!("--time={}", slurm.time_limit_min))
        // Nobody's job is to be slowed down by ours, nor ours by theirs.
        .arg("--exclusive")
        // When the job is cancelled from outside the `cat` shall end, and salloc with it.
        .arg("--kill-command=TERM");
    let partition = slurm.partition.iter().map(|partition| format!("--partition={partition}"));
    let account = slurm.account.iter().map(|account| format!("--account={account}"));
    let mut child = command
        .args(partition.chain(account))
        .arg("cat")
        .env("LC_ALL", "C")
        .stdin(from_us)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()?;
    let (Some(echo), Some(says)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(io::ErrorKind::BrokenPipe.into());
    };
    let said = tokio::spawn(async move {
        let mut said = Vec::new();
        // What was read up to an error is what there is.
        let _ = says.take(MAX_SAID).read_to_end(&mut said).await;
        String::from_utf8_lossy(&said).into_owned()
    });
    Ok(Salloc { child, input, echo, said })
}
