//! The look of the brief on every page and in every state that has no stored picture; those are checked beside their pictures.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod headless;
mod inspected;
mod planted;

use std::{
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use headless::{Headless, cluster, demo, jetson, node};
use inspected::check;
use kiosk::{
    catalogue::{Audience, Demo},
    owner::{Bundle, Entrance, Told},
    telemetry::{
        Telemetry, Trouble,
        reading::{Complaint, Flag, Origin, Reading},
    },
    ui::{self, NodeWord, Page},
    view::Language,
};
use slint::{
    ComponentHandle, LogicalPosition, Model, ModelRc, SharedString,
    platform::{Key, PointerEventButton, WindowEvent},
};

/// The longest name of a computer on the screens.
const LONGEST_NAME: &str = "ground-control";

fn in_both(check: impl Fn(Language)) {
    for language in [Language::Polish, Language::English] {
        check(language);
    }
}

/// The demos of this repository, as they are installed.
fn ours(audience: Audience) -> Vec<Demo> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../demos");
    let mut demos: Vec<Demo> = fs::read_dir(folder)
        .unwrap()
        .filter_map(|entry| {
            let folder = entry.unwrap().path();
            let text = fs::read_to_string(folder.join("demo.toml")).ok()?;
            let id = folder.file_name().unwrap().to_str().unwrap();
            Some(Demo::parse(id, &folder, std::env::consts::ARCH, &text).unwrap())
        })
        .filter(|demo| demo.audience == audience)
        .collect();
    demos.sort_by_key(|demo| demo.order);
    assert!(!demos.is_empty());
    demos
}

fn home(language: Language) -> Headless {
    let screen = Headless::new(ours(Audience::Visitor), language);
    screen.view.show_telemetry(cluster(3), Instant::now());
    screen
}

/// On the page of a run of two ranks.
fn running(language: Language) -> Headless {
    let mut screen = Headless::new(vec![demo("pipe", 0)], language);
    screen.view.show_telemetry(cluster(3), Instant::now());
    screen.press_text("1");
    screen.run("pipe", 2);
    screen
}

fn open(screen: &Headless, page: Page) {
    screen.app.global::<ui::WindowView>().set_page(page);
}

fn rows<T: Clone + 'static>(rows: Vec<T>) -> ModelRc<T> {
    ModelRc::new(slint::VecModel::from(rows))
}

/// Presses for as long as it takes to look.
fn pressed(screen: &Headless, (x, y): (f32, f32), page: &str, language: Language) {
    let (position, button) = (LogicalPosition::new(x, y), PointerEventButton::Left);
    screen.app.window().dispatch_event(WindowEvent::PointerPressed { position, button });
    check(screen, page, language);
    screen.app.window().dispatch_event(WindowEvent::PointerExited);
}

#[test]
fn home_with_the_demos_of_this_repository_at_rest_pressed_and_chosen_by_keys() {
    in_both(|language| {
        let screen = home(language);
        check(&screen, "home-ours", language);
        pressed(&screen, (200.0, 200.0), "home-pressed", language);
        pressed(&screen, (750.0, 30.0), "home-language-pressed", language);
        for step in 0..5 {
            screen.press(Key::PageDown);
            check(&screen, &format!("home-keys-{step}"), language);
        }
        let empty = Headless::new(Vec::new(), language);
        check(&empty, "home-empty", language);
        for (index, ours) in ours(Audience::Visitor).into_iter().enumerate() {
            let screen = Headless::new(vec![ours], language);
            check(&screen, &format!("home-alone-{index}"), language);
        }
    });
}

#[test]
fn the_dark_screen() {
    in_both(|language| {
        let screen = home(language);
        screen.press_text("b");
        check(&screen, "dark", language);
    });
}

#[test]
fn the_controls_of_the_demos_of_this_repository() {
    in_both(|language| {
        for audience in [Audience::Visitor, Audience::Owner] {
            for demo in ours(audience) {
                let id = demo.id.clone();
                let mut screen = Headless::new(vec![demo], language);
                screen.view.show_telemetry(cluster(3), Instant::now());
                screen.press_text("1");
                check(&screen, &format!("starting-{id}"), language);
                screen.run(&id, 2);
                check(&screen, &format!("demo-{id}"), language);
                let controls = screen.app.global::<ui::DemoView>().get_controls();
                for step in 0..=controls.row_count() {
                    screen.press(Key::PageDown);
                    i_slint_backend_testing::mock_elapsed_time(Duration::from_millis(200));
                    check(&screen, &format!("controls-{id}-{step}"), language);
                }
            }
        }
    });
}

