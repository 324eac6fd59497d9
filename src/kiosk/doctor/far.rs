//! What the other computers have, and whether they fit together.

use tokio::task::JoinSet;

use super::{Finding, Said, ask, versions};
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

/// One other computer.
#[derive(Clone)]
struct Computer {
    name: String,
    host: String,
    port: u16,
}

/// What one of them has said.
struct Answers {
    computer: Computer,
    agent: Result<(), Trouble>,
    open_mpi: Result<Said, String>,
    sums: Result<Said, String>,
    /// For the first one only: whether it reaches each of the others.
    reaches: Vec<(String, Result<Said, String>)>,
}

/// Looks at all nodes but this machine, at the same time.
pub async fn nodes(
    config: &Config,
    catalogue: &Catalogue,
    version_here: Option<&str>,
    findings: &mut Vec<Finding>,
) {
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
    if computers.is_empty() {
        let found = "none but this machine";
        findings.push(match launch.launcher {
            Launcher::Local => Finding::well("computers", found),
            _ => Finding::wrong(
                "computers",
                found,
                "name the others as [[node]] in kiosk.toml, or set launcher = \"local\"",
            ),
        });
        return;
    }
    let mut files = vec![launch.programs.join(WARDEN).display().to_string()];
    let mpi_demos = catalogue.demos.iter().filter(|demo| demo.mpi);
    files.extend(mpi_demos.map(|demo| launch.programs.join(&demo.program).display().to_string()));
    files.dedup();

    let mut asked = JoinSet::new();
    for (place, computer) in computers.iter().enumerate() {
        let others = if place == 0 { computers[1..].to_vec() } else { Vec::new() };
        asked.spawn(look(place, computer.clone(), launch.clone(), files.clone(), others));
    }
    let mut answers = asked.join_all().await;
    answers.sort_by_key(|(place, _)| *place);
    let answers: Vec<Answers> = answers.into_iter().map(|(_, answers)| answers).collect();

    for answer in &answers {
        agent(answer, findings);
        if launch.launcher != Launcher::Local {
            reached(answer, &files, findings);
        }
    }
    if launch.launcher != Launcher::Local {
        same_open_mpi(launch.launcher, &answers, version_here, findings);
        same_programs(&answers, &files, findings);
    }
}

async fn look(
    place: usize,
    computer: Computer,
    launch: Launch,
    files: Vec<String>,
    others: Vec<Computer>,
) -> (usize, Answers) {
    let there =
        |words: Vec<String>| [launch.ssh.clone(), vec![computer.host.clone()], words].concat();
    let mut client = Client::new(computer.host.clone(), computer.port);
    let budget = Budget::default();
    let agent = async {
        let text = client.metrics(&budget).await?;
        let text = String::from_utf8_lossy(&text);
        Metrics::read(&text).map(|_| ()).map_err(Trouble::from)
    };
    if launch.launcher == Launcher::Local {
        let nothing = || Err(String::new());
        let agent = agent.await;
        let answers =
            Answers { computer, agent, open_mpi: nothing(), sums: nothing(), reaches: Vec::new() };
        return (place, answers);
    }
    let version = there(vec![launch.mpirun.display().to_string(), "--version".into()]);
    let summed = there([vec!["sha256sum".into()], files].concat());
    let (agent, open_mpi, sums) = tokio::join!(agent, ask(&version), ask(&summed));
    let mut reaches = Vec::new();
    for other in others {
        let from_there = [launch.ssh.clone(), vec![other.host, "true".into()]].concat();
        reaches.push((other.name, ask(&there(from_there)).await));
    }
    (place, Answers { computer, agent, open_mpi, sums, reaches })
}

fn agent(answer: &Answers, findings: &mut Vec<Finding>) {
    let Answers { computer: Computer { name, host, port }, agent, .. } = answer;
    let what = format!("agent of {name}");
    findings.push(match agent {
        Ok(()) => Finding::well(what, "answers"),
        Err(trouble) => {
            let remedy = match trouble {
                Trouble::NoSuchName => format!("write its IP address into [[node]] '{name}', or its name into /etc/hosts"),
                Trouble::NoAnswer => "switch it on, plug its cable in; then: ping it".to_owned(),
                Trouble::NoAgent => format!(
                    "on {name}: systemctl status hpc-kiosk-agent; its agent.toml must say listen = \"{host}:{port}\""
                ),
                Trouble::BadAnswer(_) => format!("see what is at http://{host}:{port}/metrics"),
            };
            Finding::wrong(what, trouble.to_string(), remedy)
        }
    });
}

