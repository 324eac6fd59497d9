//! kiosk.toml: what the owner decides. Only reads it; what a wrong file leads to is for others to say.

mod launch;
mod nodes;
mod owner;
mod screen;
mod senses;

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Deserialize;
use toml::Spanned;

pub use owner::Owner;
pub use screen::{Idle, Screen};
use toml_file::{Source, TomlFileError};
use wire::channel::Processor;

pub use senses::{FanEntry, FanWire, MeterEntry, RoomEntry, RoomSource};

/// Where the file lies on an installed kiosk.
pub const INSTALLED: &str = "/etc/hpc-kiosk/kiosk.toml";
/// Most bytes of it.
const MAX_BYTES: u64 = 256 * 1024;
/// Where an agent listens unless its node's `agent_port` says otherwise.
pub const AGENT_PORT: u16 = 9101;
/// How often nodes may be read, seconds: what a scrape costs bounds one side, what is called stale the other.
const INTERVAL_S: std::ops::RangeInclusive<f64> = 0.2..=1.0;

/// All of it; a key that is not in the file has the value of the shipped example.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// How demos are started.
    pub launch: Launch,
    /// The computers of the cluster, in the order of their colours; empty means this machine alone.
    pub nodes: Vec<NodeEntry>,
    /// How they are read, and who may read us.
    pub metrics: Metrics,
    /// What the screen shows.
    pub screen: Screen,
    /// The wall power meter, if there is one.
    pub meter: Option<MeterEntry>,
    /// The sensor of the air in the chassis, if there is one.
    pub room: Option<RoomEntry>,
    /// The chassis' fan, if it is to be spoken of.
    pub fan: Option<FanEntry>,
    /// What it does while nobody is there.
    pub idle: Idle,
    /// What the owner's menu needs.
    pub owner: Owner,
}

/// `[[node]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeEntry {
    /// What the screens call it; by it a run's ranks are matched to it, so it is the host name.
    pub name: String,
    /// Where its agent is.
    pub address: NodeAddress,
    /// Index into the palette, from 0; its place in the file where that is not said.
    pub colour: usize,
    /// Ranks that a run may have there; `None` where the owner does not say.
    pub slots: Option<u16>,
    /// Which pair of the power supply's USB outlets feeds it, from 1; `None` where the owner does not say.
    pub usb_pair: Option<u8>,
    /// What is to compute there.
    pub processor: Processor,
}

/// Where a node is read.
#[derive(Clone, Debug, PartialEq)]
pub enum NodeAddress {
    /// Here: read directly, without an agent.
    Local,
    /// By HTTP.
    Agent {
        /// Name or address in the cluster's network.
        host: String,
        /// TCP port.
        port: u16,
    },
}

/// `[metrics]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Metrics {
    /// How often every node is read.
    pub interval: Duration,
    /// Where the kiosk offers what it knows as OpenMetrics; nowhere by default.
    pub listen: Option<SocketAddr>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self { interval: Duration::from_millis(500), listen: None }
    }
}

/// `[launch]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Launch {
    /// Open MPI's launcher: a path, or a name to be found in `PATH`.
    pub mpirun: PathBuf,
    /// Most ranks that a run may have on this machine, whatever its demo.toml allows; `None` for no limit.
    pub ranks: Option<u16>,
    /// Further settings of Open MPI, as `mpirun --mca NAME VALUE` takes them.
    pub mca: BTreeMap<String, String>,
    /// Where runs go.
    pub launcher: Launcher,
    /// The program that starts another one on the computer named as its next argument, with its own arguments.
    pub ssh: Vec<String>,
    /// Where the warden and the demos' programs lie on the other computers.
    pub programs: PathBuf,
    /// This machine's address in the cluster's network, where demos on other computers find the kiosk.
    pub address: Option<IpAddr>,
    /// The cluster's network, ADDRESS/BITS; Open MPI talks over it alone.
    pub network: Option<String>,
    /// Above this a computer gets no run, degrees Celsius.
    pub limit_celsius: f64,
    /// The Slurm whose computers they are; `None` where there is none to be heeded.
    pub slurm: Option<Slurm>,
}