#[test]
fn every_sentence_about_the_computers_of_a_run() {
    use ui::DemoNews::*;
    in_both(|language| {
        let screen = running(language);
        let view = screen.app.global::<ui::DemoView>();
        view.set_news_of(LONGEST_NAME.into());
        view.set_news_cools_to("80\u{a0}°C".into());
        for news in [
            Silent,
            Awaited,
            Hot,
            Throttled,
            Taken,
            OutOfService,
            Alone,
            SomebodyElse,
            Refused,
            Revoked,
            Again,
            Starting,
            Queued,
            Foreign,
        ] {
            view.set_news(news);
            check(&screen, &format!("news-{news:?}"), language);
        }
        for (news, count) in [(Several, "5"), (Joined, "1"), (Joined, "2"), (Joined, "16")] {
            view.set_news(news);
            view.set_news_of(count.into());
            check(&screen, &format!("news-{news:?}-{count}"), language);
        }
    });
}

#[test]
fn every_energy_of_a_run_and_what_it_is_like() {
    use ui::{EnergyKind, EnergyLike};
    in_both(|language| {
        let screen = running(language);
        let view = screen.app.global::<ui::EnergyView>();
        let decimal = |text: &str| match language {
            Language::Polish => SharedString::from(text.replace('.', ",")),
            Language::English => text.into(),
        };
        let likes = [
            (EnergyLike::None, ""),
            (EnergyLike::Child, "2.00\u{a0}m"),
            (EnergyLike::Charge, "12\u{a0}%"),
            (EnergyLike::Charges, "11.5"),
            (EnergyLike::Cups, "10.5"),
        ];
        for kind in [EnergyKind::Above, EnergyKind::All, EnergyKind::Boards] {
            for (like, amount) in likes {
                view.set_kind(kind);
                view.set_joules(decimal("1.05 ± 0.01\u{a0}kJ"));
                view.set_all(decimal("1.90 ± 0.02\u{a0}kJ"));
                view.set_each(decimal("33.3\u{a0}mJ"));
                view.set_seconds("1200".into());
                view.set_like(like);
                view.set_amount(decimal(amount));
                open(&screen, Page::Demo);
                view.set_told(false);
                check(&screen, &format!("energy-{kind:?}-{like:?}"), language);
                open(&screen, Page::Home);
                view.set_told(true);
                for droplets in [false, true] {
                    view.set_droplets(droplets);
                    check(&screen, &format!("home-energy-{kind:?}-{like:?}"), language);
                }
            }
        }
    });
}

#[test]
fn the_waiting_page_with_every_reason() {
    use ui::DemoQueue::*;
    in_both(|language| {
        let screen = home(language);
        screen.press_text("1");
        let view = screen.app.global::<ui::DemoView>();
        for queue in [None, Waits, Others, Unavailable] {
            for processes in [0, 1, 2, 5] {
                view.set_queue(queue);
                view.set_processes(processes);
                check(&screen, &format!("starting-{queue:?}-{processes}"), language);
            }
        }
    });
}

#[test]
fn every_end_of_a_run() {
    use ui::FaultKind::*;
    in_both(|language| {
        let screen = home(language);
        open(&screen, Page::Fault);
        let view = screen.app.global::<ui::FaultView>();
        let title = ours(Audience::Visitor)[0].texts[language.code()].title.clone();
        view.set_title(title.into());
        view.set_seconds("10".into());
        view.set_host(LONGEST_NAME.into());
        view.set_cools_to("80\u{a0}°C".into());
        view.set_detail("exit status 134 (SIGABRT): the third rank did not answer".into());
        for kind in
            [CannotStart, NoPicture, Hung, Crashed, Garbage, Flood, Failed, Hot, Finished, LeftOver]
        {
            view.set_kind(kind);
            for focused in [-1, 0, 1] {
                view.set_focused(focused);
                check(&screen, &format!("fault-{kind:?}"), language);
            }
        }
    });
}

/// Nodes of which the second is as `change` makes it at `now`.
fn with(count: usize, now: Instant, change: &dyn Fn(&mut kiosk::telemetry::Node)) -> Telemetry {
    let nodes = (0..count).map(|index| {
        let mut one = node(&cluster(count).nodes[index].name, index, Some(jetson(index)));
        one.since = now;
        one.reading = Some(Arc::new(Reading { at: now, ..jetson(index) }));
        if index == 1 || count == 1 {
            change(&mut one);
        }
        Arc::new(one)
    });
    Telemetry { nodes: nodes.collect() }
}

