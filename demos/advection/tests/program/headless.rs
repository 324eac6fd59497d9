//! The solver on the command line: agreement with PyMPDATA, its one line, and what it says about mistakes.

use std::{fs, path::Path, process::Output};

use ndarray::Array2;

use crate::mpirun::{Folder, solve, solved};

fn reference(name: &str) -> String {
    format!("{}/tests/reference/{name}.npy", env!("CARGO_MANIFEST_DIR"))
}

/// The arguments of the reference run, and where its result goes.
fn vortex(output: &Path) -> Vec<String> {
    let mut arguments: Vec<String> = ["--size", "64x64", "--initial"].map(String::from).into();
    arguments.push(reference("psi0"));
    arguments.extend(["--courant-x".into(), reference("vortex_cx")]);
    arguments.extend(["--courant-y".into(), reference("vortex_cy")]);
    arguments.extend(["--output".into(), output.display().to_string()]);
    arguments
}

/// The number that follows `key=` in the line.
fn number(line: &str, key: &str) -> f64 {
    let word = line.split_whitespace().find_map(|word| word.strip_prefix(&format!("{key}=")));
    word.unwrap_or_else(|| panic!("no {key} in {line}")).parse().unwrap()
}

#[test]
fn three_ranks_with_files_agree_with_pympdata() {
    let variants: [(&str, &[&str]); 4] = [
        ("upwind", &["--passes", "1"]),
        ("basic2", &["--passes", "2"]),
        ("fct2", &["--non-oscillatory"]),
        ("iga_fct2", &["--non-oscillatory", "--infinite-gauge"]),
    ];
    for (name, options) in variants {
        let folder = Folder::new();
        let output = folder.path("out.npy");
        let arguments = vortex(&output);
        let mut arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        arguments.extend(["--steps", "100"]);
        arguments.extend(options);
        let line = solved(3, &folder, &arguments);
        assert!(number(&line, "relative_mass_change").abs() < 1e-13, "{line}");
        let field: Array2<f64> = ndarray_npy::read_npy(&output).unwrap();
        let expected: Array2<f64> =
            ndarray_npy::read_npy(reference(&format!("vortex_{name}_100"))).unwrap();
        let difference = (&field - &expected).iter().fold(0.0, |most: f64, d| most.max(d.abs()));
        assert!(difference < 1e-11, "{name}: {difference:e}");
    }
}

#[test]
fn one_line_says_how_fast_it_was_and_that_nothing_was_lost() {
    let line =
        solved(2, &Folder::new(), &["--size", "100x60", "--steps", "50", "--flow", "rotation"]);
    let (rate, updates) = (number(&line, "steps_per_s"), number(&line, "cell_updates_per_s"));
    assert!((updates / (rate * 6000.0) - 1.0).abs() < 1e-3, "{line}");
    assert!((rate * number(&line, "wall_s") / 50.0 - 1.0).abs() < 1e-2, "{line}");
    assert!(number(&line, "relative_mass_change").abs() < 1e-13, "{line}");
    assert!(line.starts_with("size=100x60 ranks=2 threads=1 simd="), "{line}");
}

#[test]
fn the_line_says_where_every_ranks_time_went_and_what_it_sent() {
    let arguments = ["--size", "96x64", "--steps", "40", "--precision", "f32"];
    for ranks in [1, 3] {
        let line = solved(ranks, &Folder::new(), &arguments);
        let list = |key: &str| -> Vec<f64> {
            let word = line.split_whitespace().find_map(|word| word.strip_prefix(key));
            word.unwrap().split(',').map(|number| number.parse().unwrap()).collect()
        };
        let [compute, communicate, wait, sent] =
            ["compute_s=", "communicate_s=", "wait_s=", "halo_bytes="].map(list);
        assert_eq!(compute.len(), ranks, "{line}");
        for rank in 0..ranks {
            let all = compute[rank] + communicate[rank] + wait[rank];
            let wall = number(&line, "wall_s");
            assert!(0.0 < compute[rank] && all <= 1.01 * wall + 1e-5, "{line}");
            // Two rows of 64 numbers of 4 bytes to either side, 16 entries of padding at each end, in every step.
            let expected = if ranks == 1 { 0.0 } else { 40.0 * 2.0 * 2.0 * (64.0 + 32.0) * 4.0 };
            assert_eq!(sent[rank], expected, "{line}");
        }
    }
}

