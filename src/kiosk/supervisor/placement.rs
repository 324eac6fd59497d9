//! Which computers take part in a run, and with how many ranks each. Pure: what is known of them is an argument.

use wire::channel::{Devices, Processor};

use crate::catalogue::{Gpu, Ranks};

/// A computer that a run may use, as whoever watches it tells the supervisor.
#[derive(Clone, Debug, PartialEq)]
pub struct Computer {
    /// Its name on the screens, which is its host name.
    pub name: String,
    /// Where it is reached: a name or an address.
    pub address: String,
    /// Most ranks of a run there.
    pub slots: u16,
    /// What may compute there.
    pub equipment: Equipment,
    /// Whether a run may use it now.
    pub condition: Condition,
    /// Whether somebody else wants something of the cluster it belongs to, be it only in its queue: then it is not for a
    /// run that nobody has asked for.
    pub is_wanted: bool,
}

/// What may compute on a computer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Equipment {
    /// Whether it is known to have a graphics processor.
    pub has_gpu: bool,
    /// What the owner wants to compute there.
    pub wanted: Processor,
}

impl Equipment {
    /// What computes there for a demo, where a visitor wants `visitors`; the owner's word counts more.
    fn processor(self, demo: Gpu, visitors: Processor) -> Processor {
        match (demo, self.wanted, visitors) {
            (Gpu::No, ..) => Processor::Auto,
            (_, Processor::Cpu, _) => Processor::Cpu,
            (_, owners, Processor::Auto) if self.has_gpu && owners == Processor::Auto => {
                Processor::Gpu
            }
            (_, owners, Processor::Auto) => owners,
            (_, _, visitors) => visitors,
        }
    }

    /// Whether a visitor may have its graphics processor for a demo.
    fn offers_gpu(self, demo: Gpu) -> bool {
        self.has_gpu && self.wanted != Processor::Cpu && demo != Gpu::No
    }
}

/// What a run may use, as whoever watches it tells the supervisor.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Computers {
    /// What may compute on this machine.
    pub equipment_here: Equipment,
    /// This machine, where it is too hot to compute.
    pub here: Option<Heat>,
    /// The others of the cluster.
    pub others: Vec<Computer>,
}

/// A computer is above the owner's limit.
#[derive(Clone, Debug, PartialEq)]
pub struct Heat {
    /// Its name on the screens.
    pub host: String,
    /// Its temperature, degrees Celsius.
    pub celsius: f64,
    /// The temperature to wait for.
    pub limit_celsius: f64,
}

impl From<Vec<Computer>> for Computers {
    fn from(others: Vec<Computer>) -> Self {
        Self { others, ..Self::default() }
    }
}

/// Whether a run may use a computer now, and why not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Condition {
    /// It answers and is well.
    Ready,
    /// It has not answered yet.
    Awaited,
    /// It does not answer.
    Silent,
    /// It is above the owner's limit.
    Hot {
        /// Its temperature, degrees Celsius.
        celsius: f64,
        /// The temperature to wait for.
        limit_celsius: f64,
    },
    /// It holds itself back: its supply sags, or it is hot by its own measure.
    Throttled,
    /// Slurm has given it to somebody else.
    Taken,
    /// Slurm gives it to nobody.
    OutOfService,
}

/// Where a run goes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Placement {
    /// The computers and how many ranks each has, rank 0 on the first; none means this machine.
    pub hosts: Vec<Host>,
    /// Ranks that a visitor wants on this machine, where no other computer takes part.
    pub here: Option<u16>,
    /// Cores of each rank; `None`, what is left to the launcher on this machine, and to the demo elsewhere.
    pub threads: Option<u16>,
    /// What is to compute on this machine then.
    pub processor_here: Processor,
    /// The computers that do not take part although they could, and why.
    pub left_out: Vec<(String, Condition)>,
}