#[test]
fn one_to_a_hundred_computers_fresh_stale_lost_and_complaining() {
    in_both(|language| {
        let now = Instant::now() + Duration::from_secs(600);
        let reading = |node: &mut kiosk::telemetry::Node, change: &dyn Fn(&mut Reading)| {
            let mut changed = Reading::clone(node.reading.as_deref().unwrap());
            change(&mut changed);
            node.reading = Some(Arc::new(changed));
        };
        type Change<'a> = &'a dyn Fn(&mut kiosk::telemetry::Node);
        let flagged = |complaint| {
            move |node: &mut kiosk::telemetry::Node| {
                reading(node, &|reading| {
                    reading.flags = vec![Flag { complaint, now: true }];
                    reading.supply_volts = Some((4.62, Origin::Measured));
                });
            }
        };
        let (low, hot) = (flagged(Complaint::UnderVoltage), flagged(Complaint::Throttled));
        let changes: [(&str, Change); 7] = [
            ("fresh", &|_| ()),
            ("stale", &|node| {
                reading(node, &|reading| reading.at = now - Duration::from_secs(14));
            }),
            ("lost", &|node| node.trouble = Some(Trouble::NoAnswer)),
            ("unheard", &|node| {
                node.reading = None;
                node.trouble = Some(Trouble::NoAnswer);
            }),
            ("refused", &|node| node.refused = 12),
            ("low", &low),
            ("hot", &hot),
        ];
        for count in [1, 2, 3, 4, 5, 8, 9, 16, 100] {
            for (what, change) in changes {
                let screen = Headless::new(vec![demo("pipe", 0)], language);
                screen.remember(count.min(3), now);
                screen.view.show_telemetry(with(count, now, change), now);
                check(&screen, &format!("strip-{count}-{what}"), language);
                screen.app.global::<ui::StripView>().invoke_opened();
                screen.view.show_telemetry(with(count, now, change), now);
                check(&screen, &format!("cluster-{count}-{what}"), language);
                if count == 3 {
                    screen.app.global::<ui::ClusterView>().invoke_tapped(1);
                    check(&screen, &format!("node-{what}"), language);
                }
            }
        }
    });
}

#[test]
fn every_sentence_on_the_card_of_a_computer() {
    in_both(|language| {
        let now = Instant::now();
        for count in [3, 4, 8] {
            let screen = Headless::new(vec![demo("pipe", 0)], language);
            screen.app.global::<ui::StripView>().invoke_opened();
            screen.view.show_telemetry(cluster(count), now);
            let nodes = screen.app.global::<ui::ClusterView>().get_nodes();
            for (word, detail) in words() {
                let mut state = nodes.row_data(1).unwrap();
                let is_fault =
                    !matches!(word, NodeWord::Fine | NodeWord::Awaited | NodeWord::Refused);
                (state.word, state.detail, state.flagged) = (word, detail.into(), is_fault);
                nodes.set_row_data(1, state);
                check(&screen, &format!("cluster-{count}-{word:?}"), language);
            }
        }
    });
}

/// Every sentence and what it names.
fn words() -> Vec<(NodeWord, &'static str)> {
    use NodeWord::*;
    [
        Silent,
        Unheard,
        NoAgent,
        NoName,
        BadAnswer,
        Slow,
        Awaited,
        UnderVoltage,
        OverCurrent,
        Throttled,
        Hot,
        Capped,
        WasUnderVoltage,
        WasLimited,
        Refused,
        Fine,
    ]
    .into_iter()
    .map(|word| match word {
        UnderVoltage => (word, "4,62\u{a0}V"),
        Refused => (word, "12"),
        BadAnswer => (word, "HTTP 500"),
        _ => (word, "12\u{a0}min"),
    })
    .collect()
}

#[test]
fn every_sentence_and_every_charted_quantity_of_a_computer() {
    in_both(|language| {
        let screen = home(language);
        let now = Instant::now();
        screen.remember(3, now);
        screen.app.global::<ui::StripView>().invoke_opened();
        screen.app.global::<ui::ClusterView>().invoke_tapped(2);
        screen.view.show_telemetry(cluster(3), now);
        let view = screen.app.global::<ui::NodeView>();
        for (word, detail) in words() {
            view.set_node(ui::NodeState { word, detail: detail.into(), ..view.get_node() });
            check(&screen, &format!("node-{word:?}"), language);
        }
        for _ in 0..8 {
            view.invoke_next_quantity();
            view.invoke_next_span();
            check(&screen, &format!("node-{:?}", view.get_quantity()), language);
        }
    });
}

