//! The demo as the kiosk sees it.

use std::{
    fs,
    path::Path,
    process::Output,
    time::{Duration, Instant},
};

use wire::{
    demo::{Device, EndReason, PixelFormat, Text},
    kiosk::{Command, Phase},
};

use crate::{
    kiosk::{Kiosk, PATIENCE, Said},
    mpirun::{Folder, mpirun, processes_with},
};

/// A canvas on which the swirl has a short period: 2 x 453 steps.
const SMALL: (u16, u16) = (80, 40);
const SMALL_PERIOD: u64 = 906;

fn pipe() -> Vec<u8> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/pictures/pipe.png");
    image::open(path).unwrap().into_luma8().into_raw()
}

#[test]
fn the_hello_says_which_rank_paints_what() {
    let kiosk = Kiosk::start(3, (800, 400));
    let hello = &kiosk.hello;
    assert_eq!(hello.token, kiosk.token.as_bytes());
    assert_eq!((hello.width, hello.height, hello.format), (800, 400, PixelFormat::Indexed));
    let strips: Vec<_> =
        hello.ranks.iter().map(|rank| (rank.x, rank.y, rank.width, rank.height)).collect();
    assert_eq!(strips, [(0, 0, 266, 400), (266, 0, 267, 400), (533, 0, 267, 400)]);
    for rank in &hello.ranks {
        assert_eq!(rank.device, Device::Cpu);
        assert!(!rank.host.is_empty() && !rank.host.contains('.'), "{}", rank.host);
    }
}

/// Threads that help to compute, of all processes of a run.
fn bands(kiosk: &Kiosk) -> usize {
    let name = |task: &Path| fs::read_to_string(task.join("comm")).unwrap_or_default();
    let tasks = |process: String| fs::read_dir(format!("{process}/task")).into_iter().flatten();
    let tasks = processes_with(&kiosk.token).into_iter().flat_map(tasks).flatten();
    tasks.filter(|task| name(&task.path()).starts_with("band-")).count()
}

#[test]
fn every_rank_computes_with_as_many_cores_as_the_kiosk_says() {
    for (ranks, threads, helpers) in [(1, "3", 2), (2, "2", 2), (2, "1", 0)] {
        let more = [("HPC_KIOSK_THREADS", threads)];
        let mut kiosk = Kiosk::start_with(ranks, (800, 400), &more, &[]);
        kiosk.frame();
        assert_eq!(bands(&kiosk), helpers, "{ranks} ranks, {threads} threads");
    }
}

#[test]
fn without_a_word_a_core_is_left_to_the_kiosk_and_the_others_are_shared_among_the_ranks() {
    let mut kiosk = Kiosk::start(2, (800, 400));
    kiosk.frame();
    let cores = std::thread::available_parallelism().unwrap().get();
    assert_eq!(bands(&kiosk), 2 * (((cores - 1) / 2).max(1) - 1));
}

#[test]
fn the_first_picture_is_the_drawn_one() {
    let (header, pixels) = Kiosk::start(3, (800, 400)).frame();
    assert_eq!((header.step, header.model_time_s), (0, 0.0));
    assert!(pixels == pipe(), "the pixels are not those of pictures/pipe.png");
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let age_ns = (now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64) - header.sent_ns;
    assert!(Duration::from_nanos(age_ns) < PATIENCE);
}

#[test]
fn the_picture_moves_and_nothing_of_it_is_lost() {
    let mut kiosk = Kiosk::start(2, (800, 400));
    let sum = |pixels: &[u8]| pixels.iter().map(|pixel| f64::from(*pixel)).sum::<f64>();
    let (_, first) = kiosk.frame();
    let later = kiosk.until(|said| match said {
        Said::Frame(header, pixels) if 30 < header.step => Some(pixels),
        _ => None,
    });
    assert!(first != later);
    assert!((sum(&later) / sum(&first) - 1.0).abs() < 2e-3, "{} {}", sum(&first), sum(&later));
}

