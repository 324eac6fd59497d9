//! What the answers of the other computers mean, and whether they fit together; pure.

use super::{
    Finding, Matter, Piece, Said,
    far::{Answers, Computer, Far, Shell, Way},
    versions,
};
use crate::{
    config::{Config, Launcher},
    telemetry::Trouble,
};

/// A clock that is off by more is worth a word: nothing of a run depends on it, logs and files do.
const CLOCK_OFF_S: f64 = 2.0;

/// Judges all of them; `version_here` is that of this machine's Open MPI.
pub fn nodes(config: &Config, far: &Far, version_here: Option<&str>, findings: &mut Vec<Finding>) {
    let launcher = config.launch.launcher;
    if far.answers.is_empty() {
        let found = "none but this machine";
        findings.push(match launcher {
            Launcher::Local => Finding::well("computers", found).about(Piece::Computers, ""),
            _ => Finding::wrong(
                "computers",
                found,
                "name the others as [[node]] in kiosk.toml, or set launcher = \"local\"",
            )
            .about(Piece::Computers, "")
            .because(Matter::Alone, ""),
        });
        return;
    }
    for answer in &far.answers {
        findings.push(agent(answer));
        if let Some(shell) = &answer.ssh {
            reached(&answer.computer, shell, far, findings);
        }
    }
    findings.extend(far.ways.iter().map(way));
    if launcher != Launcher::Local {
        same_open_mpi(launcher, far, version_here, findings);
        same_programs(far, findings);
        same_folder(far, findings);
    }
}

fn agent(answer: &Answers) -> Finding {
    let Answers { computer: Computer { name, host, port }, agent, .. } = answer;
    let what = format!("agent of {name}");
    let own = env!("CARGO_PKG_VERSION");
    let finding = match agent {
        Ok(None) => Finding::well(what, "answers"),
        Ok(Some(version)) if version == own => {
            Finding::well(what, format!("answers, version {version}"))
        }
        Ok(Some(version)) => {
            Finding::note(what, format!("answers, version {version}; this kiosk has {own}"))
                .with(format!("install the same release on {name}"))
                .because(Matter::Versions, format!("{version}, {own}"))
        }
        Err(trouble) => {
            let (matter, remedy) = match trouble {
                Trouble::NoSuchName => (
                    Matter::NoSuchName,
                    format!(
                        "write its IP address into [[node]] '{name}', or its name into /etc/hosts"
                    ),
                ),
                Trouble::NoAnswer => {
                    (Matter::NoAnswer, "switch it on, plug its cable in; then: ping it".to_owned())
                }
                Trouble::NoAgent => (
                    Matter::NoAgent,
                    format!(
                        "on {name}: systemctl status hpc-kiosk-agent; its agent.toml must say listen = \"{host}:{port}\""
                    ),
                ),
                Trouble::BadAnswer(_) => {
                    (Matter::BadAnswer, format!("see what is at http://{host}:{port}/metrics"))
                }
            };
            Finding::wrong(what, trouble.to_string(), remedy).because(matter, "")
        }
    };
    finding.about(Piece::Agent, name)
}

/// ssh, the clock, and the files there.
fn reached(computer: &Computer, shell: &Shell, far: &Far, findings: &mut Vec<Finding>) {
    let Computer { name, host, .. } = computer;
    let what = format!("ssh to {name}");
    let why = match &shell.clock {
        // 255 is ssh's own failure; any other status is the command's, which then was reached.
        Ok((said, _)) if !said.is_sshs() => None,
        Ok((said, _)) => Some(&said.complaint),
        Err(why) => Some(why),
    };
    if let Some(why) = why {
        let remedy = format!(
            "see that sshd runs there; then, as the user that the kiosk runs as: ssh-copy-id {host}, until ssh {host} true works without a question"
        );
        let finding = Finding::wrong(what, why, remedy).about(Piece::Ssh, name);
        findings.push(finding.because(Matter::NoLogin, ""));
        return;
    }
    findings.push(Finding::well(what, "works without a password").about(Piece::Ssh, name));
    if let Ok((_, Some(ahead))) = &shell.clock {
        findings.push(clock(name, *ahead));
    }
    findings.push(files(name, shell, far));
}