#[test]
fn every_finding_of_the_self_test() {
    use ui::{FindingLevel, FindingMatter as Matter, FindingPiece as Piece};
    let pieces = [
        Piece::Settings,
        Piece::Demos,
        Piece::Warden,
        Piece::Screen,
        Piece::Input,
        Piece::Graphics,
        Piece::RunFolder,
        Piece::OpenMpi,
        Piece::Computers,
        Piece::Agent,
        Piece::Ssh,
        Piece::Among,
        Piece::Programs,
        Piece::Folder,
        Piece::Clock,
        Piece::Munge,
        Piece::Slurm,
        Piece::Partition,
        Piece::InQueue,
        Piece::Meter,
        Piece::Room,
    ];
    let matters = [
        Matter::NoDemo,
        Matter::NoProgram,
        Matter::NoDisplay,
        Matter::Denied,
        Matter::NoDevice,
        Matter::NoRoom,
        Matter::NoMpi,
        Matter::Versions,
        Matter::Alone,
        Matter::NoSuchName,
        Matter::NoAnswer,
        Matter::NoAgent,
        Matter::BadAnswer,
        Matter::NoLogin,
        Matter::Hangs,
        Matter::NoPrograms,
        Matter::OtherPrograms,
        Matter::OwnFolders,
        Matter::ClockOff,
        Matter::NoCredential,
        Matter::NoQueue,
        Matter::NoPartition,
        Matter::ClosedPartition,
        Matter::OutOfService,
        Matter::UnknownToQueue,
        Matter::NotSetUp,
    ];
    let row = |level, piece, matter, of: &str| ui::FindingRow {
        level,
        piece,
        of: of.into(),
        matter,
        detail: match matter {
            Matter::Versions => "2.1.1, 4.1.4",
            Matter::ClockOff => "2.5\u{a0}s",
            Matter::Denied => "input",
            _ => LONGEST_NAME,
        }
        .into(),
        what: "".into(),
        found: "".into(),
        remedy: "".into(),
    };
    let (wrong, well) = (FindingLevel::Wrong, FindingLevel::Well);
    let far = [Piece::Agent, Piece::Ssh, Piece::Clock, Piece::Programs, Piece::InQueue];
    let all: Vec<_> = pieces
        .into_iter()
        .flat_map(|piece| {
            let of = if far.contains(&piece) { LONGEST_NAME } else { "" };
            [row(wrong, piece, Matter::NoAnswer, of), row(well, piece, Matter::Unsaid, "")]
        })
        .chain(matters.into_iter().map(|matter| row(wrong, Piece::Ssh, matter, LONGEST_NAME)))
        .collect();
    in_both(|language| {
        let screen = home(language);
        open(&screen, Page::Selftest);
        let view = screen.app.global::<ui::SelftestView>();
        view.set_age("12\u{a0}min".into());
        view.set_leaf("2 / 12".into());
        for (leaf, five) in all.chunks(5).enumerate() {
            view.set_wrong(leaf as i32);
            view.set_rows(rows(five.to_vec()));
            check(&screen, &format!("selftest-{leaf}"), language);
        }
        view.set_rows(rows(Vec::new()));
        view.set_going(true);
        view.set_waited("6".into());
        for awaited in ["", "major-tom, ground-control"] {
            view.set_awaited(awaited.into());
            check(&screen, "selftest-going", language);
        }
    });
}

#[test]
fn every_trouble_of_the_power_page() {
    use ui::{FanWord, MeterWord, RoomWord};
    let meters = [
        MeterWord::None,
        MeterWord::NotSetUp,
        MeterWord::Looking,
        MeterWord::NoBus,
        MeterWord::NoBluetooth,
        MeterWord::NoAdapter,
        MeterWord::AdapterOff,
        MeterWord::NotFound,
        MeterWord::Busy,
        MeterWord::NoConnection,
        MeterWord::NotAMeter,
        MeterWord::WrongPin,
        MeterWord::Silent,
        MeterWord::Damaged,
        MeterWord::Lost,
        MeterWord::NearLimit,
        MeterWord::SwitchedOff,
    ];
    let rooms = [
        RoomWord::NotSetUp,
        RoomWord::Looking,
        RoomWord::NoDriver,
        RoomWord::NoPins,
        RoomWord::Taken,
        RoomWord::Denied,
        RoomWord::NoAnswer,
        RoomWord::Damaged,
        RoomWord::Absurd,
    ];
    let fans = [
        FanWord::Below,
        FanWord::On,
        FanWord::Between,
        FanWord::OnConfirmed,
        FanWord::OnContradicted,
        FanWord::OffContradicted,
        FanWord::OnMeasured,
        FanWord::OffMeasured,
    ];
    in_both(|language| {
        let screen = home(language);
        open(&screen, Page::Power);
        let view = screen.app.global::<ui::PowerView>();
        for word in meters {
            view.set_word(word);
            view.set_limit("3680\u{a0}W".into());
            view.set_again(if word == MeterWord::NotSetUp { "" } else { "120\u{a0}s" }.into());
            check(&screen, &format!("power-{word:?}"), language);
        }
        for room in rooms {
            view.set_room(room);
            check(&screen, &format!("power-{room:?}"), language);
        }
        view.set_celsius("61,0\u{a0}°C".into());
        view.set_humidity("18\u{a0}%".into());
        view.set_fan_below("24\u{a0}°C".into());
        for fan in fans {
            for age in ["", "12\u{a0}min"] {
                view.set_fan(fan);
                view.set_celsius_age(age.into());
                check(&screen, &format!("power-{fan:?}"), language);
            }
        }
    });
}