#[test]
fn a_finger_leaves_tracer_where_it_is_and_the_frame_says_so() {
    let mut kiosk = Kiosk::start(2, (800, 400));
    // Below the stem, across the border of the two ranks, there is nothing but ground.
    let spots = [(400.0_f32, 380.0_f32), (700.0, 300.0)];
    let brightness = |pixels: &[u8], (x, y): (f32, f32)| pixels[y as usize * 800 + x as usize];
    let (header, before) = kiosk.frame();
    assert_eq!(header.pointer_sequence, 0);
    assert_eq!(spots.map(|spot| brightness(&before, spot)), [0, 0]);
    kiosk.finger(0, Phase::Down, spots[0]);
    let newest = kiosk.finger(1, Phase::Down, spots[1]);
    let after = kiosk.until(|said| match said {
        Said::Frame(header, pixels) if header.pointer_sequence == newest => Some(pixels),
        _ => None,
    });
    for spot in spots {
        assert!(40 < brightness(&after, spot), "{spot:?}: {}", brightness(&after, spot));
    }
}

#[test]
fn a_drag_carries_the_tracer_along() {
    let mut kiosk = Kiosk::start(2, (800, 400));
    kiosk.control("flow", 2.0);
    kiosk.control("picture", 1.0);
    let centre = |pixels: &[u8]| {
        let (mut mass, mut moment) = (0.0, 0.0);
        for (k, pixel) in pixels.iter().enumerate() {
            let (x, y) = (k % 800, k / 800);
            // The tracer of the tap, apart from the cone, which stands further to the left.
            if 520 < x && 20 < y {
                mass += f64::from(*pixel);
                moment += f64::from(*pixel) * y as f64;
            }
        }
        moment / mass
    };
    kiosk.finger(0, Phase::Down, (650.0, 130.0));
    let first = kiosk.finger(0, Phase::Up, (650.0, 130.0));
    let start = kiosk.until(|said| match said {
        Said::Frame(header, pixels) if first <= header.pointer_sequence => Some(centre(&pixels)),
        _ => None,
    });
    // A long way down in small steps, beside the tracer: it is the flow that takes it along.
    kiosk.finger(1, Phase::Down, (630.0, 100.0));
    for k in 0..60 {
        kiosk.finger(1, Phase::Moved, (630.0, 100.0 + 3.0 * k as f32));
        kiosk.frame();
    }
    kiosk.finger(1, Phase::Up, (630.0, 280.0));
    let (_, pixels) = kiosk.frame();
    let end = centre(&pixels);
    assert!(start + 30.0 < end, "from {start} to {end}");
}

#[test]
fn statistics_tell_where_the_time_of_every_rank_goes() {
    let mut kiosk = Kiosk::start(2, SMALL);
    let mut seen = 0;
    let statistics = kiosk.until(|said| match said {
        Said::Statistics(statistics) => {
            seen += 1;
            (seen == 2).then_some(statistics)
        }
        _ => None,
    });
    assert!((0.2..5.0).contains(&statistics.interval_s), "{}", statistics.interval_s);
    assert!(0 < statistics.steps);
    assert_eq!(statistics.updates, statistics.steps * 80 * 40);
    assert_eq!(statistics.ranks.len(), 2);
    for rank in &statistics.ranks {
        assert!(0.0 < rank.compute && 0.0 < rank.wait, "{rank:?}");
        assert!(rank.compute + rank.communicate + rank.wait <= 1.0 + 1e-5, "{rank:?}");
        // Three rows of 40 cells and their margins to each side, four bytes a cell.
        assert_eq!(rank.halo_bytes, statistics.steps * 2 * 3 * 64 * 4);
    }
}

#[test]
fn controls_change_what_is_shown_and_nonsense_changes_nothing() {
    let mut kiosk = Kiosk::start(2, (160, 80));
    kiosk.control("picture", 2.0);
    kiosk.control("scheme", 17.0);
    kiosk.control("brightness", 1.0);
    kiosk.control("flow", f64::MAX);
    // The board has nothing between its two amounts until the flow blurs it.
    kiosk.until(|said| match said {
        Said::Frame(_, pixels) => pixels.iter().all(|p| (15..=225).contains(p)).then_some(()),
        _ => None,
    });
    kiosk.control("scheme", 0.0);
    kiosk.control("flow", 1.0);
    kiosk.control("restart", 1.0);
    let later = kiosk.frame().0.step + 200;
    let pixels = kiosk.until(|said| match said {
        Said::Frame(header, pixels) if later < header.step => Some(pixels),
        _ => None,
    });
    // Rotation leaves the far left at rest; in the disc, upwind has blurred the edges.
    let column: Vec<u8> = (0..80).map(|y| pixels[y * 160 + 5]).collect();
    assert!(column.iter().all(|p| [20, 217].contains(p)), "{column:?}");
    let row = &pixels[40 * 160..41 * 160];
    assert!(row[50..110].iter().any(|p| (60..180).contains(p)), "{row:?}");
}