#[test]
fn the_reversing_swirl_brings_back_more_with_mpdata_than_with_upwind() {
    // The period of the swirl on 64 x 64 cells is 2 x 362 steps.
    let returned = |options: &[&str]| {
        let folder = Folder::new();
        let field = |steps: &str| -> Array2<f64> {
            let output = folder.path(steps);
            let mut arguments = vec!["--size", "64x64", "--flow", "swirl", "--initial", "cone"];
            arguments.extend(["--steps", steps, "--output", output.to_str().unwrap()]);
            arguments.extend(options);
            solved(2, &folder, &arguments);
            ndarray_npy::read_npy(output).unwrap()
        };
        let (first, turned, back) = (field("0"), field("362"), field("724"));
        let distance = |a: &Array2<f64>, b: &Array2<f64>| (a - b).mapv(|d| d * d).sum().sqrt();
        assert!(
            0.5 * first.mapv(|c| c * c).sum().sqrt() < distance(&first, &turned),
            "it has not moved"
        );
        distance(&first, &back)
    };
    let upwind = returned(&["--passes", "1"]);
    let basic = returned(&["--passes", "2"]);
    let best = returned(&["--non-oscillatory", "--infinite-gauge"]);
    assert!(3.0 * basic < upwind, "{basic} {upwind}");
    assert!(6.0 * best < upwind, "{best} {upwind}");
}

/// Checks that the solver refuses, once, with exit code 2 and a sentence that has all of `words`.
#[track_caller]
fn refuses(folder: &Folder, arguments: &[&str], words: &[&str]) {
    let Output { status, stdout, stderr } = solve(2, folder, arguments);
    let said = String::from_utf8_lossy(&stderr).into_owned();
    assert_eq!(status.code(), Some(2), "{arguments:?}: {said}");
    assert_eq!(stdout, b"", "{arguments:?}");
    for word in words {
        assert_eq!(said.matches(word).count(), 1, "{word:?} is not there once: {said}");
    }
    assert!(!said.contains("panicked"), "{said}");
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let folder = Folder::new();
    refuses(&folder, &["--passes", "0"], &["0 passes: there are 1 (upwind) to 4"]);
    refuses(
        &folder,
        &["--passes", "3", "--infinite-gauge"],
        &["the infinite gauge takes 2 passes, not 3"],
    );
    refuses(&folder, &["--passes", "1", "--non-oscillatory"], &["upwind has nothing to limit"]);
    refuses(&folder, &["--size", "12"], &["write NXxNY, such as 512x512"]);
    refuses(&folder, &["--size", "65536x65536"], &["a grid at most 268435456"]);
    refuses(&folder, &["--size", "1x64"], &["1 rows on 2 ranks leave some fewer than the 2"]);
    refuses(&folder, &["--simd", "mmx"], &["'mmx' is not a level of this processor"]);
    refuses(&folder, &["--precision", "f16"], &["invalid value 'f16' for '--precision"]);
    refuses(&folder, &["--initial", "cube"], &["'cube' is no field to begin with"]);
    refuses(&folder, &["--frobnicate"], &["unexpected argument '--frobnicate'"]);
    refuses(&folder, &["--courant-x", "x.npy"], &["--courant-y <COURANT_Y>\n"]);
}

