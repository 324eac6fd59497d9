//! The command that starts a demo, here or on other computers: program, arguments, environment. Pure; nothing is looked
//! up or started here.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use wire::channel::{
    Address, CANVAS_VARIABLE, CHANNEL_VARIABLE, DEVICES_VARIABLE, Devices, THREADS_VARIABLE,
    TOKEN_VARIABLE, WAIT_VARIABLE,
};

use super::{
    channel::Token,
    placement::Placement,
    settings::{Remote, Settings},
};
use crate::catalogue::{Demo, Ranks};

/// Quiet, fast and sure to start on one machine: no probing of fabrics that are not there (start-up 286 -> 87 ms),
/// no binding, no counting of slots, and no copying through rights that containers lack. Ranks that are to end are
/// killed at once: what is polite has been said before, and when one dies the others end after 7 ms instead of
/// 1.02 s. Measured with Open MPI 4.1.4.
const OPEN_MPI: [(&str, &str); 6] = [
    ("pml", "ob1"),
    ("btl", "self,vader,tcp"),
    ("hwloc_base_binding_policy", "none"),
    ("rmaps_base_oversubscribe", "1"),
    ("odls_base_sigkill_timeout", "0"),
    ("btl_vader_single_copy_mechanism", "none"),
];
/// Over a network a computer that falls silent must be noticed by the daemons of Open MPI themselves, or what it was part of
/// stays on the others: after 2 s of silence they ask three times, a second apart. Without it they ask after five minutes.
const KEEPALIVE: [(&str, &str); 4] = [
    ("oob_tcp_keepalive_time", "2"),
    ("oob_tcp_keepalive_intvl", "1"),
    ("oob_tcp_keepalive_probes", "3"),
    // The daemon's tree would hang every computer on the one before it.
    ("plm_rsh_no_tree_spawn", "1"),
];
/// Where Open MPI puts shared memory; in the run's folder it goes when the run does, killed or not.
const BACKING: [&str; 3] =
    ["btl_vader_backing_directory", "osc_sm_backing_directory", "osc_rdma_backing_directory"];

/// Names a run in the environment of all that it starts on other computers, so that it is found there. Unlike the token it is
/// no secret: it stands in the arguments of what starts Open MPI's daemons, which anybody there can read.
pub const MARK_VARIABLE: &str = "HPC_KIOSK_RUN";

/// A program to be started, with what its environment has beyond ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// A path, or a name to be found in `PATH`.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Names and values, in no particular order.
    pub environment: Vec<(String, OsString)>,
}

/// How a run is on this machine.
#[derive(Clone, Copy, Debug)]
pub struct Here<'a> {
    /// Ranks that a visitor wants; else as many as suit.
    pub ranks: Option<u16>,
    /// Cores of each that a visitor wants; else as many as there are for it.
    pub threads: Option<u16>,
    /// What is to compute; where nothing is said the demo chooses.
    pub devices: Option<&'a Devices>,
    /// The run's own folder.
    pub folder: &'a Path,
}

/// The command for one run of `demo` on this machine, whose program lies at `program`.
pub fn command(
    demo: &Demo,
    settings: &Settings,
    program: &Path,
    here: &Here<'_>,
    channel: &Address,
    token: &Token,
) -> Command {
    let folder = here.folder;
    let (width, height) = settings.canvas;
    let mut environment = told(channel, token, (width, height));
    environment.push(("TMPDIR".into(), folder.into()));
    environment.extend(here.devices.map(devices_told));
    let arguments = demo.arguments.iter().map(OsString::from);
    if !demo.mpi {
        return Command { program: program.into(), arguments: arguments.collect(), environment };
    }

    let ranks = processes(demo, settings, here.ranks);
    environment.extend(threads(demo, settings, ranks, here.threads).map(threads_told));
    environment.extend(root(settings));
    let mut mca: Vec<(&str, OsString)> =
        OPEN_MPI.iter().map(|(name, value)| (*name, value.into())).collect();
    mca.extend(BACKING.map(|name| (name, folder.into())));
    // A rank that waits burns its core unless it yields, which costs latency where it has one of its own.
    if settings.cores <= ranks {
        mca.push(("mpi_yield_when_idle", "1".into()));
    }
    environment.extend(with_the_owners(mca, settings));

    let mut all: Vec<OsString> = vec!["-n".into(), ranks.to_string().into(), program.into()];
    all.extend(arguments);
    Command { program: settings.mpirun.clone(), arguments: all, environment }
}