/// What a visitor wants a run to be on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Scale {
    /// On how many other computers: 0 is this machine alone; `None`, all that are ready.
    pub computers: Option<u16>,
    /// Ranks on each; `None`, what the demo wants.
    pub ranks: Option<u16>,
    /// Cores of each rank; `None`, as many as there are for it.
    pub threads: Option<u16>,
    /// What is to compute.
    pub processor: Processor,
}

/// What of a demo decides where it may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needs {
    /// How many ranks it wants.
    pub ranks: Ranks,
    /// Whether a rank computes with several cores.
    pub threads: bool,
    /// What it does with a graphics processor.
    pub gpu: Gpu,
}

/// What a visitor may put a run on, the smallest first: one core, all cores of one computer, all computers, one graphics
/// processor, all of them; on `computers`, or, where none of them is ready, on this machine, with so many cores and this
/// equipment.
pub fn offers(needs: Needs, computers: &[Computer], here: (u16, Equipment)) -> Vec<Scale> {
    let wanted = needs.ranks;
    let ready: Vec<&Computer> = computers
        .iter()
        .filter(|computer| computer.condition == Condition::Ready && 0 < computer.slots)
        .collect();
    let count = |computers: usize| u16::try_from(computers).unwrap_or(u16::MAX).min(wanted.max);
    let (cores, equipment) = here;
    let has_gpu = |computer: &&&Computer| computer.equipment.offers_gpu(needs.gpu);
    let gpus = match ready.is_empty() {
        true => u16::from(equipment.offers_gpu(needs.gpu)),
        false => count(ready.iter().filter(has_gpu).count()),
    };
    let mut offers = Vec::new();
    let mut offer = |computers: u16, cores: u16, processor: Processor| {
        // Where a rank can have them all, a computer is one part of the picture; two parts are shown on this machine.
        let is_one = needs.threads && processor != Processor::Gpu && (computers, cores) != (0, 2);
        let (ranks, threads) = match is_one {
            true => (cores.min(1), cores),
            false => (cores.min(wanted.max / computers.max(1)), 1),
        };
        let all = ranks * computers.max(1);
        // A rank on a graphics processor has what cores there are, should that fail.
        let threads = (needs.threads && processor != Processor::Gpu).then_some(threads);
        let scale = Scale { computers: Some(computers), ranks: Some(ranks), threads, processor };
        if 0 < ranks && (wanted.min..=wanted.max).contains(&all) && !offers.contains(&scale) {
            offers.push(scale);
        }
    };
    // Where there is a choice the rows without it must not use it.
    let cpu = if gpus == 0 { Processor::Auto } else { Processor::Cpu };
    if needs.gpu != Gpu::Need {
        match ready.first() {
            None => {
                offer(0, 1, cpu);
                offer(0, 2, cpu);
                offer(0, cores, cpu);
            }
            Some(first) => {
                offer(1, 1, cpu);
                offer(1, first.slots, cpu);
                let all = count(ready.len());
                for computers in [2, all] {
                    let taken = ready.iter().take(computers.into());
                    let fewest = taken.map(|computer| computer.slots).min().unwrap_or(0);
                    if 2 <= computers && computers <= all {
                        // The page has room for so many.
                        if gpus == 0 {
                            offer(computers, 1, cpu);
                        }
                        offer(computers, fewest, cpu);
                    }
                }
            }
        }
    }
    if 0 < gpus {
        let one = u16::from(!ready.is_empty());
        offer(one, 1, Processor::Gpu);
        offer(one * gpus, 1, Processor::Gpu);
    }
    if offers.len() < 2 { Vec::new() } else { offers }
}

