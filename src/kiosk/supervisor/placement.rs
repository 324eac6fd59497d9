//! Which computers take part in a run, and with how many ranks each. Pure: what is known of them is an argument.

use crate::catalogue::Ranks;

/// A computer that a run may use, as whoever watches it tells the supervisor.
#[derive(Clone, Debug, PartialEq)]
pub struct Computer {
    /// Its name on the screens, which is its host name.
    pub name: String,
    /// Where it is reached: a name or an address.
    pub address: String,
    /// Most ranks of a run there.
    pub slots: u16,
    /// Whether a run may use it now.
    pub condition: Condition,
    /// Whether somebody else wants something of the cluster it belongs to, be it only in its queue: then it is not for a
    /// run that nobody has asked for.
    pub is_wanted: bool,
}

/// What a run may use, as whoever watches it tells the supervisor.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Computers {
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
        Self { here: None, others }
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
}

/// What a visitor may put a run on, the smallest first: one core, all cores of one computer, all computers; on `computers`,
/// or, where none of them is ready, on the `cores` of this machine. A demo without MPI has no choice.
pub fn offers(wanted: Ranks, computers: &[Computer], cores: u16) -> Vec<Scale> {
    let slots: Vec<u16> = computers
        .iter()
        .filter(|computer| computer.condition == Condition::Ready && 0 < computer.slots)
        .map(|computer| computer.slots)
        .collect();
    let count = u16::try_from(slots.len()).unwrap_or(u16::MAX).min(wanted.max);
    let mut offers = Vec::new();
    let mut offer = |computers: u16, ranks: u16| {
        let all = ranks * computers.max(1);
        let scale = Scale { computers: Some(computers), ranks: Some(ranks) };
        if 0 < ranks && (wanted.min..=wanted.max).contains(&all) && !offers.contains(&scale) {
            offers.push(scale);
        }
    };
    match slots.first() {
        None => {
            offer(0, 1);
            offer(0, 2);
            offer(0, cores.min(wanted.max));
        }
        Some(first) => {
            offer(1, 1);
            offer(1, (*first).min(wanted.max));
            for computers in [2, count] {
                let fewest = slots.iter().take(computers.into()).min().copied().unwrap_or(0);
                if 2 <= computers && computers <= count {
                    offer(computers, 1);
                    offer(computers, fewest.min(wanted.max / computers));
                }
            }
        }
    }
    if offers.len() < 2 { Vec::new() } else { offers }
}

/// Places a run as [`place`] does, where a visitor wants it on `scale`.
pub fn place_scaled(
    wanted: Ranks,
    scale: Scale,
    computers: &[Computer],
    most: Option<u16>,
) -> Placement {
    if scale.computers == Some(0) {
        return Placement { here: scale.ranks, ..Placement::default() };
    }
    let mut room = scale.computers.unwrap_or(u16::MAX);
    let mut taken = 0;
    let mut chosen = Vec::with_capacity(computers.len());
    for computer in computers {
        let is_ready = computer.condition == Condition::Ready;
        if is_ready && room == 0 {
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
    place(Ranks { default, ..wanted }, &chosen, most)
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
}

impl Placement {
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
    };
    let hosts = ready.iter().zip(ranks).filter(|(_, ranks)| 0 < *ranks).map(host).collect();
    Placement { hosts, here: None, left_out }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WANTED: Ranks = Ranks { default: 2, min: 1, max: 4 };

    fn computer(name: &str, slots: u16, condition: Condition) -> Computer {
        let (name, address) = (name.into(), format!("{name}.local"));
        Computer { name, address, slots, condition, is_wanted: false }
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
            |others: &[Computer]| Computers { here: Some(here.clone()), others: others.to_vec() };
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
            let scale = Scale { computers, ranks };
            let placement = place_scaled(WANTED, scale, &pair(), None);
            placement.hosts.into_iter().map(|host| host.ranks).collect::<Vec<_>>()
        };
        assert_eq!(scaled(None, None), [1, 1]);
        assert_eq!(scaled(Some(1), None), [2]);
        assert_eq!(scaled(Some(1), Some(1)), [1]);
        assert_eq!(scaled(Some(1), Some(4)), [4]);
        assert_eq!(scaled(Some(2), Some(2)), [2, 2]);
        assert_eq!(scaled(Some(2), Some(9)), [2, 2], "no more than the demo can do");
        assert_eq!(scaled(Some(0), Some(3)), [0; 0]);
        let here = Scale { computers: Some(0), ranks: Some(3) };
        let placement = place_scaled(WANTED, here, &pair(), None);
        assert_eq!((placement.here, placement.left_out.len()), (Some(3), 0));
    }

    #[test]
    fn one_core_one_computer_and_all_of_them_are_offered() {
        let shown = |offers: Vec<Scale>| {
            let pair = |scale: &Scale| (scale.computers.unwrap(), scale.ranks.unwrap());
            offers.iter().map(pair).collect::<Vec<_>>()
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
