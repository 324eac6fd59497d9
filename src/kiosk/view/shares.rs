//! Where the time of a run's ranks goes and what they send, on the page of the demo.

use std::rc::Rc;

use slint::{Color, ComponentHandle, ModelRc, VecModel};
use wire::demo::{RankStatistics, Statistics};

use super::{
    canvas, cluster,
    navigation::Navigation,
    numbers::{Language, percent, rate},
    palette::Rgb,
};
use crate::{
    supervisor::{State, Status},
    telemetry::Telemetry,
    ui,
};

/// Rows that the panel has room for.
const ROWS: usize = 4;

/// The rows that are kept from one refresh to the next.
pub struct Shares {
    rows: Rc<VecModel<ui::ShareRow>>,
}

impl Shares {
    /// Connects the panel of `app`.
    pub fn new(app: &ui::App) -> Self {
        let rows = Rc::new(VecModel::default());
        app.global::<ui::SharesView>().set_rows(ModelRc::from(Rc::clone(&rows)));
        Self { rows }
    }

    /// Shows what the newest statistics say.
    pub fn show(
        &self,
        app: &ui::App,
        telemetry: &Telemetry,
        status: &Status,
        navigation: &Navigation,
    ) {
        let groups = groups(status, telemetry);
        let is_open = navigation.shares && !groups.is_empty();
        app.global::<ui::SharesView>().set_open(is_open);
        if is_open {
            let rows = groups.iter().map(|group| group.row(status, navigation.language));
            cluster::update(&self.rows, rows);
        }
    }
}

/// Ranks that share a row.
#[derive(Debug, PartialEq)]
struct Group {
    hue: Rgb,
    name: String,
    /// Their places in the hello.
    ranks: Vec<usize>,
    /// How many computers they are on, where that is more than one.
    computers: usize,
    /// It is one rank of a run with few.
    is_single: bool,
}

/// Every rank by itself where there is room for all; else every computer; else the first of them, and the rest as one.
fn groups(status: &Status, telemetry: &Telemetry) -> Vec<Group> {
    let (State::Running { .. }, Some(hello)) = (&status.state, &status.hello) else {
        return Vec::new();
    };
    let nodes: Vec<(String, usize)> =
        telemetry.nodes.iter().map(|node| (node.name.clone(), node.colour)).collect();
    let is_single = hello.ranks.len() <= ROWS;
    let mut groups: Vec<Group> = Vec::new();
    for (rank, hue) in canvas::hues(hello, &nodes).into_iter().enumerate() {
        let host = &hello.ranks[rank].host;
        let known = groups.iter_mut().find(|group| canvas::same_host(&group.name, host));
        match known.filter(|_| !is_single) {
            Some(group) => group.ranks.push(rank),
            None => groups.push(Group {
                hue,
                name: host.split('.').next().unwrap_or_default().to_owned(),
                ranks: vec![rank],
                computers: 0,
                is_single,
            }),
        }
    }
    if ROWS < groups.len() {
        let rest = groups.split_off(ROWS - 1);
        let computers = rest.len();
        let hue = rest[0].hue;
        let ranks = rest.into_iter().flat_map(|group| group.ranks).collect();
        groups.push(Group { hue, name: String::new(), ranks, computers, is_single });
    }
    groups
}

impl Group {
    /// Shares are the mean of its ranks', bytes their sum.
    fn row(&self, status: &Status, language: Language) -> ui::ShareRow {
        let mut row = ui::ShareRow {
            hue: Color::from_rgb_u8(self.hue[0], self.hue[1], self.hue[2]),
            name: self.name.as_str().into(),
            number: if self.is_single { self.ranks[0] as i32 + 1 } else { 0 },
            parts: self.ranks.len() as i32,
            computers: self.computers as i32,
            ..Default::default()
        };
        let Some(statistics) = status.statistics.as_deref() else { return row };
        let Some(ranks) = self.of(statistics) else { return row };
        let mean = |share: fn(&RankStatistics) -> f32| {
            ranks.iter().map(|rank| share(rank)).sum::<f32>() / ranks.len() as f32
        };
        (row.compute, row.communicate, row.wait) =
            (mean(|rank| rank.compute), mean(|rank| rank.communicate), mean(|rank| rank.wait));
        let text = |share: f32| percent(f64::from(share)).into();
        row.compute_percent = text(row.compute);
        row.communicate_percent = text(row.communicate);
        row.wait_percent = text(row.wait);
        let bytes: f64 = ranks.iter().map(|rank| rank.halo_bytes as f64).sum();
        row.sent = rate(bytes / f64::from(statistics.interval_s), language).into();
        row
    }

