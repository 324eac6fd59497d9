//! Network links and file systems.

use std::{borrow::Cow, collections::HashMap};

use super::{MAX_PARTS, Said, Value, named, part, said::Known};
use crate::telemetry::{
    range,
    reading::{Disk, Network, Reading, Space},
};

/// File systems that take no room of any disk, or only show what lies elsewhere.
const PSEUDO: [&str; 27] = [
    "autofs",
    "binfmt_misc",
    "bpf",
    "cgroup",
    "cgroup2",
    "configfs",
    "debugfs",
    "devpts",
    "devtmpfs",
    "efivarfs",
    "fusectl",
    "hugetlbfs",
    "iso9660",
    "mqueue",
    "nsfs",
    "proc",
    "pstore",
    "ramfs",
    "rpc_pipefs",
    "securityfs",
    "selinuxfs",
    "squashfs",
    "sysfs",
    "tmpfs",
    "tracefs",
    "fuse.portal",
    "fuse.gvfsd-fuse",
];

/// What went over a link since the start.
#[derive(Debug)]
pub(super) struct Link {
    device: String,
    received: Option<f64>,
    sent: Option<f64>,
}

/// `seconds` have passed since the counters `before`; `None` if there are none.
pub(super) fn read(
    said: &Said<'_>,
    before: &mut Vec<Link>,
    seconds: Option<f64>,
    reading: &mut Reading,
) {
    let mut links: Vec<Link> = Vec::new();
    let kinds = [Known::NetworkReceived, Known::NetworkSent, Known::NetworkSpeed, Known::NetworkUp];
    for (known, value) in
        kinds.into_iter().flat_map(|known| said.of(known).iter().map(move |value| (known, value)))
    {
        let Some(device) = named(value, "device").filter(|device| device != "lo") else { continue };
        // Links and networks grow together, so that each has its place in both.
        let new = || Link { device: device.clone(), received: None, sent: None };
        let Some(link) = part(&mut links, |link| link.device == device, new) else { continue };
        let network = || Network {
            device: device.clone(),
            received_per_s: None,
            sent_per_s: None,
            speed_per_s: None,
            up: None,
        };
        let networks = &mut reading.networks;
        let Some(network) = part(networks, |network| network.device == device, network) else {
            continue;
        };
        let earlier = before.iter().find(|link| link.device == device);
        match known {
            Known::NetworkReceived => {
                link.received = Some(value.value);
                network.received_per_s =
                    rate(earlier.and_then(|link| link.received), value.value, seconds);
            }
            Known::NetworkSent => {
                link.sent = Some(value.value);
                network.sent_per_s = rate(earlier.and_then(|link| link.sent), value.value, seconds);
            }
            Known::NetworkSpeed => {
                network.speed_per_s = Some(value.value).filter(|speed| 0.0 < *speed);
            }
            _ => network.up = Some(value.value == 1.0),
        }
    }
    *before = links;
    reading.disks = disks(said);
}

/// `None` if there is nothing to compare with, the counter started anew, or no link carries as much.
fn rate(before: Option<f64>, now: f64, seconds: Option<f64>) -> Option<f64> {
    let risen = now - before?;
    let rate = risen / seconds?;
    range::BYTES_PER_S.holds(rate).then_some(rate)
}

/// By what a file system's size and its free space belong together.
fn place<'a>(value: &Value<'a>) -> Option<(Cow<'a, str>, Cow<'a, str>)> {
    Some((value.label("mountpoint")?, value.label("device")?))
}

fn disks(said: &Said<'_>) -> Vec<Disk> {
    let free: HashMap<_, f64> = said
        .of(Known::FilesystemAvailable)
        .iter()
        .filter_map(|value| Some((place(value)?, value.value)))
        .collect();
    let mut found: Vec<(String, Disk)> = Vec::new();
    for size in said.of(Known::FilesystemSize).iter().take(MAX_PARTS) {
        let pseudo = size.label("fstype").is_some_and(|kind| PSEUDO.contains(&&kind[..]));
        let (Some(mount), Some(device)) = (named(size, "mountpoint"), named(size, "device")) else {
            continue;
        };
        let available = place(size).and_then(|place| free.get(&place).copied());
        let Some(available) = available.filter(|available| *available <= size.value) else {
            continue;
        };
        // The layers of containers repeat the disk that they lie on.
        let layer = size.label("fstype").is_some_and(|kind| kind == "overlay") && mount != "/";
        if pseudo || layer || size.value == 0.0 {
            continue;
        }
        let space = Space { used_bytes: size.value - available, total_bytes: size.value };
        let disk = Disk { mount, space };
        // A device that is mounted more than once is one disk, known by its shortest mount point.
        match found.iter_mut().find(|(known, _)| *known == device) {
            Some((_, known)) if disk.mount.len() < known.mount.len() => *known = disk,
            Some(_) => {}
            None => found.push((device, disk)),
        }
    }
    found.into_iter().map(|(_, disk)| disk).collect()
}
