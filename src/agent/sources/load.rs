//! The mean length of the run queue: `/proc/loadavg`.

use wire::metrics::family;

use super::{Outcome, Source};
use crate::{root::Root, samples::Samples};

pub struct Load(pub Root);

impl Source for Load {
    fn name(&self) -> &str {
        "loadavg"
    }

    fn read(&mut self, found: &mut Samples) -> Outcome {
        if let Some(means) = self.0.text("proc/loadavg").ok().as_deref().and_then(means) {
            let families = [&family::LOAD1, &family::LOAD5, &family::LOAD15];
            for (family, mean) in families.into_iter().zip(means) {
                found.add(family, [], mean);
            }
        }
        Outcome::of(found)
    }
}

/// Over 1, 5 and 15 minutes.
fn means(loadavg: &str) -> Option<[f64; 3]> {
    let mut words = loadavg.split_ascii_whitespace();
    let mut mean = || words.next()?.parse().ok().filter(|mean| (0.0..1e6).contains(mean));
    Some([mean()?, mean()?, mean()?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_means_or_none() {
        assert_eq!(means("0.21 0.37 0.39 1/719 19737\n"), Some([0.21, 0.37, 0.39]));
        for text in ["", "0.21 0.37", "a b c", "-1 0 0", "inf 0 0", "nan 0 0"] {
            assert_eq!(means(text), None, "{text}");
        }
    }
}