/// Places a run as [`place`] does, where a visitor wants it on `scale`.
pub fn place_scaled(
    needs: Needs,
    scale: Scale,
    computers: &Computers,
    most: Option<u16>,
) -> Placement {
    let wanted = needs.ranks;
    let processor = |equipment: Equipment| equipment.processor(needs.gpu, scale.processor);
    let processor_here = processor(computers.equipment_here);
    if scale.computers == Some(0) {
        let Scale { ranks: here, threads, .. } = scale;
        return Placement { here, threads, processor_here, ..Placement::default() };
    }
    let mut room = scale.computers.unwrap_or(u16::MAX);
    let mut taken = 0;
    let mut chosen = Vec::with_capacity(computers.others.len());
    for computer in &computers.others {
        let is_ready = computer.condition == Condition::Ready;
        let lacks_it =
            scale.processor == Processor::Gpu && !computer.equipment.offers_gpu(needs.gpu);
        if is_ready && (room == 0 || lacks_it) {
            continue;
        }
        let slots = computer.slots.min(scale.ranks.unwrap_or(u16::MAX));
        if is_ready {
            room -= 1;
            taken += slots;
        }
        chosen.push(Computer { slots, ..computer.clone() });
    }
    let default = scale.ranks.map_or(wanted.default, |_| taken.clamp(wanted.min, wanted.max));
    let mut placement = place(Ranks { default, ..wanted }, &chosen, most);
    placement.processor_here = processor_here;
    for host in &mut placement.hosts {
        let of_it = |computer: &&Computer| computer.name == host.name;
        if let Some(computer) = chosen.iter().find(of_it) {
            host.processor = processor(computer.equipment);
        }
    }
    if needs.threads {
        let cores_of_each = |host: &Host| {
            let is_it = |computer: &&Computer| computer.name == host.name;
            Some(computers.others.iter().find(is_it)?.slots / host.ranks.max(1))
        };
        let room = placement.hosts.iter().filter_map(cores_of_each).min();
        placement.threads =
            room.map(|room| scale.threads.map_or(room, |wanted| wanted.min(room)).max(1));
    }
    placement
}

/// A computer's part in a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Host {
    /// Its name on the screens.
    pub name: String,
    /// Where it is reached.
    pub address: String,
    /// Its ranks.
    pub ranks: u16,
    /// What is to compute there.
    pub processor: Processor,
}

impl Placement {
    /// What is to compute where, for the demo; `None` where that is left to it.
    pub fn devices(&self) -> Option<Devices> {
        let all = self.hosts.first().map_or(self.processor_here, |host| host.processor);
        let others = self.hosts.iter().filter(|host| host.processor != all);
        let hosts: Vec<_> = others.map(|host| (host.name.clone(), host.processor)).collect();
        (all != Processor::Auto || !hosts.is_empty()).then_some(Devices { all, hosts })
    }

    /// The first of its hosts that has become too hot; this machine, if it has no others.
    pub fn too_hot(&self, computers: &Computers) -> Option<Heat> {
        if self.hosts.is_empty() {
            return computers.here.clone();
        }
        let takes_part = |computer: &&Computer| self.hosts.iter().any(|h| h.name == computer.name);
        computers.others.iter().filter(takes_part).find_map(|computer| match computer.condition {
            Condition::Hot { celsius, limit_celsius } => {
                Some(Heat { host: computer.name.clone(), celsius, limit_celsius })
            }
            _ => None,
        })
    }

    /// The first of its hosts that Slurm has given to somebody else.
    pub fn taken(&self, computers: &[Computer]) -> Option<String> {
        let is_taken = |name: &str| {
            let is_it = |computer: &Computer| {
                computer.name == name && computer.condition == Condition::Taken
            };
            computers.iter().any(is_it)
        };
        self.hosts.iter().find(|host| is_taken(&host.name)).map(|host| host.name.clone())
    }

    /// Ranks of all hosts together; 0 on this machine.
    pub fn ranks(&self) -> u16 {
        self.hosts.iter().map(|host| host.ranks).sum()
    }
}

