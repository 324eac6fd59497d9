//! A real Slurm for the emulated cluster: munged and slurmctld on the access node, a slurmd on every compute node. Nothing of it
//! is installed: ./kiosk test unpacks Debian's packages, and every path of theirs is told.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use super::{ACCESS, NODES, PATIENCE, World, address, namespace, serve_by, which};

/// Starts it in `folder`; what its commands need in their environment.
pub(super) fn start(folder: &Path) -> Vec<(String, String)> {
    let at = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let slurmctld = which("slurmctld-wlm");
    let root = slurmctld.ancestors().nth(3).unwrap();
    let libraries = root.join(format!("usr/lib/{}-linux-gnu", std::env::consts::ARCH));
    let libraries = libraries.to_str().unwrap();
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let host = host.trim().split('.').next().unwrap();
    let mut conf = format!(
        "ClusterName=kiosk\nSlurmctldHost={host}({ACCESS})\nSlurmUser=root\nPluginDir={libraries}/slurm-wlm\n\
         StateSaveLocation={0}\nSlurmdSpoolDir={0}/%n\nSlurmctldPidFile={0}/ctld.pid\nSlurmdPidFile={0}/%n.pid\n\
         ProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\nJobAcctGatherType=jobacct_gather/none\n\
         AccountingStorageType=accounting_storage/none\nSelectType=select/cons_tres\nSelectTypeParameters=CR_CPU\n\
         MpiDefault=none\nReturnToService=2\nKillWait=2\nSlurmdParameters=config_overrides\nMailProg=/bin/true\n",
        at("slurm")
    );
    for (node, name) in NODES.iter().enumerate() {
        fs::create_dir_all(folder.join("slurm").join(name)).unwrap();
        conf += &format!("NodeName={name} NodeAddr={} CPUs=4 State=UNKNOWN\n", address(node));
    }
    conf += &format!("PartitionName=debug Nodes={} Default=YES State=UP\n", NODES.join(","));
    fs::write(at("slurm.conf"), conf).unwrap();
    fs::write(at("munge.key"), [7; 128]).unwrap();
    fs::set_permissions(at("munge.key"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::create_dir_all("/run/munge").unwrap();
    for power in ["munged", "slurmctld"] {
        fs::write(folder.join(power), "").unwrap();
    }

    let environment = vec![
        ("LD_LIBRARY_PATH".to_owned(), format!("{libraries}:{libraries}/slurm-wlm")),
        ("SLURM_CONF".to_owned(), at("slurm.conf")),
    ];
    let told: Vec<String> =
        environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let munged = [
        which("munged").to_str().unwrap(),
        "--foreground",
        &format!("--key-file={}", at("munge.key")),
        &format!("--seed-file={}", at("munge.seed")),
        &format!("--log-file={}", at("munge.log")),
        &format!("--pid-file={}", at("munge.pid")),
    ]
    .map(str::to_owned);
    let controller = [slurmctld.to_str().unwrap(), "-D"].map(str::to_owned);
    for (service, power) in [(&munged[..], "munged"), (&controller, "slurmctld")] {
        let words: Vec<&str> = told.iter().chain(service).map(String::as_str).collect();
        serve_by("env", &words, folder.join(power));
    }
    for (node, name) in NODES.iter().enumerate() {
        let (slurmd, stepd) = (which("slurmd-wlm"), which("slurmstepd-wlm"));
        let (slurmd, stepd) = (slurmd.display(), stepd.display());
        let service = format!(
            "hostname {name}; exec env {} {slurmd} -D -N {name} -d {stepd}",
            told.join(" ")
        );
        // `ip netns exec` would mount a /sys without control groups, which slurmd wants to see.
        let network = format!("--net=/run/netns/{}", namespace(node));
        let words = [&network[..], "unshare", "--uts", "sh", "-c", &service];
        serve_by("nsenter", &words, folder.join(format!("power{node}")));
    }
    let begun = Instant::now();
    loop {
        let mut sinfo = Command::new("sinfo");
        let sinfo = sinfo.args(["-h", "-N", "-o", "%T"]).envs(environment.iter().cloned());
        let output = sinfo.output().expect("sinfo, which ./kiosk test fetches");
        if output.stdout == b"idle\nidle\n" {
            return environment;
        }
        assert!(begun.elapsed() < PATIENCE, "Slurm does not come up: {output:?}");
        thread::sleep(Duration::from_millis(50));
    }
}

impl World {
    /// Runs one of Slurm's commands; what it says.
    pub fn slurm(&self, line: &str) -> String {
        let words: Vec<&str> = line.split(' ').collect();
        let output = Command::new(words[0]).args(&words[1..]).output().unwrap();
        assert!(output.status.success(), "{line}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Somebody else's job on these nodes; its number.
    pub fn somebody_elses_job(&self, nodes: &str) -> String {
        let number = format!("--nodes={}", nodes.split(',').count());
        let line = format!(
            "sbatch --parsable --uid=1 --gid=1 --chdir=/ --output=/dev/null {number} --nodelist={nodes} {}",
            self.program("work", "#!/bin/sh\nexec sleep 600\n")
        );
        self.slurm(&line).trim().to_owned()
    }

    /// Ends slurmctld, which stays away until it is let back.
    pub fn stop_slurmctld(&self) {
        fs::remove_file(self.folder.join("slurmctld")).unwrap();
        let ended = Command::new("kill")
            .arg(fs::read_to_string(self.folder.join("slurm/ctld.pid")).unwrap().trim())
            .status();
        assert!(ended.unwrap().success());
    }

    /// Lets it start again.
    pub fn let_slurmctld_back(&self) {
        fs::write(self.folder.join("slurmctld"), "").unwrap();
    }

    /// Waits until no job is in the queue, or none but what Slurm tidies up itself.
    pub fn until_no_job(&self) {
        let begun = Instant::now();
        loop {
            let jobs = self.slurm("squeue -h -o %i|%T|%j");
            if jobs.lines().all(|job| job.contains("|COMPLETING|")) {
                return;
            }
            assert!(begun.elapsed() < Duration::from_secs(5), "{jobs}");
            thread::sleep(Duration::from_millis(20));
        }
    }
}