fn clock(name: &str, ahead: f64) -> Finding {
    let what = format!("clock of {name}");
    if ahead.abs() <= CLOCK_OFF_S {
        return Finding::well(what, format!("goes with ours to {CLOCK_OFF_S} s"))
            .about(Piece::Clock, name);
    }
    let direction = if 0.0 < ahead { "ahead of" } else { "behind" };
    let off = duration(ahead.abs());
    let found = format!("is {off} {direction} ours; runs and readings do not depend on it");
    Finding::note(what, found)
        .with(format!("on {name}: sudo timedatectl set-ntp true; timedatectl timesync-status"))
        .about(Piece::Clock, name)
        .because(Matter::ClockOff, off)
}

/// A time that people can grasp.
fn duration(seconds: f64) -> String {
    match seconds {
        0.0..120.0 => format!("{seconds:.1}\u{a0}s"),
        120.0..7200.0 => format!("{:.0}\u{a0}min", seconds / 60.0),
        7200.0..172_800.0 => format!("{:.0}\u{a0}h", seconds / 3600.0),
        _ => format!("{:.0}\u{a0}d", seconds / 86_400.0),
    }
}

fn files(name: &str, shell: &Shell, far: &Far) -> Finding {
    let has = match (&shell.identities, &shell.sums) {
        (Ok(_), Ok(said)) => versions::sums(&said.output),
        (Err(why), _) | (_, Err(why)) => {
            let folder = far.files[0].rsplit_once('/').map_or("", |(folder, _)| folder);
            let remedy = format!(
                "look at the file server; then on {name}: umount --lazy {folder} and mount it again"
            );
            let found = format!("{folder} hangs: ssh works, but of the folder comes {why}");
            return Finding::wrong(format!("folder of the programs on {name}"), found, remedy)
                .about(Piece::Folder, name)
                .because(Matter::Hangs, "");
        }
    };
    let missing = far.files.iter().map(String::as_str).filter(|file| !has.contains_key(file));
    let missing: Vec<&str> = missing.collect();
    let what = format!("programs on {name}");
    let finding = match &missing[..] {
        [] => Finding::well(what, "are all there"),
        some => Finding::wrong(
            what,
            format!("{} cannot be read", some.join(", ")),
            "mount the shared folder there, and build or copy the programs into it ([launch] programs)",
        )
        .because(Matter::NoPrograms, ""),
    };
    finding.about(Piece::Programs, name)
}

fn way(Way { from, to, said }: &Way) -> Finding {
    let what = format!("ssh from {from} to {to}");
    let finding = match said {
        Ok(said) if said.is_content => Finding::well(what, "works without a password"),
        Ok(Said { complaint: why, .. }) | Err(why) => {
            let remedy =
                format!("mpirun on {from} starts its daemon there: on {from}, ssh-copy-id {to}");
            Finding::wrong(what, why.clone(), remedy).because(Matter::NoLogin, "")
        }
    };
    finding.about(Piece::Among, format!("{from} – {to}"))
}

