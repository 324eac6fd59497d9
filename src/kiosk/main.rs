//! The kiosk's program: arguments and configuration, the display, the event loop.

mod watch;

use std::{
    cell::RefCell,
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
    rc::Rc,
    sync::Arc,
};

use anyhow::Context;
use clap::{Parser, Subcommand};
use kiosk::{
    appliance::{
        connectors::{self, Change, Connected, Presence},
        console,
        systemd::Systemd,
    },
    bench,
    catalogue::{self, Catalogue},
    config::{self, Config},
    display::{self, Display},
    doctor::{self, Subject},
    journal::Journal,
    owner::pin,
    program::{Kiosk, Setup},
    ui,
    view::{Language, View},
};
use slint::ComponentHandle;

/// The variable by which Slint is told which connector to use.
const OUTPUT: &str = "SLINT_DRM_OUTPUT";

/// The exhibition kiosk of a do-it-yourself supercomputer.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Read this file instead of /etc/hpc-kiosk/kiosk.toml
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Look for demos in this folder first (may be given several times)
    #[arg(long, value_name = "DIR")]
    demos: Vec<PathBuf>,
    /// The screen is this machine's own: silence the console on standard input, wait for a screen that is not there
    #[arg(long)]
    appliance: bool,
    /// What to do instead of showing the screen
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Print what a device says, line by line
    #[command(subcommand)]
    Watch(watch::Device),
    /// Look at every piece that a run needs, here and on the other computers, and say what is wrong and what to do
    Doctor,
    /// Measure this computer, or others of kiosk.toml through ssh, by the demos that can, and print one JSON object
    Bench {
        /// Names of computers in kiosk.toml
        #[arg(value_name = "NAME")]
        computers: Vec<String>,
    },
    /// Set the PIN of the owner's menu, read from standard input
    SetPin,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let logger = env_logger::Builder::new()
        .filter_level(log::LevelFilter::Info)
        .parse_env("HPC_KIOSK_LOG")
        .format_timestamp(None)
        .build();
    log::set_max_level(logger.filter());
    // Nobody else in this program sets one.
    let _ = log::set_boxed_logger(Box::new(Journal(logger)));
    let outcome = match &arguments.command {
        Some(Command::Watch(device)) => watch::run(device, arguments.config.as_deref()),
        Some(Command::Doctor) => return examine(&arguments),
        Some(Command::Bench { computers }) => bench(&arguments, computers),
        Some(Command::SetPin) => set_pin(&arguments),
        None => run(arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Fails if anything is wrong.
fn examine(arguments: &Arguments) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let (runtime, executable) = match (runtime, std::env::current_exe()) {
        (Ok(runtime), Ok(executable)) => (runtime, executable),
        (Err(error), _) | (_, Err(error)) => {
            log::error!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let subject = subject(arguments, executable);
    let findings = runtime.block_on(doctor::examine(&subject, |_| {}));
    // A name that is being looked up cannot be given up.
    runtime.shutdown_background();
    // Who has seen enough closes the pipe.
    let _ = std::io::stdout().write_all(doctor::report(&findings).as_bytes());
    let is_well = findings.iter().all(|finding| finding.level != doctor::Level::Wrong);
    if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run(arguments: Arguments) -> anyhow::Result<()> {
    let executable = std::env::current_exe().context("where this program lies is unknown")?;
    let systemd = match Systemd::from_environment(display::variable) {
        Ok(systemd) => systemd.map(Arc::new),
        Err(error) => {
            log::warn!("systemd is not told that the kiosk is up: {error}");
            None
        }
    };
    let display = display::choose(display::variable);
    let presence = Presence::default();
    let shown = arguments.appliance.then(|| take_machine(display, systemd.as_deref()));
    let setup = Setup { systemd, ..set_up(&arguments, executable) };

    // The display reports fingers before there is a view to take them.
    let toucher: Rc<RefCell<Option<Rc<View>>>> = Rc::default();
    let heard = Rc::clone(&toucher);
    let seen = presence.clone();
    display::open(display, move |input| {
        // Fingers on a screen that shows something else are not for us.
        !seen.is_there() || heard.borrow().as_ref().is_some_and(|view| view.hear(input))
    })?;
    let app = ui::App::new().map_err(|error| display::no_screen(display, &error.to_string()))?;

    let kiosk = Kiosk::start(&app, setup)?;
    *toucher.borrow_mut() = Some(Rc::clone(&kiosk.view));
    display::watch_window(&app, &kiosk.view);
    app.show().map_err(|error| display::no_screen(display, &error.to_string()))?;
    if display == Display::Kms {
        display::fit(&app)?;
    }
    if let Some(shown) = shown {
        watch_connectors(shown, &presence, app.as_weak())?;
    }
    let shown = app.run().map_err(|error| display::no_screen(display, &error.to_string()));
    let is_to_begin_anew = kiosk.is_to_begin_anew();
    let stopped = kiosk.stop();
    shown.and(stopped)?;
    if is_to_begin_anew {
        use std::os::unix::process::CommandExt;
        let error = std::process::Command::new(std::env::current_exe()?)
            .args(std::env::args_os().skip(1))
            .exec();
        return Err(error).context("the kiosk cannot begin anew");
    }
    Ok(())
}

/// Prints what the demos measure; fails if one cannot.
fn bench(arguments: &Arguments, computers: &[String]) -> anyhow::Result<()> {
    let config = Config::load(arguments.config.as_deref(), Path::new(config::INSTALLED))?;
    let executable = std::env::current_exe().context("where this program lies is unknown")?;
    let folders = catalogue::folders(&arguments.demos, &executable);
    let catalogue = Catalogue::find(&folders, arguments.demos.len());
    catalogue.problems.iter().for_each(|problem| log::warn!("{problem}"));
    let beside = executable.parent().unwrap_or(Path::new("."));
    log::info!("measuring; a computer that does something else meanwhile is measured wrong");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let measured = runtime.block_on(async {
        tokio::select! {
            measured = bench::measure(&config, &catalogue, computers, beside) => measured.map_err(anyhow::Error::msg),
            stopped = tokio::signal::ctrl_c() => {
                stopped.context("cannot listen for Ctrl-C")?;
                anyhow::bail!("stopped before all was measured")
            }
        }
    })?;
    let text = serde_json::to_string_pretty(&measured).context("the figures cannot be written")?;
    writeln!(std::io::stdout(), "{text}").context("the figures cannot be printed")?;
    anyhow::ensure!(measured.is_whole(), "not everything could be measured; 'trouble' says why");
    Ok(())
}

/// Takes the first line of standard input as the PIN.
fn set_pin(arguments: &Arguments) -> anyhow::Result<()> {
    let config = Config::load(arguments.config.as_deref(), Path::new(config::INSTALLED))?;
    let file = config.owner.pin_file;
    write!(std::io::stderr(), "New PIN, 4 to 12 digits: ")?;
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    let pin = line.trim();
    anyhow::ensure!(pin::is_pin(pin), "that is no PIN: it has 4 to 12 digits and nothing else");
    pin::set(pin, &file).with_context(|| {
        format!("{} cannot be written; as root: sudo hpc-kiosk set-pin", file.display())
    })?;
    writeln!(std::io::stderr(), "The PIN is set; its hash is in {}.", file.display())?;
    Ok(())
}

/// Makes the machine's screen ours, and waits until there is one; none of it is worth giving up for.
fn take_machine(display: Display, systemd: Option<&Systemd>) -> Vec<Connected> {
    if let Err(error) = console::silence(std::io::stdin()) {
        log::warn!(
            "the console behind the picture hears keys: standard input is no console of ours ({error})"
        );
    }
    if display == Display::Window {
        return Vec::new();
    }
    let wanted = display::variable(OUTPUT);
    connectors::wait(Path::new("/"), wanted.as_deref(), |look| {
        if look == 0 {
            log::warn!("waiting for a screen: {}", display::no_screen(display, ""));
        }
        // Whoever waits for a screen does what it should.
        match systemd {
            Some(systemd) if look == 0 => systemd.ready("waiting for a screen"),
            Some(systemd) => systemd.alive(),
            None => {}
        }
    })
}

/// Hears of screens that are unplugged and come back; one that was not there at the start gets a kiosk that is made for it.
fn watch_connectors(
    shown: Vec<Connected>,
    presence: &Presence,
    app: slint::Weak<ui::App>,
) -> anyhow::Result<()> {
    if shown.is_empty() {
        return Ok(());
    }
    let changed = move |change| match change {
        Change::Gone => log::warn!("the screen is gone; fingers count again when it is back"),
        Change::Back => {
            log::info!("the screen is back");
            // The event loop is gone only if the program is about to end.
            let _ = app.upgrade_in_event_loop(|app| app.window().request_redraw());
        }
        Change::Other => {
            log::warn!("another screen is there; starting again for it");
            let _ = slint::quit_event_loop();
        }
    };
    let wanted = display::variable(OUTPUT);
    connectors::watch("/".into(), wanted, shown, presence, changed)
        .context("the connectors cannot be watched")
}

/// This kiosk, for its self-test.
fn subject(arguments: &Arguments, executable: PathBuf) -> Subject {
    Subject { config: arguments.config.clone(), demos: arguments.demos.clone(), executable }
}

/// Reads what the owner has set; nothing wrong in it keeps the screen black.
fn set_up(arguments: &Arguments, executable: PathBuf) -> Setup {
    let mut problems = Vec::new();
    let config = Config::load(arguments.config.as_deref(), Path::new(config::INSTALLED));
    let config = config.unwrap_or_else(|error| {
        problems.push(error.to_string());
        Config::default()
    });
    let folders = catalogue::folders(&arguments.demos, &executable);
    let catalogue = Catalogue::find(&folders, arguments.demos.len());
    if Language::from_code(&config.screen.language).is_none() {
        let language = &config.screen.language;
        problems.push(format!(
            "the screens do not speak '{language}' ([screen] language); write \"pl\" or \"en\""
        ));
    }
    problems.extend(catalogue.problems.iter().cloned());
    for problem in &problems {
        log::warn!("{problem}");
    }
    let subject = subject(arguments, executable);
    Setup { subject, config, catalogue, problems, systemd: None }
}
