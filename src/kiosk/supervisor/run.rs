//! One run: its warden, its connection, what it prints. Turns what happens there into events; decides nothing.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::{
    process::ChildStderr,
    select,
    task::JoinHandle,
    time::{Instant, sleep_until, timeout},
};
use warden::{Process, Report, Swept};
use wire::{
    channel::WAIT_VARIABLE,
    demo::{FrameHeader, Hello, Statistics, Text},
    kiosk::{Command, Control, Phase},
};

use super::{
    channel::{Listening, Refusal, new_token},
    connection::{Connection, Received},
    far::{FarEnd, FarSwept},
    launch,
    machine::Event,
    placement::Placement,
    printed::Printed,
    records::Record,
    run_folder::RunFolder,
    settings::{Remote, Settings},
    status::Fault,
    warden_process::WardenProcess,
};
use crate::{
    catalogue::Demo,
    slurm::{
        allocation::{Allocation, Heard},
        said::Why,
    },
};

/// How long after the end of all processes what they left in the connection may take to be read.
const DRAIN: Duration = Duration::from_millis(250);
/// The same while nobody has said hello: a demo that came and went within moments is still heard.
const LAST_CALL: Duration = Duration::from_millis(50);

/// What happens to a run.
pub enum Happening {
    /// The demo has introduced itself.
    Hello(Hello),
    /// A picture came; its pixels are [`Run::pixels`].
    Frame(FrameHeader),
    /// The demo says how fast it is.
    Statistics(Statistics),
    /// The demo says something to the visitor.
    Text(Text),
    /// The demo hands over what another run goes on from.
    State(Vec<u8>),
    /// It has to wait before it is started.
    Waits(Why),
    /// Something that only the states are about.
    Event(Event),
}

/// One run, from its start until nothing of it is left.
pub struct Run {
    demo: Arc<Demo>,
    /// What the warden starts: the demo's program or `mpirun`.
    program: String,
    warden: Option<WardenProcess>,
    sweeping: Option<JoinHandle<io::Result<Swept>>>,
    /// How the warden was reached if it is on another computer: the program and its last argument.
    there: Option<String>,
    /// The other computers that it is on.
    far: Option<FarEnd>,
    /// Those computers as Slurm has lent them, or will.
    allocation: Option<Allocation>,
    /// What is started when it has.
    order: Option<Order>,
    /// The end of the run here, while the other computers are asked.
    leaving: Option<(Event, JoinHandle<FarSwept>)>,
    channel: Channel,
    printed: Printed,
    /// The warden's report, and until when the rest is read.
    over: Option<(Report, Instant)>,
    _folder: RunFolder,
}

/// A warden that is to be started on another computer.
struct Order {
    remote: Remote,
    address: String,
    command: launch::Command,
    folder: PathBuf,
}

impl Order {
    fn start(&self) -> io::Result<(WardenProcess, Option<ChildStderr>)> {
        let Self { remote, address, command, folder } = self;
        WardenProcess::start_there(remote, address, command, folder.clone())
    }
}

enum Channel {
    Listening(Listening),
    Connected(Connection),
    Closed,
}

