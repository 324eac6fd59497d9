//! Network interfaces: what they carried (`/proc/net/dev`), what they can carry and whether they have a link (sysfs).

use wire::metrics::family;

use super::{Outcome, Source};
use crate::{
    root::{Root, attribute, printable, quantity},
    samples::Samples,
};

/// Bytes per second of one Mbit/s, the unit of `speed`.
const MEGABIT: f64 = 125e3;
/// What a link can carry: 1 Mbit/s to 10 Tbit/s; an interface without a link says -1.
const SPEED: std::ops::RangeInclusive<f64> = 1.0 * MEGABIT..=1e7 * MEGABIT;
/// What the kernel says of a link (Documentation/networking/operstates).
const STATES: [&str; 7] =
    ["unknown", "notpresent", "down", "lowerlayerdown", "testing", "dormant", "up"];
/// Most interfaces; a node with containers has some dozens.
const MOST: usize = 256;

pub struct Network(pub Root);

impl Source for Network {
    fn name(&self) -> &str {
        "network"
    }

    fn read(&mut self, found: &mut Samples) -> Outcome {
        let Ok(text) = self.0.text("proc/net/dev") else { return Outcome::Failed };
        for (device, received, sent) in interfaces(&text).take(MOST) {
            let labels = || [("device", printable(device).into())];
            found.add(&family::NETWORK_RECEIVED, labels(), received as f64);
            found.add(&family::NETWORK_SENT, labels(), sent as f64);
            // A name of the file system's own would lead out of the folder.
            if device.starts_with('.') || device.contains('/') {
                continue;
            }
            let folder = self.0.at("sys/class/net").join(device);
            let state = attribute(&folder.join("operstate")).ok();
            if let Some(state) = state.filter(|state| STATES.contains(&&state[..])) {
                found.add(&family::NETWORK_UP, labels(), f64::from(u8::from(state == "up")));
            }
            let speed = quantity(&folder.join("speed"), MEGABIT, SPEED);
            found.add_some(&family::NETWORK_SPEED, labels(), speed);
        }
        Outcome::of(found)
    }
}

/// Name, bytes received and bytes sent of each interface but the loopback.
fn interfaces(dev: &str) -> impl Iterator<Item = (&str, u64, u64)> {
    dev.lines().filter_map(|line| {
        let (name, rest) = line.rsplit_once(':')?;
        let mut words = rest.split_ascii_whitespace();
        let received = words.next()?.parse().ok()?;
        let sent = words.nth(7)?.parse().ok()?;
        let name = name.trim();
        (!name.is_empty() && name != "lo").then_some((name, received, sent))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEV: &str = "Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 435303245 1832522    0    0    0     0          0         0 435303245 1832522    0    0    0     0       0          0
  eth0:68210035552 520993275    0    0    0     0          0         0 9315587528 43451486    0    0    0     0       0          0
";

    #[test]
    fn an_interface_is_its_name_and_two_counters() {
        let all: Vec<_> = interfaces(DEV).collect();
        assert_eq!(all, [("eth0", 68_210_035_552, 9_315_587_528)]);
    }

    #[test]
    fn a_counter_may_be_as_large_as_the_kernel_counts() {
        let line = format!("e: {0} 0 0 0 0 0 0 0 {0} 0", u64::MAX);
        assert_eq!(interfaces(&line).next(), Some(("e", u64::MAX, u64::MAX)));
    }

    #[test]
    fn a_line_that_is_not_whole_is_no_interface() {
        for line in [
            "",
            "eth0:",
            "eth0: 1 2 3",
            "eth0: -1 0 0 0 0 0 0 0 5",
            ": 1 0 0 0 0 0 0 0 5",
            "eth0: x",
        ] {
            assert_eq!(interfaces(line).count(), 0, "{line}");
        }
    }
}