/// Where else a run goes, and how.
#[derive(Clone, Copy, Debug)]
pub struct Far<'a> {
    /// How other computers are reached.
    pub remote: &'a Remote,
    /// Which of them.
    pub placement: &'a Placement,
    /// What the run is known by there.
    pub mark: &'a Token,
    /// The run's folder on each of them.
    pub folder: &'a Path,
    /// Whether it is started before anybody wants it.
    pub in_advance: bool,
}

/// The command for one run of `demo` on other computers, for `mpirun` on the first of them or here: its program lies in the
/// same folder on each.
pub fn remote_command(
    demo: &Demo,
    settings: &Settings,
    far: &Far<'_>,
    channel: &Address,
    token: &Token,
) -> Command {
    let Far { remote, placement, mark, folder, .. } = *far;
    let mut environment = told(channel, token, settings.canvas);
    let devices = placement.devices();
    environment.extend(devices.as_ref().map(devices_told));
    environment.extend(placement.threads.map(threads_told));
    let mark = String::from_utf8_lossy(mark);
    environment.push((MARK_VARIABLE.into(), mark.clone().into_owned().into()));
    environment.extend(root(settings));
    let mut mca: Vec<(&str, OsString)> =
        OPEN_MPI.iter().chain(&KEEPALIVE).map(|(name, value)| (*name, value.into())).collect();
    mca.push(("plm_rsh_agent", remote.ssh.join(" ").into()));
    // The daemons carry the mark too, so that they are found with all they have started.
    mca.push(("orte_launch_agent", format!("env {MARK_VARIABLE}={mark} orted").into()));
    mca.push(("orte_tmpdir_base", folder.into()));
    mca.extend(BACKING.map(|name| (name, folder.into())));
    if let Some(network) = &remote.network {
        for name in ["btl_tcp_if_include", "oob_tcp_if_include"] {
            mca.push((name, network.into()));
        }
    }
    environment.extend(with_the_owners(mca, settings));

    let hosts: Vec<String> =
        placement.hosts.iter().map(|host| format!("{}:{}", host.address, host.ranks)).collect();
    let mut arguments: Vec<OsString> = vec![
        "-n".into(),
        placement.ranks().to_string().into(),
        "--host".into(),
        hosts.join(",").into(),
        // Daemons that leave their session could outlive it.
        "--leave-session-attached".into(),
    ];
    // Only variables that are set may be named.
    for variable in [CHANNEL_VARIABLE, TOKEN_VARIABLE, CANVAS_VARIABLE, MARK_VARIABLE] {
        arguments.extend(["-x".into(), variable.into()]);
    }
    if devices.is_some() {
        arguments.extend(["-x".into(), DEVICES_VARIABLE.into()]);
    }
    if placement.threads.is_some() {
        arguments.extend(["-x".into(), THREADS_VARIABLE.into()]);
    }
    if far.in_advance {
        arguments.extend(["-x".into(), WAIT_VARIABLE.into()]);
    }
    arguments.push(remote.programs.join(&demo.program).into());
    arguments.extend(demo.arguments.iter().map(OsString::from));
    Command { program: settings.mpirun.clone(), arguments, environment }
}

/// What the protocol tells a demo.
fn told(channel: &Address, token: &Token, canvas: (u16, u16)) -> Vec<(String, OsString)> {
    vec![
        (CHANNEL_VARIABLE.into(), channel.to_string().into()),
        (TOKEN_VARIABLE.into(), String::from_utf8_lossy(token).into_owned().into()),
        (CANVAS_VARIABLE.into(), format!("{}x{}", canvas.0, canvas.1).into()),
    ]
}

fn devices_told(devices: &Devices) -> (String, OsString) {
    (DEVICES_VARIABLE.into(), devices.to_string().into())
}

fn threads_told(threads: u16) -> (String, OsString) {
    (THREADS_VARIABLE.into(), threads.to_string().into())
}