/// `[launch.slurm]`: a Slurm that shares the computers out among several people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slurm {
    /// The folder of its commands; `None` to find them in `PATH`.
    pub commands: Option<PathBuf>,
    /// The partition to ask for computers; Slurm's default one where that is not said.
    pub partition: Option<String>,
    /// Whom its accounting charges.
    pub account: Option<String>,
    /// How long a run may keep its computers; Slurm counts in minutes.
    pub time_limit_min: u32,
    /// How long a run may stand in the queue before it goes to this machine.
    pub queue_wait: Duration,
}

impl Default for Slurm {
    fn default() -> Self {
        Self {
            commands: None,
            partition: None,
            account: None,
            time_limit_min: 30,
            queue_wait: Duration::from_secs(10),
        }
    }
}

/// `launcher` in `[launch]`: how a run that may use other computers gets there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Launcher {
    /// It does not: runs stay on this machine.
    #[default]
    Local,
    /// `mpirun` is started on the first computer of the run, through ssh: needed where this machine's Open MPI is
    /// another than theirs.
    Ssh,
    /// `mpirun` is started here.
    Mpirun,
    /// Slurm is asked for the computers, and `mpirun` started on the first of them as with `Ssh`.
    Slurm,
}

impl Default for Launch {
    fn default() -> Self {
        let options = ["BatchMode=yes", "ConnectTimeout=2", "ServerAliveInterval=1"];
        let options = options.into_iter().chain(["ServerAliveCountMax=3"]);
        let options = options.flat_map(|option| ["-o".into(), option.into()]);
        Self {
            mpirun: "mpirun".into(),
            ranks: None,
            mca: BTreeMap::new(),
            launcher: Launcher::Local,
            ssh: std::iter::once("ssh".into()).chain(options).collect(),
            programs: "/mnt/cluster-workspace/hpc-kiosk".into(),
            address: None,
            network: None,
            limit_celsius: 85.0,
            slurm: None,
        }
    }
}

impl Config {
    /// The file that `--config` names; without one the installed file, if there is one; else the defaults.
    ///
    /// # Errors
    /// Names file, line and key; the kiosk then says so on the screen and goes on with the defaults.
    pub fn load(argument: Option<&Path>, installed: &Path) -> Result<Self, TomlFileError> {
        let file = match argument {
            Some(file) => file,
            None if installed.exists() => installed,
            None => return Ok(Self::default()),
        };
        Self::parse(file, &toml_file::read(file, MAX_BYTES)?)
    }

    /// Reads the text of a kiosk.toml; `file` is its name in messages.
    ///
    /// # Errors
    /// Names the first wrong line.
    pub fn parse(file: &Path, text: &str) -> Result<Self, TomlFileError> {
        let source = Source { file, text };
        let tables: Tables = source.parse()?;
        let launch = launch::launch(tables.launch, &source)?;
        let mut config = Self { launch, ..Self::default() };
        config.screen = screen::screen(tables.screen, &source)?;
        config.idle = screen::idle(tables.idle, &source)?;
        config.owner = owner::owner(tables.owner, &source)?;
        config.nodes = nodes::entries(tables.node, &source)?;
        config.meter = senses::meter(tables.meter, &source)?;
        config.room = senses::room(tables.room, &source)?;
        config.fan = senses::fan(tables.fan, &source)?;
        if let Some(interval) = tables.metrics.interval_s {
            let is_interval = INTERVAL_S.contains(interval.get_ref());
            check(is_interval, &source, &interval, "interval_s", "is outside 0.2 to 1")?;
            config.metrics.interval = Duration::from_secs_f64(interval.into_inner());
        }
        if let Some(listen) = tables.metrics.listen {
            let address = listen.get_ref().parse().ok();
            check(
                address.is_some(),
                &source,
                &listen,
                "listen",
                "is not an address; write IP:PORT, such as \"127.0.0.1:9102\"",
            )?;
            config.metrics.listen = address;
        }
        Ok(config)
    }
}

