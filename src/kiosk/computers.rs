//! Which computers a run may use, by what telemetry knows of them and what the owner has said; the only place where the two
//! meet.

use std::time::Instant;

use tokio::sync::watch;

use crate::{
    config::{Config, Launcher, NodeAddress, NodeEntry},
    slurm::{
        said::{Seen, Use},
        watch as queue,
    },
    supervisor::{Computer, Computers, Condition, Equipment, Heat},
    telemetry::{
        Freshness, Node, Telemetry,
        reading::{Complaint, Gpu, Reading},
    },
};

/// Ranks on a computer whose slots the owner does not say.
const SLOTS: u16 = 1;

/// The computers of the cluster as runs may use them at `now`; `slurm` is who has which of them, where that is heeded.
pub fn computers(
    config: &Config,
    telemetry: &Telemetry,
    slurm: Option<&Seen>,
    now: Instant,
) -> Computers {
    let must_be_slurms = config.launch.launcher == Launcher::Slurm;
    let limit_celsius = config.launch.limit_celsius;
    let computer = |(entry, node): (&NodeEntry, &std::sync::Arc<Node>)| {
        let NodeAddress::Agent { host, .. } = &entry.address else { return None };
        Some(Computer {
            name: entry.name.clone(),
            address: host.clone(),
            slots: entry.slots.unwrap_or(SLOTS),
            equipment: equipment(entry, node),
            condition: match (condition(node, limit_celsius, now), slurm) {
                (Condition::Ready, Some(seen)) => shared(seen, &entry.name, must_be_slurms),
                (condition, _) => condition,
            },
            is_wanted: slurm.is_some_and(|seen| !seen.is_idle()),
        })
    };
    let others = config.nodes.iter().zip(&telemetry.nodes).filter_map(computer).collect();
    let mut of_all = config.nodes.iter().zip(&telemetry.nodes);
    let this = of_all.find(|(entry, _)| entry.address == NodeAddress::Local);
    let heat = |(entry, node): (&NodeEntry, &std::sync::Arc<Node>)| {
        match condition(node, limit_celsius, now) {
            Condition::Hot { celsius, limit_celsius } => {
                Some(Heat { host: entry.name.clone(), celsius, limit_celsius })
            }
            // Whatever else it complains of: without it there is no kiosk.
            _ => None,
        }
    };
    let equipment_here = this.map_or_else(Equipment::default, |(e, node)| equipment(e, node));
    Computers { equipment_here, here: this.and_then(heat), others }
}

/// What may compute there; what was once seen is there still.
fn equipment(entry: &NodeEntry, node: &Node) -> Equipment {
    // One named as the kernel's cards are is AMD's, which no demo can use.
    let is_cuda = |gpu: &Gpu| !gpu.id.starts_with("card");
    let has_gpu = node.reading.as_ref().is_some_and(|reading| reading.gpus.iter().any(is_cuda));
    Equipment { has_gpu, wanted: entry.processor }
}

fn condition(node: &Node, limit_celsius: f64, now: Instant) -> Condition {
    match (node.freshness(now), &node.reading) {
        (Freshness::Awaited, _) => Condition::Awaited,
        // The newest attempt tells sooner than the age of what was said before.
        (Freshness::Fresh, Some(reading)) if node.trouble.is_none() => well(reading, limit_celsius),
        _ => Condition::Silent,
    }
}

/// Of a computer that is well, whether Slurm lets us have it.
fn shared(seen: &Seen, name: &str, must_be_slurms: bool) -> Condition {
    match seen.nodes.get(name) {
        _ if !seen.is_known => Condition::Awaited,
        Some(Use::Free) => Condition::Ready,
        Some(Use::Taken) => Condition::Taken,
        Some(Use::Out { .. }) => Condition::OutOfService,
        None if must_be_slurms => Condition::OutOfService,
        None => Condition::Ready,
    }
}

fn well(reading: &Reading, limit_celsius: f64) -> Condition {
    let holds_back = |complaint| {
        matches!(complaint, Complaint::UnderVoltage | Complaint::OverCurrent | Complaint::Throttled)
    };
    match reading.celsius {
        Some(celsius) if limit_celsius < celsius => Condition::Hot { celsius, limit_celsius },
        _ if reading.flags.iter().any(|flag| flag.now && holds_back(flag.complaint)) => {
            Condition::Throttled
        }
        _ => Condition::Ready,
    }
}

