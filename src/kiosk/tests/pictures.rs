//! The pages as pictures, in both languages, compared with the stored ones.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod headless;
mod inspected;
mod stored;

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use headless::{Headless, cluster, demo, jetson, node, readings};
use kiosk::{
    config::Config,
    doctor::{Examination, Finding, Level, Matter, Piece},
    intent::Scale,
    owner::{
        Bundle, Entrance, Told,
        shutdown::{Leaving, ShutDown},
    },
    slurm::said::Why,
    supervisor::{
        Condition, Ended, Fault, Heat, Placement, Queue, Standby, State, Status, placement::Host,
    },
    telemetry::{
        Telemetry, Trouble,
        reading::{Complaint, Flag, Origin, Reading},
    },
    ui,
    view::{Language, Wanted},
};
use slint::{ComponentHandle, platform::Key};
use stored::{compare, in_both};
use wire::{
    channel::Processor,
    demo::{RankStatistics, Statistics},
};

fn home(demos: usize, language: Language) -> Headless {
    let demos =
        (0..demos).map(|order| demo(["rury", "wir", "deszcz", "fale"][order], order as i64));
    let screen = Headless::new(demos.collect(), language);
    screen.view.show_telemetry(readings(Some(0.37), Some(48.2)), Instant::now());
    screen
}

fn statistics(ranks: usize) -> Statistics {
    let rank = |index| RankStatistics {
        compute: 0.82 - 0.1 * index as f32,
        communicate: 0.06,
        wait: 0.12 + 0.1 * index as f32,
        halo_bytes: 1 << 20,
    };
    Statistics {
        interval_s: 0.5,
        steps: 643,
        updates: 643 * 320_000,
        ranks: (0..ranks).map(rank).collect(),
        ..Default::default()
    }
}

#[test]
fn home_with_one_demo() {
    in_both(|language| compare(&home(1, language), "home-1", language));
}

#[test]
fn home_with_more_demos_than_fit_and_the_keys_on_the_second() {
    in_both(|language| {
        let screen = home(4, language);
        screen.press(Key::PageDown);
        screen.press(Key::PageDown);
        compare(&screen, "home-4", language);
    });
}

#[test]
fn home_where_nothing_is_measured() {
    in_both(|language| {
        let screen = home(2, language);
        screen.view.show_telemetry(readings(None, None), Instant::now());
        compare(&screen, "home-unmeasured", language);
    });
}

#[test]
fn a_demo_that_stands_in_the_queue() {
    in_both(|language| {
        let screen = home(1, language);
        screen.press(Key::F5);
        let since = Instant::now();
        let state = State::Starting { demo: Arc::new(demo("rury", 0)), since };
        let queue = Queue { since, limit: Duration::from_secs(10), why: Why::Others };
        let status = Status { state, processes: 2, queue: Some(queue), ..Default::default() };
        screen.view.show_status(status, since);
        compare(&screen, "starting-queue", language);
    });
}

#[test]
fn a_demo_that_starts() {
    in_both(|language| {
        let screen = home(1, language);
        screen.press(Key::F5);
        let since = Instant::now();
        let state = State::Starting { demo: Arc::new(demo("rury", 0)), since };
        screen.view.show_status(Status { state, processes: 2, ..Default::default() }, since);
        compare(&screen, "starting", language);
    });
}

#[test]
fn a_demo_that_runs_on_two_and_on_four_ranks() {
    in_both(|language| {
        for ranks in [2, 4] {
            let mut screen = home(1, language);
            screen.press(Key::F5);
            let status = screen.run("rury", ranks);
            let status = Status { statistics: Some(Arc::new(statistics(ranks.into()))), ..status };
            screen.view.show_status(status, Instant::now());
            compare(&screen, &format!("demo-{ranks}"), language);
        }
    });
}

/// A run with these hosts, one rank after the other, at a tenth of what a link of 1 Gbit/s carries and less.
fn exchanging(screen: &mut Headless, hosts: &[&str]) {
    use kiosk::supervisor::Pictures;
    let ranks = hosts.len();
    let mut status = screen.run("rury", ranks as u16);
    let mut hello = (*status.hello.unwrap()).clone();
    hello.ranks.iter_mut().zip(hosts).for_each(|(rank, host)| rank.host = (*host).into());
    let mut statistics = statistics(ranks);
    for (index, rank) in statistics.ranks.iter_mut().enumerate() {
        rank.halo_bytes = 6_250_000 >> (3 * index);
    }
    screen.painter.begin(&hello);
    screen.painter.statistics(&statistics);
    let ramp: Vec<u8> = (0..320_000).map(|at| (at % 800 * 255 / 799) as u8).collect();
    screen.painter.picture(&Default::default(), &ramp);
    screen.view.show_picture();
    (status.hello, status.statistics) = (Some(Arc::new(hello)), Some(Arc::new(statistics)));
    screen.view.show_status(status, Instant::now());
}

