//! What the scheme promises whatever the field and the flow: bits, mass, sign, bounds.

use advection::{
    crew::Cpu,
    mpdata::{MAX_PASSES, Options, OptionsError},
    real::Real,
    simd::Level,
};

use super::torus::{Torus, extrema};

const VARIANTS: [Options; 7] = [
    Options::UPWIND,
    Options::BASIC,
    Options::NON_OSCILLATORY,
    Options::GAUGE_NON_OSCILLATORY,
    Options { passes: 3, ..Options::BASIC },
    Options { passes: 3, ..Options::NON_OSCILLATORY },
    Options { passes: 4, ..Options::NON_OSCILLATORY },
];

/// A blocky, speckled picture from 0 to 1 with large empty parts: hard to advect.
fn speckled(i: usize, j: usize) -> f64 {
    let hash = (i * 7919 + j * 104_729 + i * j * 31) % 1009;
    match (i / 9 + j / 7) % 3 {
        0 => 0.0,
        1 => hash as f64 / 1008.0,
        _ => 1.0,
    }
}

/// A divergence-free flow of several cells, `|Cx| + |Cy|` at most 0.5 at every face pair.
fn stirred<T: Real>((nx, ny): (usize, usize), options: Options, cpu: impl Into<Cpu>) -> Torus<T> {
    let mut torus = Torus::<T>::new((nx, ny), options, cpu);
    let stream = move |i: usize, j: usize| {
        let turn = |k: usize, n: usize| (std::f64::consts::TAU * k as f64 / n as f64).sin();
        nx.min(ny) as f64 * 0.035 * (turn(i, nx) * turn(j, ny) + 0.3 * turn(2 * i, nx))
    };
    torus.set(speckled);
    torus.flow(
        |i, j| stream(i % nx, j + 1) - stream(i % nx, j),
        |i, j| stream(i, j % ny) - stream(i + 1, j % ny),
    );
    torus
}

#[test]
fn every_level_computes_the_same_bits() {
    fn check<T: Real>(options: Options) {
        // 61 leaves every vector width a remainder.
        let cells = |level| {
            let mut torus = stirred::<T>((48, 61), options, level);
            torus.advance(40);
            torus.cells()
        };
        let baseline = cells(Level::available()[0]);
        for level in Level::available() {
            assert!(cells(level) == baseline, "{options:?} {level}");
        }
    }
    for options in VARIANTS {
        check::<f32>(options);
        check::<f64>(options);
    }
}

#[test]
fn every_number_of_threads_computes_the_same_bits() {
    fn check<T: Real>(options: Options) {
        let cells = |size, threads| {
            let cpu = Cpu { level: Level::widest(), threads };
            let mut torus = stirred::<T>(size, options, cpu);
            assert_eq!(torus.slab.threads(), threads);
            torus.advance(40);
            torus.cells()
        };
        // Some threads have nothing to do in the smaller one.
        for size in [(131, 61), (40, 61)] {
            let one = cells(size, 1);
            for threads in [2, 3, 4, 7] {
                assert!(cells(size, threads) == one, "{options:?} {size:?} {threads}");
            }
        }
    }
    for options in VARIANTS {
        check::<f32>(options);
        check::<f64>(options);
    }
}

#[test]
fn mass_is_conserved_to_rounding() {
    for options in VARIANTS {
        let mut torus = stirred::<f64>((64, 48), options, Level::widest());
        let before: f64 = torus.cells().iter().sum();
        torus.advance(500);
        let after: f64 = torus.cells().iter().sum();
        assert!((after / before - 1.0).abs() < 1e-13, "{options:?}: {:e}", after / before - 1.0);
        assert!(torus.distance(speckled) > 0.1, "{options:?}: nothing has moved");
    }
}

#[test]
fn no_variant_that_promises_it_becomes_negative() {
    let promise = |o: &Options| o.passes <= 2 || o.non_oscillatory;
    fn least<T: Real>(options: Options) -> f64 {
        let mut torus = stirred::<T>((64, 48), options, Level::widest());
        let mut least = f64::INFINITY;
        for _ in 0..400 {
            torus.advance(1);
            least = least.min(extrema(&torus.cells()).0);
        }
        least
    }
    for options in VARIANTS.into_iter().filter(promise) {
        assert!(0.0 <= least::<f32>(options), "{options:?} f32: {:e}", least::<f32>(options));
        assert!(0.0 <= least::<f64>(options), "{options:?} f64: {:e}", least::<f64>(options));
    }
}

#[test]
fn limited_variants_make_no_new_extremum() {
    for options in VARIANTS.into_iter().filter(|options| options.non_oscillatory) {
        let mut torus = stirred::<f64>((64, 48), options, Level::widest());
        torus.advance(400);
        let (min, max) = extrema(&torus.cells());
        assert!(0.0 <= min && max <= 1.0 + 1e-14, "{options:?}: {min:e} to 1 + {:e}", max - 1.0);
    }
    let mut unlimited = stirred::<f64>((64, 48), Options::BASIC, Level::widest());
    unlimited.advance(400);
    assert!(1.0 + 1e-3 < extrema(&unlimited.cells()).1, "the picture is too easy for this test");
}

#[test]
fn the_front_of_a_tracer_ends_before_numbers_become_subnormal() {
    fn check<T: Real>(smallest: f64, options: Options) {
        let mut torus = Torus::<T>::new((96, 16), options, Level::widest());
        torus.set(|i, _| if i < 8 { 1.0 } else { 0.0 });
        torus.flow(|_, _| 1e-3, |_, _| 1e-4);
        torus.advance(60);
        let cells = torus.cells();
        assert!(cells.iter().all(|cell| *cell == 0.0 || smallest <= cell.abs()), "{options:?}");
        assert!(cells.iter().any(|cell| 0.0 < *cell && *cell < 1e-6), "{options:?}: no front");
    }
    for options in VARIANTS {
        check::<f32>(1e-20, options);
        check::<f64>(1e-250, options);
    }
}

#[test]
fn an_even_field_stays_even_in_a_flow_without_divergence() {
    for options in VARIANTS {
        let mut torus = stirred::<f64>((64, 48), options, Level::widest());
        torus.set(|_, _| 0.7);
        torus.advance(200);
        let (min, max) = extrema(&torus.cells());
        assert!((min - 0.7).abs().max((max - 0.7).abs()) < 1e-13, "{options:?}: {min} to {max}");
    }
}

#[test]
fn options_that_do_not_fit_together_are_refused() {
    let check = |passes, infinite_gauge, non_oscillatory| {
        Options { passes, infinite_gauge, non_oscillatory }.check()
    };
    assert_eq!(check(0, false, false), Err(OptionsError::Passes(0)));
    assert_eq!(check(MAX_PASSES + 1, false, false), Err(OptionsError::Passes(MAX_PASSES + 1)));
    assert_eq!(check(3, true, false), Err(OptionsError::Gauge(3)));
    assert_eq!(check(1, false, true), Err(OptionsError::Limiter));
    assert_eq!(check(2, true, true), Ok(()));
}