/// The two sentences of a period of the swirl, the first picture, and the one that is back.
fn there_and_back(ranks: usize, scheme: Option<f64>) -> ([Text; 2], Vec<u8>, Vec<u8>) {
    let mut kiosk = Kiosk::start(ranks, SMALL);
    if let Some(scheme) = scheme {
        kiosk.control("scheme", scheme);
    }
    let (_, first) = kiosk.frame();
    let (mut texts, mut back) = (Vec::new(), None);
    kiosk.until(|said| {
        match said {
            Said::Text(text) => texts.push(text),
            Said::Frame(header, pixels) if header.step == SMALL_PERIOD => back = Some(pixels),
            _ => {}
        }
        (texts.len() == 2 && back.is_some()).then_some(())
    });
    (texts.try_into().unwrap(), first, back.unwrap())
}

fn difference(a: &[u8], b: &[u8]) -> f64 {
    let square = |(a, b): (&u8, &u8)| (f64::from(*a) - f64::from(*b)).powi(2);
    (a.iter().zip(b).map(square).sum::<f64>() / a.len() as f64).sqrt()
}

#[test]
fn the_swirl_turns_round_says_so_and_brings_the_picture_back() {
    let ([turned, returned], first, back) = there_and_back(2, None);
    let sentences = |text: &Text| text.sentences.iter().map(|(_, s)| s.clone()).collect::<Vec<_>>();
    assert_eq!(sentences(&turned)[0], "Teraz wstecz: obraz wraca.");
    assert_eq!(sentences(&turned)[1], "Now in reverse: the picture returns.");
    assert_eq!(sentences(&returned)[0], "Obraz jest z powrotem. Jeszcze raz!");
    let (_, _, blurred) = there_and_back(2, Some(0.0));
    let (sharp, blurred) = (difference(&first, &back), difference(&first, &blurred));
    assert!(1.8 * sharp < blurred, "MPDATA {sharp}, upwind {blurred}");
}

#[test]
fn one_rank_and_three_bring_back_the_same_picture() {
    let (_, _, one) = there_and_back(1, None);
    let (_, _, three) = there_and_back(3, None);
    assert!(one == three);
}

#[test]
fn a_held_demo_stands_still_and_says_that_it_lives() {
    let mut kiosk = Kiosk::start(2, SMALL);
    kiosk.frame();
    kiosk.say(&Command::Pause(true));
    let mut alive = Vec::new();
    kiosk.until(|said| {
        if let Said::Alive(said) = said {
            alive.push(said.step);
        }
        (alive.len() == 3).then_some(())
    });
    assert!(alive[1] == alive[2], "{alive:?}");
    kiosk.say(&Command::Pause(false));
    let step = alive[2];
    kiosk.until(|said| match said {
        Said::Frame(header, _) if step < header.step => Some(()),
        _ => None,
    });
}

#[test]
fn a_kiosk_that_does_not_read_costs_pictures_but_no_steps() {
    let mut kiosk = Kiosk::start(2, (800, 400));
    let (slow, began) = (Duration::from_millis(1500), Instant::now());
    let (start, _) = kiosk.frame();
    let mut usual = 0;
    while began.elapsed() < slow {
        usual = kiosk.frame().0.step - start.step;
    }
    // This is no synchronisation: the reader is slow on purpose.
    std::thread::sleep(slow);
    // What waited in the socket is old; what the demo held back is new.
    let steps: Vec<u64> = (0..6).map(|_| kiosk.frame().0.step).collect();
    let gap = steps.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
    assert!(usual / 4 < gap, "{usual} steps before, then {steps:?}");
}

