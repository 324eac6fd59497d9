//! What commands say of versions, files and clocks, and whether computers agree; pure.

use std::collections::BTreeMap;

/// The version of Open MPI in the first line of `mpirun --version`: `mpirun (Open MPI) 4.1.4`.
pub fn open_mpi(text: &str) -> Option<&str> {
    let version = text.lines().next()?.split_once("(Open MPI) ")?.1.trim();
    (!version.is_empty()).then_some(version)
}

/// The sums that `sha256sum` prints, by file.
pub fn sums(text: &str) -> BTreeMap<&str, &str> {
    text.lines().filter_map(|line| line.split_once("  ").map(|(sum, file)| (file, sum))).collect()
}

/// What `stat` prints of files as inode and time of change, by file: the same file has the same on every computer that
/// shares its folder.
pub fn identities(text: &str) -> BTreeMap<&str, &str> {
    let halves = |line| {
        let (at, _) = str::match_indices(line, ':').nth(1)?;
        Some((&line[at + 1..], &line[..at]))
    };
    text.lines().filter_map(halves).collect()
}

/// The version in an agent's metrics.
pub fn agent(text: &str) -> Option<&str> {
    let line = text.lines().find(|line| line.starts_with("hpc_agent_build_info{"))?;
    line.split_once("version=\"")?.1.split('"').next()
}

/// How far the clock that said `text`, seconds since 1970, is ahead of ours, s; `before` and `after` are ours when it was
/// asked and when it had answered. What the way there took is taken in its favour.
pub fn clock_ahead(text: &str, before: f64, after: f64) -> Option<f64> {
    let there: f64 = text.trim().parse().ok().filter(|there: &f64| there.is_finite())?;
    Some(if there < before {
        there - before
    } else if after < there {
        there - after
    } else {
        0.0
    })
}

/// The values that computers have where they do not all have the same, each with who has it; `None` if they agree.
pub fn disagreement<'a>(
    have: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Option<BTreeMap<&'a str, Vec<&'a str>>> {
    let mut by_value: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (computer, value) in have {
        by_value.entry(value).or_default().push(computer);
    }
    (1 < by_value.len()).then_some(by_value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_mpi_says_its_version_in_the_first_line() {
        // As Debian 12, Ubuntu 18.04 and Ubuntu 24.04 print it.
        let text =
            "mpirun (Open MPI) 4.1.4\n\nReport bugs to http://www.open-mpi.org/community/help/\n";
        assert_eq!(open_mpi(text), Some("4.1.4"));
        assert_eq!(open_mpi("mpirun (Open MPI) 2.1.1\n"), Some("2.1.1"));
        // MPICH's mpirun.
        assert_eq!(open_mpi("HYDRA build details:\n    Version: 4.0.2\n"), None);
        assert_eq!(open_mpi(""), None);
    }

    #[test]
    fn computers_agree_or_are_told_apart() {
        assert_eq!(disagreement([("a", "4.1.4"), ("b", "4.1.4")]), None);
        let told = disagreement([("a", "4.1.4"), ("b", "2.1.1"), ("c", "2.1.1")]).unwrap();
        assert_eq!(told["2.1.1"], ["b", "c"]);
        assert_eq!(disagreement([]), None);
    }

    #[test]
    fn a_clock_is_wrong_only_by_what_the_way_to_it_does_not_explain() {
        assert_eq!(clock_ahead("1001.5\n", 1000.0, 1003.0), Some(0.0));
        assert_eq!(clock_ahead("990", 1000.0, 1003.0), Some(-10.0));
        assert_eq!(clock_ahead("87403.25", 1000.0, 1003.25), Some(86_400.0));
        assert_eq!(clock_ahead("soon", 1000.0, 1003.0), None);
        assert_eq!(clock_ahead("inf", 1000.0, 1003.0), None);
    }

    #[test]
    fn an_agent_says_its_version() {
        let text = "# TYPE x gauge\nhpc_agent_build_info{version=\"0.1.0\"} 1\n";
        assert_eq!(agent(text), Some("0.1.0"));
        assert_eq!(agent("node_load1 1\n"), None, "a node_exporter");
    }

    #[test]
    fn files_are_told_apart_by_inode_and_time() {
        let found = identities("12:1700000000:/k/a\n13:1700000001:/k/b:c\nstat: no such file\n");
        assert_eq!(
            (found["/k/a"], found["/k/b:c"], found.len()),
            ("12:1700000000", "13:1700000001", 2)
        );
    }

    #[test]
    fn sums_are_found_by_file() {
        let text = "aa11  /k/advection\nbb22  /k/hpc-kiosk-warden\nnonsense\n";
        let sums = sums(text);
        assert_eq!((sums["/k/advection"], sums.len()), ("aa11", 2));
    }
}