    /// What is known of its ranks; nothing if it is not known of all.
    fn of<'a>(&self, statistics: &'a Statistics) -> Option<Vec<&'a RankStatistics>> {
        self.ranks.iter().map(|rank| statistics.ranks.get(*rank)).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::Arc,
        time::{Duration, Instant},
    };

    use wire::demo::{Device, Hello, PixelFormat, Rank};

    use super::*;
    use crate::{
        catalogue::{Audience, Demo, Gpu, Ranks},
        view::palette,
    };

    fn running(hosts: &[&str]) -> Status {
        let rank = |host: &&str| Rank {
            x: 0,
            y: 0,
            width: 0,
            height: 0,
            device: Device::Cpu,
            host: (*host).into(),
        };
        let ranks = hosts.iter().map(rank).collect();
        let hello =
            Hello { token: [b'0'; 32], format: PixelFormat::Rgb, width: 1, height: 1, ranks };
        let demo = Demo {
            id: String::new(),
            folder: Default::default(),
            order: 0,
            audience: Audience::Visitor,
            program: Default::default(),
            arguments: Vec::new(),
            bench: Vec::new(),
            mpi: true,
            ranks: Ranks { default: 1, min: 1, max: 64 },
            resumes: false,
            threads: false,
            gpu: Gpu::No,
            first_frame: Duration::from_secs(1),
            progress: Duration::from_secs(1),
            picture: None,
            texts: Default::default(),
            controls: Vec::new(),
        };
        let state = State::Running {
            demo: Arc::new(demo),
            since: Instant::now(),
            first_frame_after: Duration::ZERO,
        };
        Status { state, hello: Some(Arc::new(hello)), ..Default::default() }
    }

    fn names(hosts: &[&str]) -> Vec<(String, usize, usize)> {
        let groups = groups(&running(hosts), &Telemetry::default());
        groups.into_iter().map(|group| (group.name, group.ranks.len(), group.computers)).collect()
    }

    #[test]
    fn few_ranks_have_a_row_each_many_share_that_of_their_computer_and_the_rest_share_one() {
        let row = |name: &str, ranks, computers| (name.to_owned(), ranks, computers);
        assert_eq!(names(&["a", "a.local", "b"]), [row("a", 1, 0), row("a", 1, 0), row("b", 1, 0)]);
        let five = ["a", "a", "b", "A.local", "b"];
        assert_eq!(names(&five), [row("a", 3, 0), row("b", 2, 0)]);
        let many = ["a", "b", "c", "d", "e", "e"];
        assert_eq!(names(&many), [row("a", 1, 0), row("b", 1, 0), row("c", 1, 0), row("", 3, 2)]);
    }

    #[test]
    fn a_row_has_the_mean_shares_and_all_the_bytes_of_its_ranks() {
        let mut status = running(&["a", "a", "a", "a", "b"]);
        let rank = |compute, wait, halo_bytes| RankStatistics {
            compute,
            communicate: 0.1,
            wait,
            halo_bytes,
        };
        let ranks = vec![
            rank(0.8, 0.1, 1_000_000),
            rank(0.6, 0.3, 1_000_000),
            rank(0.8, 0.1, 1_000_000),
            rank(0.6, 0.3, 3_000_000),
            rank(0.5, 0.4, 0),
        ];
        let statistics = Statistics { interval_s: 0.5, ranks, ..Default::default() };
        status.statistics = Some(Arc::new(statistics));
        let groups = groups(&status, &Telemetry::default());
        let [a, b] = [0, 1].map(|group: usize| groups[group].row(&status, Language::Polish));
        assert_eq!(
            (a.compute_percent.as_str(), a.wait_percent.as_str()),
            ("70\u{a0}%", "20\u{a0}%")
        );
        assert_eq!((a.sent.as_str(), b.sent.as_str()), ("12\u{a0}MB/s", "0\u{a0}B/s"));
        let [red, green, blue] = palette::shade(1, 0);
        assert_eq!(b.hue, Color::from_rgb_u8(red, green, blue));
    }

    #[test]
    fn what_is_not_known_of_every_rank_is_not_said() {
        let mut status = running(&["a", "b"]);
        let statistics = Statistics {
            interval_s: 0.5,
            ranks: vec![RankStatistics::default()],
            ..Default::default()
        };
        status.statistics = Some(Arc::new(statistics));
        let groups = groups(&status, &Telemetry::default());
        let row = groups[1].row(&status, Language::English);
        assert_eq!((row.sent.as_str(), row.compute_percent.as_str()), ("", ""));
    }
}
