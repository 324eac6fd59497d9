//! demo.toml files that a person might write, and folders as they may lie on a kiosk.

#![allow(clippy::unwrap_used, reason = "helpers of a test fail as the test does")]

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use kiosk::catalogue::{Audience, Catalogue, ControlKind, Demo, Gpu, Ranks, folders};

fn fixtures(kind: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/demos").join(kind)
}

fn valid(name: &str, architecture: &str) -> Demo {
    let text = fs::read_to_string(fixtures("valid").join(name)).unwrap();
    Demo::parse("pipe", Path::new("/demos/pipe"), architecture, &text).unwrap()
}

/// Every file in `fixtures/demos/invalid` says in its first line what is to be said about it.
#[test]
fn every_broken_demo_file_is_explained() {
    let mut count = 0;
    for entry in fs::read_dir(fixtures("invalid")).unwrap() {
        let file = entry.unwrap().path();
        let text = fs::read_to_string(&file).unwrap();
        let expected = text.lines().next().unwrap().trim_start_matches("# ");
        let message = Demo::parse("x", Path::new(""), "x86_64", &text).unwrap_err().to_string();
        assert_eq!(message, format!("demo.toml, {expected}"), "{}", file.display());
        count += 1;
    }
    assert!(30 < count, "{count} fixtures found");
}

#[test]
fn every_key_is_read() {
    let demo = valid("full.toml", "aarch64");
    assert_eq!((demo.id.as_str(), demo.order, demo.audience), ("pipe", 20, Audience::Visitor));
    assert_eq!(demo.program, "pipe-arm64");
    assert_eq!(demo.arguments, ["--flow", "swirl"]);
    assert_eq!(demo.bench, ["bench", "--size=64x64"]);
    assert!(demo.mpi && demo.threads);
    assert_eq!(demo.ranks, Ranks { default: 3, min: 1, max: 8 });
    assert_eq!(demo.gpu, Gpu::Use);
    assert_eq!(demo.first_frame, Duration::from_secs(5));
    assert_eq!(demo.progress, Duration::from_millis(3500));
    assert_eq!(demo.picture, Some("/demos/pipe/pipe.png".into()));
    assert_eq!(demo.text("pl").unwrap().visitor, "To jest fajka.\nKolor to stężenie.");
    assert_eq!(demo.text("uk").unwrap().title, "Advection");

    let [scheme, courant, again] = demo.controls.as_slice() else { panic!("{:?}", demo.controls) };
    assert_eq!((scheme.name.as_str(), scheme.kind), ("scheme", ControlKind::Choice));
    assert_eq!((scheme.min, scheme.max, scheme.default), (0.0, 1.0, 1.0));
    assert_eq!(scheme.text("pl").unwrap().choices, ["pod prąd", "MPDATA"]);
    assert_eq!((courant.min, courant.max, courant.default), (0.0, 0.5, 0.25));
    assert_eq!((courant.kind, courant.unit.as_str()), (ControlKind::Slider, "1"));
    assert_eq!((again.kind, again.max), (ControlKind::Button, 1.0));
}

#[test]
fn what_may_be_left_out_has_a_plain_meaning() {
    let demo = valid("minimal.toml", "riscv64");
    assert_eq!((demo.order, demo.audience), (-1, Audience::Owner));
    assert_eq!((demo.program.as_str(), demo.mpi, demo.gpu), ("card", false, Gpu::No));
    assert!(!demo.threads && !demo.resumes);
    assert_eq!(demo.ranks, Ranks { default: 1, min: 1, max: 1 });
    assert_eq!(demo.progress, Duration::from_millis(2500));
    assert_eq!((demo.picture, demo.controls.len()), (None, 0));
}

fn install(folder: &Path, id: &str, text: &str) {
    fs::create_dir_all(folder.join(id)).unwrap();
    fs::write(folder.join(id).join("demo.toml"), text).unwrap();
}

fn sample(order: i32, title: &str) -> String {
    format!(
        "order = {order}\naudience = \"visitor\"\nprogram = \"p\"\nmpi = false\n\
         [text.en]\ntitle = \"{title}\"\nline = \"L\"\n"
    )
}