#[test]
fn stop_ends_every_rank_in_order() {
    let mut kiosk = Kiosk::start(4, (800, 400));
    kiosk.frame();
    assert!(4 <= processes_with(&kiosk.token).len());
    let asked = Instant::now();
    kiosk.say(&Command::Stop);
    let reason = kiosk.until(|said| match said {
        Said::End(end) => Some(end.reason),
        _ => None,
    });
    assert_eq!(reason, EndReason::Stopped);
    assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
    assert_eq!(kiosk.ends().code(), Some(0));
    assert_eq!(processes_with(&kiosk.token), Vec::<String>::new());
}

#[test]
fn a_held_demo_hears_stop() {
    let mut kiosk = Kiosk::start(2, SMALL);
    kiosk.say(&Command::Pause(true));
    kiosk.until(|said| matches!(said, Said::Alive(_)).then_some(()));
    kiosk.say(&Command::Stop);
    assert_eq!(kiosk.ends().code(), Some(0));
}

#[test]
fn the_ranks_end_when_the_kiosk_is_gone() {
    let mut kiosk = Kiosk::start(3, (800, 400));
    kiosk.frame();
    kiosk.hang_up();
    assert_eq!(kiosk.ends().code(), Some(0));
    assert_eq!(processes_with(&kiosk.token), Vec::<String>::new());
}

#[test]
fn the_ranks_end_when_mpirun_is_killed() {
    let mut kiosk = Kiosk::start(3, (800, 400));
    kiosk.frame();
    kiosk.kill_mpirun();
    let until = Instant::now() + PATIENCE;
    while !processes_with(&kiosk.token).is_empty() {
        assert!(Instant::now() < until, "{:?}", processes_with(&kiosk.token));
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// What the program says without a usable kiosk, and its exit code.
fn refused(ranks: usize, environment: &[(&str, &str)]) -> (Option<i32>, String) {
    let folder = Folder::new();
    let Output { status, stdout, stderr } =
        mpirun(ranks, &folder).envs(environment.iter().copied()).output().unwrap();
    assert_eq!(stdout, b"");
    (status.code(), String::from_utf8(stderr).unwrap())
}

#[test]
fn without_a_kiosk_the_program_says_so_once() {
    let (code, said) = refused(3, &[]);
    assert_eq!(code, Some(2));
    assert_eq!(said.matches("no kiosk has started this").count(), 1, "{said}");
    assert!(said.contains("add --headless"), "{said}");
}

#[test]
fn a_malformed_environment_is_named() {
    let channel = ("HPC_KIOSK_CHANNEL", "unix:/nowhere/at/all");
    let token = ("HPC_KIOSK_TOKEN", "0123456789abcdef0123456789abcdef");
    let (code, said) = refused(2, &[channel, token, ("HPC_KIOSK_CANVAS", "large")]);
    assert_eq!(code, Some(2));
    assert!(said.contains("HPC_KIOSK_CANVAS is 'large'"), "{said}");
    let (code, said) = refused(2, &[channel, token, ("HPC_KIOSK_CANVAS", "800x400")]);
    assert_eq!(code, Some(2));
    assert!(said.contains("cannot reach the kiosk at unix:/nowhere/at/all"), "{said}");
}

#[test]
fn a_canvas_that_does_not_suit_is_refused() {
    let folder = Folder::new();
    let socket = folder.path("kiosk.sock");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let channel = format!("unix:{}", socket.display());
    for (canvas, sentence) in [
        ("8x40", "a canvas 8 pixels wide is too narrow for 4 ranks: start fewer"),
        ("65535x65535", "a canvas of 65535x65535 pixels is more than the 2073600 of a picture"),
    ] {
        let (code, said) = refused(
            4,
            &[
                ("HPC_KIOSK_CHANNEL", &channel),
                ("HPC_KIOSK_TOKEN", "0123456789abcdef0123456789abcdef"),
                ("HPC_KIOSK_CANVAS", canvas),
            ],
        );
        assert_eq!(code, Some(2));
        assert_eq!(said.matches(sentence).count(), 1, "{said}");
    }
}
