//! A cluster on one machine: this test is the access node, and every compute node is a network namespace with its own address,
//! host name, OpenSSH server and agent, behind a link of 1 Gbit/s. All of it lies in namespaces of its own, so nothing of
//! it can be left on the machine.
//!
//! Needs root, iproute2, and OpenSSH's server, which ./kiosk test fetches. A test begins with `let Some(world) = world("its own
//! name") else { return };`: the first time round that runs the test again inside.

#![allow(dead_code, reason = "every test file uses its own part of it")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod slurm;

use std::{
    env, fs,
    net::TcpStream,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

const INSIDE: &str = "KIOSK_TEST_INSIDE";
const WORLD: &str = "KIOSK_TEST_WORLD";
/// Names of the compute nodes.
pub const NODES: [&str; 2] = ["major-tom", "ground-control"];
/// The access node's address.
pub const ACCESS: &str = "10.77.0.1";
/// The network of all.
pub const NETWORK: &str = "10.77.0.0/24";
const PATIENCE: Duration = Duration::from_secs(20);

/// The cluster, seen from its access node.
pub struct World {
    folder: PathBuf,
}

/// The address of a compute node.
pub fn address(node: usize) -> String {
    format!("10.77.0.{}", 11 + node)
}

fn namespace(node: usize) -> String {
    format!("kiosk{node}")
}

fn programs() -> PathBuf {
    env::current_exe().unwrap().ancestors().nth(2).unwrap().to_path_buf()
}

/// The world of the test with this name; `None` where the test has already been run in one.
pub fn world(test: &str) -> Option<World> {
    world_with(test, |_| Vec::new())
}

/// The same with a real Slurm of both compute nodes, whose slurmctld is on the access node, and whose commands the test finds.
pub fn slurm_world(test: &str) -> Option<World> {
    world_with(test, slurm::start)
}

/// The same with what `more` starts in its folder; it says what that adds to the environment of the test.
fn world_with(test: &str, more: impl FnOnce(&Path) -> Vec<(String, String)>) -> Option<World> {
    if let Some(folder) = env::var_os(WORLD) {
        return Some(World { folder: folder.into() });
    }
    if env::var_os(INSIDE).is_some() {
        build(test, more);
    }
    assert!(
        rustix::process::geteuid().is_root(),
        "an emulated cluster needs root: sudo ./kiosk test"
    );
    let status = Command::new("unshare")
        .args(["--net", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child"])
        .arg(env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(INSIDE, "1")
        .status()
        .expect("unshare is part of util-linux");
    assert!(status.success(), "see above");
    None
}

fn run(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(output.status.success(), "{program} {arguments:?}: {output:?}");
}

fn words(line: &str) {
    let words: Vec<&str> = line.split(' ').collect();
    run(words[0], &words[1..]);
}

/// Builds the world, runs the test in it, and ends with its status.
fn build(test: &str, more: impl FnOnce(&Path) -> Vec<(String, String)>) -> ! {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    // What other programs of this machine have there is none of ours.
    words("mount -t tmpfs tmpfs /dev/shm");
    words("mount -t tmpfs tmpfs /run");
    fs::create_dir_all("/run/netns").unwrap();
    fs::create_dir_all("/run/sshd").unwrap();
    // The server gives up its rights to a user of this name, whom its package would have made.
    let mut users = fs::read_to_string("/etc/passwd").unwrap();
    if !users.lines().any(|line| line.starts_with("sshd:")) {
        users.push_str("sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin\n");
        fs::write(at("passwd"), users).unwrap();
        words(&format!("mount --bind {} /etc/passwd", at("passwd")));
    }
    for key in ["host", "user"] {
        run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", &at(key)]);
    }
    fs::write(
        at("ssh"),
        format!(
            "#!/bin/sh\nexec ssh -F none -i {} -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
             -o LogLevel=ERROR -o ConnectTimeout=2 -o ServerAliveInterval=1 -o ServerAliveCountMax=3 \"$@\"\n",
            at("user")
        ),
    )
    .unwrap();
    fs::set_permissions(at("ssh"), fs::Permissions::from_mode(0o755)).unwrap();

    words("ip link set lo up");
    words("ip link add br0 type bridge");
    words(&format!("ip addr add {ACCESS}/24 dev br0"));
    words("ip link set br0 up");
    for (node, name) in NODES.iter().enumerate() {
        let (space, address) = (namespace(node), address(node));
        words(&format!("ip netns add {space}"));
        words(&format!("ip link add v{node} type veth peer name eth0 netns {space}"));
        words(&format!("ip link set v{node} master br0 up"));
        words(&format!("ip -n {space} addr add {address}/24 dev eth0"));
        words(&format!("ip -n {space} link set eth0 up"));
        words(&format!("ip -n {space} link set lo up"));
        let shaped = "root tbf rate 1gbit burst 256kb latency 20ms";
        words(&format!("tc qdisc add dev v{node} {shaped}"));
        words(&format!("tc -n {space} qdisc add dev eth0 {shaped}"));
        let server = format!(
            "Port 22\nListenAddress {address}\nHostKey {}\nAuthorizedKeysFile {}\nStrictModes no\nPidFile none\n\
             Include {}\nUsePAM no\nPasswordAuthentication no\nUseDNS no\nPermitRootLogin yes\nClientAliveInterval 1\nClientAliveCountMax 3\n",
            at("host"),
            at("user.pub"),
            at(&format!("guests{node}"))
        );
        fs::write(at(&format!("sshd{node}")), server).unwrap();
        fs::write(at(&format!("agent{node}")), format!("listen = '{address}:9101'\n")).unwrap();
        for empty in ["power", "guests", "environment"] {
            fs::write(at(&format!("{empty}{node}")), "").unwrap();
        }
        let (sshd, agent) = (which("sshd"), programs().join("hpc-kiosk-agent"));
        let sshd = format!("{} -D -e -f {}", sshd.display(), at(&format!("sshd{node}")));
        let agent = format!("{} --config {}", agent.display(), at(&format!("agent{node}")));
        let agent = format!(". {}; exec {agent}", at(&format!("environment{node}")));
        for service in [format!("exec {sshd}"), agent] {
            serve(&space, name, service, folder.path().join(format!("power{node}")));
        }
    }
    for (node, name) in NODES.iter().enumerate() {
        for port in [22, 9101] {
            let begun = Instant::now();
            while TcpStream::connect((address(node), port)).is_err() {
                assert!(begun.elapsed() < PATIENCE, "{name} has no port {port}");
                thread::sleep(Duration::from_millis(20));
            }
        }
    }
    let added = more(folder.path());
    let status = Command::new(env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(WORLD, folder.path())
        .envs(added)
        .status()
        .unwrap();
    std::process::exit(status.code().unwrap_or(1));
}

fn which(program: &str) -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    let places = env::split_paths(&path).chain(["/usr/sbin".into()]);
    let mut found = places.map(|place| place.join(program)).filter(|path| path.is_file());
    found.next().unwrap_or_else(|| panic!("there is no {program}; ./kiosk test fetches it"))
}

/// Runs a service of a node again and again while the node has power.
fn serve(space: &str, host: &str, service: String, power: PathBuf) {
    let script = format!("hostname {host}; {service}");
    let arguments = ["netns", "exec", space, "unshare", "--uts", "sh", "-c", &script];
    serve_by("ip", &arguments, power);
}

/// Runs a service again and again while the file `power` is there.
fn serve_by(program: &'static str, arguments: &[&str], power: PathBuf) {
    let arguments: Vec<String> = arguments.iter().map(|&word| word.to_owned()).collect();
    thread::spawn(move || {
        loop {
            if power.exists() {
                let mut command = Command::new(program);
                command.args(&arguments).stdin(Stdio::null()).stdout(Stdio::null());
                let _ = command.stderr(Stdio::null()).process_group(0).status();
            }
            thread::sleep(Duration::from_millis(50));
        }
    });
}

/// Files that runs leave when nobody looks after them, on any node: shared memory, which is this world's alone, and Open
/// MPI's session folders where it puts them unless told otherwise. All nodes share these two folders.
pub fn run_files() -> Vec<String> {
    let list = |folder: &str, begins: &'static str| {
        let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let names = names.map(|path| path.display().to_string());
        names
            .filter(|path| path.rsplit('/').next().is_some_and(|name| name.starts_with(begins)))
            .collect::<Vec<_>>()
    };
    let mut files = [list("/dev/shm", ""), list("/tmp", "ompi.")].concat();
    files.sort();
    files
}

impl World {
    /// What leads to a node.
    pub fn ssh(&self) -> String {
        self.folder.join("ssh").to_str().unwrap().to_owned()
    }

    /// The kiosk.toml of the access node, with more lines for `[launch]`.
    pub fn config(&self, launch: &str) -> String {
        let mut text = format!(
            "[launch]\naddress = '{ACCESS}'\nnetwork = '{NETWORK}'\nssh = ['{}']\nprograms = '{}'\n{launch}\n",
            self.ssh(),
            programs().display()
        );
        for (node, name) in NODES.iter().enumerate() {
            text +=
                &format!("[[node]]\nname = '{name}'\naddress = '{}'\nslots = 2\n", address(node));
        }
        text
    }

    /// A file of the world that all nodes see; where it is.
    pub fn file(&self, name: &str, text: &str) -> String {
        let path = self.folder.join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// The same as a program.
    pub fn program(&self, name: &str, text: &str) -> String {
        let path = self.file(name, text);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// Pulls the cable of a node.
    pub fn cut(&self, node: usize) {
        words(&format!("ip link set v{node} down"));
    }

    /// And plugs it in.
    pub fn heal(&self, node: usize) {
        words(&format!("ip link set v{node} up"));
    }

    /// Takes the power from a node: it is silent, and nothing of it is left.
    pub fn power_off(&self, node: usize) {
        fs::remove_file(self.folder.join(format!("power{node}"))).unwrap();
        self.cut(node);
        loop {
            let pids = self.pids(node);
            if pids.is_empty() {
                return;
            }
            for pid in pids {
                let _ = Command::new("kill").args(["-9", &pid]).stderr(Stdio::null()).status();
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Gives it back.
    pub fn power_on(&self, node: usize) {
        fs::write(self.folder.join(format!("power{node}")), "").unwrap();
        self.heal(node);
    }

    /// Switches a node off and on again, from then on with this variable in the environment of all that runs there.
    pub fn restart_with(&self, node: usize, name: &str, value: &str) {
        self.power_off(node);
        self.file(&format!("guests{node}"), &format!("SetEnv {name}={value}\n"));
        self.file(&format!("environment{node}"), &format!("export {name}={value}\n"));
        self.power_on(node);
    }

    /// What a command prints that a guest of a node runs through ssh.
    pub fn on(&self, node: usize, command: &str) -> String {
        let output = Command::new(self.ssh()).args([&address(node), command]).output().unwrap();
        assert!(output.status.success(), "{command} on {}: {output:?}", NODES[node]);
        String::from_utf8(output.stdout).unwrap()
    }

    /// All processes of a node.
    pub fn pids(&self, node: usize) -> Vec<String> {
        let output = Command::new("ip").args(["netns", "pids", &namespace(node)]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().split_whitespace().map(str::to_owned).collect()
    }

    /// The processes of a node with this name.
    pub fn named(&self, node: usize, name: &str) -> Vec<String> {
        let is_named = |pid: &String| {
            let path = Path::new("/proc").join(pid).join("comm");
            fs::read_to_string(path).is_ok_and(|comm| comm.trim() == name)
        };
        self.pids(node).into_iter().filter(is_named).collect()
    }

    /// Sends a signal, as `kill` takes it, to the processes of a node with this name; there must be one.
    pub fn signal(&self, node: usize, program: &str, signal: &str) {
        let pids = self.named(node, program);
        assert!(!pids.is_empty(), "{program} is not on {}", NODES[node]);
        for pid in pids {
            assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
        }
    }

    /// What runs anywhere in the world and is neither part of it nor of this test: what runs have left.
    pub fn left(&self) -> Vec<String> {
        let names =
            ["mpirun", "orted", "advection", "testcard", "hpc-kiosk-warde", "ssh", "salloc"];
        let entries = fs::read_dir("/proc").unwrap().filter_map(|entry| {
            let path = entry.ok()?.path();
            let comm = fs::read_to_string(path.join("comm")).ok()?;
            let stat = fs::read_to_string(path.join("stat")).ok()?;
            let is_dead = stat.rsplit(')').next()?.trim_start().starts_with('Z');
            let is_of_a_run = names.contains(&comm.trim());
            (is_of_a_run && !is_dead).then(|| format!("{} {}", path.display(), comm.trim()))
        });
        entries.collect()
    }
}
