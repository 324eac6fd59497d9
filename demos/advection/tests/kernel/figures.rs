//! Published figures: the rotating cone of libmpdata++'s paper (Jaruga et al. 2015, 10.5194/gmd-8-1005-2015) as its
//! repository's reference data has them, and the order of convergence.

use advection::{mpdata::Options, simd::Level};

use super::torus::{Torus, extrema};

/// Cells on a side of the cone's grid.
const SIDE: usize = 101;
const STEPS: usize = 628 * 6;
const STEP_S: f64 = 0.1;
/// Angular velocity times the time step.
const TURN: f64 = 0.1 * STEP_S;

/// A cone of height 4 on 1, radius 15, a quarter of the side from the centre.
fn cone(i: usize, j: usize) -> f64 {
    let distance = f64::hypot(i as f64 - 50.0, j as f64 - 75.0);
    1.0 + (4.0 - distance * 4.0 / 15.0).max(0.0)
}

struct Figures {
    min: f64,
    max: f64,
    error: f64,
}

/// Six turns of the cone on a grid with `ghosts` cells around it that hold, at each step's begin, what the cells at
/// the grid's edge hold. Without ghosts the grid is periodic.
fn six_turns(options: Options, ghosts: usize) -> Figures {
    let inside = |i: usize| i.clamp(ghosts, ghosts + SIDE - 1) - ghosts;
    let centre = (ghosts + 50) as f64;
    let side = SIDE + 2 * ghosts;
    let mut torus = Torus::<f64>::new((side, side), options, Level::widest());
    torus.set(|i, j| cone(inside(i), inside(j)));
    torus.flow(|_, j| TURN * (j as f64 - centre), |i, _| -TURN * (i as f64 - centre));
    for _ in 0..STEPS {
        torus.advance(1);
        torus.extend_edges(ghosts);
    }
    let cells: Vec<(usize, usize)> =
        (0..SIDE).flat_map(|i| (0..SIDE).map(move |j| (i, j))).collect();
    let values: Vec<f64> = cells.iter().map(|(i, j)| torus.at(i + ghosts, j + ghosts)).collect();
    let (min, max) = extrema(&values);
    let squares = cells.iter().zip(&values).map(|((i, j), value)| (value - cone(*i, *j)).powi(2));
    let mean = squares.sum::<f64>() / (SIDE * SIDE) as f64;
    Figures { min, max, error: mean.sqrt() / (STEPS as f64 * STEP_S) }
}

#[track_caller]
fn near(value: f64, published: f64, tolerance: f64) {
    assert!((value - published).abs() < tolerance, "{value:.6e}, not {published:.6e}");
}

/// Open boundaries matter here: at a periodic grid's corners two passes are unstable. libmpdata++ sets its ghost
/// cells before each pass, this test before each step, which shows in the fifth digit of the error.
#[test]
fn the_rotating_cone_after_two_passes_is_the_published_one() {
    let figures = six_turns(Options::BASIC, 4);
    near(figures.min, 0.86381076, 1e-7);
    near(figures.max, 3.54697914, 1e-7);
    near(figures.error, 3.7726e-4, 2e-8);
}

#[test]
fn the_rotating_cone_without_overshoots_is_the_published_one() {
    let figures = six_turns(Options::NON_OSCILLATORY, 0);
    near(figures.min, 1.0, 1e-7);
    near(figures.max, 3.52544410, 1e-7);
    near(figures.error, 3.6731e-4, 0.5e-8);
}

#[test]
fn the_rotating_cone_of_the_infinite_gauge_is_the_published_one() {
    let figures = six_turns(Options::GAUGE_NON_OSCILLATORY, 0);
    near(figures.min, 1.0, 1e-7);
    near(figures.max, 4.25518091, 1e-7);
    near(figures.error, 2.6658e-4, 0.5e-8);
}

/// The root-mean-square error of a Gaussian on a torus of `n` cells a side after it has moved 2 and 1 sides.
fn gaussian_error(n: usize, options: Options) -> f64 {
    let sigma = n as f64 / 12.0;
    let gaussian = |i: usize, j: usize| {
        let square = |k: usize| ((k as f64 + 0.5 - n as f64 / 2.0) / sigma).powi(2);
        1.0 + (-0.5 * (square(i) + square(j))).exp()
    };
    let mut torus = Torus::<f64>::new((n, n), options, Level::widest());
    torus.set(gaussian);
    torus.flow(|_, _| 0.25, |_, _| 0.125);
    torus.advance(8 * n);
    torus.distance(gaussian)
}

fn converges(options: Options, errors: [f64; 3]) {
    for (n, expected) in [32, 64, 128].into_iter().zip(errors) {
        let error = gaussian_error(n, options);
        assert!((error / expected - 1.0).abs() < 1e-6, "{n}: {error:.6e}, not {expected:.6e}");
    }
}

#[test]
fn upwind_converges_slowly() {
    converges(Options::UPWIND, [1.149779e-1, 9.443476e-2, 7.024982e-2]);
}

#[test]
fn two_passes_converge_with_second_order() {
    converges(Options::BASIC, [4.493680e-2, 1.511584e-2, 4.017159e-3]);
}

#[test]
fn three_passes_converge_faster() {
    converges(Options { passes: 3, ..Options::BASIC }, [4.138289e-2, 1.270616e-2, 3.234684e-3]);
}

#[test]
fn limited_passes_converge_with_second_order() {
    converges(Options::NON_OSCILLATORY, [4.239804e-2, 1.512097e-2, 4.011224e-3]);
    converges(Options::GAUGE_NON_OSCILLATORY, [3.602420e-2, 1.276012e-2, 3.226931e-3]);
}
