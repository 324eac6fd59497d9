//! How often something can be done in a second: as often as fits into a given time, several times.

use std::time::Instant;

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// Times per second, the median.
    pub per_second: f64,
    /// The range over the repeats, per cent of the median.
    pub spread_percent: f64,
}

/// Most steps of one measurement, whatever a clock says.
const MOST: u64 = 1 << 24;

/// Measures `run(count)`, which does and finishes so many, for about `seconds` each of `repeats` times.
///
/// # Errors
/// The first of `run`.
pub fn measure<E>(
    seconds: f64,
    repeats: u32,
    mut run: impl FnMut(u64) -> Result<(), E>,
) -> Result<Pace, E> {
    let mut timed = |count: u64| {
        let begun = Instant::now();
        run(count).map(|()| begun.elapsed().as_secs_f64().max(1e-9))
    };
    // Caches, clocks and pages warm up while the number is found.
    let mut count = 1;
    let mut took = timed(count)?;
    while took < 0.2 * seconds && count < MOST {
        count *= 2;
        took = timed(count)?;
    }
    let count = ((count as f64 * seconds / took) as u64).clamp(1, MOST);
    let mut rates = Vec::new();
    for _ in 0..repeats.max(1) {
        rates.push(count as f64 / timed(count)?);
    }
    Ok(of(rates))
}

fn of(mut rates: Vec<f64>) -> Pace {
    rates.sort_by(f64::total_cmp);
    let (low, high) = (rates[0], rates[rates.len() - 1]);
    let middle = rates.len() / 2;
    let median = if rates.len().is_multiple_of(2) {
        (rates[middle - 1] + rates[middle]) / 2.0
    } else {
        rates[middle]
    };
    Pace { per_second: median, spread_percent: 100.0 * (high - low) / median }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_and_the_range_are_those_of_the_rates() {
        let pace = of(vec![4.0, 1.0, 2.0]);
        assert_eq!(pace, Pace { per_second: 2.0, spread_percent: 150.0 });
        assert_eq!(of(vec![1.0, 3.0]).per_second, 2.0);
        assert_eq!(of(vec![5.0]), Pace { per_second: 5.0, spread_percent: 0.0 });
    }

    #[test]
    fn as_many_as_fit_are_done_and_the_first_failure_ends_it() {
        let mut done = Vec::new();
        let pace = measure(0.0, 3, |count| {
            done.push(count);
            Ok::<(), ()>(())
        });
        assert!(0.0 < pace.unwrap().per_second);
        assert_eq!(done, [1; 4], "once to see how long it takes, and three times");
        let mut calls = 0;
        let failed = measure(0.0, 3, |_| {
            calls += 1;
            if calls == 2 { Err("no") } else { Ok(()) }
        });
        assert_eq!((failed, calls), (Err("no"), 2));
    }
}