impl Run {
    /// Starts `demo` where `placement` says; in advance, it sleeps after its hello until it is told to [begin](Self::begin).
    ///
    /// # Errors
    /// If there is no such program, or this machine has no room for a run.
    pub async fn start(
        demo: &Arc<Demo>,
        settings: &Settings,
        placement: &Placement,
        in_advance: bool,
    ) -> Result<Self, Fault> {
        let remote = settings.remote.as_ref().filter(|_| !placement.hosts.is_empty());
        let program = match remote {
            Some(remote) => remote.programs.join(&demo.program),
            None => program_of(demo, settings)?,
        };
        let cannot = |what: &PathBuf, error: io::Error| Fault::CannotStart {
            program: what.display().to_string(),
            why: error.to_string(),
        };
        let folder = RunFolder::new(&settings.folders).map_err(|error| cannot(&program, error))?;
        let token = new_token().map_err(|error| cannot(&program, error))?;
        let mark = new_token().map_err(|error| cannot(&program, error))?;
        let listening = match remote {
            None => Listening::on_this_machine(folder.path(), token),
            Some(remote) => Listening::on_network(remote.address, token).await,
        };
        let listening = listening.map_err(|error| cannot(&program, error))?;
        let channel = listening.address();
        // In memory, as here: Open MPI's shared memory lies in it.
        let name = folder.path().file_name().unwrap_or_default();
        let folder_there = Path::new("/dev/shm").join(name);
        let command = match remote {
            None => {
                let devices = placement.devices();
                let (ranks, devices) = (placement.here, devices.as_ref());
                let here = launch::Here {
                    ranks,
                    threads: placement.threads,
                    devices,
                    folder: folder.path(),
                };
                launch::command(demo, settings, &program, &here, channel, &token)
            }
            Some(remote) => {
                let (mark, folder) = (&mark, &folder_there);
                let far = launch::Far { remote, placement, mark, folder, in_advance };
                launch::remote_command(demo, settings, &far, channel, &token)
            }
        };
        let mut command = command;
        if in_advance {
            command.environment.push((WAIT_VARIABLE.into(), "1".into()));
        }
        let there = remote.filter(|remote| remote.starts_there).zip(placement.hosts.first());
        let order = there.map(|(remote, host)| Order {
            remote: remote.clone(),
            address: host.address.clone(),
            command: command.clone(),
            folder: folder_there.clone(),
        });
        let allocation = remote.and_then(|remote| remote.slurm.clone()).map(|slurm| {
            let nodes = placement.hosts.iter().map(|host| host.name.clone()).collect();
            Allocation::new(slurm, name.to_string_lossy().into_owned(), nodes)
        });
        let (warden, printed, order) = match order {
            Some(order) if allocation.is_some() => (None, None, Some(order)),
            order => {
                let started = match &order {
                    None => WardenProcess::start(&settings.warden, &command, folder.path()),
                    Some(order) => order.start(),
                };
                let starter = match &order {
                    None => settings.warden.clone(),
                    Some(order) => PathBuf::from(&order.remote.ssh[0]),
                };
                let (warden, printed) = started.map_err(|error| cannot(&starter, error))?;
                (Some(warden), printed, None)
            }
        };
        Ok(Self {
            demo: Arc::clone(demo),
            program: command.program.display().to_string(),
            warden,
            sweeping: None,
            there: there.map(|(remote, host)| format!("{} {}", remote.ssh[0], host.name)),
            far: remote.map(|remote| FarEnd::new(remote, placement, mark, folder_there)),
            allocation,
            order,
            leaving: None,
            channel: Channel::Listening(listening),
            printed: Printed::new(printed, &demo.id),
            over: None,
            _folder: folder,
        })
    }

    /// The pixels of the newest picture.
    pub fn pixels(&self) -> &[u8] {
        if let Channel::Connected(connection) = &self.channel { connection.pixels() } else { &[] }
    }

    /// Hands a finger on to the demo.
    pub fn pointer(&mut self, finger: u8, phase: Phase, x: f32, y: f32) {
        if let Channel::Connected(connection) = &mut self.channel {
            connection.outbox.pointer(finger, phase, x, y);
        }
    }

    /// Hands a control's value on to the demo.
    pub fn control(&mut self, control: Control) {
        if let Channel::Connected(connection) = &mut self.channel {
            connection.outbox.control(control);
        }
    }

    /// Asks for what another run can go on from; leads to [`Happening::State`].
    pub fn save(&mut self) {
        if let Channel::Connected(connection) = &mut self.channel {
            connection.save();
        }
    }

    /// Tells a run that was started in advance to begin, where another run was or, with nothing, from the start.
    pub fn begin(&mut self, state: Vec<u8>) {
        if let Channel::Connected(connection) = &mut self.channel {
            connection.outbox.send(Command::Begin(state));
        }
    }

    /// The fingers that are on the picture of `before` are on this one now.
    pub fn take_fingers(&mut self, before: &Run) {
        if let (Channel::Connected(new), Channel::Connected(old)) =
            (&mut self.channel, &before.channel)
        {
            for (finger, x, y) in old.outbox.fingers() {
                new.outbox.pointer(finger, Phase::Down, x, y);
            }
        }
    }

    /// The warden, if it is a process of this machine that lives: not to be ended with another run.
    pub fn warden(&self) -> Option<Process> {
        self.warden.as_ref().and_then(WardenProcess::process)
    }

    /// Sends the protocol's stop.
    pub fn send_stop(&mut self) {
        if let Channel::Connected(connection) = &mut self.channel {
            connection.outbox.stop();
        }
    }

    /// How long it may wait to be let in; `None` if it need not.
    pub fn queue_limit(&self) -> Option<Duration> {
        self.allocation.as_ref().filter(|_| self.order.is_some()).map(Allocation::limit)
    }

    /// Asks the warden to end the run.
    pub async fn ask_warden(&mut self) {
        if self.order.take().is_some() {
            // Nothing was started yet.
            self.leave(Event::Swept { killed: 0, left: 0, unreached: Vec::new() }, None);
            return;
        }
        if let Some(warden) = &mut self.warden {
            warden.ask().await;
        }
    }

    /// Kills the warden and everything of the run, from here; but not `others`, which are other runs'.
    pub fn sweep(&mut self, others: Vec<Process>) {
        if self.leaving.is_some() {
            // It is being done.
            return;
        }
        self.order = None;
        self.channel = Channel::Closed;
        if let Some(warden) = self.warden.take() {
            self.sweeping = Some(warden.replace_by_sweep(others));
        }
    }