fn check<T: ToString>(
    holds: bool,
    source: &Source<'_>,
    value: &Spanned<T>,
    key: &str,
    problem: &str,
) -> Result<(), TomlFileError> {
    if holds {
        return Ok(());
    }
    let value_said = value.get_ref().to_string();
    Err(source.wrong(value.span(), key, format!("'{value_said}' {problem}")))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tables {
    #[serde(default)]
    launch: launch::LaunchTable,
    #[serde(default)]
    screen: screen::ScreenTable,
    #[serde(default)]
    idle: screen::IdleTable,
    #[serde(default)]
    owner: owner::OwnerTable,
    #[serde(default)]
    node: Vec<Spanned<nodes::NodeTable>>,
    #[serde(default)]
    metrics: MetricsTable,
    meter: Option<senses::MeterTable>,
    room: Option<senses::RoomTable>,
    fan: Option<senses::FanTable>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct MetricsTable {
    interval_s: Option<Spanned<f64>>,
    listen: Option<Spanned<String>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHIPPED: &str = include_str!("../../assets/kiosk.toml");

    fn parse(text: &str) -> Result<Config, String> {
        Config::parse(Path::new("kiosk.toml"), text).map_err(|error| error.to_string())
    }

    #[test]
    fn the_shipped_example_says_the_defaults() {
        assert_eq!(parse(SHIPPED), Ok(Config::default()));
    }

    #[test]
    fn the_shipped_example_names_every_key() {
        // What is commented out there is an example too: each key with its comment sign removed is read.
        let is_example = |line: &str| {
            line.strip_prefix('#').is_some_and(|rest| !rest.starts_with(' ') && !rest.is_empty())
        };
        let uncommented: Vec<&str> =
            SHIPPED.lines().map(|line| if is_example(line) { &line[1..] } else { line }).collect();
        let config = parse(&uncommented.join("\n")).unwrap();
        assert_eq!(config.launch.ranks, Some(3));
        assert_eq!(config.launch.mca["btl_tcp_if_include"], "eth0");
        let names: Vec<&str> = config.nodes.iter().map(|node| &node.name[..]).collect();
        assert_eq!(names, ["bowie", "major-tom", "ground-control"]);
        assert_eq!(config.nodes[0].address, NodeAddress::Local);
        assert_eq!(config.metrics.interval, Metrics::default().interval);
        let hour = |hour| jiff::civil::Time::constant(hour, 0, 0, 0);
        assert_eq!(config.screen.night, Some((hour(22), hour(8))));
        assert_eq!(config.metrics.listen, Some("127.0.0.1:9102".parse().unwrap()));
        assert_eq!(config.meter.unwrap().pin, [0; 4]);
        assert_eq!((config.room.unwrap().gpio, config.fan.unwrap().watts), (4, Some(30.0)));
    }

    /// The keys that a table has, as the refusal of one that it has not names them; `None` if it is no table.
    fn keys(table: &[String]) -> Option<Vec<String>> {
        let path = table.join(".");
        let texts = match &path[..] {
            "" => vec!["zzz = 1".into()],
            path => vec![format!("[{path}]\nzzz = 1"), format!("[[{path}]]\nzzz = 1")],
        };
        texts.iter().find_map(|text| {
            let refusal = toml::from_str::<Tables>(text).err()?.message().to_owned();
            let known = refusal.strip_prefix("unknown field `zzz`, expected ")?.to_owned();
            Some(known.split('`').skip(1).step_by(2).map(str::to_owned).collect())
        })
    }

    #[test]
    fn the_shipped_example_explains_every_key_that_there_is() {
        let is_line = |start: &str| {
            SHIPPED.lines().any(|line| line.trim_start_matches('#').starts_with(start))
        };
        let mut tables = vec![Vec::new()];
        let mut seen = 0;
        while let Some(table) = tables.pop() {
            let Some(known) = keys(&table) else { continue };
            for key in known {
                let path: Vec<String> = table.iter().cloned().chain([key]).collect();
                let (name, dotted) = (path.last().unwrap(), path.join("."));
                let ways = [format!("{name} = "), format!("[{dotted}]"), format!("[[{dotted}]]")];
                let is_there = ways.iter().any(|start| is_line(start));
                assert!(is_there, "assets/kiosk.toml does not name {dotted}");
                seen += 1;
                tables.push(path);
            }
        }
        assert!(20 < seen, "only {seen} keys were found");
    }

    #[test]
    fn the_real_clusters_file_is_an_example_too() {
        let config = parse(include_str!("../../assets/kiosk-cluster.toml")).unwrap();
        assert_eq!(config.launch.launcher, Launcher::Ssh);
        assert!(config.launch.slurm.is_some(), "others' jobs are heeded");
        let slots: Vec<_> = config.nodes.iter().map(|node| node.slots).collect();
        assert_eq!(slots, [Some(3), Some(4), Some(4)]);
    }

    #[test]
    fn an_empty_file_is_fine() {
        assert_eq!(parse(""), Ok(Config::default()));
    }

    #[test]
    fn wrong_values_are_named_with_line_and_key() {
        for (text, message) in [
            (
                "[launch]\nmpirn = 'x'\n",
                "line 2, key 'mpirn': there is no such key; the nearest known one is 'mpirun'",
            ),
            (
                "[lunch]\n",
                "line 1, key 'lunch': there is no such key; the nearest known one is 'launch'",
            ),
            ("[launch]\n\nranks = 0\n", "line 3, key 'ranks': '0' is outside 1 to 256"),
            ("[launch]\nranks = 70000\n", "line 2, key 'ranks': '70000' is outside 1 to 256"),
            (
                "[launch]\nmpirun = ''\n",
                "line 2, key 'mpirun': '' is not a program; write a path or a name",
            ),
            (
                "[screen]\nlanguage = 'polski'\n",
                "line 2, key 'language': 'polski' is not a language; write \"pl\" or \"en\"",
            ),
            (
                "[screen]\nbrightness_percent = 0\n",
                "line 2, key 'brightness_percent': '0' is outside 10 to 100",
            ),
            (
                "[screen]\nnight_from = '25:00'\nnight_to = '8:00'",
                "line 2, key 'night_from': '25:00' is not a time of day; write it as \"22:00\"",
            ),
            (
                "[screen]\nnight_to = '08:00'",
                "line 2, key 'night_to': says only one end of the night; add night_from",
            ),
            (
                "[screen]\nnight_from = '08:00'\nnight_to = '08:00'",
                "line 3, key 'night_to': '08:00' is when the night begins; write another time",
            ),
            (
                "[idle]\nafter_s = 5\n",
                "line 2, key 'after_s': '5' is neither 0, which means never, nor in 10 to 3600",
            ),
            (
                "[owner]\npin_file = 'pin'\n",
                "line 2, key 'pin_file': 'pin' is not a place; write a path that begins with /",
            ),
            ("[idle]\ndemo_s = 0\n", "line 2, key 'demo_s': '0' is outside 10 to 3600"),
            (
                "[launch.mca]\n'X;rm' = 'y'\n",
                "line 2, key 'X;rm': 'y' is not for a setting of Open MPI; their names have a to z, 0 to 9 and _",
            ),
            (
                "[metrics]\ninterval_s = 0.01\n",
                "line 2, key 'interval_s': '0.01' is outside 0.2 to 1",
            ),
            (
                "[metrics]\nlisten = 'localhost'\n",
                "line 2, key 'listen': 'localhost' is not an address; write IP:PORT, such as \"127.0.0.1:9102\"",
            ),
        ] {
            assert_eq!(parse(text), Err(format!("kiosk.toml, {message}")));
        }
    }

    #[test]
    fn the_argument_wins_over_the_installed_file_and_that_over_the_defaults() {
        let folder = tempfile::tempdir().unwrap();
        let (argument, installed) = (folder.path().join("a.toml"), folder.path().join("i.toml"));
        let language = |argument| Config::load(argument, &installed).map(|c| c.screen.language);
        assert_eq!(language(None).unwrap(), "pl");
        std::fs::write(&installed, "[screen]\nlanguage = 'en'\n").unwrap();
        assert_eq!(language(None).unwrap(), "en");
        std::fs::write(&argument, "[screen]\nlanguage = 'de'\n").unwrap();
        assert_eq!(language(Some(&argument)).unwrap(), "de");
        assert!(language(Some(Path::new("/nonexistent.toml"))).is_err());
    }
}
