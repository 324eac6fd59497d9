//! What commands say of their version, and whether computers agree; pure.

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
    fn sums_are_found_by_file() {
        let text = "aa11  /k/advection\nbb22  /k/hpc-kiosk-warden\nnonsense\n";
        let sums = sums(text);
        assert_eq!((sums["/k/advection"], sums.len()), ("aa11", 2));
    }
}