#[test]
fn where_the_time_of_two_of_four_and_of_many_ranks_goes_and_what_crosses_the_seams() {
    let many = ["bowie", "major-tom", "ground-control", "node-3", "node-4", "node-4"];
    in_both(|language| {
        for ranks in [2, 4, 6] {
            let mut screen = home(1, language);
            screen.view.show_telemetry(cluster(3), Instant::now());
            screen.press_text("1");
            exchanging(&mut screen, &many[..ranks]);
            let polish = language == Language::Polish;
            screen.tap(if polish { "Na co idzie czas" } else { "Where the time goes" });
            compare(&screen, &format!("shares-{ranks}"), language);
        }
    });
}

/// A computer with so many ranks.
fn host(name: &str, ranks: u16) -> Host {
    Host { name: name.into(), address: name.into(), ranks, processor: Processor::Auto }
}

/// A run with a rank on each of these.
fn there(names: &[&str]) -> Placement {
    let host = |name: &&str| host(name, 1);
    Placement { hosts: names.iter().map(host).collect(), ..Placement::default() }
}

#[test]
fn a_demo_that_carries_on_without_a_computer() {
    in_both(|language| {
        let mut screen = home(1, language);
        screen.view.show_telemetry(cluster(3), Instant::now());
        screen.press_text("1");
        let mut status = screen.run("rury", 2);
        let host = host("major-tom", 2);
        let left_out = vec![("ground-control".into(), Condition::Silent)];
        status.placement =
            Arc::new(Placement { hosts: vec![host], left_out, ..Placement::default() });
        status.carried_on = Some(Fault::Hung { after_s: 2.5 });
        screen.view.show_status(status, Instant::now());
        compare(&screen, "demo-carried-on", language);
    });
}

#[test]
fn a_picture_of_two_computers_of_which_one_is_lost() {
    in_both(|language| {
        let mut screen = home(1, language);
        let now = Instant::now();
        screen.view.show_telemetry(cluster(3), now);
        screen.press_text("1");
        exchanging(&mut screen, &["bowie", "major-tom"]);
        let mut telemetry = cluster(3);
        let lost = telemetry.nodes.iter_mut().find(|node| node.name == "major-tom").unwrap();
        Arc::make_mut(lost).trouble = Some(Trouble::NoAnswer);
        screen.view.show_telemetry(telemetry, now + Duration::from_millis(2500));
        compare(&screen, "demo-lost", language);
    });
}

#[test]
fn what_is_told_of_the_computers_of_a_run() {
    type Change = fn(&mut Status);
    let changes: [(&str, Change); 6] = [
        ("refused", |status| status.carried_on = Some(Fault::NotAllocated { why: String::new() })),
        ("revoked", |status| status.carried_on = Some(Fault::Revoked { why: String::new() })),
        ("foreign", |status| {
            status.carried_on = Some(Fault::Garbage(wire::WireError::Version(9)));
        }),
        ("out-of-service", |status| {
            let left_out = vec![("ground-control".into(), Condition::OutOfService)];
            status.placement = Arc::new(Placement { left_out, ..there(&["major-tom"]) });
        }),
        ("hot", |status| {
            let hot = Condition::Hot { celsius: 91.0, limit_celsius: 85.0 };
            let left_out = vec![("ground-control".into(), hot)];
            status.placement = Arc::new(Placement { left_out, ..there(&["major-tom"]) });
        }),
        ("joined", |status| {
            status.placement = Arc::new(there(&["major-tom", "ground-control"]));
        }),
    ];
    in_both(|language| {
        for (news, change) in changes {
            let mut screen = home(1, language);
            screen.view.show_telemetry(cluster(3), Instant::now());
            screen.press_text("1");
            let mut status = screen.run("rury", 2);
            if news == "joined" {
                let begins = Status { standby: Standby::Starting(2), ..status.clone() };
                screen.view.show_status(begins, Instant::now());
            }
            change(&mut status);
            screen.view.show_status(status, Instant::now());
            compare(&screen, &format!("news-{news}"), language);
        }
    });
}