    /// Ends what is left elsewhere, and then gives the computers back; `event` comes when that is done.
    fn leave(&mut self, event: Event, far: Option<FarEnd>) {
        let allocation = self.allocation.take();
        let leaving = async move {
            let mut swept = match far {
                Some(far) => far.sweep().await,
                None => FarSwept::default(),
            };
            if let Some(allocation) = allocation
                && !allocation.release().await
            {
                swept.unreached.push("Slurm".into());
            }
            swept
        };
        self.leaving = Some((event, tokio::spawn(leaving)));
    }

    /// What it means to the run what Slurm does; nothing if that is nobody's business.
    fn hear_of_slurm(&mut self, heard: Heard) -> Option<Happening> {
        match heard {
            Heard::Waits(why) => Some(Happening::Waits(why)),
            Heard::Granted => {
                let order = self.order.take()?;
                match order.start() {
                    Ok((warden, printed)) => {
                        self.warden = Some(warden);
                        self.printed = Printed::new(printed, &self.demo.id);
                        Some(Happening::Event(Event::Admitted))
                    }
                    Err(error) => {
                        let (program, why) = (order.remote.ssh[0].clone(), error.to_string());
                        self.leave(Event::NotStarted(Fault::CannotStart { program, why }), None);
                        None
                    }
                }
            }
            Heard::Refused(why) => {
                self.order = None;
                self.leave(Event::NotStarted(Fault::NotAllocated { why }), None);
                None
            }
            Heard::Revoked(why) => Some(Happening::Event(Event::Broken(Fault::Revoked { why }))),
        }
    }

    /// The next thing that happens. May be dropped and called again without loss.
    pub async fn next(&mut self) -> Happening {
        loop {
            if let Some((event, asked)) = &mut self.leaving {
                // A task of ours that panics has asked nobody; that is what is then said.
                let swept = asked.await.unwrap_or_default();
                let event = with_far(event.clone(), swept);
                self.leaving = None;
                return Happening::Event(event);
            }
            let event = match &mut self.sweeping {
                Some(sweeping) => {
                    let swept = sweeping.await.map_err(io::Error::other).flatten();
                    self.sweeping = None;
                    Some(swept_event(swept))
                }
                None => self.take_over(),
            };
            match (event, self.far.take()) {
                (Some(event), Some(far)) => {
                    let exited = match &event {
                        Event::Over { exit, last_line, .. } => {
                            Some(Event::Exited { exit: *exit, last_line: last_line.clone() })
                        }
                        _ => None,
                    };
                    self.leave(event, Some(far));
                    match exited {
                        Some(exited) => return Happening::Event(exited),
                        None => continue,
                    }
                }
                (Some(event), None) => return Happening::Event(event),
                (None, far) => self.far = far,
            }
            let Self { warden, channel, printed, over, there, allocation, .. } = self;
            let may_listen = self.order.is_none();
            let patience = over.as_ref().map_or_else(Instant::now, |(_, until)| *until);
            select! {
                report = next_report(warden), if over.is_none() => match report {
                    None => {
                        // What leads to another computer, and what it leads to, say there why they fail.
                        let _ = timeout(DRAIN, printed.next()).await;
                        let never_began = matches!(channel, Channel::Listening(_));
                        let there = there.as_ref().filter(|_| never_began);
                        return Happening::Event(Event::Unwatched(unwatched(there, printed.last_line())));
                    }
                    Some(Report::NotStarted(why)) => {
                        let fault = self.not_started(&why);
                        self.leave(Event::NotStarted(fault), None);
                    }
                    Some(report) => {
                        let limit = if matches!(channel, Channel::Listening(_)) { LAST_CALL } else { DRAIN };
                        *over = Some((report, Instant::now() + limit));
                    }
                },
                heard = next_of(allocation), if over.is_none() => {
                    if let Some(happening) = self.hear_of_slurm(heard) {
                        return happening;
                    }
                }
                happening = next_on(channel), if may_listen => match happening {
                    Some(Happening::Hello(hello)) => {
                        if let Some((_, until)) = &mut self.over {
                            // What it left while it came and went is still read.
                            *until = Instant::now() + DRAIN;
                        }
                        return Happening::Hello(hello);
                    }
                    Some(happening) => return happening,
                    None => {}
                },
                flood = printed.next(), if !printed.is_over() => if let Some(flood) = flood {
                    *channel = Channel::Closed;
                    return Happening::Event(Event::Broken(flood.into()));
                },
                () = sleep_until(patience), if over.is_some() => self.channel = Channel::Closed,
            }
        }
    }

