//! Computers that are there and yet not as they should be: another version of the protocol, a clock of another day, a folder
//! whose server is gone. Each is a sentence, and the run carries on.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod clustered;
mod emulated;
mod supervised;

use std::{
    fs,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use clustered::Cluster;
use emulated::{NODES, World, world};
use kiosk::{
    intent::Intent,
    supervisor::{Condition, Fault},
};
use supervised::programs;
use wire::WireError;

/// How long a run may take to its first picture in these tests (`first_frame_s` of the demo).
const FIRST_FRAME: Duration = Duration::from_secs(10);

/// What `hpc-kiosk doctor` prints with this kiosk.toml, and whether all is well.
fn doctor(world: &World, text: &str) -> (String, bool) {
    let file = world.file("kiosk.toml", text);
    let output = Command::new(programs().join("hpc-kiosk"))
        .args(["--config", &file, "doctor"])
        .env("DISPLAY", ":0")
        .output()
        .unwrap();
    (String::from_utf8(output.stdout).unwrap(), output.status.success())
}

/// A folder that all nodes see, of these programs and nothing else.
fn shared_folder(world: &World, names: &[&str]) -> String {
    let folder = world.file("shared", "");
    fs::remove_file(&folder).unwrap();
    fs::create_dir(&folder).unwrap();
    for name in names {
        fs::copy(programs().join(name), Path::new(&folder).join(name)).unwrap();
    }
    folder
}

/// The kiosk.toml with that folder.
fn config_with(world: &World, folder: &str) -> String {
    let config = world.config("launcher = 'ssh'");
    config.replace(&format!("'{}'", programs().display()), &format!("'{folder}'"))
}

/// Takes the file server away from a node: from now on whoever looks into the folder of the programs there stands still. It
/// is a file system whose other end never answers.
fn hang(world: &World, node: usize, folder: &str) {
    world.on(
        node,
        &format!(
            "exec 3<>/dev/fuse && mount -i -t fuse -o fd=3,rootmode=40000,user_id=0,group_id=0 none {folder} \
             && (sleep 1000000 </dev/null >/dev/null 2>&1 &)"
        ),
    );
}

/// Gives it back; whoever stood still gets an error.
fn heal(world: &World, node: usize, folder: &str) {
    world.signal(node, "sleep", "-KILL");
    world.on(node, &format!("umount --lazy {folder}"));
}

#[test]
fn programs_of_another_version_are_named_and_the_run_is_here() {
    let Some(world) = world("programs_of_another_version_are_named_and_the_run_is_here") else {
        return;
    };
    let folder = shared_folder(&world, &["hpc-kiosk-warden"]);
    // Says hello as the next version may, and waits.
    world.program(
        "shared/advection",
        "#!/usr/bin/env python3\nimport os, socket, struct, sys, time\n\
         if os.environ.get('OMPI_COMM_WORLD_RANK') == '0':\n\
         \x20   host, port = os.environ['HPC_KIOSK_CHANNEL'].split(':', 1)[1].rsplit(':', 1)\n\
         \x20   kiosk = socket.create_connection((host, int(port)))\n\
         \x20   hello = b'HPCK' + struct.pack('<HBB', 2, 1, 0) + os.environ['HPC_KIOSK_TOKEN'].encode() + bytes(64)\n\
         \x20   kiosk.sendall(struct.pack('<HHI', 1, 0, len(hello)) + hello)\n\
         time.sleep(1000)\n",
    );
    let config = config_with(&world, &folder);
    let cluster = Cluster::with(&config);
    let since = Instant::now();
    let status = cluster.launch();
    let took = since.elapsed();
    let fault = status.carried_on.expect("it was tried there");
    println!("{fault}: runs here after {took:.2?}");
    assert_eq!(fault, Fault::Garbage(WireError::Version(2)));
    assert!(fault.to_string().ends_with("this kiosk version 1; install both from one release"));
    assert!(cluster.hosts().iter().all(|host| !NODES.contains(&&host[..])));
    assert!(took < Duration::from_secs(5), "{took:?}");
    cluster.stop(&world);
}

#[test]
fn a_clock_of_another_day_changes_nothing_but_is_named() {
    let Some(world) = world("a_clock_of_another_day_changes_nothing_but_is_named") else { return };
    let library = world.file("tomorrow.so", "");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tomorrow.c");
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-o", &library])
        .arg(source)
        .status()
        .expect("a C compiler");
    assert!(compiled.success());
    world.restart_with(1, "LD_PRELOAD", &library);
    // Its readings are as fresh as the other's: this waits until both are.
    let cluster = Cluster::start(&world, "launcher = 'ssh'");
    let seconds = |node: usize| world.on(node, "date +%s").trim().parse::<i64>().unwrap();
    let ahead = seconds(1) - seconds(0);
    assert!((86_399..86_460).contains(&ahead), "{ahead}");
    for name in ["hpc-kiosk-agent", "sshd"] {
        let pid = world.named(1, name).remove(0);
        let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
        assert_eq!(maps.contains("tomorrow.so"), name == "hpc-kiosk-agent", "{name}");
    }

    let status = cluster.launch();
    assert_eq!((cluster.hosts(), status.carried_on), (NODES.map(str::to_owned).to_vec(), None));
    cluster.kiosk.until("statistics", |status| status.statistics.is_some());
    let rank = world.named(1, "advection").remove(0);
    let maps = fs::read_to_string(format!("/proc/{rank}/maps")).unwrap();
    assert!(maps.contains("tomorrow.so"), "the rank there sees tomorrow");
    cluster.until_ready(&NODES);
    cluster.stop(&world);

    let (said, is_well) = doctor(&world, &world.config("launcher = 'ssh'"));
    println!("{said}");
    let named = "note  clock of ground-control: is 24\u{a0}h ahead of ours; runs and readings do not depend on it\n      what to do: on ground-control: sudo timedatectl set-ntp true";
    assert!(said.contains(named), "{said}");
    assert!(said.contains("ok    clock of major-tom: "), "{said}");
    assert!(is_well, "{said}");
}

#[test]
fn a_folder_that_hangs_on_one_computer_stops_nothing() {
    let Some(world) = world("a_folder_that_hangs_on_one_computer_stops_nothing") else { return };
    let folder = shared_folder(&world, &["hpc-kiosk-warden", "advection", "testcard"]);
    let config = config_with(&world, &folder);
    let cluster = Cluster::with(&config);
    for node in [1, 0] {
        hang(&world, node, &folder);
        let since = Instant::now();
        let status = cluster.launch();
        let took = since.elapsed();
        let fault = status.carried_on.clone().expect("it was tried there");
        let hosts = cluster.hosts();
        println!("{} hangs: {fault}; on {hosts:?} after {took:.2?}", NODES[node]);
        // Where mpirun itself is stuck nobody says a word; a daemon that is stuck mpirun gives up.
        let is_expected = matches!(fault, Fault::NoPicture { .. } | Fault::Crashed { .. });
        assert!(is_expected, "{fault:?}");
        let others = [NODES[1 - node]; 2];
        assert_eq!(hosts, others);
        assert_eq!(status.placement.left_out, [(NODES[node].to_owned(), Condition::Silent)]);
        assert!(took < FIRST_FRAME + Duration::from_secs(5), "{took:?}");

        // What hangs is told from what is switched off, within a limit.
        let since = Instant::now();
        let (said, is_well) = doctor(&world, &config);
        let took = since.elapsed();
        let wrong: Vec<&str> = said.lines().filter(|line| line.starts_with("WRONG")).collect();
        println!("the doctor, after {took:.2?}: {wrong:?}");
        let hangs = format!("WRONG folder of the programs on {}: ", NODES[node]);
        assert!(!is_well && wrong.len() == 1 && wrong[0].starts_with(&hangs), "{said}");
        assert!(said.contains("hangs: ssh works, but of the folder comes no answer within 8 s"));
        assert!(said.contains("what to do: look at the file server"), "{said}");
        assert!(took < Duration::from_secs(16), "{took:?}");

        heal(&world, node, &folder);
        cluster.stop(&world);
        let status = cluster.launch();
        assert_eq!((cluster.hosts(), status.carried_on), (NODES.map(str::to_owned).to_vec(), None));
        cluster.kiosk.ask(Intent::Stop);
        assert_eq!(cluster.kiosk.until_ended().fault, None);
    }
}
