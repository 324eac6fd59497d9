//! The Slurm that shares out the computers: whether it answers, knows them, and gives them to anybody.

use super::{
    Finding, ask,
    finding::{Matter, Piece},
};
use crate::{
    config::{Config, Launcher, NodeAddress, Slurm},
    slurm::said::{NODES, Seen, Use},
};

/// Looks at it, where the owner has one.
pub async fn examine(config: &Config, findings: &mut Vec<Finding>) {
    let Some(slurm) = &config.launch.slurm else { return };
    let says = |name: &str, arguments: &[&str]| {
        let program = slurm.commands.clone().unwrap_or_default().join(name);
        let words = std::iter::once(program.display().to_string())
            .chain(arguments.iter().map(|&word| word.to_owned()));
        let words: Vec<String> = words.collect();
        async move {
            match ask(&words).await {
                Ok(said) if said.is_content => Ok(said.output),
                Ok(said) => Err(said.complaint),
                Err(why) => Err(why),
            }
        }
    };
    let munge = ask(&["munge".to_owned(), "--no-input".into()]).await;
    let munge = match munge.map(|said| (said.is_content, said.complaint)) {
        Ok((true, _)) => Finding::well("munge", "answers"),
        Ok((false, why)) | Err(why) => Finding::wrong(
            "munge",
            why,
            "sudo apt-get install munge, then sudo systemctl start munge; all computers need the same key",
        )
        .because(Matter::NoCredential, ""),
    };
    findings.push(munge.about(Piece::Munge, ""));
    let partition: Vec<String> =
        slurm.partition.iter().map(|name| format!("--partition={name}")).collect();
    let mut states = vec!["--noheader", "--format=%P|%a"];
    states.extend(partition.iter().map(String::as_str));
    let said = match says("sinfo", &states).await {
        Ok(said) => said,
        Err(why) => {
            let remedy = "on the computer of slurmctld: systemctl status slurmctld; if sinfo is not in PATH, write its folder into [launch.slurm] commands";
            let silent = Finding::wrong("Slurm", why, remedy);
            findings.push(silent.about(Piece::Slurm, "").because(Matter::NoQueue, ""));
            return;
        }
    };
    findings.push(Finding::well("Slurm", "answers").about(Piece::Slurm, ""));
    findings.push(partition_of(slurm, &said));
    let mut nodes = vec!["--noheader", "--Node", NODES];
    nodes.extend(partition.iter().map(String::as_str));
    let sinfo = says("sinfo", &nodes).await.unwrap_or_default();
    let seen = Seen::of(&sinfo, "", 0);
    for node in config.nodes.iter().filter(|node| node.address != NodeAddress::Local) {
        let known = seen.nodes.get(&node.name);
        findings.extend(node_of(&node.name, known, config.launch.launcher, slurm));
    }
}

/// The line of a partition is its name, with a star behind the default one, and whether it is up.
fn partition_of(slurm: &Slurm, said: &str) -> Finding {
    let lines = said.lines().filter_map(|line| line.split_once('|'));
    let is_it = |name: &str| match &slurm.partition {
        Some(wanted) => name.trim_end_matches('*') == wanted,
        None => name.ends_with('*'),
    };
    let found = lines.into_iter().find(|(name, _)| is_it(name));
    let what = match &slurm.partition {
        Some(name) => format!("partition {name}"),
        None => "default partition of Slurm".to_owned(),
    };
    let finding = match found {
        Some((_, "up")) => Finding::well(what, "is up"),
        Some((name, state)) => {
            let name = name.trim_end_matches('*');
            let remedy = format!("sudo scontrol update partition={name} state=up");
            Finding::wrong(what, format!("is {state}"), remedy)
                .because(Matter::ClosedPartition, name)
        }
        None => Finding::wrong(
            what,
            "there is none",
            "sinfo shows those there are; write one into [launch.slurm] partition",
        )
        .because(Matter::NoPartition, ""),
    };
    finding.about(Piece::Partition, slurm.partition.as_deref().unwrap_or_default())
}

fn node_of(name: &str, known: Option<&Use>, launcher: Launcher, slurm: &Slurm) -> Option<Finding> {
    let what = format!("{name} in Slurm");
    let finding = match known {
        Some(Use::Free | Use::Taken) => Finding::well(what, "is in service"),
        Some(Use::Out { why }) => {
            let remedy =
                format!("when it is well: sudo scontrol update nodename={name} state=resume");
            Finding::wrong(what, format!("is out of service, {why}"), remedy)
                .because(Matter::OutOfService, name)
        }
        None if launcher != Launcher::Slurm => return None,
        None => {
            let place = slurm.partition.as_deref().unwrap_or("any partition");
            let remedy = "name each [[node]] as Slurm does (sinfo --Node), or write its partition into [launch.slurm]";
            Finding::wrong(what, format!("is not in {place}"), remedy)
                .because(Matter::UnknownToQueue, "")
        }
    };
    Some(finding.about(Piece::InQueue, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_is_found_by_its_name_or_as_the_default_one() {
        // Said by Slurm 22.05.8.
        let said = "debug*|up\nlong|inact\n";
        let named = |name: &str| Slurm { partition: Some(name.into()), ..Slurm::default() };
        assert_eq!(partition_of(&Slurm::default(), said).remedy, None);
        assert_eq!(partition_of(&named("debug"), said).remedy, None);
        let remedy = partition_of(&named("long"), said).remedy.unwrap();
        assert_eq!(remedy, "sudo scontrol update partition=long state=up");
        assert_eq!(partition_of(&named("gpu"), said).found, "there is none");
    }

    #[test]
    fn a_node_out_of_service_is_named_with_its_reason() {
        let out = Use::Out { why: "drained: fan".into() };
        let of = |known, launcher| node_of("n", known, launcher, &Slurm::default());
        let found = of(Some(&out), Launcher::Slurm).unwrap();
        assert_eq!(found.found, "is out of service, drained: fan");
        assert!(of(None, Launcher::Slurm).unwrap().remedy.is_some());
        assert_eq!(of(None, Launcher::Ssh), None, "it need not be Slurm's");
        assert_eq!(of(Some(&Use::Taken), Launcher::Ssh).unwrap().remedy, None);
    }
}
