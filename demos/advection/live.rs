//! The demo of the kiosk: all ranks carry the picture in lockstep, rank 0 shows it and hears the visitor.

use std::{
    thread,
    time::{Duration, Instant},
};

use advection::{
    crew::Cpu,
    strip::{Device as Wanted, local_cores},
};
use anyhow::Context;
use parallel::{Activity, Job, Shares, strip};
use rustix::time::{ClockId, clock_gettime};
use screen::Screen;
use wire::{
    channel::{CHANNEL_VARIABLE, Processor},
    demo::{
        Device, End, EndReason, FrameHeader, Hello, MAX_HOST, PixelFormat, Rank, RankStatistics,
        Statistics, Text, Unit,
    },
};

use crate::{agreement::agree, arguments::Arguments};

mod command;
mod director;
mod fingers;
mod pace;
mod stage;
mod standby;
mod state;

use command::Command;
use director::Director;
use pace::{FRAME, FrameTime};
use stage::Stage;

/// Seconds that a step stands for where a cell is a pixel: at the full pace of 20 steps per frame, model time runs as the wall clock does.
const STEP_S: f64 = 1.0 / 1200.0;
/// Sleep after a command that holds the picture; the visitor's next word waits no longer than this.
const HELD: Duration = Duration::from_millis(50);
/// The other ranks wake this much before rank 0 has the next command for them.
const EARLY: Duration = Duration::from_micros(300);

/// Plays until the kiosk says stop or is gone; every rank calls it.
///
/// # Errors
/// If no kiosk started the program, or its canvas does not suit the ranks; one rank says so.
pub fn run(job: &Job, arguments: &Arguments) -> anyhow::Result<()> {
    let screen = agree(job, job.is_root().then(connect).transpose())?;
    let mut canvas =
        screen.as_ref().map_or([0, 0], |screen| [screen.canvas().0, screen.canvas().1]);
    job.broadcast(&mut canvas);
    let device = agree(job, told(&job.host(), arguments.device()))?;
    let cpu = agree(job, cpu(arguments))?;
    let size = (canvas[0].into(), canvas[1].into());
    let stage = agree(job, Stage::new(job, size, arguments.fine.into(), (cpu, device)))?;
    play(job, canvas, stage, screen);
    Ok(())
}

/// What is to compute: what the command line says, else what the kiosk does.
fn told(host: &str, device: Wanted) -> anyhow::Result<Wanted> {
    if device != Wanted::Auto {
        return Ok(device);
    }
    Ok(match Screen::processor(host)? {
        Processor::Auto => Wanted::Auto,
        Processor::Cpu => Wanted::Cpu,
        Processor::Gpu => Wanted::Gpu,
    })
}

/// How the processor computes: with as many cores as the command line says, else as the kiosk does, else with those that no
/// other rank has; one is left to a kiosk on this machine.
fn cpu(arguments: &Arguments) -> anyhow::Result<Cpu> {
    let told = match arguments.threads {
        Some(threads) => Some(threads.into()),
        None => Screen::threads()?.map(|threads| threads.get().into()),
    };
    let threads = told.unwrap_or_else(|| local_cores(usize::from(Screen::is_here())));
    Ok(Cpu { level: arguments.level()?, threads })
}

/// Frame after frame, until the kiosk says stop.
fn play(job: &Job, canvas: [u16; 2], mut stage: Stage, screen: Option<Screen>) {
    stage.guard(job);
    let (hosts, gpus) = (hosts(job), job.gather(&[u8::from(stage.has_gpu())]));
    let refused = job.maximum(if stage.refused { 1.0 } else { 0.0 }) != 0.0;
    let mut front = screen.map(|screen| Front::new(screen, job, canvas, (&hosts, &gpus), &stage));
    if let Some(front) = front.as_mut().filter(|_| refused) {
        front.screen.text(&without_gpu());
    }
    if !standby::wait(job, &mut stage, front.as_mut()) {
        return farewell(front);
    }
    let mut due = Instant::now();
    loop {
        let began = Instant::now();
        let mut message =
            front.as_mut().map_or([0.0; Command::LEN], |front| front.ask(&stage, began));
        stage.stopwatch.switch(Activity::Wait);
        job.broadcast(&mut message);
        let command = Command::decode(&message);
        if command.stop {
            break;
        }
        let heard = Instant::now();
        let (first_step, later_steps) = stage.obey(job, &command);
        if let Some(front) = &mut front {
            let whole = began.elapsed();
            let steps = command.batch;
            front.director.learn(FrameTime { steps, first_step, later_steps, whole });
            front.answer(&command, &stage);
            if let Some(steps) = stage.take_lost() {
                front.director.lose(steps);
                front.screen.text(&without_gpu());
            }
        }
        if command.statistics {
            report(job, &mut stage, front.as_mut());
        }
        if command.save {
            standby::save(job, &mut stage, front.as_mut());
        }
        due = if command.held {
            heard + HELD
        } else if front.is_some() {
            // A frame that was late shortens the next sleep, not the next frames.
            (due + FRAME).max(Instant::now())
        } else {
            heard + FRAME.saturating_sub(EARLY)
        };
        stage.stopwatch.switch(Activity::Rest);
        thread::sleep(due.saturating_duration_since(Instant::now()));
    }
    farewell(front);
}

