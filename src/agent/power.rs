//! The power of the node: the best of what the sources know, never a sum of what overlaps.

use wire::metrics::family;

use crate::samples::{Label, Samples};

/// What a source knows of the power of more than itself, best first. Only the first is told.
///
/// A rail that feeds the whole board is better than an estimate from its parts, that better than a supply's own
/// word, and processors alone are the last.
const PREFERENCE: [&str; 3] = ["ina3221", "pmic", "hwmon"];
/// What the processors' packages say; the graphics processors' power is added to it.
pub const RAPL: &str = "rapl";

/// The labels of a candidate.
pub fn labels(origin: &'static str, scope: &'static str, source: &'static str) -> [Label; 3] {
    [("origin", origin.into()), ("scope", scope.into()), ("source", source.into())]
}

/// Leaves the best candidate only.
pub fn choose(samples: &mut Samples) {
    let candidates = samples.take(&family::NODE_WATTS);
    let by = |source: &str| candidates.iter().find(|candidate| candidate.label("source") == source);
    if let Some(best) = PREFERENCE.iter().find_map(|source| by(source)) {
        samples.add(&family::NODE_WATTS, best.labels.clone(), best.value);
    } else if let Some(packages) = by(RAPL) {
        let mut gpus = samples.of(&family::GPU_WATTS).map(|gpu| gpu.value).peekable();
        let source = if gpus.peek().is_some() { "rapl+gpu" } else { RAPL };
        let watts = packages.value + gpus.sum::<f64>();
        samples.add(&family::NODE_WATTS, labels("measured", "processors", source), watts);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(candidates: &[(&'static str, f64)], gpus: &[f64]) -> Vec<(String, f64)> {
        let mut samples = Samples::default();
        for (source, watts) in candidates {
            samples.add(&family::NODE_WATTS, labels("measured", "board", source), *watts);
        }
        for watts in gpus {
            samples.add(&family::GPU_WATTS, [("gpu", "0".into())], *watts);
        }
        choose(&mut samples);
        samples.of(&family::NODE_WATTS).map(|w| (w.label("source").into(), w.value)).collect()
    }

    #[test]
    fn the_rail_of_the_board_is_better_than_anything_else() {
        let all = [("rapl", 9.0), ("hwmon", 50.0), ("pmic", 3.2), ("ina3221", 1.75)];
        assert_eq!(chosen(&all, &[100.0]), [("ina3221".into(), 1.75)]);
        assert_eq!(chosen(&all[..3], &[]), [("pmic".into(), 3.2)]);
        assert_eq!(chosen(&all[..2], &[]), [("hwmon".into(), 50.0)]);
    }

    #[test]
    fn processors_are_their_packages_and_the_graphics() {
        assert_eq!(chosen(&[("rapl", 9.0)], &[30.0, 4.0]), [("rapl+gpu".into(), 43.0)]);
        assert_eq!(chosen(&[("rapl", 9.0)], &[]), [("rapl".into(), 9.0)]);
        assert_eq!(chosen(&[], &[30.0]), []);
    }
}
