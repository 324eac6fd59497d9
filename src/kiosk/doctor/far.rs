//! Asks the other computers what they have; decides nothing.

use std::{
    cell::RefCell,
    collections::BTreeSet,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use tokio::{
    sync::Semaphore,
    task::JoinSet,
    time::{Instant, timeout_at},
};

use super::{LIMIT, Said, ask, versions};
use crate::{
    catalogue::Catalogue,
    config::{Config, Launch, Launcher, NodeAddress},
    supervisor::settings::WARDEN,
    telemetry::{
        Trouble,
        http::{Budget, Client},
        mapping::Said as Metrics,
    },
};

/// Computers that are asked at the same time, by four questions each.
const AT_ONCE: usize = 32;
/// Ways from the first computer to others that are tried at the same time; an OpenSSH server refuses more than ten guests that it
/// does not know yet.
const WAYS_AT_ONCE: usize = 4;

/// One other computer.
#[derive(Clone)]
pub struct Computer {
    /// What the screens call it.
    pub name: String,
    /// Where it is.
    pub host: String,
    /// Where its agent listens.
    pub port: u16,
}

/// What one of them has said.
pub struct Answers {
    /// Who it is.
    pub computer: Computer,
    /// The version of its agent, if that says one.
    pub agent: Result<Option<String>, Trouble>,
    /// What it answered through ssh; `None` where runs do not go there.
    pub ssh: Option<Shell>,
}

/// What a computer has said through ssh.
pub struct Shell {
    /// Its clock, and by how many seconds that is ahead of ours.
    pub clock: Result<(Said, Option<f64>), String>,
    /// What its `mpirun` says of its version.
    pub open_mpi: Result<Said, String>,
    /// Which files there are and which they are, by inode and time.
    pub identities: Result<Said, String>,
    /// Their sums.
    pub sums: Result<Said, String>,
}

/// The way from one computer to another.
pub struct Way {
    /// From which.
    pub from: String,
    /// To which.
    pub to: String,
    /// What came of it.
    pub said: Result<Said, String>,
}

/// What all of them have said.
pub struct Far {
    /// Each, in the order of kiosk.toml.
    pub answers: Vec<Answers>,
    /// The files that were looked for.
    pub files: Vec<String>,
    /// Whether the first that is reached reaches the others.
    pub ways: Vec<Way>,
}

/// Asks all nodes but this machine, at the same time; `awaited` is told who has not answered yet.
pub async fn answers(config: &Config, demos: &Catalogue, awaited: impl Fn(Vec<String>)) -> Far {
    let computers: Vec<Computer> = config
        .nodes
        .iter()
        .filter_map(|node| match &node.address {
            NodeAddress::Local => None,
            NodeAddress::Agent { host, port } => {
                Some(Computer { name: node.name.clone(), host: host.clone(), port: *port })
            }
        })
        .collect();
    let launch = &config.launch;
    let mut files = vec![launch.programs.join(WARDEN).display().to_string()];
    // What ssh hands on is read by a shell there.
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let mpi_demos =
        demos.demos.iter().filter(|demo| demo.mpi && demo.program.bytes().all(is_plain));
    files.extend(mpi_demos.map(|demo| launch.programs.join(&demo.program).display().to_string()));
    files.dedup();

    let missing: BTreeSet<usize> = (0..computers.len()).collect();
    let missing = RefCell::new(missing);
    let tell = || {
        let missing = missing.borrow();
        awaited(missing.iter().map(|place| computers[*place].name.clone()).collect());
    };
    tell();
    let at_once = Arc::new(Semaphore::new(AT_ONCE));
    let mut asked = JoinSet::new();
    for (place, computer) in computers.iter().cloned().enumerate() {
        let (launch, files, at_once) = (launch.clone(), files.clone(), Arc::clone(&at_once));
        asked.spawn(async move {
            let _permit = at_once.acquire().await;
            (place, answer(computer, &launch, &files).await)
        });
    }
    let mut answers = Vec::new();
    while let Some(answered) = asked.join_next().await {
        let Ok((place, answer)) = answered else { continue };
        missing.borrow_mut().remove(&place);
        tell();
        answers.push((place, answer));
    }
    answers.sort_by_key(|(place, _)| *place);
    let answers: Vec<Answers> = answers.into_iter().map(|(_, answer)| answer).collect();
    let ways = ways(launch, &answers).await;
    Far { answers, files, ways }
}

async fn answer(computer: Computer, launch: &Launch, files: &[String]) -> Answers {
    let mut client = Client::new(computer.host.clone(), computer.port);
    let budget = Budget::default();
    let agent = async {
        let text = client.metrics(&budget).await?;
        let text = String::from_utf8_lossy(&text);
        Metrics::read(&text).map_err(Trouble::from)?;
        Ok(versions::agent(&text).map(str::to_owned))
    };
    if launch.launcher == Launcher::Local {
        return Answers { agent: agent.await, computer, ssh: None };
    }
    let there = |words: &[&str], files: &[String]| {
        let words = words.iter().map(|word| (*word).to_owned());
        let to = [launch.ssh.clone(), vec![computer.host.clone()]].concat();
        to.into_iter().chain(words).chain(files.iter().cloned()).collect::<Vec<String>>()
    };
    let mpirun = launch.mpirun.display().to_string();
    let version = there(&[&mpirun, "--version"], &[]);
    let identified = there(&["stat", "--dereference", "--format=%i:%Y:%n"], files);
    let summed = there(&["sha256sum"], files);
    let time = there(&["date", "+%s.%N"], &[]);
    let clock = async {
        let before = since_1970();
        let said = ask(&time).await?;
        let ahead = versions::clock_ahead(&said.output, before, since_1970());
        Ok((said, ahead))
    };
    let (agent, clock, open_mpi, identities, sums) =
        tokio::join!(agent, clock, ask(&version), ask(&identified), ask(&summed));
    Answers { computer, agent, ssh: Some(Shell { clock, open_mpi, identities, sums }) }
}

/// Our own clock, s.
fn since_1970() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

/// The ways from the first computer that ssh reaches to the others that it reaches.
async fn ways(launch: &Launch, answers: &[Answers]) -> Vec<Way> {
    let mut reached = answers.iter().filter(|answer| answer.is_reached());
    let Some(first) = reached.next() else { return Vec::new() };
    let others: Vec<&Computer> = reached.map(|answer| &answer.computer).collect();
    let until = Instant::now() + LIMIT;
    let mut ways = Vec::new();
    for some in others.chunks(WAYS_AT_ONCE) {
        let mut asked = JoinSet::new();
        for (place, other) in some.iter().enumerate() {
            let from_there = [launch.ssh.clone(), vec![other.host.clone(), "true".into()]].concat();
            let first = vec![first.computer.host.clone()];
            let words = [launch.ssh.clone(), first, from_there].concat();
            let name = other.name.clone();
            asked.spawn(async move {
                let late = || Err(format!("no answer within {} s", LIMIT.as_secs()));
                let said = timeout_at(until, ask(&words)).await.unwrap_or_else(|_| late());
                (place, name, said)
            });
        }
        let mut said = asked.join_all().await;
        said.sort_by_key(|(place, ..)| *place);
        let from = || first.computer.name.clone();
        ways.extend(said.into_iter().map(|(_, to, said)| Way { from: from(), to, said }));
    }
    ways
}

impl Answers {
    /// Whether ssh leads there without a question.
    pub fn is_reached(&self) -> bool {
        let clock = self.ssh.as_ref().map(|shell| &shell.clock);
        matches!(clock, Some(Ok((said, _))) if !said.is_sshs())
    }
}