/// ssh, and the files there.
fn reached(answer: &Answers, files: &[String], findings: &mut Vec<Finding>) {
    let Computer { name, host, .. } = &answer.computer;
    let what = format!("ssh to {name}");
    match &answer.open_mpi {
        // 255 is ssh's own failure; any other status is the command's, which then was reached.
        Ok(said) if said.is_content || !said.is_sshs() => {
            findings.push(Finding::well(what, "works without a password"));
        }
        failed => {
            let why = match failed {
                Ok(said) => said.complaint.clone(),
                Err(why) => why.clone(),
            };
            let remedy = format!(
                "as the user that the kiosk runs as: ssh-copy-id {host}, then ssh {host} true must work without a question"
            );
            findings.push(Finding::wrong(what, why, remedy));
            return;
        }
    }
    let has = answer.sums.as_ref().map(|said| versions::sums(&said.output)).unwrap_or_default();
    let missing: Vec<&str> =
        files.iter().map(String::as_str).filter(|file| !has.contains_key(file)).collect();
    findings.push(match &missing[..] {
        [] => Finding::well(format!("programs on {name}"), "are all there"),
        some => Finding::wrong(
            format!("programs on {name}"),
            format!("{} cannot be read", some.join(", ")),
            "mount the shared folder there, and build or copy the programs into it ([launch] programs)",
        ),
    });
    for (other, outcome) in &answer.reaches {
        let what = format!("ssh from {name} to {other}");
        findings.push(match outcome {
            Ok(said) if said.is_content => Finding::well(what, "works without a password"),
            Ok(Said { complaint: why, .. }) | Err(why) => {
                let remedy = format!(
                    "mpirun on {name} starts its daemon there: on {name}, ssh-copy-id {other}"
                );
                Finding::wrong(what, why.clone(), remedy)
            }
        });
    }
}

/// The daemons of two versions refuse each other.
fn same_open_mpi(
    launcher: Launcher,
    answers: &[Answers],
    here: Option<&str>,
    findings: &mut Vec<Finding>,
) {
    let mut have: Vec<(&str, &str)> = Vec::new();
    for answer in answers {
        let Ok(said) = &answer.open_mpi else { continue };
        let name = &answer.computer.name[..];
        match versions::open_mpi(&said.output) {
            Some(version) => have.push((name, version)),
            None if said.is_sshs() => {}
            None => findings.push(Finding::wrong(
                format!("Open MPI on {name}"),
                "there is none, or ssh does not find it",
                format!("on {name}: sudo apt-get install openmpi-bin; or write its path into [launch] mpirun"),
            )),
        }
    }
    if launcher == Launcher::Mpirun {
        have.extend(here.map(|version| ("this machine", version)));
    }
    let what = "Open MPI on all computers";
    match (versions::disagreement(have.iter().copied()), have.first()) {
        (Some(versions), _) => {
            let each: Vec<String> = versions
                .iter()
                .map(|(version, computers)| format!("{version} on {}", computers.join(" and ")))
                .collect();
            let includes_this = launcher == Launcher::Mpirun;
            let remedy = match includes_this {
                true => {
                    "mpirun of one version cannot start daemons of another: set launcher = \"ssh\", which starts mpirun on the first of the others, or install the same version everywhere"
                }
                false => {
                    "mpirun of one version cannot start daemons of another: install the same version on all computers that compute"
                }
            };
            findings.push(Finding::wrong(what, each.join(", "), remedy));
        }
        (None, Some((_, version))) => {
            let found = match here {
                Some(here) if here != *version => {
                    format!(
                        "{version}; that this machine has {here} does not matter, because mpirun is started there"
                    )
                }
                _ => (*version).to_owned(),
            };
            findings.push(Finding::well(what, found));
        }
        (None, None) => {}
    }
}

/// Ranks of two builds would not understand each other.
fn same_programs(answers: &[Answers], files: &[String], findings: &mut Vec<Finding>) {
    for file in files {
        let have = answers.iter().filter_map(|answer| {
            let sums = versions::sums(&answer.sums.as_ref().ok()?.output);
            Some((&answer.computer.name[..], *sums.get(&file[..])?))
        });
        if let Some(builds) = versions::disagreement(have) {
            let groups: Vec<String> =
                builds.values().map(|computers| computers.join(" and ")).collect();
            findings.push(Finding::wrong(
                file.clone(),
                format!("is not the same on {}", groups.join(" as on ")),
                "copy one build to all computers of the same kind, or share the folder",
            ));
        }
    }
}