/// The kiosk has said stop or is gone.
fn farewell(front: Option<Front>) {
    if let Some(front) = front {
        front.screen.end(&End { reason: EndReason::Stopped, detail: String::new() });
    }
}

/// A GPU has failed, or lets nobody in.
fn without_gpu() -> Text {
    director::text(
        "Karta graficzna zawiodła: liczy procesor.",
        "A graphics chip has failed: the processor computes.",
    )
}

fn connect() -> anyhow::Result<Screen> {
    let screen = Screen::from_environment().context("the kiosk cannot be used")?;
    screen.with_context(|| {
        format!(
            "no kiosk has started this ({CHANNEL_VARIABLE} is not set): add --headless, see --help"
        )
    })
}

/// The host names of all ranks, on rank 0.
fn hosts(job: &Job) -> Vec<String> {
    let name = job.host();
    let mut own = [0; MAX_HOST];
    let length = name.floor_char_boundary(MAX_HOST);
    own[..length].copy_from_slice(&name.as_bytes()[..length]);
    let all = job.gather(&own);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end_matches('\0').to_owned();
    all.chunks_exact(MAX_HOST).map(text).collect()
}

/// Brings the ranks' statistics together and hands them to the kiosk.
fn report(job: &Job, stage: &mut Stage, front: Option<&mut Front>) {
    let Shares { compute, communicate, wait } = stage.stopwatch.lap(Instant::now());
    let halo_bytes = std::mem::take(&mut stage.halo_bytes);
    let all = job.gather(&[compute.into(), communicate.into(), wait.into(), halo_bytes as f64]);
    let Some(front) = front else { return };
    let ranks = all.chunks_exact(4).map(|numbers: &[f64]| RankStatistics {
        compute: numbers[0] as f32,
        communicate: numbers[1] as f32,
        wait: numbers[2] as f32,
        halo_bytes: numbers[3] as u64,
    });
    front.report(stage, ranks.collect());
}

/// What only rank 0 has.
struct Front {
    screen: Screen,
    director: Director,
    pointer_sequence: u32,
    reported: Instant,
    reported_steps: u64,
}

impl Front {
    fn new(
        mut screen: Screen,
        job: &Job,
        canvas: [u16; 2],
        (hosts, gpus): (&[String], &[u8]),
        stage: &Stage,
    ) -> Self {
        let [width, height] = canvas;
        let rank = |(rank, host): (usize, &String)| {
            let strip = strip(rank, job.size(), width.into());
            Rank {
                x: strip.start as u16,
                y: 0,
                width: strip.len() as u16,
                height,
                device: if gpus[rank] == 0 { Device::Cpu } else { Device::Gpu },
                host: host.clone(),
            }
        };
        screen.hello(Hello {
            token: Default::default(),
            format: PixelFormat::Indexed,
            width,
            height,
            ranks: hosts.iter().enumerate().map(rank).collect(),
        });
        let now = Instant::now();
        Self {
            screen,
            director: Director::new(
                (width, height),
                stage.flow().period(),
                stage.most_steps(),
                now,
            ),
            pointer_sequence: 0,
            reported: now,
            reported_steps: 0,
        }
    }

    /// The next command.
    fn ask(&mut self, stage: &Stage, now: Instant) -> [f64; Command::LEN] {
        let direction = self.director.direct(self.screen.events(), now);
        self.pointer_sequence = direction.pointer_sequence;
        if let Some(text) = &direction.text {
            self.screen.text(text);
        }
        if direction.alive && direction.command.held {
            self.screen.alive(stage.step());
        }
        direction.command.encode()
    }

    /// Shows what a command has led to.
    fn answer(&mut self, command: &Command, stage: &Stage) {
        if !command.paint {
            return;
        }
        let now = clock_gettime(ClockId::Monotonic);
        let header = FrameHeader {
            step: stage.step(),
            model_time_s: stage.step() as f64 * STEP_S / stage.fine() as f64,
            sent_ns: now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64,
            pointer_sequence: self.pointer_sequence,
        };
        self.screen.show(header, |picture| stage.assemble(picture));
    }

    fn report(&mut self, stage: &Stage, ranks: Vec<RankStatistics>) {
        let interval_s = self.reported.elapsed().as_secs_f32().max(1e-3);
        let steps = stage.step() - self.reported_steps;
        (self.reported, self.reported_steps) = (Instant::now(), stage.step());
        self.screen.statistics(&Statistics {
            interval_s,
            steps,
            updates: steps * stage.cells() as u64,
            unit: Unit::Cells,
            ranks,
        });
    }
}