#[test]
fn a_broken_demo_is_a_sentence_and_the_others_are_shown_in_order() {
    let folder = tempfile::tempdir().unwrap();
    install(folder.path(), "late", &sample(9, "Late"));
    install(folder.path(), "b", &sample(1, "B"));
    install(folder.path(), "a", &sample(1, "A"));
    install(folder.path(), "broken", "ordr = 1");
    install(folder.path(), "huge", &" ".repeat(300_000));
    fs::create_dir(folder.path().join("not-a-demo")).unwrap();
    fs::create_dir_all(folder.path().join("odd/demo.toml")).unwrap();

    let catalogue = Catalogue::find(&[folder.path().into()], 1);
    let ids: Vec<&str> = catalogue.demos.iter().map(|demo| demo.id.as_str()).collect();
    assert_eq!(ids, ["a", "b", "late"]);
    let [broken, huge, odd] = catalogue.problems.as_slice() else {
        panic!("{:?}", catalogue.problems)
    };
    assert!(broken.ends_with("the nearest known one is 'order'"), "{broken}");
    assert!(huge.ends_with("huge/demo.toml is larger than 262144 bytes; shorten it"), "{huge}");
    assert!(odd.contains("odd/demo.toml is not a file"), "{odd}");
}

#[test]
fn the_first_usable_demo_of_an_id_counts() {
    let (own, ours) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    install(own.path(), "pipe", &sample(1, "The owner's"));
    install(ours.path(), "pipe", &sample(1, "Ours"));
    install(own.path(), "cone", "not toml");
    install(ours.path(), "cone", &sample(2, "Ours"));
    let catalogue = Catalogue::find(&[own.path().into(), ours.path().into()], 0);
    let title = |id| catalogue.demo(id).unwrap().text("en").unwrap().title.clone();
    assert_eq!((title("pipe").as_str(), title("cone").as_str()), ("The owner's", "Ours"));
    assert_eq!(catalogue.problems.len(), 1);
    assert!(catalogue.demo("sphere").is_none());
}

#[test]
fn a_picture_that_is_missing_costs_the_picture_not_the_demo() {
    let folder = tempfile::tempdir().unwrap();
    install(folder.path(), "pipe", &format!("picture = \"p.png\"\n{}", sample(1, "Pipe")));
    let catalogue = Catalogue::find(&[folder.path().into()], 1);
    assert_eq!(catalogue.demos[0].picture, None);
    assert!(catalogue.problems[0].contains("pipe/p.png is not there"), "{:?}", catalogue.problems);
}

#[test]
fn a_folder_that_somebody_named_must_be_there_and_an_installed_one_need_not() {
    let missing: PathBuf = "/nonexistent/demos".into();
    let catalogue = Catalogue::find(&[missing.clone(), missing], 1);
    assert_eq!(catalogue.problems.len(), 1);
    assert!(catalogue.problems[0].ends_with("check --demos"), "{:?}", catalogue.problems);
}

#[test]
fn no_more_demos_than_fit_are_shown() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..70 {
        install(folder.path(), &format!("d{number}"), &sample(number, "T"));
    }
    let catalogue = Catalogue::find(&[folder.path().into()], 1);
    assert_eq!((catalogue.demos.len(), catalogue.problems.len()), (64, 6));
}

#[test]
fn every_demo_that_we_ship_is_usable() {
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../demos");
    let catalogue = Catalogue::find(&[ours], 1);
    assert_eq!(catalogue.problems, [""; 0]);
    assert_eq!(catalogue.demo("testcard").unwrap().audience, Audience::Owner);
    for demo in &catalogue.demos {
        assert!(demo.texts.contains_key("pl"), "{} speaks no Polish", demo.id);
        assert!(demo.controls.iter().all(|c| c.texts.contains_key("pl")), "{}", demo.id);
    }
}

#[test]
fn named_folders_come_first_and_a_checkout_last() {
    let checkout = tempfile::tempdir().unwrap();
    fs::create_dir_all(checkout.path().join("demos")).unwrap();
    fs::write(checkout.path().join("Cargo.toml"), "").unwrap();
    let executable = checkout.path().join("target/release/hpc-kiosk");
    assert_eq!(
        folders(&["/own".into()], &executable),
        [
            PathBuf::from("/own"),
            "/etc/hpc-kiosk/demos".into(),
            "/usr/lib/hpc-kiosk/demos".into(),
            checkout.path().join("demos"),
        ]
    );
}
