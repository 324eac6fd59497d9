//! The real pages on a screen that exists only in memory, without the rest of the program behind them.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "every test file uses its own part of it")]

use std::{
    cell::Cell,
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use i_slint_backend_testing::{
    AccessibleRole, ElementHandle, ElementQuery, TestingBackend, TestingBackendOptions,
};
use kiosk::{
    catalogue::{Audience, Control, ControlKind, ControlText, Demo, Gpu, Ranks, Text},
    intent::Intent,
    supervisor::{State, Status},
    telemetry::{
        Node, SharedHistory, Telemetry,
        history::Quantity,
        reading::{Disk, Fan, Network, Origin, Power, Rail, Reading, Scope, Space, Temperature},
    },
    ui,
    view::{self, Clock, Language, Painter, Sources, View},
};
use slint::{
    ComponentHandle, LogicalPosition, Rgba8Pixel, SharedPixelBuffer,
    platform::{Key, PointerEventButton, WindowEvent},
};
use tokio::sync::mpsc;
use wire::demo::{Device, Hello, PixelFormat, Rank};

thread_local! {
    static READY: Cell<bool> = const { Cell::new(false) };
}

/// The pages, and what they ask for.
pub struct Headless {
    pub app: ui::App,
    pub view: Rc<View>,
    pub painter: Painter,
    pub intents: mpsc::Receiver<Intent>,
    pub history: SharedHistory,
}

impl Headless {
    /// The kiosk at home with these demos, at noon on `bowie`.
    pub fn new(demos: Vec<Demo>, language: Language) -> Self {
        Self::with_notice(demos, language, "")
    }

    /// The same with a sentence for the owner.
    pub fn with_notice(demos: Vec<Demo>, language: Language, notice: &str) -> Self {
        if !READY.replace(true) {
            let options = TestingBackendOptions {
                mock_time: true,
                threading: false,
                renderer_name: Some("software".into()),
            };
            slint::platform::set_platform(Box::new(TestingBackend::new(options))).unwrap();
        }
        let app = ui::App::new().unwrap();
        let (painter, easel, _painted) = view::canvas();
        let (sender, intents) = mpsc::channel(64);
        let clock: Clock = Box::new(|| jiff::civil::Time::constant(12, 0, 0, 0));
        let history = SharedHistory::default();
        let sources = Sources { easel, history: Arc::clone(&history) };
        let demos = demos.into_iter().map(Arc::new).collect();
        let view = View::connect(&app, demos, notice.to_owned(), language, clock, sender, sources);
        app.show().unwrap();
        app.window().set_size(slint::LogicalSize::new(800.0, 480.0));
        app.window().dispatch_event(WindowEvent::WindowActiveChanged(true));
        Self { app, view, painter, intents, history }
    }

    /// An hour of load and temperature of so many nodes up to `now`, the second of which was away for a while.
    pub fn remember(&self, nodes: usize, now: Instant) {
        let mut history = self.history.lock().unwrap();
        // At full rate where that is kept.
        let hour = (0..3530).step_by(5).map(f64::from);
        let minute = (0..=140).map(|sample| 3530.0 + 0.5 * f64::from(sample));
        for seconds in hour.chain(minute) {
            let at = now - Duration::from_secs_f64(3600.0 - seconds);
            for node in 0..nodes {
                let away = [3300.0..3420.0, 3570.0..3580.0];
                if node == 1 && away.iter().any(|away| away.contains(&seconds)) {
                    continue;
                }
                let phase = seconds / (200.0 + 70.0 * node as f64) + node as f64;
                let jitter = (seconds * 1.7 + node as f64).sin();
                let load = (0.5 + 0.35 * phase.sin() + 0.1 * jitter).clamp(0.0, 1.0);
                let celsius = 45.0 + 12.0 * phase.sin() + 2.0 * jitter;
                history.record(node, Quantity::Load, load, at);
                history.record(node, Quantity::Celsius, celsius, at);
            }
        }
    }

    /// The one control with this label that can be pressed.
    pub fn button(&self, label: &str) -> ElementHandle {
        let found = self.elements(|query| query.match_accessible_role(AccessibleRole::Button));
        let mut found: Vec<_> =
            found.into_iter().filter(|element| label_of(element) == label).collect();
        assert_eq!(found.len(), 1, "buttons labelled '{label}'; there are {:?}", self.buttons());
        found.remove(0)
    }

    /// The labels of everything that can be pressed.
    pub fn buttons(&self) -> Vec<String> {
        let found = self.elements(|query| query.match_accessible_role(AccessibleRole::Button));
        found.iter().map(label_of).collect()
    }

    /// The elements that a query finds, each once: an element of a component of ours is found once more for
    /// every component that it inherits from.
    pub fn elements(&self, of: impl FnOnce(ElementQuery) -> ElementQuery) -> Vec<ElementHandle> {
        let found = of(ElementQuery::from_root(&self.app).match_descendants()).find_all();
        let mut seen = Vec::new();
        let is_new = |element: &ElementHandle| {
            let (at, size) = (element.absolute_position(), element.size());
            let mark = (
                at.x as i32,
                at.y as i32,
                size.width as i32,
                size.height as i32,
                label_of(element),
            );
            let is_new = !seen.contains(&mark);
            seen.push(mark);
            is_new
        };
        found.into_iter().filter(is_new).collect()
    }

    /// A short touch of the button with this label.
    pub fn tap(&self, label: &str) {
        self.button(label).mock_single_click(PointerEventButton::Left);
    }

    /// A short press of a key.
    pub fn press(&self, key: Key) {
        self.press_text(&char::from(key).to_string());
    }

    /// A short press of the key that writes `text`.
    pub fn press_text(&self, text: &str) {
        self.app.window().dispatch_event(WindowEvent::KeyPressed { text: text.into() });
        self.app.window().dispatch_event(WindowEvent::KeyReleased { text: text.into() });
    }

    /// A finger that goes down at the first point, over the others, and up at the last.
    pub fn drag(&self, points: &[(f32, f32)]) {
        let window = self.app.window();
        let button = PointerEventButton::Left;
        let at = |&(x, y): &(f32, f32)| LogicalPosition::new(x, y);
        let (first, last) = (at(&points[0]), at(points.last().unwrap()));
        window.dispatch_event(WindowEvent::PointerMoved { position: first });
        window.dispatch_event(WindowEvent::PointerPressed { position: first, button });
        for point in &points[1..] {
            window.dispatch_event(WindowEvent::PointerMoved { position: at(point) });
        }
        window.dispatch_event(WindowEvent::PointerReleased { position: last, button });
    }

    /// Every text on the screen.
    pub fn texts(&self) -> Vec<String> {
        self.elements(|query| query.match_inherits("Text")).iter().map(label_of).collect()
    }

    /// What stands under the label that screen readers and tests know it by.
    pub fn value(&self, label: &str) -> String {
        let found = self.elements(|query| query.match_inherits("Text"));
        let found = found.iter().find(|element| label_of(element) == label);
        let found =
            found.unwrap_or_else(|| panic!("nothing is labelled '{label}': {:?}", self.texts()));
        found.accessible_value().unwrap_or_default().to_string()
    }

    /// What anything says that has this label.
    pub fn said(&self, label: &str) -> String {
        let found = self.elements(|query| query.match_accessible_role(AccessibleRole::Text));
        let found = found.iter().find(|element| label_of(element) == label);
        let found = found.unwrap_or_else(|| panic!("nothing is labelled '{label}'"));
        found.accessible_value().unwrap_or_default().to_string()
    }

    /// The screen as pixels.
    pub fn pixels(&self) -> SharedPixelBuffer<Rgba8Pixel> {
        self.app.window().take_snapshot().unwrap()
    }

    /// What was asked for since the last call.
    pub fn asked(&mut self) -> Vec<Intent> {
        std::iter::from_fn(|| self.intents.try_recv().ok()).collect()
    }

    /// So many ranks on this machine run the demo and have sent a ramp from left to right.
    pub fn run(&mut self, demo: &str, ranks: u16) -> Status {
        use kiosk::supervisor::Pictures;
        let status = running(demo, ranks);
        self.view.show_status(status.clone(), Instant::now());
        let hello = status.hello.clone().unwrap();
        self.painter.begin(&hello);
        let ramp: Vec<u8> =
            (0..400usize).flat_map(|_| (0..800usize).map(|x| (x * 255 / 799) as u8)).collect();
        self.painter.picture(&Default::default(), &ramp);
        self.view.show_picture();
        status
    }
}

fn label_of(element: &ElementHandle) -> String {
    element.accessible_label().unwrap_or_default().to_string()
}

/// A demo for the visitors.
pub fn demo(id: &str, order: i64) -> Demo {
    let text = |title: &str, line: &str| Text {
        title: title.into(),
        line: line.into(),
        ..Default::default()
    };
    let words = |label: &str, choices: &[&str]| ControlText {
        label: label.into(),
        choices: choices.iter().map(|choice| (*choice).to_owned()).collect(),
    };
    let control = |name: &str, kind, max, pl, en| Control {
        name: name.into(),
        kind,
        min: 0.0,
        max,
        default: 0.0,
        unit: String::new(),
        texts: [("pl".to_owned(), pl), ("en".to_owned(), en)].into(),
    };
    Demo {
        id: id.into(),
        folder: id.into(),
        order,
        audience: Audience::Visitor,
        program: id.into(),
        arguments: Vec::new(),
        bench: Vec::new(),
        mpi: true,
        ranks: Ranks { default: 2, min: 1, max: 4 },
        resumes: false,
        threads: false,
        gpu: Gpu::No,
        first_frame: std::time::Duration::from_secs(5),
        progress: std::time::Duration::from_secs(3),
        picture: None,
        texts: [
            ("pl".to_owned(), text(&format!("Pokaz {id}"), "Zamieszaj obraz palcem.")),
            ("en".to_owned(), text(&format!("Demo {id}"), "Stir the picture with a finger.")),
        ]
        .into(),
        controls: vec![
            control(
                "scheme",
                ControlKind::Choice,
                2.0,
                words("Metoda", &["prosta", "MPDATA", "MPDATA+"]),
                words("Method", &["simple", "MPDATA", "MPDATA+"]),
            ),
            control("speed", ControlKind::Slider, 8.0, words("Tempo", &[]), words("Pace", &[])),
            control(
                "restart",
                ControlKind::Button,
                1.0,
                words("Od nowa", &[]),
                words("Restart", &[]),
            ),
        ],
    }
}

/// A run of `demo` on so many ranks of one machine.
pub fn running(demo: &str, ranks: u16) -> Status {
    let rank = |index: u16| Rank {
        x: index * 800 / ranks,
        y: 0,
        width: (index + 1) * 800 / ranks - index * 800 / ranks,
        height: 400,
        device: Device::Cpu,
        host: "bowie".into(),
    };
    let hello = Hello {
        token: [b'0'; 32],
        format: PixelFormat::Indexed,
        width: 800,
        height: 400,
        ranks: (0..ranks).map(rank).collect(),
    };
    Status {
        state: State::Running {
            demo: Arc::new(self::demo(demo, 0)),
            since: Instant::now(),
            first_frame_after: Duration::from_millis(200),
        },
        hello: Some(Arc::new(hello)),
        processes: ranks,
        ..Default::default()
    }
}

/// Readings of `bowie`.
pub fn readings(load: Option<f64>, celsius: Option<f64>) -> Telemetry {
    let reading = Reading { load, celsius, ..Reading::empty(Instant::now()) };
    Telemetry { nodes: vec![Arc::new(node("bowie", 0, Some(reading)))] }
}

/// A node with what it said last.
pub fn node(name: &str, colour: usize, reading: Option<Reading>) -> Node {
    Node {
        name: name.into(),
        colour,
        since: Instant::now(),
        reading: reading.map(Arc::new),
        trouble: None,
        refused: 0,
    }
}

/// The real cluster's nodes and more of their kind, each with its own numbers.
pub fn cluster(nodes: usize) -> Telemetry {
    let names = ["bowie", "major-tom", "ground-control"];
    let nodes = (0..nodes).map(|index| {
        let name = names.get(index).map_or(format!("node-{index}"), |name| (*name).to_owned());
        Arc::new(node(&name, index, Some(jetson(index))))
    });
    Telemetry { nodes: nodes.collect() }
}

/// What a Jetson Nano says; `index` makes the numbers differ.
pub fn jetson(index: usize) -> Reading {
    let some = |value: f64| Some((value + 0.07 * index as f64) % 1.0);
    Reading {
        model: Some("NVIDIA Jetson Nano Developer Kit".into()),
        kernel: Some("4.9.253-tegra".into()),
        cores: vec![some(0.2), some(0.9), some(0.5), if index == 1 { None } else { some(0.1) }],
        load: some(0.43),
        load_average: Some([1.2, 0.9, 0.4]),
        cpu_hertz: Some((1.224e9, Some(1.479e9))),
        memory: Some(Space { used_bytes: 1.923e9, total_bytes: 4.156e9 }),
        celsius: Some(34.0 + (3 * index % 48) as f64),
        temperatures: ["CPU-therm", "GPU-therm", "AO-therm", "PLL-therm"]
            .into_iter()
            .zip([34.0, 31.0, 41.5, 31.5])
            .map(|(name, celsius)| Temperature { name: name.into(), celsius })
            .collect(),
        gpus: vec![kiosk::telemetry::reading::Gpu {
            id: "0".into(),
            load: some(0.81),
            hertz: Some(921.6e6),
            ..Default::default()
        }],
        fans: vec![Fan { name: "pwm-fan".into(), ratio: some(0.6), rpm: None }],
        rails: ["POM_5V_IN", "POM_5V_GPU", "POM_5V_CPU"]
            .into_iter()
            .zip([6.4 + (index % 9) as f64, 1.75, 0.366])
            .map(|(name, watts)| Rail {
                name: name.into(),
                volts: Some(5.024),
                amperes: Some(0.348),
                watts: Some(watts),
                origin: Origin::Measured,
            })
            .collect(),
        power: Some(Power {
            watts: 6.4 + (index % 9) as f64,
            scope: Scope::Board,
            origin: if index == 0 { Origin::Estimated } else { Origin::Measured },
        }),
        supply_volts: Some((5.024, Origin::Measured)),
        networks: vec![Network {
            device: "eth0".into(),
            received_per_s: Some(1.2e6),
            sent_per_s: Some(45e3),
            speed_per_s: Some(125e6),
            up: Some(true),
        }],
        disks: vec![Disk {
            mount: "/mnt/cluster-workspace".into(),
            space: Space { used_bytes: 0.4e12, total_bytes: 1.9e12 },
        }],
        power_mode: Some("MAXN".into()),
        ..Reading::empty(Instant::now())
    }
}
