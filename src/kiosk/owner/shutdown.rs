//! The ordered shut-down of the whole cluster: a countdown, the other computers, a look whether they have gone, this one last.
//!
//! A computer that neither its agent nor ssh answers for has gone as far as anybody can tell from here: the plug is pulled by a
//! person. Whoever changes their mind in time cancels; what is off by then stays off.

use std::time::Duration;

use tokio::{
    net::TcpStream,
    sync::watch,
    task::JoinSet,
    time::{Instant, sleep, sleep_until, timeout},
};

use crate::{
    command::{self, Limits},
    config::{Config, NodeAddress},
};

/// How long everything may take.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// For second thoughts, before the first and before the last computer.
    pub countdown: Duration,
    /// Between two looks whether a computer still answers.
    pub look: Duration,
    /// Until a computer that has been told must be silent.
    pub patience: Duration,
    /// For what silent computers still write to their disks.
    pub grace: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { countdown: seconds(10), look: seconds(1), patience: seconds(60), grace: seconds(5) }
    }
}

/// Most time and words of a command that switches off or looks.
const LIMITS: Limits = Limits { time: Duration::from_secs(10), bytes: 16 * 1024 };
/// How long an agent's port may take to be there.
const KNOCK: Duration = Duration::from_secs(2);

/// How far it has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ShutDown {
    /// Nobody wants it.
    #[default]
    None,
    /// It begins then, unless it is cancelled.
    Counting(Instant),
    /// The other computers are going.
    Others(Vec<Leaving>),
    /// Some of them have not gone in time; it goes on without them or is cancelled.
    Stuck(Vec<Leaving>),
    /// This computer goes then, unless it is cancelled.
    Last(Instant),
    /// This computer has been told.
    Told,
    /// This computer cannot switch itself off, and why.
    Failed(String),
}

/// Another computer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaving {
    /// Its name in kiosk.toml.
    pub name: String,
    /// Whether it is silent.
    pub is_silent: bool,
    /// Why it could not be told, if it could not.
    pub trouble: Option<String>,
}

/// Where a computer is, and how it is told to switch off.
struct Other {
    name: String,
    host: String,
    port: u16,
}

/// How the cluster is switched off.
pub struct Switches {
    others: Vec<Other>,
    ssh: Vec<String>,
    others_words: Vec<String>,
    own_words: Vec<String>,
    pace: Pace,
}

impl Switches {
    /// As kiosk.toml says.
    pub fn new(config: &Config, pace: Pace) -> Self {
        let other = |node: &crate::config::NodeEntry| match &node.address {
            NodeAddress::Local => None,
            NodeAddress::Agent { host, port } => {
                Some(Other { name: node.name.clone(), host: host.clone(), port: *port })
            }
        };
        Self {
            others: config.nodes.iter().filter_map(other).collect(),
            ssh: config.launch.ssh.clone(),
            others_words: config.owner.node_shut_down.clone(),
            own_words: config.owner.shut_down.clone(),
            pace,
        }
    }

    /// Goes through all of it; `told` hears how far it is, and `go_on` comes when somebody wants to go on without those
    /// that have not gone. To cancel is to drop this.
    pub async fn run(&self, told: impl Fn(ShutDown), mut go_on: watch::Receiver<u32>) {
        let until = Instant::now() + self.pace.countdown;
        told(ShutDown::Counting(until));
        sleep_until(until).await;
        if !self.others.is_empty() && !self.send_off(&told).await {
            go_on.mark_unchanged();
            // Its other end is held by whoever holds this.
            let _ = go_on.changed().await;
        }
        let until = Instant::now() + self.pace.countdown;
        told(ShutDown::Last(until));
        sleep_until(until).await;
        log::info!("this computer is switched off by its owner");
        told(match self.ask(&self.own_words).await {
            Ok(()) => ShutDown::Told,
            Err(why) => {
                log::warn!("this computer cannot switch itself off: {why}");
                ShutDown::Failed(why)
            }
        });
    }