/// Places a run that wants `wanted` ranks on those of `computers` that are ready; on this machine if none is, or if they
/// have too few slots. `most` is the owner's limit.
///
/// Every computer gets a rank before one gets a second: a visitor shall see all of them at work.
pub fn place(wanted: Ranks, computers: &[Computer], most: Option<u16>) -> Placement {
    let is_ready = |computer: &&Computer| computer.condition == Condition::Ready;
    let left_out = computers.iter().filter(|computer| !is_ready(computer));
    let left_out = left_out.map(|computer| (computer.name.clone(), computer.condition)).collect();
    let ready: Vec<&Computer> =
        computers.iter().filter(is_ready).filter(|computer| 0 < computer.slots).collect();
    let slots = ready.iter().fold(0u16, |sum, computer| sum.saturating_add(computer.slots));
    let each = u16::try_from(ready.len()).unwrap_or(u16::MAX);
    let limit = wanted.max.min(most.unwrap_or(u16::MAX)).min(slots);
    let mut left = wanted.default.max(each).min(limit);
    if left == 0 || left < wanted.min {
        return Placement { left_out, ..Placement::default() };
    }
    let mut ranks = vec![0; ready.len()];
    while 0 < left {
        for (computer, ranks) in ready.iter().zip(&mut ranks) {
            if 0 < left && *ranks < computer.slots {
                *ranks += 1;
                left -= 1;
            }
        }
    }
    let host = |(computer, ranks): (&&Computer, u16)| Host {
        name: computer.name.clone(),
        address: computer.address.clone(),
        ranks,
        processor: Processor::Auto,
    };
    let hosts = ready.iter().zip(ranks).filter(|(_, ranks)| 0 < *ranks).map(host).collect();
    Placement { hosts, left_out, ..Placement::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WANTED: Ranks = Ranks { default: 2, min: 1, max: 4 };
    const NEEDS: Needs = Needs { ranks: WANTED, threads: false, gpu: Gpu::Use };

    fn computer(name: &str, slots: u16, condition: Condition) -> Computer {
        let (name, address) = (name.into(), format!("{name}.local"));
        let equipment = Equipment::default();
        Computer { name, address, slots, equipment, condition, is_wanted: false }
    }

    fn placed(wanted: Ranks, computers: &[Computer], most: Option<u16>) -> Vec<(String, u16)> {
        let placement = place(wanted, computers, most);
        placement.hosts.into_iter().map(|host| (host.name, host.ranks)).collect()
    }

    fn pair() -> [Computer; 2] {
        [
            computer("major-tom", 4, Condition::Ready),
            computer("ground-control", 4, Condition::Ready),
        ]
    }

    #[test]
    fn every_computer_gets_a_rank_before_one_gets_a_second() {
        let expected = [("major-tom".into(), 1), ("ground-control".into(), 1)];
        assert_eq!(placed(WANTED, &pair(), None), expected);
        let three = Ranks { default: 3, ..WANTED };
        let expected = [("major-tom".into(), 2), ("ground-control".into(), 1)];
        assert_eq!(placed(three, &pair(), None), expected);
    }

    #[test]
    fn more_computers_than_wanted_ranks_all_take_part_up_to_what_the_demo_can_do() {
        let many: Vec<_> =
            (0..6).map(|n| computer(&format!("n{n}"), 4, Condition::Ready)).collect();
        let hosts = placed(WANTED, &many, None);
        assert_eq!(hosts.len(), 4);
        assert!(hosts.iter().all(|(_, ranks)| *ranks == 1));
        assert_eq!(placed(WANTED, &many, Some(3)).len(), 3);
    }

    #[test]
    fn who_is_not_ready_is_left_out_with_the_reason() {
        let mut computers = pair();
        let hot = Condition::Hot { celsius: 91.0, limit_celsius: 85.0 };
        computers[0].condition = hot;
        let placement = place(WANTED, &computers, None);
        assert_eq!(placement.left_out, [("major-tom".into(), hot)]);
        assert_eq!((placement.hosts.len(), placement.ranks()), (1, 2));
        assert_eq!(placement.hosts[0].address, "ground-control.local");
    }

    #[test]
    fn without_anybody_ready_or_with_too_few_slots_it_is_this_machine() {
        let silent = pair().map(|computer| Computer { condition: Condition::Silent, ..computer });
        let placement = place(WANTED, &silent, None);
        assert_eq!((placement.hosts.len(), placement.left_out.len()), (0, 2));
        assert_eq!(placed(WANTED, &[], None), []);
        let five = Ranks { default: 5, min: 5, max: 8 };
        let small = pair().map(|computer| Computer { slots: 2, ..computer });
        assert_eq!(placed(five, &small, None), []);
    }

    #[test]
    fn a_host_that_becomes_too_hot_is_seen_and_others_are_not_its_business() {
        let hot = Condition::Hot { celsius: 91.0, limit_celsius: 85.0 };
        let mut computers = pair();
        let placement = place(WANTED, &computers[..1], None);
        computers[1].condition = hot;
        let here = Heat { host: "bowie".into(), celsius: 99.0, limit_celsius: 85.0 };
        let known =
            |others: &[Computer]| Computers { here: Some(here.clone()), ..others.to_vec().into() };
        assert_eq!(placement.too_hot(&known(&computers)), None);
        computers[0].condition = hot;
        let expected = Heat { host: "major-tom".into(), celsius: 91.0, limit_celsius: 85.0 };
        assert_eq!(placement.too_hot(&known(&computers)), Some(expected));
        assert_eq!(Placement::default().too_hot(&known(&computers)), Some(here.clone()));
        assert_eq!(Placement::default().too_hot(&computers.to_vec().into()), None);
    }

    #[test]
    fn a_visitor_chooses_how_many_computers_and_how_many_ranks_on_each() {
        let scaled = |computers, ranks| {
            let scale = Scale { computers, ranks, ..Scale::default() };
            let placement = place_scaled(NEEDS, scale, &pair().to_vec().into(), None);
            placement.hosts.into_iter().map(|host| host.ranks).collect::<Vec<_>>()
        };
        assert_eq!(scaled(None, None), [1, 1]);
        assert_eq!(scaled(Some(1), None), [2]);
        assert_eq!(scaled(Some(1), Some(1)), [1]);
        assert_eq!(scaled(Some(1), Some(4)), [4]);
        assert_eq!(scaled(Some(2), Some(2)), [2, 2]);
        assert_eq!(scaled(Some(2), Some(9)), [2, 2], "no more than the demo can do");
        assert_eq!(scaled(Some(0), Some(3)), [0; 0]);
        let here = Scale { computers: Some(0), ranks: Some(3), ..Scale::default() };
        let placement = place_scaled(NEEDS, here, &pair().to_vec().into(), None);
        assert_eq!((placement.here, placement.left_out.len()), (Some(3), 0));
    }

    #[test]
    fn one_core_one_computer_and_all_of_them_are_offered() {
        let shown = |offers: Vec<Scale>| {
            let pair = |scale: &Scale| (scale.computers.unwrap(), scale.ranks.unwrap());
            assert!(offers.iter().all(|scale| scale.processor == Processor::Auto));
            offers.iter().map(pair).collect::<Vec<_>>()
        };
        let offers = |ranks, computers: &[Computer], cores| {
            offers(Needs { ranks, ..NEEDS }, computers, (cores, Equipment::default()))
        };
        assert_eq!(shown(offers(WANTED, &pair(), 4)), [(1, 1), (1, 4), (2, 1), (2, 2)]);
        assert_eq!(shown(offers(WANTED, &pair()[..1], 4)), [(1, 1), (1, 4)]);
        assert_eq!(shown(offers(WANTED, &[], 4)), [(0, 1), (0, 2), (0, 4)]);
        assert_eq!(shown(offers(WANTED, &[], 2)), [(0, 1), (0, 2)]);
        assert_eq!(shown(offers(WANTED, &[], 1)), [(0, 1), (0, 2)]);
        let one = Ranks { default: 1, min: 1, max: 1 };
        assert_eq!(shown(offers(one, &pair(), 4)), [], "nothing to choose");
        let many: Vec<_> =
            (0..6).map(|n| computer(&format!("n{n}"), 4, Condition::Ready)).collect();
        let eight = Ranks { default: 2, min: 2, max: 8 };
        let expected = [(1, 4), (2, 1), (2, 4), (6, 1)];
        assert_eq!(shown(offers(eight, &many, 4)), expected);
    }

    #[test]
    fn where_a_rank_computes_with_several_cores_a_computer_has_one_rank() {
        let needs = Needs { threads: true, ..NEEDS };
        let shown = |computers: &[Computer], cores| {
            let row = |scale: &Scale| {
                (scale.computers.unwrap(), scale.ranks.unwrap(), scale.threads.unwrap())
            };
            let offered = offers(needs, computers, (cores, Equipment::default()));
            offered.iter().map(row).collect::<Vec<_>>()
        };
        assert_eq!(shown(&pair(), 4), [(1, 1, 1), (1, 1, 4), (2, 1, 1), (2, 1, 4)]);
        assert_eq!(shown(&[], 4), [(0, 1, 1), (0, 2, 1), (0, 1, 4)]);
        assert_eq!(shown(&[], 2), [(0, 1, 1), (0, 2, 1)]);
        let small = pair().map(|computer| Computer { slots: 1, ..computer });
        assert_eq!(shown(&small, 4), [(1, 1, 1), (2, 1, 1)]);

        // The row of all graphics processors is what a run without a choice is on: it is shown as chosen.
        let equipped = equipped();
        let rows = offers(needs, &equipped, (4, Equipment::default()));
        let on = |scale| {
            let placement = place_scaled(needs, scale, &equipped.clone().into(), None);
            (placement.hosts, placement.threads)
        };
        assert_eq!(on(*rows.last().unwrap()), on(Scale::default()));

        let threads = |scale: Scale| {
            let placement = place_scaled(needs, scale, &pair().to_vec().into(), None);
            (placement.ranks(), placement.threads)
        };
        let scale =
            |computers, ranks, threads| Scale { computers, ranks, threads, ..Scale::default() };
        assert_eq!(threads(Scale::default()), (2, Some(4)), "all that there are");
        assert_eq!(threads(scale(Some(2), Some(2), None)), (4, Some(2)));
        assert_eq!(threads(scale(Some(1), Some(1), Some(1))), (1, Some(1)));
        assert_eq!(
            threads(scale(Some(1), Some(1), Some(9))),
            (1, Some(4)),
            "no more than there are"
        );
        assert_eq!(threads(scale(Some(0), Some(1), Some(3))), (0, Some(3)));
        let nobody =
            place_scaled(needs, scale(Some(1), Some(1), Some(4)), &Vec::new().into(), None);
        assert_eq!(nobody.threads, None, "on this machine the launcher knows");
        let without = place_scaled(NEEDS, Scale::default(), &pair().to_vec().into(), None);
        assert_eq!(without.threads, None);
    }

    /// Two computers with graphics processors.
    fn equipped() -> Vec<Computer> {
        let equipment = Equipment { has_gpu: true, wanted: Processor::Auto };
        pair().map(|computer| Computer { equipment, ..computer }).into()
    }

    #[test]
    fn graphics_processors_are_offered_beside_the_cores_where_there_are_some() {
        let shown = |gpu, computers: &[Computer], here| {
            let row =
                |scale: Scale| (scale.computers.unwrap(), scale.ranks.unwrap(), scale.processor);
            let offered = offers(Needs { gpu, ..NEEDS }, computers, here);
            offered.into_iter().map(row).collect::<Vec<_>>()
        };
        use Processor::{Auto, Cpu, Gpu as Graphics};
        let (none, one) = (Equipment::default(), Equipment { has_gpu: true, wanted: Auto });
        let both = equipped();
        let expected = [(1, 1, Cpu), (1, 4, Cpu), (2, 2, Cpu), (1, 1, Graphics), (2, 1, Graphics)];
        assert_eq!(shown(Gpu::Use, &both, (4, none)), expected);
        assert_eq!(shown(Gpu::Need, &both, (4, none)), expected[3..]);
        let expected = [(1, 1, Auto), (1, 4, Auto), (2, 1, Auto), (2, 2, Auto)];
        assert_eq!(shown(Gpu::No, &both, (4, none)), expected);
        let mut mixed = both.clone();
        mixed[0].equipment.has_gpu = false;
        let expected = [(1, 1, Cpu), (1, 4, Cpu), (2, 2, Cpu), (1, 1, Graphics)];
        assert_eq!(shown(Gpu::Use, &mixed, (4, none)), expected);
        mixed[1].equipment.wanted = Cpu;
        assert_eq!(shown(Gpu::Use, &mixed, (4, none))[0], (1, 1, Auto), "the owner forbids it");
        let expected = [(0, 1, Cpu), (0, 2, Cpu), (0, 4, Cpu), (0, 1, Graphics)];
        assert_eq!(shown(Gpu::Use, &[], (4, one)), expected);
    }

    #[test]
    fn a_demo_is_told_what_is_to_compute_where_and_the_owners_word_counts_most() {
        let told = |gpu, processor, computers: &[Computer]| {
            let scale = Scale { processor, ..Scale::default() };
            let needs = Needs { gpu, ..NEEDS };
            let placement = place_scaled(needs, scale, &computers.to_vec().into(), None);
            placement.devices().map(|devices| devices.to_string()).unwrap_or_default()
        };
        use Processor::{Auto, Cpu, Gpu as Graphics};
        assert_eq!(told(Gpu::Use, Auto, &pair()), "", "it finds out by itself");
        assert_eq!(told(Gpu::Use, Auto, &equipped()), "gpu");
        assert_eq!(told(Gpu::Use, Cpu, &equipped()), "cpu");
        assert_eq!(told(Gpu::No, Cpu, &equipped()), "");
        let mut mixed = equipped();
        mixed[1].equipment.wanted = Cpu;
        assert_eq!(told(Gpu::Use, Auto, &mixed), "gpu,ground-control=cpu");
        assert_eq!(told(Gpu::Use, Cpu, &mixed), "cpu");
        assert_eq!(told(Gpu::Use, Graphics, &mixed), "gpu", "only who has one takes part");
        mixed[1].equipment = Equipment { has_gpu: false, wanted: Graphics };
        assert_eq!(told(Gpu::Use, Auto, &mixed), "gpu");
        let here = Equipment { has_gpu: true, wanted: Auto };
        let alone = Computers { equipment_here: here, ..Computers::default() };
        let placement = place_scaled(NEEDS, Scale::default(), &alone, None);
        assert_eq!(placement.devices().unwrap().to_string(), "gpu");
    }

    #[test]
    fn a_host_that_somebody_else_gets_is_seen_and_others_are_not_its_business() {
        let mut computers = pair();
        let placement = place(WANTED, &computers[..1], None);
        computers[1].condition = Condition::Taken;
        assert_eq!(placement.taken(&computers), None);
        computers[0].condition = Condition::OutOfService;
        assert_eq!(placement.taken(&computers), None, "what runs may run on");
        computers[0].condition = Condition::Taken;
        assert_eq!(placement.taken(&computers).as_deref(), Some("major-tom"));
    }

    #[test]
    fn slots_are_never_exceeded() {
        let computers = [computer("a", 1, Condition::Ready), computer("b", 3, Condition::Ready)];
        let wanted = Ranks { default: 8, min: 1, max: 8 };
        assert_eq!(placed(wanted, &computers, None), [("a".into(), 1), ("b".into(), 3)]);
    }
}
