//! Any number of ranks computes the same field as one, bit for bit.

use std::fs;

use advection::simd::Level;

use crate::mpirun::{Folder, solved};

/// The schemes that a visitor may choose; these are looked at with every level.
const SHOWN: [&[&str]; 3] =
    [&["--passes", "1"], &["--passes", "2"], &["--non-oscillatory", "--infinite-gauge"]];
const OTHERS: [&[&str]; 3] =
    [&["--passes", "3"], &["--non-oscillatory"], &["--non-oscillatory", "--passes", "3"]];

/// A grid that no number of ranks or lanes divides.
const ODD: &str = "47x53";

/// The bytes of the field after some steps of the swirl.
fn field(ranks: usize, size: &str, precision: &str, level: Level, variant: &[&str]) -> Vec<u8> {
    let folder = Folder::new();
    let (output, level) = (folder.path("out.npy"), level.to_string());
    let mut arguments =
        vec!["--size", size, "--steps", "60", "--initial", "board", "--flow", "swirl"];
    arguments.extend(["--output", output.to_str().unwrap()]);
    arguments.extend(["--precision", precision, "--simd", &level]);
    arguments.extend(variant);
    solved(ranks, &folder, &arguments);
    fs::read(output).unwrap()
}

fn same_bits(precision: &str) {
    let check = |variant: &[&str], levels: &[Level]| {
        let one = field(1, ODD, precision, Level::available()[0], variant);
        assert_eq!(one.len(), 128 + 47 * 53 * if precision == "f32" { 4 } else { 8 });
        for ranks in 2..=4 {
            for level in levels {
                let many = field(ranks, ODD, precision, *level, variant);
                assert!(one == many, "{ranks} ranks, {precision}, {level}, {variant:?}");
            }
        }
    };
    SHOWN.iter().for_each(|variant| check(variant, &Level::available()));
    OTHERS.iter().for_each(|variant| check(variant, &[Level::widest()]));
}

#[test]
fn up_to_four_ranks_compute_the_bits_of_one_in_single_precision() {
    same_bits("f32");
}

#[test]
fn up_to_four_ranks_compute_the_bits_of_one_in_double_precision() {
    same_bits("f64");
}

#[test]
fn up_to_four_threads_in_up_to_four_ranks_compute_the_bits_of_one() {
    // 131 rows leave every band of every rank another height.
    let cells = |ranks, threads: &str, variant: &[&str]| {
        let variant = [variant, &["--threads", threads][..]].concat();
        field(ranks, "131x53", "f32", Level::widest(), &variant)
    };
    for variant in SHOWN.iter().chain(&OTHERS) {
        let one = cells(1, "1", variant);
        for (ranks, threads) in [(1, "2"), (1, "3"), (1, "4"), (2, "3"), (3, "2"), (4, "4")] {
            assert!(one == cells(ranks, threads, variant), "{ranks} {threads} {variant:?}");
        }
    }
}

#[test]
fn the_line_says_how_many_threads_computed() {
    let line = solved(2, &Folder::new(), &["--size", "128x60", "--threads", "3"]);
    assert!(line.starts_with("size=128x60 ranks=2 threads=3 simd="), "{line}");
}

#[test]
fn strips_may_be_as_thin_as_their_halo() {
    // Five rows on either side are what three limited passes read, and all that each of four ranks has.
    let thin = |ranks| field(ranks, "20x16", "f64", Level::widest(), OTHERS[2]);
    let one = thin(1);
    for ranks in 2..=4 {
        assert!(one == thin(ranks), "{ranks} ranks");
    }
}