#[test]
fn the_controls_of_a_demo() {
    in_both(|language| {
        let mut screen = home(1, language);
        screen.press(Key::F5);
        let status = screen.run("rury", 2);
        let status = Status { statistics: Some(Arc::new(statistics(2))), ..status };
        screen.view.show_status(status, Instant::now());
        screen.press(Key::PageDown);
        // The drawer slides for 120 ms.
        i_slint_backend_testing::mock_elapsed_time(std::time::Duration::from_millis(200));
        compare(&screen, "controls", language);
    });
}

#[test]
fn a_demo_that_begins_here_while_the_others_start() {
    in_both(|language| {
        let mut screen = home(1, language);
        screen.view.show_telemetry(cluster(3), Instant::now());
        screen.press_text("1");
        let mut status = screen.run("rury", 2);
        status.standby = Standby::Starting(2);
        screen.view.show_status(status, Instant::now());
        compare(&screen, "demo-begins-here", language);
    });
}

#[test]
fn a_cluster_that_computes_for_somebody_else() {
    in_both(|language| {
        let mut screen = home(1, language);
        screen.view.show_telemetry(cluster(3), Instant::now());
        screen.press_text("1");
        let mut status = screen.run("rury", 2);
        let left_out =
            ["major-tom", "ground-control"].map(|name| (name.into(), Condition::Taken)).into();
        status.placement = Arc::new(Placement { left_out, ..Placement::default() });
        screen.view.show_status(status, Instant::now());
        compare(&screen, "demo-somebody-else", language);
    });
}

#[test]
fn the_choice_of_computers() {
    in_both(|language| {
        let mut screen = home(1, language);
        screen.view.show_telemetry(cluster(3), Instant::now());
        screen.press_text("1");
        let running = screen.run("rury", 2);
        let scale = |computers, ranks| Scale {
            computers: Some(computers),
            ranks: Some(ranks),
            ..Scale::default()
        };
        let offers = [scale(1, 1), scale(1, 4), scale(2, 1), scale(2, 2)];
        // Measured on two of them; the last one is on its way.
        for (at, steps) in [(0, 100), (1, 310)] {
            let statistics =
                Statistics { interval_s: 0.5, steps, updates: steps * 320_000, ..statistics(2) };
            let mut status = Status { statistics: Some(Arc::new(statistics)), ..running.clone() };
            status.offers = Arc::new(offers.to_vec());
            status.scale = Some(offers[at]);
            screen.view.show_status(status.clone(), Instant::now());
            if at == 1 {
                status.scale_awaited = Some(offers[3]);
                screen.view.show_status(status, Instant::now());
            }
        }
        screen.tap(match language {
            Language::Polish => "Wybierz komputery",
            Language::English => "Choose computers",
        });
        compare(&screen, "computers", language);
    });
}

#[test]
fn the_choice_of_graphics_processors_and_one_that_stands_in_the_queue() {
    in_both(|language| {
        let mut screen = home(1, language);
        screen.view.show_telemetry(cluster(3), Instant::now());
        screen.press_text("1");
        let running = screen.run("rury", 2);
        let scale = |computers, ranks, processor| Scale {
            computers: Some(computers),
            ranks: Some(ranks),
            processor,
            ..Scale::default()
        };
        let offers = [
            scale(1, 1, Processor::Cpu),
            scale(1, 4, Processor::Cpu),
            scale(2, 4, Processor::Cpu),
            scale(1, 1, Processor::Gpu),
            scale(2, 1, Processor::Gpu),
        ];
        for (at, steps) in [(0, 100), (1, 310), (3, 900)] {
            let statistics =
                Statistics { interval_s: 0.5, steps, updates: steps * 320_000, ..statistics(2) };
            let mut status = Status { statistics: Some(Arc::new(statistics)), ..running.clone() };
            status.offers = Arc::new(offers.to_vec());
            status.scale = Some(offers[at]);
            screen.view.show_status(status.clone(), Instant::now());
            if at == 3 {
                status.scale_awaited = Some(offers[4]);
                status.standby = Standby::Queued(Why::Queue);
                screen.view.show_status(status, Instant::now());
            }
        }
        screen.tap(match language {
            Language::Polish => "Wybierz komputery",
            Language::English => "Choose computers",
        });
        compare(&screen, "computers-gpu", language);
    });
}