/// What Open MPI asks of root.
fn root(settings: &Settings) -> impl Iterator<Item = (String, OsString)> + use<> {
    let variables = ["OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"];
    let is_root = settings.is_root;
    variables.into_iter().filter(move |_| is_root).map(|name| (name.into(), "1".into()))
}

/// Our settings and the owner's, which win, as Open MPI finds them in its environment.
fn with_the_owners<'a>(
    mut mca: Vec<(&'a str, OsString)>,
    settings: &'a Settings,
) -> impl Iterator<Item = (String, OsString)> + 'a {
    mca.retain(|(name, _)| !settings.mca.contains_key(*name));
    mca.extend(settings.mca.iter().map(|(name, value)| (name.as_str(), value.into())));
    mca.into_iter().map(|(name, value)| (format!("OMPI_MCA_{name}"), value))
}

/// How many MPI processes a run of `demo` has here, where a visitor may want so many; 0 without MPI.
pub fn processes(demo: &Demo, settings: &Settings, wanted: Option<u16>) -> u16 {
    match wanted {
        _ if !demo.mpi => 0,
        Some(wanted) => {
            let most = settings.most_ranks.unwrap_or(u16::MAX);
            wanted.min(most).min(demo.ranks.max).max(demo.ranks.min)
        }
        None => ranks(demo.ranks, settings.cores, settings.most_ranks),
    }
}

/// With how many cores each of so many ranks of `demo` computes here, where a visitor may want so many: one core is left to the
/// screen unless a visitor wants them all. `None` where the demo does not compute with several.
pub fn threads(demo: &Demo, settings: &Settings, ranks: u16, wanted: Option<u16>) -> Option<u16> {
    let room = settings.cores.saturating_sub(1) / ranks.max(1);
    demo.threads.then(|| wanted.unwrap_or(room).max(1))
}