    /// Tells the others and waits until they are silent; whether all are.
    async fn send_off(&self, told: &impl Fn(ShutDown)) -> bool {
        let entry =
            |other: &Other| Leaving { name: other.name.clone(), is_silent: false, trouble: None };
        let mut leaving: Vec<Leaving> = self.others.iter().map(entry).collect();
        told(ShutDown::Others(leaving.clone()));
        let mut asked = JoinSet::new();
        for (place, other) in self.others.iter().enumerate() {
            let words =
                [&self.ssh[..], std::slice::from_ref(&other.host), &self.others_words].concat();
            log::info!("{} is switched off by the owner", other.name);
            asked.spawn(async move { (place, ask(&words).await) });
        }
        while let Some(Ok((place, answer))) = asked.join_next().await {
            leaving[place].trouble = answer.err();
        }
        let until = Instant::now() + self.pace.patience;
        loop {
            let mut looked = JoinSet::new();
            for (place, other) in self.others.iter().enumerate() {
                let words = [&self.ssh[..], &[other.host.clone(), "true".into()]].concat();
                let (host, port) = (other.host.clone(), other.port);
                looked.spawn(async move { (place, is_silent(&host, port, &words).await) });
            }
            while let Some(Ok((place, is_silent))) = looked.join_next().await {
                leaving[place].is_silent = is_silent;
            }
            if leaving.iter().all(|computer| computer.is_silent) {
                told(ShutDown::Others(leaving));
                sleep(self.pace.grace).await;
                return true;
            }
            if until <= Instant::now() {
                for computer in leaving.iter().filter(|computer| !computer.is_silent) {
                    let why = computer.trouble.as_deref().unwrap_or("it was told");
                    log::warn!("{} still answers: {why}", computer.name);
                }
                told(ShutDown::Stuck(leaving));
                return false;
            }
            told(ShutDown::Others(leaving.clone()));
            sleep(self.pace.look).await;
        }
    }

    async fn ask(&self, words: &[String]) -> Result<(), String> {
        ask(words).await
    }
}

/// Tells a computer to switch off.
async fn ask(words: &[String]) -> Result<(), String> {
    let (program, arguments) = words.split_first().ok_or("there is no program to run")?;
    let said = command::ask(program, arguments, LIMITS).await?;
    match said.status {
        Some(0) => Ok(()),
        _ if said.complaint.is_empty() => Err(format!("{} has failed", words.join(" "))),
        _ => Err(said.complaint),
    }
}