#[test]
fn a_demo_that_begins_here_while_the_queue_keeps_the_others() {
    in_both(|language| {
        let mut screen = home(1, language);
        screen.view.show_telemetry(cluster(3), Instant::now());
        screen.press_text("1");
        let status = screen.run("rury", 2);
        let status = Status { standby: Standby::Queued(Why::Queue), ..status };
        screen.view.show_status(status, Instant::now());
        compare(&screen, "demo-queued", language);
    });
}

#[test]
fn a_demo_that_went_silent() {
    in_both(|language| {
        let mut screen = home(1, language);
        screen.press(Key::F5);
        let running = screen.run("rury", 2);
        let ended = Ended {
            demo: Arc::new(demo("rury", 0)),
            at: Instant::now(),
            fault: Some(Fault::Hung { after_s: 3.0 }),
            verified: true,
            processes_killed: 3,
            unreached: Vec::new(),
        };
        let status = Status { state: State::Idle, ended: Some(Arc::new(ended)), ..running };
        screen.view.show_status(status, Instant::now());
        compare(&screen, "hung", language);
    });
}

#[test]
fn a_demo_that_waits_until_this_machine_has_cooled_down() {
    in_both(|language| {
        let mut screen = home(1, language);
        screen.press(Key::F5);
        let running = screen.run("rury", 2);
        let heat = Heat { host: "bowie".into(), celsius: 91.2, limit_celsius: 85.0 };
        let ended = Ended {
            demo: Arc::new(demo("rury", 0)),
            at: Instant::now(),
            fault: Some(Fault::TooHot(heat)),
            verified: true,
            processes_killed: 0,
            unreached: Vec::new(),
        };
        let status = Status { state: State::Idle, ended: Some(Arc::new(ended)), ..running };
        screen.view.show_status(status, Instant::now());
        compare(&screen, "too-hot", language);
    });
}

#[test]
fn home_with_settings_that_cannot_be_read() {
    let file = Path::new("/etc/hpc-kiosk/kiosk.toml");
    let wrong = Config::parse(file, "[launch]\n\nlauncher = \"ssh\"\n").unwrap_err().to_string();
    in_both(|language| {
        let screen = Headless::with_notice(vec![demo("rury", 0)], language, &wrong);
        compare(&screen, "notice-settings", language);
    });
}

#[test]
fn home_with_something_for_the_owner() {
    in_both(|language| {
        let notice = "/etc/hpc-kiosk/demos/pipe/demo.toml, line 12, key 'prgram': there is no such key; the \
            nearest known one is 'program' (+1)";
        let screen = Headless::with_notice(vec![demo("rury", 0)], language, notice);
        compare(&screen, "notice", language);
    });
}

#[test]
fn the_keys() {
    in_both(|language| {
        let screen = home(1, language);
        screen.press(Key::F1);
        compare(&screen, "help", language);
    });
}

fn finding(level: Level, piece: Piece, of: &str, matter: Matter, detail: &str) -> Finding {
    let (of, detail, text) = (of.into(), detail.into(), String::new);
    Finding { level, piece, of, matter, detail, what: text(), found: text(), remedy: None }
}

/// All pieces of a kiosk with two other computers.
fn all_well() -> Vec<Finding> {
    let alone = [
        Piece::Settings,
        Piece::Demos,
        Piece::Warden,
        Piece::Screen,
        Piece::Input,
        Piece::RunFolder,
        Piece::OpenMpi,
        Piece::Folder,
    ];
    let each = [Piece::Agent, Piece::Ssh, Piece::Clock, Piece::Programs];
    let computers = each
        .into_iter()
        .flat_map(|piece| ["major-tom", "ground-control"].map(|name| (piece, name)));
    let pieces = alone.map(|piece| (piece, "")).into_iter().chain(computers);
    pieces.map(|(piece, of)| finding(Level::Well, piece, of, Matter::Unsaid, "")).collect()
}

fn self_test(language: Language, examination: Examination, now: Instant) -> Headless {
    let screen = home(1, language);
    screen.press(Key::F1);
    screen.press(Key::PageDown);
    screen.press(Key::Return);
    screen.view.show_examination(examination, now);
    screen
}

#[test]
fn a_self_test_where_all_is_well() {
    in_both(|language| {
        let at = Instant::now();
        let done = Examination::Done { findings: Arc::new(all_well()), at };
        compare(
            &self_test(language, done, at + Duration::from_secs(12)),
            "selftest-well",
            language,
        );
    });
}

