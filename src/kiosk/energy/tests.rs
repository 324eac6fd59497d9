use super::*;

/// Chance without a library: xorshift64* (Vigna 2016), the same at every run.
struct Chance(u64);

impl Chance {
    fn share(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Normally distributed (Box and Muller 1958).
    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.share()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.share()).cos()
    }
}

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

#[test]
fn piecewise_linear_power_is_added_up_exactly() {
    let (start, idle) = (Instant::now(), Idle { watts: 20.0, error_watts: 0.0 });
    let mut run = Run::new(Some(idle), start);
    // 24 W rising to 44 W in 10 s, 20 s of that, down to 24 W in 5 s; corners are samples, the others are uneven.
    let power = |at: f64| match at {
        _ if at <= 10.0 => 24.0 + 2.0 * at,
        _ if at <= 30.0 => 44.0,
        _ => 44.0 - 4.0 * (at - 30.0),
    };
    for at in
        [0.0, 0.7, 2.0, 4.9, 7.8, 10.0, 12.5, 15.5, 18.5, 21.0, 24.0, 26.9, 29.8, 30.0, 32.0, 35.0]
    {
        run.add(start + seconds(at), power(at));
    }
    let energy = run.energy();
    let all = 340.0 + 880.0 + 170.0;
    assert!((energy.all_joules - all).abs() < 1e-6, "{energy:?}");
    assert!((energy.above_joules.unwrap() - (all - 20.0 * 35.0)).abs() < 1e-6);
    assert!((energy.covered_s - 35.0).abs() < 1e-9 && energy.missing_s == 0.0);
}

#[test]
fn a_gap_is_left_out_and_said() {
    let start = Instant::now();
    let mut run = Run::new(None, start);
    for at in [0.0, 1.0, 2.0, 5.1, 6.1] {
        run.add(start + seconds(at), 10.0);
    }
    // Samples that come late change nothing.
    run.add(start + seconds(3.0), 1000.0);
    let energy = run.energy();
    assert!((energy.all_joules - 30.0).abs() < 1e-6 && (energy.missing_s - 3.1).abs() < 1e-6);
    assert_eq!(energy.above_joules, None, "gross only, without a baseline");
}

#[test]
fn a_meter_that_comes_late_has_missed_what_was_before() {
    let start = Instant::now();
    let mut run = Run::new(None, start);
    for at in [8.0, 9.0] {
        run.add(start + seconds(at), 10.0);
    }
    let energy = run.energy();
    assert!((energy.covered_s - 1.0).abs() < 1e-6 && (energy.missing_s - 8.0).abs() < 1e-6);
}

#[test]
fn nothing_was_taken_before_the_second_sample() {
    let start = Instant::now();
    let mut run = Run::new(Some(Idle { watts: 20.0, error_watts: 0.1 }), start);
    assert_eq!((run.energy().above_joules, run.newest()), (Some(0.0), start));
    run.add(start + seconds(0.9), 30.0);
    assert_eq!((run.energy().missing_s, run.newest()), (0.0, start + seconds(0.9)));
    assert_eq!((run.energy().all_joules, run.energy().covered_s), (0.0, 0.0));
}

#[test]
fn a_baseline_is_the_quiet_before_a_run_and_back_to_back_runs_have_none() {
    let start = Instant::now();
    let mut baseline = Baseline::default();
    for second in 0..60 {
        let watts = if second < 30 { 90.0 } else { 20.0 + f64::from(second % 2) };
        baseline.add(start + seconds(f64::from(second)), watts, true);
    }
    let idle = baseline.idle(start + seconds(60.0)).unwrap();
    assert!((idle.watts - 20.5).abs() < 3.0 && 0.0 < idle.error_watts, "{idle:?}");
    // A run, and right after it another one.
    baseline.add(start + seconds(61.0), 90.0, false);
    assert_eq!(baseline.idle(start + seconds(61.0)), None);
    for second in 62..72 {
        baseline.add(start + seconds(f64::from(second)), 20.0, true);
    }
    assert_eq!(baseline.idle(start + seconds(72.0)), None, "half of it is the end of the run");
    for second in 72..80 {
        baseline.add(start + seconds(f64::from(second)), 20.0, true);
    }
    assert_eq!(baseline.idle(start + seconds(80.0)).map(|idle| idle.watts), Some(20.0));
    assert_eq!(baseline.idle(start + seconds(200.0)), None, "too long ago");
}

/// Of so many simulated runs, how many have the true energies within the stated uncertainty.
fn covered(runs: u32, noise_watts: f64, length: u32) -> (f64, f64) {
    let mut chance = Chance(u64::from(length) + 7);
    let (mut all_held, mut above_held) = (0, 0);
    let start = Instant::now();
    for _ in 0..runs {
        // The meter's scale is off by up to one percent, in 95 of 100 meters.
        let scale = 1.0 + SCALE_ERROR / COVER * chance.normal();
        let mut baseline = Baseline::default();
        for second in 0..36 {
            let watts = scale * (21.0 + noise_watts * chance.normal());
            baseline.add(start + seconds(f64::from(second)), watts, true);
        }
        let mut run = Run::new(baseline.idle(start + seconds(36.0)), start + seconds(36.0));
        let truth =
            |second: f64| 21.0 + 10.0 * (second / 8.0).min(1.0) + 3.0 * (second / 9.0).sin();
        let mut true_joules = 0.0;
        for second in 0..=length {
            let at = f64::from(second);
            let watts = scale * (truth(at) + noise_watts * chance.normal());
            run.add(start + seconds(36.0 + at), watts);
            if second < length {
                // A hundred parts of a second.
                let part = |step: u32| truth(at + (f64::from(step) + 0.5) / 100.0) / 100.0;
                true_joules += (0..100).map(part).sum::<f64>();
            }
        }
        let energy = run.energy();
        let above = true_joules - 21.0 * f64::from(length);
        all_held += u32::from((energy.all_joules - true_joules).abs() <= energy.all_error_joules);
        above_held +=
            u32::from((energy.above_joules.unwrap() - above).abs() <= energy.above_error_joules);
    }
    (f64::from(all_held) / f64::from(runs), f64::from(above_held) / f64::from(runs))
}

#[test]
fn the_stated_uncertainty_covers_the_truth_in_95_of_100_runs() {
    for (noise_watts, length) in [(0.3, 20), (0.3, 120), (1.5, 60)] {
        let (all, above) = covered(2_000, noise_watts, length);
        println!("{noise_watts} W of noise, {length} s: all in {all:.3}, above idle {above:.3}");
        for share in [all, above] {
            // Two thousand runs tell 95 % apart from 93.5 %.
            assert!((0.935..0.985).contains(&share), "{noise_watts} W, {length} s: {share}");
        }
    }
}
