//! The fields agree with those that PyMPDATA computes (tests/reference/README.md says how they were made).

use advection::{mpdata::Options, simd::Level};
use ndarray::Array2;

use super::torus::Torus;

const BASIC_3: Options = Options { passes: 3, ..Options::BASIC };
const NON_OSCILLATORY_3: Options = Options { passes: 3, ..Options::NON_OSCILLATORY };
const NON_OSCILLATORY_4: Options = Options { passes: 4, ..Options::NON_OSCILLATORY };
const GAUGE: Options = Options { infinite_gauge: true, ..Options::BASIC };

/// PyMPDATA computes with `fastmath`, so its last bits are its own.
const TOLERANCE: f64 = 1e-11;

fn load(name: &str) -> Array2<f64> {
    let path = format!("{}/tests/reference/{name}.npy", env!("CARGO_MANIFEST_DIR"));
    ndarray_npy::read_npy(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn largest_difference(variant: &str, options: Options, steps: usize, level: Level) -> f64 {
    let (psi, x, y) = (load("psi0"), load("vortex_cx"), load("vortex_cy"));
    let mut torus = Torus::<f64>::new(psi.dim(), options, level);
    torus.set(|i, j| psi[[i, j]]);
    torus.flow(|i, j| x[[i, j]], |i, j| y[[i, j]]);
    torus.advance(steps);
    let expected = load(&format!("vortex_{variant}_{steps}"));
    expected
        .indexed_iter()
        .map(|((i, j), value)| (torus.at(i, j) - value).abs())
        .fold(0.0, f64::max)
}

fn agrees(variant: &str, options: Options, steps: &[usize]) {
    for level in Level::available() {
        for steps in steps {
            let difference = largest_difference(variant, options, *steps, level);
            assert!(difference < TOLERANCE, "{steps} steps, {level}: {difference:e}");
        }
    }
}

#[test]
fn upwind_agrees_with_pympdata() {
    agrees("upwind", Options::UPWIND, &[1, 10, 100]);
}

#[test]
fn two_passes_agree_with_pympdata() {
    agrees("basic2", Options::BASIC, &[1, 10, 100]);
}

#[test]
fn two_non_oscillatory_passes_agree_with_pympdata() {
    agrees("fct2", Options::NON_OSCILLATORY, &[1, 10, 100]);
}

#[test]
fn the_infinite_gauge_without_overshoots_agrees_with_pympdata() {
    agrees("iga_fct2", Options::GAUGE_NON_OSCILLATORY, &[1, 10, 100]);
}

#[test]
fn the_infinite_gauge_agrees_with_pympdata() {
    agrees("iga2", GAUGE, &[100]);
}

#[test]
fn three_passes_agree_with_pympdata() {
    agrees("basic3", BASIC_3, &[100]);
}

#[test]
fn three_and_four_non_oscillatory_passes_agree_with_pympdata() {
    agrees("fct3", NON_OSCILLATORY_3, &[100]);
    agrees("fct4", NON_OSCILLATORY_4, &[100]);
}

/// Halves of one difference would pass the tests above; the fields themselves must differ much more.
#[test]
fn the_tolerance_tells_the_variants_apart() {
    let basic = load("vortex_basic2_100");
    for other in ["upwind", "fct2", "iga_fct2", "iga2", "basic3", "fct3", "fct4"] {
        let other = load(&format!("vortex_{other}_100"));
        let difference = (&basic - &other).iter().fold(0.0, |most: f64, d| most.max(d.abs()));
        assert!(1e-4 < difference, "{difference:e}");
    }
}