#[test]
fn a_self_test_where_slurm_is_in_trouble() {
    in_both(|language| {
        let wrong = |piece, of, matter, detail| finding(Level::Wrong, piece, of, matter, detail);
        let findings = vec![
            wrong(Piece::Munge, "", Matter::NoCredential, ""),
            wrong(Piece::Slurm, "", Matter::NoQueue, ""),
            wrong(Piece::Partition, "debug", Matter::ClosedPartition, "debug"),
            wrong(Piece::InQueue, "ground-control", Matter::OutOfService, "ground-control"),
            wrong(Piece::InQueue, "major-tom", Matter::UnknownToQueue, ""),
        ];
        let at = Instant::now();
        let done = Examination::Done { findings: Arc::new(findings), at };
        let screen = self_test(language, done, at + Duration::from_secs(150));
        compare(&screen, "selftest-slurm", language);
    });
}

#[test]
fn a_self_test_where_something_is_wrong() {
    in_both(|language| {
        let mut findings = all_well();
        let wrong = Level::Wrong;
        findings.extend([
            finding(Level::Note, Piece::Clock, "major-tom", Matter::ClockOff, "2.5\u{a0}s"),
            finding(Level::Note, Piece::Meter, "", Matter::NotSetUp, ""),
            finding(wrong, Piece::Folder, "ground-control", Matter::Hangs, ""),
            finding(wrong, Piece::OpenMpi, "", Matter::Versions, "2.1.1, 4.1.4"),
            finding(wrong, Piece::Input, "", Matter::Denied, "input"),
        ]);
        let at = Instant::now();
        let done = Examination::Done { findings: Arc::new(findings), at };
        compare(
            &self_test(language, done, at + Duration::from_secs(150)),
            "selftest-wrong",
            language,
        );
    });
}

#[test]
fn a_self_test_that_waits_for_a_computer() {
    in_both(|language| {
        let since = Instant::now();
        let going = Examination::Going { since, awaited: vec!["ground-control".into()] };
        compare(
            &self_test(language, going, since + Duration::from_secs(6)),
            "selftest-going",
            language,
        );
    });
}

#[test]
fn the_computers() {
    in_both(|language| {
        for nodes in [1, 3, 8, 16, 100] {
            let screen = home(1, language);
            let now = Instant::now();
            screen.remember(nodes, now);
            screen.view.show_telemetry(cluster(nodes), now);
            if nodes == 3 || nodes == 8 {
                compare(&screen, &format!("strip-{nodes}"), language);
            }
            screen.tap(if language == Language::Polish { "Komputery" } else { "Computers" });
            // The tap was at some other moment; the picture is of this one.
            screen.view.show_telemetry(cluster(nodes), now);
            compare(&screen, &format!("cluster-{nodes}"), language);
        }
    });
}

#[test]
fn an_hour_of_temperatures_with_what_they_ranged_over() {
    in_both(|language| {
        let screen = home(1, language);
        let now = Instant::now();
        screen.remember(3, now);
        screen.view.show_telemetry(cluster(3), now);
        let polish = language == Language::Polish;
        screen.tap(if polish { "Komputery" } else { "Computers" });
        let view = screen.app.global::<ui::ClusterView>();
        while view.get_quantity() != ui::Quantity::Celsius {
            view.invoke_next_quantity();
        }
        while view.get_span() != ui::Span::Hour {
            view.invoke_next_span();
        }
        screen.view.show_telemetry(cluster(3), now);
        compare(&screen, "cluster-hour", language);
    });
}

#[test]
fn the_computers_where_one_is_lost_one_stale_and_one_complains() {
    in_both(|language| {
        let screen = home(1, language);
        let now = Instant::now() + Duration::from_secs(20);
        let reading =
            |index: usize, age| Reading { at: now - Duration::from_secs(age), ..jetson(index) };
        let mut complaining = reading(2, 0);
        complaining.flags = vec![Flag { complaint: Complaint::UnderVoltage, now: true }];
        complaining.supply_volts = Some((4.62, Origin::Measured));
        let nodes = vec![
            Arc::new(node("bowie", 0, Some(reading(0, 5)))),
            Arc::new(node("major-tom", 1, Some(reading(1, 14)))),
            Arc::new(node("ground-control", 2, Some(complaining))),
        ];
        screen.view.show_telemetry(Telemetry { nodes: nodes.clone() }, now);
        screen.app.global::<ui::StripView>().invoke_opened();
        screen.view.show_telemetry(Telemetry { nodes }, now);
        compare(&screen, "cluster-troubled", language);
    });
}