/// Whether neither the agent's port nor ssh answers.
async fn is_silent(host: &str, port: u16, ssh: &[String]) -> bool {
    let knock = timeout(KNOCK, TcpStream::connect((host, port)));
    let Some((program, arguments)) = ssh.split_first() else { return false };
    let (agent, shell) = tokio::join!(knock, command::ask(program, arguments, LIMITS));
    // ssh says by this status that it is ssh itself that failed; one that never answers is no answer either.
    let is_shell_silent = shell.map_or(true, |said| said.status == Some(255));
    !matches!(agent, Ok(Ok(_))) && is_shell_silent
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, fs, os::unix::fs::PermissionsExt, path::Path};

    use super::*;

    const QUICK: Pace = Pace {
        countdown: Duration::from_millis(50),
        look: Duration::from_millis(10),
        patience: Duration::from_millis(300),
        grace: Duration::from_millis(1),
    };

    /// Three computers in a folder: one is on while a file of its name is there.
    struct Rack(tempfile::TempDir);

    impl Rack {
        fn new(on: &[&str]) -> Self {
            let rack = Self(tempfile::tempdir().unwrap());
            on.iter().for_each(|name| fs::write(rack.path(name), "").unwrap());
            // ssh and both ways to switch off; ground-control does not let the owner.
            let ssh = "#!/bin/sh\ncd \"$(dirname \"$0\")\"; host=$(readlink $1); shift\n\
                       [ -e \"$host\" ] || { echo \"$host: no route\" >&2; exit 255; }\n\
                       [ \"$1\" != off ] || { [ $host != ground-control ] || { echo 'a password is required' >&2; exit 1; }; \
                       echo \"$host off\" >>diary; rm \"$host\"; }\n";
            let off = "#!/bin/sh\ncd \"$(dirname \"$0\")\"; echo \"this off\" >>diary\n";
            for (name, text) in [("ssh", ssh), ("off", off)] {
                fs::write(rack.path(name), text).unwrap();
                fs::set_permissions(rack.path(name), fs::Permissions::from_mode(0o755)).unwrap();
            }
            rack
        }

        fn path(&self, name: &str) -> std::path::PathBuf {
            self.0.path().join(name)
        }

        fn diary(&self) -> String {
            fs::read_to_string(self.path("diary")).unwrap_or_default()
        }

        fn switches(&self, others: &[&str], own: &str) -> Switches {
            // Addresses of this machine on which no agent listens.
            let node = |name: &&str| {
                let place =
                    ["major-tom", "ground-control", "ziggy"].iter().position(|it| it == name);
                let address = format!("127.0.9.{}", 1 + place.unwrap());
                std::os::unix::fs::symlink(name, self.path(&address)).unwrap();
                format!("[[node]]\nname = \"{name}\"\naddress = \"{address}\"\n")
            };
            let nodes: String = others.iter().map(node).collect();
            let text = format!(
                "[owner]\nshut_down = [\"{}\"]\nnode_shut_down = [\"off\"]\n[launch]\nssh = [\"{}\"]\n\
                 [[node]]\nname = \"pi\"\naddress = \"local\"\n{nodes}",
                self.path(own).display(),
                self.path("ssh").display()
            );
            Switches::new(&Config::parse(Path::new("kiosk.toml"), &text).unwrap(), QUICK)
        }
    }

    fn block_on<T>(work: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
    }

    /// What was told, without what was told before; moments are not compared.
    fn stages(told: &RefCell<Vec<ShutDown>>) -> Vec<&'static str> {
        let mut stages: Vec<&str> = told
            .borrow()
            .iter()
            .map(|stage| match stage {
                ShutDown::None => "none",
                ShutDown::Counting(_) => "counting",
                ShutDown::Others(_) => "others",
                ShutDown::Stuck(_) => "stuck",
                ShutDown::Last(_) => "last",
                ShutDown::Told => "told",
                ShutDown::Failed(_) => "failed",
            })
            .collect();
        stages.dedup();
        stages
    }

    #[test]
    fn the_others_go_first_and_this_computer_when_they_are_silent() {
        // One of them was off before.
        let rack = Rack::new(&["major-tom"]);
        let switches = rack.switches(&["major-tom", "ziggy"], "off");
        let (told, (_go_on, heard)) = (RefCell::new(Vec::new()), watch::channel(0));
        block_on(switches.run(
            |stage| {
                // What is told of this computer comes after the others' end.
                assert!(!matches!(stage, ShutDown::Last(_)) || rack.diary() == "major-tom off\n");
                told.borrow_mut().push(stage);
            },
            heard,
        ));
        assert_eq!(stages(&told), ["counting", "others", "last", "told"]);
        assert_eq!(rack.diary(), "major-tom off\nthis off\n");
        let told = told.borrow();
        let others = told.iter().rev().find(|stage| matches!(stage, ShutDown::Others(_)));
        let Some(ShutDown::Others(leaving)) = others else { panic!("{told:?}") };
        assert!(leaving.iter().all(|computer| computer.is_silent));
        assert_eq!(leaving[1].trouble.as_deref(), Some("ziggy: no route"));
    }

    #[test]
    fn a_computer_that_does_not_go_stops_it_until_somebody_goes_on() {
        let rack = Rack::new(&["major-tom", "ground-control"]);
        let switches = rack.switches(&["major-tom", "ground-control"], "off");
        let (told, (go_on, heard)) = (RefCell::new(Vec::new()), watch::channel(0));
        block_on(async {
            let work = switches.run(|stage| told.borrow_mut().push(stage), heard);
            tokio::pin!(work);
            let is_stuck = async {
                while !matches!(told.borrow().last(), Some(ShutDown::Stuck(_))) {
                    sleep(QUICK.look).await;
                }
                // Longer than its last countdown would take.
                sleep(2 * QUICK.countdown).await;
            };
            tokio::select! {
                () = &mut work => panic!("it went on by itself"),
                () = is_stuck => {}
            }
            assert_eq!(rack.diary(), "major-tom off\n");
            let last = told.borrow().last().cloned();
            let Some(ShutDown::Stuck(leaving)) = last else { panic!("{last:?}") };
            assert_eq!(leaving.iter().map(|l| l.is_silent).collect::<Vec<_>>(), [true, false]);
            assert_eq!(leaving[1].trouble.as_deref(), Some("a password is required"));
            go_on.send_modify(|count| *count += 1);
            work.await;
        });
        assert_eq!(stages(&told), ["counting", "others", "stuck", "last", "told"]);
    }

    #[test]
    fn who_cancels_in_time_has_switched_nothing_off() {
        let rack = Rack::new(&["major-tom"]);
        let switches = rack.switches(&["major-tom"], "off");
        let (_go_on, heard) = watch::channel(0);
        block_on(async {
            let cancelled = timeout(QUICK.countdown / 2, switches.run(|_| {}, heard)).await;
            assert!(cancelled.is_err());
            sleep(2 * QUICK.countdown).await;
        });
        assert!(rack.path("major-tom").exists() && rack.diary().is_empty());
    }

    #[test]
    fn a_computer_that_cannot_switch_itself_off_says_why() {
        let rack = Rack::new(&[]);
        let switches = rack.switches(&[], "nothing-here");
        let (told, (_go_on, heard)) = (RefCell::new(Vec::new()), watch::channel(0));
        block_on(switches.run(|stage| told.borrow_mut().push(stage), heard));
        assert_eq!(stages(&told), ["counting", "last", "failed"]);
        let told = told.borrow();
        assert!(
            matches!(told.last(), Some(ShutDown::Failed(why)) if why.contains("cannot be run"))
        );
    }
}