/// How many ranks a demo gets: what it wants, but one core is left to the screen; at least two where it can, since
/// one rank shows no parts; never outside what it allows. `most` is the owner's limit.
fn ranks(wanted: Ranks, cores: u16, most: Option<u16>) -> u16 {
    let room = cores.saturating_sub(1).min(wanted.default).max(2);
    room.min(most.unwrap_or(u16::MAX)).min(wanted.max).max(wanted.min)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use wire::channel::Processor;

    use super::*;
    use crate::supervisor::placement::Host;

    const DEMO: &str = "order = 1\naudience = 'visitor'\nprogram = 'pipe'\nmpi = true\n\
        ranks = { default = 3, min = 1, max = 8 }\narguments = ['--flow', 'a b']\n\
        [text.en]\ntitle = 'T'\nline = 'L'\n";

    fn demo(text: &str) -> Demo {
        Demo::parse("pipe", Path::new("/demos/pipe"), "x86_64", text).unwrap()
    }

    fn settings() -> Settings {
        Settings {
            warden: "/usr/bin/hpc-kiosk-warden".into(),
            programs: "/usr/bin".into(),
            mpirun: "mpirun".into(),
            mca: BTreeMap::new(),
            most_ranks: None,
            cores: 4,
            canvas: (800, 400),
            is_root: false,
            folders: Vec::new(),
            remote: None,
        }
    }

    fn launch(demo: &Demo, settings: &Settings) -> (Vec<OsString>, BTreeMap<String, String>) {
        let command = command(
            demo,
            settings,
            Path::new("/demos/pipe/pipe"),
            &Here { ranks: None, threads: None, devices: None, folder: Path::new("/run/x") },
            &Address::Unix("/run/x/channel".into()),
            b"abcdefghijklmnopqrstuvwxyz234567",
        );
        let environment = command
            .environment
            .into_iter()
            .map(|(name, value)| (name, value.into_string().unwrap()))
            .collect();
        let mut line = vec![command.program.into_os_string()];
        line.extend(command.arguments);
        (line, environment)
    }

    #[test]
    fn an_mpi_demo_is_started_by_mpirun_with_everything_in_arguments_of_its_own() {
        let (line, environment) = launch(&demo(DEMO), &settings());
        assert_eq!(line, ["mpirun", "-n", "3", "/demos/pipe/pipe", "--flow", "a b"]);
        let expected = [
            ("HPC_KIOSK_CHANNEL", "unix:/run/x/channel"),
            ("HPC_KIOSK_TOKEN", "abcdefghijklmnopqrstuvwxyz234567"),
            ("HPC_KIOSK_CANVAS", "800x400"),
            ("TMPDIR", "/run/x"),
            ("OMPI_MCA_pml", "ob1"),
            ("OMPI_MCA_btl", "self,vader,tcp"),
            ("OMPI_MCA_hwloc_base_binding_policy", "none"),
            ("OMPI_MCA_rmaps_base_oversubscribe", "1"),
            ("OMPI_MCA_odls_base_sigkill_timeout", "0"),
            ("OMPI_MCA_btl_vader_single_copy_mechanism", "none"),
            ("OMPI_MCA_btl_vader_backing_directory", "/run/x"),
            ("OMPI_MCA_osc_sm_backing_directory", "/run/x"),
            ("OMPI_MCA_osc_rdma_backing_directory", "/run/x"),
        ];
        assert_eq!(environment, expected.map(|(n, v)| (n.into(), v.into())).into());
    }

    #[test]
    fn a_demo_without_mpi_is_started_directly_and_knows_nothing_of_it() {
        let text = DEMO.replace("mpi = true", "mpi = false").replace("ranks", "#");
        let (line, environment) = launch(&demo(&text), &settings());
        assert_eq!(line, ["/demos/pipe/pipe", "--flow", "a b"]);
        assert_eq!(environment.len(), 4);
        assert!(environment.keys().all(|name| !name.starts_with("OMPI")));
    }

    #[test]
    fn on_other_computers_the_token_goes_along_and_nothing_else_of_the_environment() {
        let remote = Remote {
            starts_there: true,
            ssh: vec!["ssh".into(), "-o".into(), "BatchMode=yes".into()],
            programs: "/mnt/k".into(),
            address: "10.0.0.1".parse().unwrap(),
            network: Some("10.0.0.0/24".into()),
            slurm: None,
        };
        let processor = Processor::Auto;
        let host = |name: &str, ranks| {
            let (name, address) = (name.into(), name.into());
            Host { name, address, ranks, processor }
        };
        let hosts = vec![host("a", 2), host("10.0.0.3", 1)];
        let placement = Placement { hosts, ..Placement::default() };
        let token = b"abcdefghijklmnopqrstuvwxyz234567";
        let mark = b"765432zyxwvutsrqponmlkjihgfedcba";
        let channel = Address::Tcp("10.0.0.1:4000".parse().unwrap());
        let folder = Path::new("/dev/shm/hpc-kiosk-1-a");
        let far = Far { remote: &remote, placement: &placement, mark, folder, in_advance: false };
        let command = remote_command(&demo(DEMO), &settings(), &far, &channel, token);
        let expected = "-n 3 --host a:2,10.0.0.3:1 --leave-session-attached -x HPC_KIOSK_CHANNEL \
                        -x HPC_KIOSK_TOKEN -x HPC_KIOSK_CANVAS -x HPC_KIOSK_RUN /mnt/k/pipe --flow";
        let mut expected: Vec<&str> = expected.split(' ').collect();
        expected.push("a b");
        assert_eq!(command.arguments, expected);
        let secret = "abcdefghijklmnopqrstuvwxyz234567";
        let shown = |(name, value): &&(String, OsString)| {
            name.starts_with("OMPI_MCA_") && value.to_string_lossy().contains(secret)
        };
        assert_eq!(command.environment.iter().find(shown), None, "arguments are made of these");
        let environment: BTreeMap<_, _> = command.environment.into_iter().collect();
        assert_eq!(environment["OMPI_MCA_plm_rsh_agent"], "ssh -o BatchMode=yes");
        assert_eq!(environment["OMPI_MCA_btl_tcp_if_include"], "10.0.0.0/24");
        assert_eq!(environment["OMPI_MCA_oob_tcp_keepalive_time"], "2");
        let daemon = "env HPC_KIOSK_RUN=765432zyxwvutsrqponmlkjihgfedcba orted";
        assert_eq!(environment["OMPI_MCA_orte_launch_agent"], daemon);
        assert_eq!(environment["OMPI_MCA_orte_tmpdir_base"], folder);
        assert_eq!(environment["OMPI_MCA_btl_vader_backing_directory"], folder);
        assert_eq!(environment["HPC_KIOSK_CHANNEL"], "tcp:10.0.0.1:4000");
        assert!(!environment.contains_key("TMPDIR"), "a folder of here is none of theirs");
        assert!(!environment.contains_key("HPC_KIOSK_DEVICES"), "the demo chooses");

        let mut placement = placement.clone();
        placement.hosts[1].processor = Processor::Cpu;
        placement.threads = Some(4);
        let far = Far { placement: &placement, ..far };
        let command = remote_command(&demo(DEMO), &settings(), &far, &channel, token);
        let environment: BTreeMap<_, _> = command.environment.into_iter().collect();
        assert_eq!(environment["HPC_KIOSK_DEVICES"], "auto,10.0.0.3=cpu");
        assert_eq!(environment["HPC_KIOSK_THREADS"], "4");
        for variable in ["HPC_KIOSK_DEVICES", "HPC_KIOSK_THREADS"] {
            assert!(command.arguments.iter().any(|word| word == variable), "{variable}");
        }
    }

    #[test]
    fn a_rank_that_computes_with_several_cores_is_told_how_many_are_for_it() {
        let text = DEMO.replace("mpi = true\n", "mpi = true\nthreads = true\n");
        let told = |cores, ranks| {
            let settings = Settings { cores, most_ranks: Some(ranks), ..settings() };
            launch(&demo(&text), &settings).1.remove("HPC_KIOSK_THREADS")
        };
        assert_eq!(
            [(2, 2), (4, 1), (4, 2), (8, 2)].map(|(c, r)| told(c, r).unwrap()),
            ["1", "3", "1", "3"]
        );
        let demo = demo(&text);
        assert_eq!(threads(&demo, &settings(), 1, Some(4)), Some(4), "a visitor may have them all");
    }

    #[test]
    fn root_says_so_twice() {
        let (_, environment) = launch(&demo(DEMO), &Settings { is_root: true, ..settings() });
        assert_eq!(environment["OMPI_ALLOW_RUN_AS_ROOT"], "1");
        assert_eq!(environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"], "1");
    }

    #[test]
    fn ranks_yield_only_where_they_share_cores_with_the_screen() {
        let yields = |cores| {
            let (_, environment) = launch(&demo(DEMO), &Settings { cores, ..settings() });
            environment.contains_key("OMPI_MCA_mpi_yield_when_idle")
        };
        assert!(!yields(4));
        assert!(!yields(3));
        assert!(yields(2));
    }

    #[test]
    fn the_owners_settings_win() {
        let mca = [("btl", "self,tcp"), ("btl_tcp_if_include", "eth0")];
        let mca = mca.map(|(name, value)| (name.into(), value.into())).into();
        let (_, environment) = launch(&demo(DEMO), &Settings { mca, ..settings() });
        assert_eq!(environment["OMPI_MCA_btl"], "self,tcp");
        assert_eq!(environment["OMPI_MCA_btl_tcp_if_include"], "eth0");
    }

    #[test]
    fn one_core_is_left_to_the_screen_but_two_ranks_are_the_least_that_shows_parts() {
        let wanted = Ranks { default: 3, min: 1, max: 8 };
        let on_cores = [1, 2, 3, 4, 5, 64].map(|cores| ranks(wanted, cores, None));
        assert_eq!(on_cores, [2, 2, 2, 3, 3, 3]);
    }

    #[test]
    fn what_the_demo_allows_is_never_left_and_the_owner_limits_the_rest() {
        assert_eq!(ranks(Ranks { default: 1, min: 1, max: 1 }, 64, None), 1);
        assert_eq!(ranks(Ranks { default: 4, min: 4, max: 4 }, 2, None), 4);
        assert_eq!(ranks(Ranks { default: 8, min: 1, max: 8 }, 64, Some(3)), 3);
        assert_eq!(ranks(Ranks { default: 8, min: 1, max: 8 }, 64, Some(1)), 1);
        assert_eq!(ranks(Ranks { default: 8, min: 4, max: 8 }, 64, Some(2)), 4);
    }
}
