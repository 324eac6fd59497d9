//! The test card: colour bars, a moving marker, a cross under every finger. The protocol's smallest example, to be
//! copied; what makes it the kiosk's test double is in `faults.rs` and `--fault` alone.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use anyhow::Context;
use clap::{Parser, ValueEnum};
use rustix::time::{ClockId, clock_gettime};
use screen::{Event, Screen};
use wire::demo::{
    Device, End, EndReason, FrameHeader, Hello, PixelFormat, Rank, RankStatistics, Statistics,
    TOKEN_LEN, Text,
};

use card::Card;

mod card;
mod faults;

/// Time between two words about the speed.
const STATISTICS: Duration = Duration::from_millis(500);

/// Shows colour bars on the kiosk that started it.
#[derive(Parser)]
struct Arguments {
    /// How pixels are written.
    #[arg(long, value_enum, default_value_t = Format::Indexed)]
    format: Format,
    /// Pictures a second.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=240))]
    frames_per_second: u32,
    /// Writes the time at which a picture is handed over into the picture, for measuring how long it takes to the
    /// screen: 64 squares of 8 pixels from (120, 200), the lowest bit of `CLOCK_MONOTONIC` in ns first.
    #[arg(long)]
    stamp: bool,
    /// Fails in this way instead.
    #[arg(long, value_enum)]
    fault: Option<faults::Fault>,
    /// Pictures before it does.
    #[arg(long, default_value_t = 3, requires = "fault")]
    after: u64,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// An amount per pixel, coloured by the kiosk.
    Indexed,
    /// Red, green, blue.
    Rgb,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    if let Some(fault) = arguments.fault {
        return faults::play(fault, arguments.after);
    }
    screen::end_with_parent();
    let screen = Screen::from_environment()?
        .context("no kiosk has started this; run it with `hpc-kiosk --demos DIR` (HPC_KIOSK_CHANNEL is not set)")?;
    show(screen, &arguments);
    Ok(())
}

/// Paints until the kiosk says stop.
fn show(mut screen: Screen, arguments: &Arguments) {
    let format = match arguments.format {
        Format::Indexed => PixelFormat::Indexed,
        Format::Rgb => PixelFormat::Rgb,
    };
    let (width, height) = screen.canvas();
    screen.hello(hello(format, width, height));
    screen.text(&Text {
        sentences: vec![
            (*b"en", "Touch the picture: a cross follows the finger.".into()),
            (*b"pl", "Dotknij obrazu: krzyżyk podąża za palcem.".into()),
        ],
    });

    let mut card = Card::new(width, height, format);
    let interval = Duration::from_secs(1) / arguments.frames_per_second;
    let mut is_held = false;
    let mut step = 0;
    let mut speed = Speed::new();
    let mut next = Instant::now();
    'painting: loop {
        for event in screen.events() {
            match event {
                Event::Pointer(pointer) => card.touch(pointer),
                Event::Control(control) => card.control(&control),
                Event::Pause(held) => is_held = held,
                Event::Stop => break 'painting,
                // Its demo.toml does not say that it resumes, so nobody asks it to.
                Event::Begin(_) | Event::Save => {}
            }
        }
        if is_held {
            // Without this the kiosk would take a held demo for a hung one.
            screen.alive(step);
        } else {
            let began = Instant::now();
            step += 1;
            card.advance(interval);
            let header = FrameHeader {
                step,
                model_time_s: card.time_s(),
                sent_ns: monotonic_ns(),
                pointer_sequence: card.newest_touch(),
            };
            screen.show(header, |pixels| {
                card.paint(pixels);
                if arguments.stamp {
                    card.stamp(header.sent_ns, pixels);
                }
            });
            speed.add(began.elapsed());
        }
        if let Some(statistics) = speed.take(u64::from(width) * u64::from(height)) {
            screen.statistics(&statistics);
        }
        next += interval;
        thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    screen.end(&End { reason: EndReason::Stopped, detail: String::new() });
}

/// One rank, which computes the whole picture.
fn hello(format: PixelFormat, width: u16, height: u16) -> Hello {
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = host.trim().to_owned();
    let rank = Rank { x: 0, y: 0, width, height, device: Device::Cpu, host };
    // The token is filled in by the screen.
    Hello { token: [0; TOKEN_LEN], format, width, height, ranks: vec![rank] }
}

fn monotonic_ns() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

/// How fast it goes, since it was last said.
struct Speed {
    since: Instant,
    steps: u64,
    computing: Duration,
}

impl Speed {
    fn new() -> Self {
        Self { since: Instant::now(), steps: 0, computing: Duration::ZERO }
    }

    fn add(&mut self, computing: Duration) {
        self.steps += 1;
        self.computing += computing;
    }

    /// The figures, if it is time for them.
    fn take(&mut self, cells: u64) -> Option<Statistics> {
        let interval = self.since.elapsed();
        if interval < STATISTICS {
            return None;
        }
        let Self { steps, computing, .. } = std::mem::replace(self, Self::new());
        let compute = (computing.as_secs_f32() / interval.as_secs_f32()).min(1.0);
        // The rest of the time it sleeps until the next picture is due; it waits for nobody.
        let rank = RankStatistics { compute, ..Default::default() };
        Some(Statistics {
            interval_s: interval.as_secs_f32(),
            steps,
            updates: steps * cells,
            ranks: vec![rank],
            ..Default::default()
        })
    }
}