/// The daemons of two versions refuse each other.
fn same_open_mpi(launcher: Launcher, far: &Far, here: Option<&str>, findings: &mut Vec<Finding>) {
    let mut have: Vec<(&str, &str)> = Vec::new();
    for answer in far.answers.iter().filter(|answer| answer.is_reached()) {
        let Some(Shell { open_mpi, .. }) = &answer.ssh else { continue };
        let name = &answer.computer.name[..];
        let version = open_mpi.as_ref().map(|said| versions::open_mpi(&said.output));
        let found = match version {
            Ok(Some(version)) => {
                have.push((name, version));
                continue;
            }
            Ok(None) => "there is none, or ssh does not find it",
            Err(why) => why,
        };
        let remedy = format!(
            "on {name}: sudo apt-get install openmpi-bin; or write its path into [launch] mpirun"
        );
        let finding = Finding::wrong(format!("Open MPI on {name}"), found, remedy);
        findings.push(finding.about(Piece::OpenMpi, name).because(Matter::NoMpi, ""));
    }
    if launcher == Launcher::Mpirun {
        have.extend(here.map(|version| ("this machine", version)));
    }
    let what = "Open MPI on all computers";
    let finding = match (versions::disagreement(have.iter().copied()), have.first()) {
        (Some(versions), _) => {
            let each: Vec<String> = versions
                .iter()
                .map(|(version, computers)| format!("{version} on {}", computers.join(" and ")))
                .collect();
            let remedy = match launcher == Launcher::Mpirun {
                true => {
                    "mpirun of one version cannot start daemons of another: set launcher = \"ssh\", which starts mpirun on the first of the others, or install the same version everywhere"
                }
                false => {
                    "mpirun of one version cannot start daemons of another: install the same version on all computers that compute"
                }
            };
            let numbers: Vec<&str> = versions.keys().copied().collect();
            Finding::wrong(what, each.join(", "), remedy)
                .because(Matter::Versions, numbers.join(", "))
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
            Finding::well(what, found)
        }
        (None, None) => return,
    };
    findings.push(finding.about(Piece::OpenMpi, ""));
}

/// Ranks of two builds would not understand each other.
fn same_programs(far: &Far, findings: &mut Vec<Finding>) {
    for file in &far.files {
        let have = far.answers.iter().filter_map(|answer| {
            let sums = versions::sums(&answer.ssh.as_ref()?.sums.as_ref().ok()?.output);
            Some((&answer.computer.name[..], *sums.get(&file[..])?))
        });
        if let Some(builds) = versions::disagreement(have) {
            let groups: Vec<String> =
                builds.values().map(|computers| computers.join(" and ")).collect();
            let program = file.rsplit('/').next().unwrap_or(file);
            findings.push(
                Finding::wrong(
                    file.clone(),
                    format!("is not the same on {}", groups.join(" as on ")),
                    "copy one build to all computers of the same kind, or share the folder",
                )
                .about(Piece::Programs, program)
                .because(Matter::OtherPrograms, ""),
            );
        }
    }
}

/// Copies are copied once more at every change, or forgotten.
fn same_folder(far: &Far, findings: &mut Vec<Finding>) {
    let Some(file) = far.files.first() else { return };
    let have: Vec<(&str, &str)> = far
        .answers
        .iter()
        .filter_map(|answer| {
            let said = answer.ssh.as_ref()?.identities.as_ref().ok()?;
            let identity = *versions::identities(&said.output).get(&file[..])?;
            Some((&answer.computer.name[..], identity))
        })
        .collect();
    if have.len() < 2 {
        return;
    }
    let what = "folder of the programs";
    let finding = match versions::disagreement(have) {
        None => Finding::well(what, "is the same on all computers"),
        Some(_) => Finding::note(what, "is another one on some computers")
            .with("copy every new build to all of them, or mount one folder everywhere")
            .because(Matter::OwnFolders, ""),
    };
    findings.push(finding.about(Piece::Folder, ""));
}

#[cfg(test)]
mod tests {
    use super::{super::Level, *};
    use crate::config::Launch;

    fn said(output: &str) -> Said {
        Said { status: Some(0), is_content: true, output: output.into(), complaint: String::new() }
    }

    fn answers(name: &str, inode: &str, sum: &str, ahead: f64) -> Answers {
        let computer = Computer { name: name.into(), host: name.into(), port: 9101 };
        let shell = Shell {
            clock: Ok((said(""), Some(ahead))),
            open_mpi: Ok(said("mpirun (Open MPI) 4.1.4\n")),
            identities: Ok(said(&format!("{inode}:1700000000:/k/warden\n"))),
            sums: Ok(said(&format!("{sum}  /k/warden\n"))),
        };
        Answers { computer, agent: Ok(Some(env!("CARGO_PKG_VERSION").into())), ssh: Some(shell) }
    }