#[test]
fn the_owners_pages() {
    in_both(|language| {
        let screen = home(language);
        let owners = ours(Audience::Owner).into_iter().map(Arc::new).collect();
        screen.view.set_owners_demos(owners);
        screen.app.global::<ui::HomeView>().invoke_held();
        let pin = screen.app.global::<ui::PinView>();
        for entrance in [
            ui::Entrance::Closed,
            ui::Entrance::Looking,
            ui::Entrance::Wrong,
            ui::Entrance::Waits,
            ui::Entrance::NotSet,
        ] {
            for (digits, seconds) in [(0, 1), (4, 42), (12, 600)] {
                pin.set_entrance(entrance);
                pin.set_digits(digits);
                pin.set_seconds(seconds);
                check(&screen, &format!("pin-{entrance:?}-{digits}"), language);
            }
        }
        let addresses = ["192.168.0.1", "10.11.12.13", "2001:db8::1", "fe80::1", "fe80::2"];
        let told = |bundle| Told {
            entrance: Entrance::Open,
            addresses: addresses.map(str::to_owned).into(),
            log: (0..12).map(|line| format!("INFO this is line {line}")).collect(),
            bundle,
            ..Told::default()
        };
        screen.view.show_owner(told(Bundle::None), Instant::now());
        check(&screen, "owner", language);
        screen.app.global::<ui::OwnerView>().invoke_log_book();
        let view = screen.app.global::<ui::OwnerView>();
        let file = "/var/lib/hpc-kiosk/hpc-kiosk-bundle.txt";
        for bundle in [ui::BundleState::Writing, ui::BundleState::Written, ui::BundleState::Failed]
        {
            view.set_bundle(bundle);
            view.set_bundle_said(file.into());
            check(&screen, &format!("log-{bundle:?}"), language);
        }
    });
}

#[test]
fn the_keys_and_what_they_mean() {
    use ui::KeyMeaning::*;
    in_both(|language| {
        let screen = home(language);
        screen.press(Key::F1);
        check(&screen, "help", language);
        screen.press(Key::PageDown);
        check(&screen, "help-keys", language);
        open(&screen, Page::KeyTester);
        let view = screen.app.global::<ui::KeyTesterView>();
        let meanings = [Nothing, Next, Previous, Choose, StartStop, Digit, Dark, Language, Help];
        let key =
            |meaning, repeated| ui::PressedKey {
                name: "Backspace · 14".into(), meaning, repeated
            };
        for some in meanings.chunks(5) {
            view.set_keys(rows(some.iter().map(|meaning| key(*meaning, false)).collect()));
            check(&screen, "key-tester", language);
        }
        view.set_keys(rows(vec![key(Next, true)]));
        check(&screen, "key-tester-held", language);
    });
}

#[test]
fn the_captions_of_a_kiosk_that_plays_by_itself() {
    use ui::AttractCaption::*;
    in_both(|language| {
        let screen = running(language);
        let view = screen.app.global::<ui::AttractView>();
        open(&screen, Page::Attract);
        for caption in [Motto, Invitation] {
            view.set_caption(caption);
            check(&screen, &format!("attract-{caption:?}"), language);
        }
        for computers in [1, 2, 5, 16] {
            view.set_caption(Computers);
            view.set_computers(computers);
            check(&screen, &format!("attract-computers-{computers}"), language);
        }
        for demo in ours(Audience::Visitor) {
            view.set_caption(Line);
            view.set_line(demo.texts[language.code()].line.clone().into());
            check(&screen, &format!("attract-line-{}", demo.id), language);
        }
    });
}
