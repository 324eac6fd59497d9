//! `[launch]`: how and where runs are started.

use std::{collections::BTreeMap, net::IpAddr, time::Duration};

use serde::Deserialize;
use toml::Spanned;
use toml_file::{Source, TomlFileError};

use super::{Launch, Launcher, Slurm, check};

/// Most settings that are handed to Open MPI.
const MAX_MCA: usize = 64;
/// Most words of the program in ssh's place.
const MAX_SSH: usize = 64;
/// What a processor's limit may be, degrees Celsius.
const LIMIT_CELSIUS: std::ops::RangeInclusive<f64> = 30.0..=110.0;
/// Longest name of a partition or an account.
const MAX_NAME: usize = 64;
/// How long a Slurm job of ours may be, minutes.
const TIME_LIMIT_MIN: std::ops::RangeInclusive<i64> = 1..=1440;
/// How long a visitor may be kept waiting in a queue, s.
const QUEUE_WAIT_S: std::ops::RangeInclusive<f64> = 1.0..=600.0;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LaunchTable {
    mpirun: Option<Spanned<String>>,
    ranks: Option<Spanned<i64>>,
    #[serde(default)]
    mca: BTreeMap<String, Spanned<String>>,
    launcher: Option<Spanned<Launcher>>,
    ssh: Option<Spanned<Vec<String>>>,
    programs: Option<Spanned<String>>,
    address: Option<Spanned<String>>,
    network: Option<Spanned<String>>,
    limit_celsius: Option<Spanned<f64>>,
    slurm: Option<SlurmTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SlurmTable {
    commands: Option<Spanned<String>>,
    partition: Option<Spanned<String>>,
    account: Option<Spanned<String>>,
    time_limit_min: Option<Spanned<i64>>,
    queue_wait_s: Option<Spanned<f64>>,
}

/// Reads the table; what is not in it has its default.
///
/// # Errors
/// Names the first wrong line.
pub(super) fn launch(table: LaunchTable, source: &Source<'_>) -> Result<Launch, TomlFileError> {
    let mut launch = Launch::default();
    if let Some(mpirun) = table.mpirun {
        let is_name = !mpirun.get_ref().is_empty() && !mpirun.get_ref().contains('\0');
        check(is_name, source, &mpirun, "mpirun", "is not a program; write a path or a name")?;
        launch.mpirun = mpirun.into_inner().into();
    }
    if let Some(ranks) = table.ranks {
        let is_count = (1..=256).contains(ranks.get_ref());
        check(is_count, source, &ranks, "ranks", "is outside 1 to 256")?;
        launch.ranks = Some(*ranks.get_ref() as u16);
    }
    for (number, (name, value)) in table.mca.into_iter().enumerate() {
        let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        check(
            number < MAX_MCA,
            source,
            &value,
            &name,
            "is one setting too many; 64 may stand here",
        )?;
        check(
            !name.is_empty() && name.bytes().all(is_name),
            source,
            &value,
            &name,
            "is not for a setting of Open MPI; their names have a to z, 0 to 9 and _",
        )?;
        let is_value = !value.get_ref().contains('\0');
        check(is_value, source, &value, &name, "has a zero byte; remove it")?;
        launch.mca.insert(name, value.into_inner());
    }
    if let Some(ssh) = table.ssh {
        let words = ssh.get_ref();
        let holds = (1..=MAX_SSH).contains(&words.len())
            && words.iter().all(|word| !word.is_empty() && !word.contains('\0'));
        if !holds {
            let problem = "the list is not a program and its arguments; write [\"ssh\"]";
            return Err(source.wrong(ssh.span(), "ssh", problem));
        }
        launch.ssh = ssh.into_inner();
    }
    if let Some(programs) = table.programs {
        // It is part of what ssh hands to a shell.
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
        let path = programs.get_ref();
        let is_folder = path.starts_with('/') && path.bytes().all(is_plain);
        let problem = "is no absolute path of letters, digits and / . _ -; write the folder that every computer sees";
        check(is_folder, source, &programs, "programs", problem)?;
        launch.programs = programs.into_inner().into();
    }
    if let Some(address) = table.address {
        let parsed: Option<IpAddr> = address.get_ref().parse().ok();
        let problem = "is not an IP address; write this machine's own in the cluster's network";
        let holds = parsed.is_some_and(|address| !address.is_unspecified());
        check(holds, source, &address, "address", problem)?;
        launch.address = parsed;
    }
    if let Some(network) = table.network {
        let problem = "is not a network; write its address and bits, such as \"192.168.0.0/24\"";
        check(is_network(network.get_ref()), source, &network, "network", problem)?;
        launch.network = Some(network.into_inner());
    }
    if let Some(limit) = table.limit_celsius {
        let holds = LIMIT_CELSIUS.contains(limit.get_ref());
        check(holds, source, &limit, "limit_celsius", "is outside 30 to 110")?;
        launch.limit_celsius = limit.into_inner();
    }
    launch.slurm = table.slurm.map(|table| slurm(table, source)).transpose()?;
    if let Some(launcher) = table.launcher {
        launch.launcher = *launcher.get_ref();
        if launch.launcher != Launcher::Local && launch.address.is_none() {
            let problem = "runs on other computers must find the kiosk; add 'address', this machine's own in their network";
            return Err(source.wrong(launcher.span(), "launcher", problem));
        }
    }
    if launch.launcher == Launcher::Slurm {
        launch.slurm.get_or_insert_default();
    }
    Ok(launch)
}

fn slurm(table: SlurmTable, source: &Source<'_>) -> Result<Slurm, TomlFileError> {
    let mut slurm = Slurm::default();
    if let Some(commands) = table.commands {
        let is_path = commands.get_ref().starts_with('/') && !commands.get_ref().contains('\0');
        let problem = "is no absolute path; write the folder in which squeue lies";
        check(is_path, source, &commands, "commands", problem)?;
        slurm.commands = Some(commands.into_inner().into());
    }
    let is_name = |name: &String| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
        (1..=MAX_NAME).contains(&name.len()) && !name.starts_with('-') && name.bytes().all(is_plain)
    };
    if let Some(partition) = table.partition {
        let problem = "is not a partition's name; sinfo shows those there are";
        check(is_name(partition.get_ref()), source, &partition, "partition", problem)?;
        slurm.partition = Some(partition.into_inner());
    }
    if let Some(account) = table.account {
        let problem = "is not an account's name; sacctmgr shows those there are";
        check(is_name(account.get_ref()), source, &account, "account", problem)?;
        slurm.account = Some(account.into_inner());
    }
    if let Some(limit) = table.time_limit_min {
        let holds = TIME_LIMIT_MIN.contains(limit.get_ref());
        check(holds, source, &limit, "time_limit_min", "is outside 1 to 1440")?;
        slurm.time_limit_min = u32::try_from(*limit.get_ref()).unwrap_or(slurm.time_limit_min);
    }
    if let Some(wait) = table.queue_wait_s {
        let holds = QUEUE_WAIT_S.contains(wait.get_ref());
        check(holds, source, &wait, "queue_wait_s", "is outside 1 to 600")?;
        slurm.queue_wait = Duration::from_secs_f64(wait.into_inner());
    }
    Ok(slurm)
}