#[test]
fn one_computer() {
    in_both(|language| {
        let screen = home(1, language);
        screen.view.show_telemetry(cluster(3), Instant::now());
        screen.app.global::<ui::StripView>().invoke_opened();
        screen.tap("major-tom");
        compare(&screen, "node", language);
    });
}

#[test]
fn the_kiosk_that_plays_by_itself() {
    in_both(|language| {
        let mut screen = home(1, language);
        let start = Instant::now();
        let after = Some(Duration::from_secs(60));
        let wanted = Wanted { after, demo: Duration::from_secs(64), night: None };
        screen.view.rest_as(wanted, start);
        let later = |seconds| start + Duration::from_secs(seconds);
        screen.view.show_telemetry(cluster(3), later(61));
        exchanging(&mut screen, &["major-tom", "ground-control"]);
        for (seconds, page) in
            [(61, "attract-motto"), (69, "attract-computers"), (77, "attract-line")]
        {
            screen.view.show_telemetry(cluster(3), later(seconds));
            compare(&screen, page, language);
        }
        // An hour later the plate is elsewhere.
        screen.view.show_telemetry(cluster(3), later(61 + 24 + 32 * 100));
        compare(&screen, "attract-invitation", language);
    });
}

#[test]
fn a_dimmed_screen() {
    in_both(|language| {
        let screen = home(1, language);
        screen.view.set_brightness(40);
        compare(&screen, "home-dimmed", language);
    });
}

/// On a page of the owner's, reached as with a finger and the PIN.
fn owners(language: Language, told: Told) -> Headless {
    let screen = home(1, language);
    screen.view.set_owners_demos(vec![demo("testcard", 0)].into_iter().map(Arc::new).collect());
    screen.app.global::<ui::HomeView>().invoke_held();
    screen.view.show_owner(told, Instant::now());
    screen
}

fn open() -> Told {
    let addresses = ["192.168.0.1", "10.11.12.13", "2001:db8::1"].map(str::to_owned).into();
    let log = [
        "INFO 3 demos",
        "WARN major-tom does not answer: connection refused",
        "INFO Slurm answers again",
    ];
    let log = log.map(str::to_owned).into();
    Told { entrance: Entrance::Open, addresses, log, ..Told::default() }
}

#[test]
fn the_owners_pin() {
    in_both(|language| {
        let now = Instant::now();
        let until = Some(now + Duration::from_millis(41_500));
        let screen = owners(language, Told { entrance: Entrance::Wrong(until), ..Told::default() });
        let view = screen.app.global::<ui::PinView>();
        (0..4).for_each(|digit| view.invoke_digit(digit));
        screen.view.show_telemetry(cluster(3), now);
        compare(&screen, "pin", language);
    });
}

#[test]
fn the_owners_menu_log_and_keys() {
    in_both(|language| {
        let screen = owners(language, open());
        compare(&screen, "owner", language);
        let menu = screen.app.global::<ui::OwnerView>();
        menu.invoke_log_book();
        let bundle = Bundle::Written("/var/lib/hpc-kiosk/hpc-kiosk-bundle.txt".into());
        screen.view.show_owner(Told { bundle, ..open() }, Instant::now());
        compare(&screen, "log", language);
        menu.invoke_key_tester();
        for key in [Key::PageUp, Key::F5, Key::Escape, Key::Tab] {
            screen.press(key);
        }
        ["1", ".", "l", "q"].into_iter().for_each(|text| screen.press_text(text));
        compare(&screen, "key-tester", language);
    });
}

#[test]
fn the_cluster_is_shut_down() {
    in_both(|language| {
        let screen = owners(language, open());
        let computer = |name: &str, is_silent, trouble: Option<&str>| Leaving {
            name: name.into(),
            is_silent,
            trouble: trouble.map(str::to_owned),
        };
        let now = Instant::now();
        let show = |shut_down, name| {
            screen.view.show_owner(Told { shut_down, ..open() }, now);
            compare(&screen, name, language);
        };
        let until = now + Duration::from_millis(7_500);
        show(ShutDown::Counting(until.into()), "shut-down-counting");
        let tom = computer("major-tom", true, None);
        let ground = computer("ground-control", false, Some("sudo: a password is required"));
        show(ShutDown::Others(vec![tom.clone(), ground.clone()]), "shut-down-others");
        show(ShutDown::Stuck(vec![tom, ground]), "shut-down-stuck");
        show(ShutDown::Last(until.into()), "shut-down-last");
        show(ShutDown::Told, "shut-down-told");
    });
}