/// What Slurm says of the cluster, and what keeps that up to date, which runs until nobody listens; does nothing where no
/// Slurm is heeded.
pub fn slurm(config: &Config) -> (watch::Receiver<Seen>, impl Future<Output = ()> + use<>) {
    let (told, seen) = watch::channel(Seen::default());
    let slurm = config.launch.slurm.clone();
    let watching = async move {
        if let Some(slurm) = slurm {
            queue::run(slurm, told).await;
        }
    };
    (seen, watching)
}

/// Tells the supervisor whenever telemetry or Slurm knows something new; ends when there is no telemetry any more.
pub async fn follow(
    config: Config,
    mut telemetry: watch::Receiver<Telemetry>,
    mut slurm: watch::Receiver<Seen>,
    told: watch::Sender<Computers>,
) {
    let heeds_slurm = config.launch.slurm.is_some();
    loop {
        let seen = slurm.borrow_and_update().clone();
        let seen = heeds_slurm.then_some(&seen);
        let known = computers(&config, &telemetry.borrow_and_update(), seen, Instant::now());
        told.send_if_modified(|before| {
            let is_new = *before != known;
            *before = known;
            is_new
        });
        tokio::select! {
            changed = telemetry.changed() => if changed.is_err() {
                return;
            },
            Ok(()) = slurm.changed() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{path::Path, sync::Arc, time::Duration};

    use wire::channel::Processor;

    use super::*;
    use crate::telemetry::{Trouble, reading::Flag};

    fn config() -> Config {
        let text = "[[node]]\nname = 'bowie'\naddress = 'local'\n\
                    [[node]]\nname = 'major-tom'\naddress = '10.0.0.2'\nslots = 4\n";
        Config::parse(Path::new("kiosk.toml"), text).unwrap()
    }

    fn node(reading: Option<Reading>, trouble: Option<Trouble>, since: Instant) -> Arc<Node> {
        let reading = reading.map(Arc::new);
        Arc::new(Node { name: "n".into(), colour: 0, since, reading, trouble, refused: 0 })
    }

    fn seen(reading: Option<Reading>, trouble: Option<Trouble>, now: Instant) -> Condition {
        let this = node(Some(Reading::empty(now)), None, now);
        let telemetry = Telemetry { nodes: vec![this, node(reading, trouble, now)] };
        let known = computers(&config(), &telemetry, None, now);
        let known = known.others;
        assert_eq!(known.len(), 1, "this machine is none of the others");
        assert_eq!((&known[0].name[..], &known[0].address[..]), ("major-tom", "10.0.0.2"));
        assert_eq!(known[0].slots, 4);
        known[0].condition
    }

    #[test]
    fn a_computer_that_answers_and_is_well_is_ready() {
        let now = Instant::now();
        let reading = Reading { celsius: Some(60.0), ..Reading::empty(now) };
        assert_eq!(seen(Some(reading), None, now), Condition::Ready);
        assert_eq!(seen(None, None, now), Condition::Awaited);
    }

    #[test]
    fn one_that_fails_to_answer_once_is_silent_before_what_it_said_is_old() {
        let now = Instant::now();
        let reading = Reading::empty(now);
        assert_eq!(seen(Some(reading), Some(Trouble::NoAnswer), now), Condition::Silent);
        let old = Reading::empty(now - Duration::from_secs(4));
        assert_eq!(seen(Some(old), None, now), Condition::Silent);
    }

    #[test]
    fn one_that_is_hot_or_holds_itself_back_is_left_alone() {
        let now = Instant::now();
        let hot = Reading { celsius: Some(90.5), ..Reading::empty(now) };
        let expected = Condition::Hot { celsius: 90.5, limit_celsius: 85.0 };
        assert_eq!(seen(Some(hot), None, now), expected);
        let flagged = |complaint, is_now| {
            let flags = vec![Flag { complaint, now: is_now }];
            seen(Some(Reading { flags, ..Reading::empty(now) }), None, now)
        };
        assert_eq!(flagged(Complaint::UnderVoltage, true), Condition::Throttled);
        assert_eq!(flagged(Complaint::UnderVoltage, false), Condition::Ready);
        assert_eq!(flagged(Complaint::FrequencyCapped, true), Condition::Ready);
    }

    #[test]
    fn a_graphics_processor_that_is_read_is_there_and_the_owners_word_goes_with_it() {
        let now = Instant::now();
        let with = |id: &str| {
            let gpus = vec![Gpu { id: id.into(), ..Gpu::default() }];
            node(Some(Reading { gpus, ..Reading::empty(now) }), None, now)
        };
        let nodes = vec![with("0"), with("card0")];
        let mut config = config();
        config.nodes[1].processor = Processor::Cpu;
        let known = computers(&config, &Telemetry { nodes }, None, now);
        assert_eq!(known.equipment_here, Equipment { has_gpu: true, wanted: Processor::Auto });
        let expected = Equipment { has_gpu: false, wanted: Processor::Cpu };
        assert_eq!(known.others[0].equipment, expected);
    }

    #[test]
    fn this_machine_is_left_alone_while_it_is_too_hot_and_only_then() {
        let now = Instant::now();
        let here = |reading, trouble| {
            let nodes = vec![node(reading, trouble, now), node(None, None, now)];
            computers(&config(), &Telemetry { nodes }, None, now).here
        };
        let hot = Reading { celsius: Some(90.5), ..Reading::empty(now) };
        let expected = Heat { host: "bowie".into(), celsius: 90.5, limit_celsius: 85.0 };
        assert_eq!(here(Some(hot.clone()), None), Some(expected));
        assert_eq!(here(Some(hot), Some(Trouble::NoAnswer)), None, "not known is not too hot");
        assert_eq!(here(Some(Reading { celsius: Some(85.0), ..Reading::empty(now) }), None), None);
        let flags = vec![Flag { complaint: Complaint::Throttled, now: true }];
        assert_eq!(here(Some(Reading { flags, ..Reading::empty(now) }), None), None);
        assert_eq!(here(None, None), None);
    }

    #[test]
    fn what_slurm_has_given_to_others_or_to_nobody_is_not_for_us() {
        let now = Instant::now();
        let nodes = || vec![node(Some(Reading::empty(now)), None, now); 2];
        let seen = |launcher: Launcher, sinfo: &str, squeue: &str| {
            let mut config = config();
            config.launch.launcher = launcher;
            let seen = Seen::of(sinfo, squeue, 7);
            computers(&config, &Telemetry { nodes: nodes() }, Some(&seen), now).others[0].condition
        };
        let theirs = "4|RUNNING|1|None|major-tom|x\n";
        for launcher in [Launcher::Ssh, Launcher::Slurm] {
            assert_eq!(seen(launcher, "major-tom|idle|none\n", ""), Condition::Ready);
            assert_eq!(seen(launcher, "major-tom|mixed|none\n", theirs), Condition::Taken);
            let drained = seen(launcher, "major-tom|drained|loud\n", "");
            assert_eq!(drained, Condition::OutOfService);
        }
        assert_eq!(seen(Launcher::Ssh, "n0|idle|none\n", ""), Condition::Ready);
        assert_eq!(seen(Launcher::Slurm, "n0|idle|none\n", ""), Condition::OutOfService);
        // A job that waits for some node is reason enough not to play there for show.
        for (squeue, is_wanted) in [("5|PENDING|1|Priority||x\n", true), ("", false)] {
            let seen = Seen::of("major-tom|idle|none\n", squeue, 7);
            let known = computers(&config(), &Telemetry { nodes: nodes() }, Some(&seen), now);
            assert_eq!(
                (known.others[0].condition, known.others[0].is_wanted),
                (Condition::Ready, is_wanted)
            );
        }
        let silent = Seen::default();
        let known = computers(&config(), &Telemetry { nodes: nodes() }, Some(&silent), now);
        assert_eq!(
            (known.others[0].condition, known.others[0].is_wanted),
            (Condition::Awaited, true)
        );
    }
}
