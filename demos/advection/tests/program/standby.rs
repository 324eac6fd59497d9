//! Runs that are started in advance, and runs that go on where another one was.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use wire::kiosk::{Command, Phase};

use crate::{
    kiosk::{Kiosk, Said},
    mpirun::processes_with,
};

const SMALL: (u16, u16) = (80, 40);

/// What the scheduler has given to all threads of a process, from its folder in /proc.
fn cpu_time(process: &str) -> Duration {
    let threads = fs::read_dir(format!("{process}/task")).unwrap();
    let ns = |thread: fs::DirEntry| {
        let text = fs::read_to_string(thread.path().join("schedstat")).unwrap();
        text.split_ascii_whitespace().next().unwrap().parse::<u64>().unwrap()
    };
    Duration::from_nanos(threads.map(|thread| ns(thread.unwrap())).sum())
}

/// The picture of a run that stands still.
fn still(kiosk: &mut Kiosk) -> Vec<u8> {
    let mut last = kiosk.frame().1;
    kiosk.say(&Command::Pause(true));
    let mut alive = 0;
    // Held, it says that it is alive. Small records overtake pictures, but not twice: half a second lies between.
    kiosk.until(|said| {
        match said {
            Said::Frame(_, pixels) => last = pixels,
            Said::Alive(_) => alive += 1,
            _ => {}
        }
        (alive == 2).then_some(())
    });
    last
}

fn state(kiosk: &mut Kiosk) -> Vec<u8> {
    kiosk.say(&Command::Save);
    kiosk.until(|said| match said {
        Said::State(state) => Some(state),
        _ => None,
    })
}

#[test]
fn asleep_it_takes_less_than_a_hundredth_of_a_core_and_begins_at_a_word() {
    let mut kiosk = Kiosk::start_asleep(3, (800, 400));
    let processes = processes_with(&kiosk.token);
    assert!(4 <= processes.len(), "{processes:?}");
    let used = || processes.iter().map(|process| cpu_time(process)).collect::<Vec<_>>();
    // Not a wait for something: the time over which the sleep is measured.
    let (before, since) = (used(), Instant::now());
    thread::sleep(Duration::from_secs(2));
    let passed = since.elapsed();
    for (now, before) in used().iter().zip(&before) {
        let share = (*now - *before).as_secs_f64() / passed.as_secs_f64();
        println!("asleep: {:.2} % of a core", 100.0 * share);
        assert!(share < 0.01, "{share}");
    }
    let told = Instant::now();
    kiosk.control("picture", 1.0);
    kiosk.say(&Command::Begin(Vec::new()));
    let (header, _) = kiosk.frame();
    println!("from begin to the first picture: {:?}", told.elapsed());
    assert_eq!(header.step, 0);
    assert!(told.elapsed() < Duration::from_millis(500), "{:?}", told.elapsed());
    while kiosk.frame().0.step == 0 {}
}

#[test]
fn a_run_goes_on_where_another_one_was_on_another_number_of_ranks() {
    for (ranks, others, fine) in [(2, 3, "1"), (3, 1, "1"), (1, 2, "1"), (3, 2, "2")] {
        let mut first = Kiosk::start_with(ranks, SMALL, &[], &["--fine", fine]);
        for (name, value) in [("scheme", 1.0), ("flow", 1.0), ("picture", 2.0)] {
            first.control(name, value);
        }
        first.finger(0, Phase::Down, (20.0, 20.0));
        first.finger(0, Phase::Moved, (60.0, 22.0));
        first.finger(0, Phase::Up, (60.0, 22.0));
        while first.frame().0.step < 60 {}
        let expected = still(&mut first);
        let state = state(&mut first);

        let asleep = [("HPC_KIOSK_WAIT", "1")];
        let mut second = Kiosk::start_with(others, SMALL, &asleep, &["--fine", fine]);
        for (name, value) in [("scheme", 1.0), ("flow", 1.0), ("picture", 2.0)] {
            second.control(name, value);
        }
        second.say(&Command::Begin(state));
        let (header, pixels) = second.frame();
        assert!(60 <= header.step, "{}", header.step);
        assert!(pixels == expected, "{ranks} to {others} ranks: another picture");
        // And it moves on from there.
        while second.frame().0.step == header.step {}
        second.say(&Command::Stop);
        assert_eq!(second.ends().code(), Some(0));
    }
}

#[test]
fn a_state_of_something_else_begins_anew_and_a_stop_ends_the_sleep() {
    let mut kiosk = Kiosk::start_asleep(2, SMALL);
    kiosk.say(&Command::Begin(b"nothing of ours".to_vec()));
    assert_eq!(kiosk.frame().0.step, 0);

    let mut kiosk = Kiosk::start_asleep(2, SMALL);
    kiosk.say(&Command::Stop);
    assert_eq!(kiosk.ends().code(), Some(0));
    let mut kiosk = Kiosk::start_asleep(2, SMALL);
    kiosk.hang_up();
    assert_eq!(kiosk.ends().code(), Some(0));
}

#[test]
fn a_race_computes_more_cells_than_it_shows() {
    let mut kiosk = Kiosk::start_with(2, SMALL, &[], &["--fine", "4"]);
    assert_eq!((kiosk.hello.width, kiosk.hello.height), SMALL);
    assert_eq!(kiosk.frame().1.len(), 80 * 40);
    let statistics = kiosk.until(|said| match said {
        Said::Statistics(statistics) if 0 < statistics.steps => Some(statistics),
        _ => None,
    });
    assert_eq!(statistics.updates, statistics.steps * 320 * 160);
}