    /// The end of the run, once all it left has been read or the time for that has passed.
    fn take_over(&mut self) -> Option<Event> {
        let (report, until) = self.over.as_ref()?;
        let is_read = matches!(self.channel, Channel::Closed) && self.printed.is_over();
        if !is_read && Instant::now() < *until {
            return None;
        }
        let Report::Ended { exit, killed, left } = *report else { return None };
        self.over = None;
        self.channel = Channel::Closed;
        let (last_line, unreached) = (self.printed.last_line(), Vec::new());
        Some(Event::Over { exit, last_line, killed, left, unreached })
    }

    fn not_started(&self, why: &str) -> Fault {
        let remedy = match self.demo.mpi {
            true => "install Open MPI or set mpirun in [launch] of kiosk.toml",
            false => "check that it may be executed and is for this machine",
        };
        Fault::CannotStart { program: self.program.clone(), why: format!("{why}; {remedy}") }
    }
}

/// What happens on the channel; `None` if that is nobody's business.
async fn next_on(channel: &mut Channel) -> Option<Happening> {
    match channel {
        Channel::Listening(listening) => match listening.next().await {
            Ok(introduced) => {
                let (hello, connection) = Connection::new(introduced);
                *channel = Channel::Connected(connection);
                Some(Happening::Hello(hello))
            }
            Err(Refusal::Garbage(error)) => {
                *channel = Channel::Closed;
                Some(Happening::Event(Event::Broken(error.into())))
            }
            Err(Refusal::Silent | Refusal::Left | Refusal::WrongToken) => None,
        },
        Channel::Connected(connection) => {
            let received = connection.next().await;
            if let Received::Closed(_) | Received::Broken(_) = received {
                *channel = Channel::Closed;
            }
            happening(received)
        }
        Channel::Closed => std::future::pending().await,
    }
}

fn happening(received: Received) -> Option<Happening> {
    Some(match received {
        Received::Record(Record::Frame(header)) => Happening::Frame(header),
        Received::Record(Record::Statistics(statistics)) => Happening::Statistics(statistics),
        Received::Record(Record::Text(text)) => Happening::Text(text),
        Received::Record(Record::State(state)) => Happening::State(state),
        Received::Record(Record::Alive(_)) => Happening::Event(Event::Progress),
        Received::Record(Record::End(end)) => Happening::Event(Event::End(end)),
        Received::Record(Record::Unknown) => return None,
        Received::Closed(cut) => Happening::Event(Event::Closed(cut)),
        Received::Broken(fault) => Happening::Event(Event::Broken(fault)),
    })
}

/// Why a warden is gone without a word; `there` is what led to it, if it never began its run.
fn unwatched(there: Option<&String>, last_line: String) -> Fault {
    let Some(there) = there else { return Fault::Unwatched };
    let why = match last_line.is_empty() {
        true => "it ended without a word".to_owned(),
        false => last_line,
    };
    Fault::CannotStart {
        program: there.clone(),
        why: format!("{why}; hpc-kiosk doctor says what to do"),
    }
}

async fn next_of(allocation: &mut Option<Allocation>) -> Heard {
    match allocation {
        Some(allocation) => allocation.next().await,
        None => std::future::pending().await,
    }
}

async fn next_report(warden: &mut Option<WardenProcess>) -> Option<Report> {
    match warden {
        Some(warden) => warden.next().await,
        None => std::future::pending().await,
    }
}

fn swept_event(swept: io::Result<Swept>) -> Event {
    match swept {
        Ok(Swept { killed, left }) => Event::Swept { killed, left, unreached: Vec::new() },
        Err(error) => {
            log::error!("cannot look for processes that a run left: {error}");
            Event::Swept { killed: 0, left: 1, unreached: Vec::new() }
        }
    }
}

/// The end of a run here, with what the other computers have said.
fn with_far(event: Event, far: FarSwept) -> Event {
    match event {
        Event::Over { exit, last_line, killed, left, .. } => {
            let (killed, left) = (killed + far.killed, left + far.left);
            Event::Over { exit, last_line, killed, left, unreached: far.unreached }
        }
        Event::Swept { killed, left, .. } => Event::Swept {
            killed: killed + far.killed,
            left: left + far.left,
            unreached: far.unreached,
        },
        other => other,
    }
}

/// The path of a demo's program: in its folder, else beside ours.
fn program_of(demo: &Demo, settings: &Settings) -> Result<PathBuf, Fault> {
    let places = [&demo.folder, &settings.programs];
    let found =
        places.map(|place| place.join(&demo.program)).into_iter().find(|path| path.is_file());
    found.ok_or_else(|| Fault::CannotStart {
        program: demo.program.clone(),
        why: format!(
            "it is neither in {} nor in {}; build or install it",
            demo.folder.display(),
            settings.programs.display()
        ),
    })
}
