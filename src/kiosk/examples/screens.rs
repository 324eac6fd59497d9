//! Every page in every language as PNG, without any display: the real kiosk, the real demos, this machine's readings.

#![allow(clippy::expect_used, clippy::print_stdout, reason = "a tool of the command line")]

#[path = "../tests/headless/live.rs"]
mod live;

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context;
use kiosk::{
    catalogue::{self, Catalogue},
    config::{Config, Screen},
    program::Setup,
    ui,
};
use live::{Visitor, pause};
use slint::{ComponentHandle, Model};

/// A demo that breaks down, for the page that says so.
const BROKEN: &str = r#"
order = 1000
audience = "visitor"
program = "testcard"
arguments = ["--fault", "crash", "--after", "30"]
mpi = false
gpu = "no"
first_frame_s = 5
[text.pl]
title = "Obraz kontrolny"
line = "Ten pokaz się przewraca."
[text.en]
title = "Test card"
line = "This demo breaks down."
"#;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args_os().skip(1);
    let folder = PathBuf::from(arguments.next().context("usage: screens DIR")?);
    fs::create_dir_all(&folder)?;
    let given: Vec<String> = arguments.filter_map(|argument| argument.into_string().ok()).collect();
    // One process for each language and set of demos: Slint has one screen per process.
    let [language, demos] = &given[..] else {
        for (language, demos) in
            [("pl", "ours"), ("en", "ours"), ("pl", "broken"), ("en", "broken")]
        {
            let program = std::env::current_exe()?;
            let status = std::process::Command::new(program)
                .arg(&folder)
                .args([language, demos])
                .status()?;
            anyhow::ensure!(status.success(), "the pages in '{language}' were not all drawn");
        }
        return Ok(());
    };
    let executable = live::executable();
    let broken = std::env::temp_dir().join(format!("hpc-kiosk-screens-{}", std::process::id()));
    let is_broken = demos == "broken";
    let folders = if is_broken {
        fs::create_dir_all(broken.join("broken"))?;
        fs::write(broken.join("broken/demo.toml"), BROKEN)?;
        vec![broken.clone()]
    } else {
        catalogue::folders(&[], &executable)
    };
    let catalogue = Catalogue::find(&folders, 0);
    let problems = catalogue.problems.clone();
    let config = Config {
        screen: Screen { language: language.clone(), ..Default::default() },
        ..Default::default()
    };
    let setup = Setup {
        subject: kiosk::doctor::Subject { executable, ..Default::default() },
        config,
        catalogue,
        problems,
        systemd: None,
    };
    let language = language.clone();
    if !is_broken {
        return live::visit(setup, move |visitor| shoot_ours(visitor, folder, language));
    }
    let outcome = live::visit(setup, move |visitor| shoot_fault(visitor, folder, language));
    fs::remove_dir_all(broken)?;
    outcome
}

async fn shoot_ours(visitor: Visitor, folder: PathBuf, language: String) {
    let shoot = |page: &str| save(&visitor, &folder.join(format!("{page}-{language}.png")));
    let limit = Duration::from_secs(20);
    visitor
        .until("this machine's load", limit, |visitor| {
            let nodes = visitor.app.global::<ui::StripView>().get_nodes();
            nodes.iter().any(|node| 0.0 <= node.load_share)
        })
        .await;
    pause(Duration::from_millis(600)).await;
    shoot("home");

    visitor.app.global::<ui::StripView>().invoke_opened();
    pause(Duration::from_millis(1200)).await;
    shoot("cluster");
    visitor.app.global::<ui::ClusterView>().invoke_tapped(0);
    pause(Duration::from_millis(600)).await;
    shoot("node");
    visitor.press(char::from(slint::platform::Key::Escape));

    visitor.press("1");
    shoot("starting");
    visitor
        .until("speed of the first run", limit, |visitor| {
            !visitor.app.global::<ui::DemoView>().get_updates().is_empty()
        })
        .await;
    let stroke: Vec<(f32, f32)> =
        (0..40).map(|i| (180.0 + 10.0 * i as f32, 110.0 + 4.0 * i as f32)).collect();
    visitor.drag(&stroke).await;
    pause(Duration::from_millis(900)).await;
    shoot("demo");
    visitor.press(char::from(slint::platform::Key::PageDown));
    pause(Duration::from_millis(400)).await;
    shoot("controls");
    visitor.press(char::from(slint::platform::Key::Escape));

    visitor.press(char::from(slint::platform::Key::F1));
    pause(Duration::from_millis(100)).await;
    shoot("help");
}

async fn shoot_fault(visitor: Visitor, folder: PathBuf, language: String) {
    visitor.press("1");
    let limit = Duration::from_secs(20);
    visitor
        .until("the end of a broken demo", limit, |visitor| visitor.page() == ui::Page::Fault)
        .await;
    save(&visitor, &folder.join(format!("fault-{language}.png")));
}

fn save(visitor: &Visitor, path: &Path) {
    let pixels = visitor.pixels();
    let picture =
        image::RgbaImage::from_raw(pixels.width(), pixels.height(), pixels.as_bytes().to_vec())
            .expect("a snapshot has four bytes a pixel");
    picture
        .save(path)
        .unwrap_or_else(|error| panic!("{} cannot be written: {error}", path.display()));
    println!("{}", path.display());
}