#[test]
fn files_that_do_not_fit_are_named_with_the_reason() {
    let folder = Folder::new();
    let write = |name: &str, array: &Array2<f64>| {
        let path = folder.path(name);
        ndarray_npy::write_npy(&path, array).unwrap();
        path.display().to_string()
    };
    let file = |name: &str, bytes: &[u8]| {
        fs::write(folder.path(name), bytes).unwrap();
        folder.path(name).display().to_string()
    };
    let psi = |path: &str, words: &[&str]| {
        refuses(&folder, &["--size", "8x6", "--initial", path], words);
    };
    let good = Array2::<f64>::ones((8, 6));
    psi("missing.npy", &["missing.npy cannot be opened"]);
    psi(&write("turned.npy", &Array2::ones((6, 8))), &["turned.npy is 6 x 8, not 8 x 6"]);
    psi(&write("large.npy", &Array2::ones((80, 60))), &["large.npy has", "more than the 896"]);
    psi(&write("negative.npy", &-&good), &["negative.npy is -1 at [0, 0]", "--infinite-gauge or"]);
    let mut infinite = good.clone();
    infinite[[2, 3]] = f64::NAN;
    psi(&write("nan.npy", &infinite), &["nan.npy holds NaN at [2, 3]"]);
    ndarray_npy::write_npy(folder.path("single.npy"), &good.mapv(|c| c as f32)).unwrap();
    psi(folder.path("single.npy").to_str().unwrap(), &["single.npy does not hold f8 numbers"]);
    ndarray_npy::write_npy(folder.path("cube.npy"), &ndarray::Array3::<f64>::ones((2, 2, 2)))
        .unwrap();
    psi(folder.path("cube.npy").to_str().unwrap(), &["cube.npy has not two dimensions"]);

    let whole = fs::read(write("good.npy", &good)).unwrap();
    psi(&file("cut.npy", &whole[..whole.len() - 8]), &["cut.npy is damaged: missing 8 bytes"]);
    psi(&file("text.npy", b"hello"), &["text.npy is not a .npy file: it does not begin as one"]);
    psi(&file("empty.npy", b""), &["empty.npy is not a .npy file"]);
    let mut nested = b"\x93NUMPY\x01\x00\xf4\x01".to_vec();
    nested.resize(10 + 500, b'(');
    psi(
        &file("nested.npy", &nested),
        &["nested.npy is not a .npy file: its header is not that of a plain array"],
    );
    let claim = |shape: &str| {
        let mut header =
            format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}").into_bytes();
        header.resize(117, b' ');
        header.push(b'\n');
        [b"\x93NUMPY\x01\x00\x76\x00", &header[..], &[0; 8 * 48]].concat()
    };
    psi(&file("claim.npy", &claim("(4000000000, 4000000000)")), &["claim.npy is damaged"]);
    psi(&file("claim2.npy", &claim("(8, 7)")), &["claim2.npy is damaged: missing 64 bytes"]);
    psi(&file("picture.png", b"\x89PNG"), &["picture.png is not a picture that can be used"]);
}

#[test]
fn courant_numbers_that_cannot_be_used_are_named() {
    let folder = Folder::new();
    let write = |name: &str, array: Array2<f64>| {
        ndarray_npy::write_npy(folder.path(name), &array).unwrap();
        folder.path(name).display().to_string()
    };
    let refused = |x: &str, y: &str, words: &[&str]| {
        refuses(&folder, &["--size", "8x6", "--courant-x", x, "--courant-y", y], words);
    };
    let x = write("x.npy", Array2::from_elem((9, 6), 0.2));
    let y = write("y.npy", Array2::from_elem((8, 7), 0.1));
    refused(&y, &x, &["y.npy is 8 x 7, not 9 x 6"]);
    let mut fast = Array2::from_elem((9, 6), 0.2);
    fast[[3, 4]] = -1.25;
    refused(
        &write("fast.npy", fast),
        &y,
        &["fast.npy holds -1.25 at [3, 4]: a Courant number is -1 to 1"],
    );
    let mut open = Array2::from_elem((8, 7), 0.1);
    open[[5, 6]] = 0.3;
    refused(
        &x,
        &write("open.npy", open),
        &["open.npy is not periodic: along axis 1, number 5 of layer 0 is 0.1"],
    );
    let arguments = ["--size", "8x6", "--courant-x", &x, "--courant-y", &y];
    refuses(&folder, &[&arguments[..], &["--flow", "swirl"]].concat(), &["cannot be used with"]);
    solved(2, &folder, &arguments);
}

#[test]
fn a_result_that_cannot_be_written_is_said() {
    let folder = Folder::new();
    let output = folder.path("no/such/folder/out.npy");
    let Output { status, stderr, .. } =
        solve(2, &folder, &["--size", "8x8", "--output", output.to_str().unwrap()]);
    assert_eq!(status.code(), Some(2));
    let said = String::from_utf8_lossy(&stderr).into_owned();
    assert_eq!(said.matches("no/such/folder/out.npy cannot be written").count(), 1, "{said}");
}

#[test]
fn fields_in_fortran_order_are_read_as_they_are_meant() {
    let folder = Folder::new();
    let field = Array2::from_shape_fn((8, 6), |(i, j)| (10 * i + j) as f64);
    let mut turned = Array2::zeros(ndarray::ShapeBuilder::f((8, 6)));
    turned.assign(&field);
    ndarray_npy::write_npy(folder.path("fortran.npy"), &turned).unwrap();
    let (input, output) = (folder.path("fortran.npy"), folder.path("out.npy"));
    let arguments = ["--size", "8x6", "--steps", "0", "--initial", input.to_str().unwrap()];
    solved(2, &folder, &[&arguments[..], &["--output", output.to_str().unwrap()]].concat());
    assert_eq!(ndarray_npy::read_npy::<_, Array2<f64>>(output).unwrap(), field);
}
