//! What squeue and sinfo say, in the formats that they are asked for. Pure.

use std::collections::BTreeMap;

/// squeue's format; what others may write whatever they like into comes last.
pub const JOBS: &str = "--format=%i|%T|%U|%r|%N|%j";
/// sinfo's, one line for each node.
pub const NODES: &str = "--format=%N|%T|%E";
/// Most names that one list of hosts may stand for.
const MAX_HOSTS: usize = 65536;

/// A line of squeue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Job<'a> {
    /// Its number.
    pub id: &'a str,
    /// Its state in capitals.
    pub state: &'a str,
    /// Whose it is.
    pub user: u32,
    /// Why it is in that state.
    pub reason: &'a str,
    /// Its nodes, as Slurm abbreviates them; empty while it waits.
    pub nodes: &'a str,
    /// What its owner calls it.
    pub name: &'a str,
}

impl Job<'_> {
    /// Whether it has not begun.
    pub fn is_pending(&self) -> bool {
        self.state == "PENDING"
    }

    /// Whether nothing but Slurm's own tidying is left of it.
    pub fn is_over(&self) -> bool {
        self.state == "COMPLETING"
    }
}

/// The jobs; lines that are none are skipped.
pub fn jobs(text: &str) -> impl Iterator<Item = Job<'_>> {
    text.lines().filter_map(|line| {
        let mut fields = line.splitn(6, '|');
        let mut next = || fields.next();
        let (id, state, user, reason, nodes) = (next()?, next()?, next()?, next()?, next()?);
        let (user, name) = (user.parse().ok()?, next()?);
        let is_id = id.starts_with(|first: char| first.is_ascii_digit());
        is_id.then_some(Job { id, state, user, reason, nodes, name })
    })
}

/// Why a job has to wait, as far as that is worth telling apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Why {
    /// Slurm has not said, or says something that only its owner understands.
    #[default]
    Queue,
    /// Others have the computers, or come first.
    Others,
    /// A computer is not available, or a whole partition.
    Unavailable,
}

impl Why {
    /// From the reason that Slurm gives.
    pub fn of(reason: &str) -> Self {
        match reason.split([',', '(']).next().unwrap_or_default() {
            "Resources" | "Priority" | "Reservation" => Self::Others,
            "ReqNodeNotAvail" | "PartitionDown" | "PartitionInactive" | "NodeDown" => {
                Self::Unavailable
            }
            _ if reason.starts_with("Nodes required for job are DOWN") => Self::Unavailable,
            _ => Self::Queue,
        }
    }
}

/// What may be done with a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Use {
    /// It is at nobody else's work.
    Free,
    /// It computes for somebody else, or is reserved.
    Taken,
    /// It is out of service.
    Out {
        /// What Slurm says about that: its state, and the reason that somebody gave.
        why: String,
    },
}

/// The cluster as Slurm sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Whether Slurm has answered lately. If not, nothing else here means anything.
    pub is_known: bool,
    /// Each node by its name.
    pub nodes: BTreeMap<String, Use>,
    /// Jobs of other people, running or waiting.
    pub others_jobs: usize,
}

impl Seen {
    /// What the answers of sinfo and squeue mean to a kiosk of the user with this number.
    pub fn of(sinfo: &str, squeue: &str, user: u32) -> Self {
        let mut seen = Self { is_known: true, ..Self::default() };
        for line in sinfo.lines() {
            let mut fields = line.splitn(3, '|');
            if let (Some(name), Some(state), Some(reason)) =
                (fields.next(), fields.next(), fields.next())
            {
                seen.nodes.insert(name.to_owned(), node(state, reason));
            }
        }
        let is_ours = |job: &Job<'_>| job.user == user && job.name.starts_with(super::JOB);
        for job in jobs(squeue).filter(|job| !is_ours(job)) {
            seen.others_jobs += 1;
            if job.is_pending() {
                continue;
            }
            for host in hosts(job.nodes) {
                if let Some(state @ Use::Free) = seen.nodes.get_mut(&host) {
                    *state = Use::Taken;
                }
            }
        }
        seen
    }

    /// Whether nobody but the kiosk wants anything of the cluster, so that it may be used for show.
    pub fn is_idle(&self) -> bool {
        self.is_known && self.others_jobs == 0
    }
}

fn node(state: &str, reason: &str) -> Use {
    // Marks behind a state: it does not respond, is in maintenance, powers down, or is to be started again.
    let (base, mark) = state.split_at(
        state.find(|c: char| !c.is_ascii_alphabetic() && c != '_').unwrap_or(state.len()),
    );
    let is_off = mark.contains(['*', '$', '%', '~', '!', '@', '^']);
    match base {
        "idle" | "allocated" | "mixed" | "completing" | "planned" if !is_off => Use::Free,
        "reserved" if !is_off => Use::Taken,
        _ if reason == "none" || reason.is_empty() => Use::Out { why: state.to_owned() },
        _ => Use::Out { why: format!("{state}: {reason}") },
    }
}