fn is_network(text: &str) -> bool {
    let parts = text.split_once('/');
    parts.is_some_and(|(address, bits)| {
        let most = match address.parse() {
            Ok(IpAddr::V4(_)) => 32,
            Ok(IpAddr::V6(_)) => 128,
            Err(_) => return false,
        };
        bits.parse::<u8>().is_ok_and(|bits| bits <= most)
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::{Config, Launcher, Slurm};

    fn parse(text: &str) -> Result<Config, String> {
        Config::parse(Path::new("kiosk.toml"), text).map_err(|error| error.to_string())
    }

    #[test]
    fn the_cluster_is_reached_as_the_owner_says() {
        let launch = parse(
            "[launch]\nlauncher = 'ssh'\naddress = '192.168.0.1'\nnetwork = '192.168.0.0/24'\n\
             ssh = ['ssh', '-p', '22']\nprograms = '/srv/k'\nlimit_celsius = 80\n",
        )
        .unwrap()
        .launch;
        assert_eq!((launch.launcher, launch.limit_celsius), (Launcher::Ssh, 80.0));
        assert_eq!(launch.ssh, ["ssh", "-p", "22"]);
        assert_eq!(launch.address.unwrap().to_string(), "192.168.0.1");
    }

    #[test]
    fn slurm_is_asked_or_heeded_as_the_owner_says() {
        let launch =
            parse("[launch]\nlauncher = 'slurm'\naddress = '192.168.0.1'\n").unwrap().launch;
        assert_eq!((launch.launcher, launch.slurm), (Launcher::Slurm, Some(Slurm::default())));
        let text = "[launch]\nlauncher = 'ssh'\naddress = '192.168.0.1'\n[launch.slurm]\npartition = 'debug'\n\
                    account = 'open-day'\ncommands = '/opt/slurm/bin'\ntime_limit_min = 5\nqueue_wait_s = 2.5\n";
        let slurm = parse(text).unwrap().launch.slurm.unwrap();
        assert_eq!(slurm.partition.as_deref(), Some("debug"));
        assert_eq!(slurm.account.as_deref(), Some("open-day"));
        assert_eq!((slurm.time_limit_min, slurm.queue_wait.as_millis()), (5, 2500));
        assert_eq!(parse("").unwrap().launch.slurm, None);
        for (line, message) in [
            (
                "partition = ''",
                "key 'partition': '' is not a partition's name; sinfo shows those there are",
            ),
            (
                "partition = '--x'",
                "key 'partition': '--x' is not a partition's name; sinfo shows those there are",
            ),
            (
                "account = 'a b'",
                "key 'account': 'a b' is not an account's name; sacctmgr shows those there are",
            ),
            (
                "commands = 'bin'",
                "key 'commands': 'bin' is no absolute path; write the folder in which squeue lies",
            ),
            ("time_limit_min = 0", "key 'time_limit_min': '0' is outside 1 to 1440"),
            ("queue_wait_s = 1e9", "key 'queue_wait_s': '1000000000' is outside 1 to 600"),
        ] {
            let text = format!("[launch.slurm]\n{line}\n");
            assert_eq!(parse(&text), Err(format!("kiosk.toml, line 2, {message}")));
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_line_key_and_remedy() {
        for (line, message) in [
            (
                "launcher = 'ssh'",
                "key 'launcher': runs on other computers must find the kiosk; add 'address', this machine's own in their network",
            ),
            (
                "address = 'bowie'",
                "key 'address': 'bowie' is not an IP address; write this machine's own in the cluster's network",
            ),
            (
                "network = '10.0.0.0'",
                "key 'network': '10.0.0.0' is not a network; write its address and bits, such as \"192.168.0.0/24\"",
            ),
            (
                "network = '10.0.0.0/33'",
                "key 'network': '10.0.0.0/33' is not a network; write its address and bits, such as \"192.168.0.0/24\"",
            ),
            ("ssh = []", "key 'ssh': the list is not a program and its arguments; write [\"ssh\"]"),
            (
                "programs = 'bin'",
                "key 'programs': 'bin' is no absolute path of letters, digits and / . _ -; write the folder that every computer sees",
            ),
            ("limit_celsius = 200", "key 'limit_celsius': '200' is outside 30 to 110"),
        ] {
            let text = format!("[launch]\n{line}\n");
            assert_eq!(parse(&text), Err(format!("kiosk.toml, line 2, {message}")));
        }
        assert!(parse("[launch]\nlauncher = 'rsh'\n").unwrap_err().contains("line 2"));
    }
}