    fn judge(answers: Vec<Answers>) -> Vec<Finding> {
        let far = Far { answers, files: vec!["/k/warden".into()], ways: Vec::new() };
        let launch = Launch { launcher: Launcher::Ssh, ..Launch::default() };
        let config = Config { launch, ..Config::default() };
        let mut findings = Vec::new();
        nodes(&config, &far, Some("4.1.4"), &mut findings);
        findings
    }

    /// The findings that are not well, as lines.
    fn noted(findings: &[Finding]) -> Vec<String> {
        let noted = findings.iter().filter(|finding| finding.level != Level::Well);
        noted.map(|finding| format!("{}: {}", finding.what, finding.found)).collect()
    }

    #[test]
    fn computers_that_fit_together_are_well() {
        let findings = judge(vec![answers("a", "7", "aa", 0.0), answers("b", "7", "aa", -1.9)]);
        assert_eq!(noted(&findings), [] as [&str; 0]);
        let found: Vec<&str> = findings.iter().map(|finding| &finding.found[..]).collect();
        assert!(found.contains(&"is the same on all computers"), "{found:?}");
    }

    #[test]
    fn a_clock_that_is_off_is_worth_knowing_and_has_a_remedy() {
        let findings = judge(vec![answers("a", "7", "aa", 0.0), answers("b", "7", "aa", 86_400.0)]);
        let said = "clock of b: is 24\u{a0}h ahead of ours; runs and readings do not depend on it";
        assert_eq!(noted(&findings), [said]);
        let note = findings.iter().find(|finding| finding.level == Level::Note).unwrap();
        assert!(note.remedy.as_ref().unwrap().contains("set-ntp"), "{note:?}");
        let findings = judge(vec![answers("a", "7", "aa", -2.5)]);
        assert!(noted(&findings)[0].contains("is 2.5\u{a0}s behind ours"), "{findings:?}");
    }

    #[test]
    fn copies_are_worth_knowing_and_other_builds_are_wrong() {
        let findings = judge(vec![answers("a", "7", "aa", 0.0), answers("b", "8", "aa", 0.0)]);
        let copies = "folder of the programs: is another one on some computers";
        assert_eq!(noted(&findings), [copies]);
        let findings = judge(vec![answers("a", "7", "aa", 0.0), answers("b", "8", "bb", 0.0)]);
        assert_eq!(noted(&findings), ["/k/warden: is not the same on a as on b", copies]);
    }

    #[test]
    fn a_folder_that_hangs_is_told_from_one_that_lacks_programs() {
        let mut hangs = answers("a", "7", "aa", 0.0);
        let shell = hangs.ssh.as_mut().unwrap();
        shell.sums = Err("no answer within 8 s".into());
        shell.identities = Err("no answer within 8 s".into());
        let said = "folder of the programs on a: /k hangs: ssh works, but of the folder comes no answer within 8 s";
        assert_eq!(noted(&judge(vec![hangs])), [said]);
        let mut lacks = answers("a", "7", "aa", 0.0);
        lacks.ssh.as_mut().unwrap().sums = Ok(said_nothing());
        assert_eq!(noted(&judge(vec![lacks])), ["programs on a: /k/warden cannot be read"]);
    }

    fn said_nothing() -> Said {
        Said { status: Some(1), is_content: false, ..said("") }
    }

    #[test]
    fn an_agent_of_another_release_is_worth_knowing() {
        let mut old = answers("a", "7", "aa", 0.0);
        old.agent = Ok(Some("0.0.1".into()));
        let own = env!("CARGO_PKG_VERSION");
        let said = format!("agent of a: answers, version 0.0.1; this kiosk has {own}");
        assert_eq!(noted(&judge(vec![old])), [said]);
    }
}