/// The names that a list such as `a,n[1-3,08]` stands for; nothing if it is none.
pub fn hosts(list: &str) -> Vec<String> {
    let mut hosts = Vec::new();
    let (mut depth, mut from) = (0, 0);
    for (at, byte) in list.bytes().enumerate().chain([(list.len(), b',')]) {
        match byte {
            b'[' => depth += 1,
            b']' => depth -= 1,
            b',' if depth == 0 => {
                let part = &list[from..at];
                from = at + 1;
                if !part.is_empty() && expand(part, &mut hosts).is_none() {
                    return Vec::new();
                }
            }
            _ => {}
        }
    }
    hosts
}

/// Adds the names of one part of a list, with any number of brackets.
fn expand(part: &str, hosts: &mut Vec<String>) -> Option<()> {
    let Some((before, rest)) = part.split_once('[') else {
        hosts.push(part.to_owned());
        return (hosts.len() <= MAX_HOSTS).then_some(());
    };
    let (ranges, after) = rest.split_once(']')?;
    for range in ranges.split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (from, to): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
        for number in from..=to {
            expand(&format!("{before}{number:0width$}{after}", width = first.len()), hosts)?;
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    // Said by Slurm 22.05.8.
    const SQUEUE: &str = "4|PENDING|0|Resources||hpc-kiosk-3\n3|RUNNING|1|None|a|it|is mine\n";
    const SINFO: &str = "a|mixed|none\nb|idle|none\n";
    const SINFO_BROKEN: &str = "a|down|x\nb|drained|fan | is loud\n";

    #[test]
    fn a_job_is_read_whatever_it_is_called() {
        let jobs: Vec<_> = jobs(SQUEUE).collect();
        assert_eq!((jobs[0].id, jobs[0].user, jobs[0].reason), ("4", 0, "Resources"));
        assert!(jobs[0].is_pending() && !jobs[1].is_pending());
        assert_eq!((jobs[1].nodes, jobs[1].name), ("a", "it|is mine"));
        for nonsense in ["", "x", "1|2|3", "slurm_load_jobs error: |R|0|||", "1|R|root|||x"] {
            assert_eq!(super::jobs(nonsense).count(), 0, "{nonsense}");
        }
    }

    #[test]
    fn who_has_a_node_is_seen_and_our_own_job_is_nobody() {
        let seen = Seen::of(SINFO, SQUEUE, 0);
        let expected = [("a".to_owned(), Use::Taken), ("b".to_owned(), Use::Free)];
        assert_eq!((seen.nodes, seen.others_jobs), (expected.into(), 1));
        let ours = Seen::of("a|allocated|none\n", "9|RUNNING|7|None|a|hpc-kiosk-x\n", 7);
        assert_eq!((&ours.nodes["a"], ours.is_idle()), (&Use::Free, true));
        // The same name is no passport, and this user's other jobs are work, too.
        for other in ["9|RUNNING|8|None|a|hpc-kiosk-x\n", "9|COMPLETING|7|None|a|thesis\n"] {
            let seen = Seen::of("a|allocated|none\n", other, 7);
            assert_eq!((&seen.nodes["a"], seen.is_idle()), (&Use::Taken, false), "{other}");
        }
        assert!(!Seen::default().is_idle(), "not known is not idle");
    }

    #[test]
    fn a_job_that_waits_has_no_node_but_is_somebodys() {
        let seen = Seen::of(SINFO, "7|PENDING|1|Priority||x\n", 0);
        assert_eq!((&seen.nodes["b"], seen.others_jobs, seen.is_idle()), (&Use::Free, 1, false));
    }

    #[test]
    fn a_node_out_of_service_comes_with_its_reason() {
        let seen = Seen::of(SINFO_BROKEN, SQUEUE, 0);
        assert_eq!(seen.nodes["a"], Use::Out { why: "down: x".into() });
        assert_eq!(seen.nodes["b"], Use::Out { why: "drained: fan | is loud".into() });
        assert_eq!(node("idle*", "none"), Use::Out { why: "idle*".into() });
        assert_eq!(node("planned", "none"), Use::Free);
        assert_eq!(node("mixed-", "none"), Use::Free);
        assert_eq!(node("reserved", "none"), Use::Taken);
        assert_eq!(node("", ""), Use::Out { why: String::new() });
    }

    #[test]
    fn a_list_of_hosts_is_written_out_as_scontrol_does() {
        assert_eq!(hosts("major-tom"), ["major-tom"]);
        assert_eq!(hosts("a,b"), ["a", "b"]);
        assert_eq!(
            hosts("a[1-3,007-010],b"),
            ["a1", "a2", "a3", "a007", "a008", "a009", "a010", "b"]
        );
        assert_eq!(hosts("r[1-2]n[01-02]"), ["r1n01", "r1n02", "r2n01", "r2n02"]);
        for nonsense in ["", ",", "a[", "a]", "a[1-x]", "a[0-4294967295]", "a[1-]", "a[-1]"] {
            let _ = hosts(nonsense);
        }
        assert_eq!(hosts("a[0-4294967295]"), [] as [&str; 0], "bounded");
    }

    #[test]
    fn what_slurm_gives_as_a_reason_is_told_apart_as_far_as_a_visitor_needs() {
        assert_eq!(Why::of("Resources"), Why::Others);
        assert_eq!(Why::of("ReqNodeNotAvail, UnavailableNodes:b"), Why::Unavailable);
        assert_eq!(Why::of("PartitionInactive"), Why::Unavailable);
        assert_eq!(Why::of("BeginTime"), Why::Queue);
    }
}
