//! `hpc-kiosk-agent`: arguments, configuration, and either one reading or the server.

mod config;
mod request;
mod server;

use std::{
    env,
    ffi::OsString,
    io::{self, Write, stdout},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    thread,
    time::Duration,
};

use agent::Node;
use anyhow::{Context, anyhow};
use wire::metrics::Format;

use crate::config::Config;

const USAGE: &str = "usage: hpc-kiosk-agent [--config FILE] [--root DIR] [--once]

Answers GET /metrics with what this node does, as Prometheus text or OpenMetrics.
  --config FILE  the configuration, instead of /etc/hpc-kiosk/agent.toml
  --root DIR     read a captured tree with proc, sys, etc and usr instead of this machine
  --once         print the metrics once and end; takes a second, because rates need two readings
  --version      print the version";

/// Read if it is there.
const CONFIG: &str = "/etc/hpc-kiosk/agent.toml";
/// Between the two readings of `--once`; what is slow, such as `nvidia-smi`, has answered by then.
const BETWEEN: Duration = Duration::from_millis(1000);

struct Arguments {
    config: Option<PathBuf>,
    root: PathBuf,
    once: bool,
    version: bool,
    help: bool,
}

fn main() -> ExitCode {
    let arguments = match read_arguments(env::args_os().skip(1)) {
        Ok(arguments) => arguments,
        Err(problem) => {
            eprintln!("hpc-kiosk-agent: {problem}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hpc-kiosk-agent: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> anyhow::Result<()> {
    if arguments.help {
        writeln!(stdout(), "{USAGE}")?;
        return Ok(());
    }
    if arguments.version {
        writeln!(stdout(), "hpc-kiosk-agent {}", env!("CARGO_PKG_VERSION"))?;
        return Ok(());
    }
    let config = read_config(arguments.config.as_deref())?;
    if !arguments.root.join("proc").is_dir() && !arguments.root.join("sys").is_dir() {
        let root = arguments.root.display();
        return Err(anyhow!("{root} has neither proc nor sys in it; give the folder above them"));
    }
    let listen = config.listen;
    let node = Arc::new(Node::start(config.settings(arguments.root)));
    if arguments.once {
        return print_once(&node);
    }
    let wait = || {
        eprintln!("hpc-kiosk-agent: this machine does not have {} yet; waiting for it", listen.ip())
    };
    let listener = server::listen(listen, wait).with_context(|| remedy(listen))?;
    eprintln!("hpc-kiosk-agent: answering at http://{}/metrics", listener.local_addr()?);
    server::serve(&listener, &node)
}

fn remedy(listen: std::net::SocketAddr) -> String {
    format!(
        "cannot listen at {listen}; end the program that does, or set another 'listen' in agent.toml"
    )
}

fn read_config(given: Option<&Path>) -> anyhow::Result<Config> {
    match given {
        Some(file) => Ok(Config::read(file)?),
        None if Path::new(CONFIG).exists() => Ok(Config::read(Path::new(CONFIG))?),
        None => Ok(Config::default()),
    }
}

fn print_once(node: &Node) -> anyhow::Result<()> {
    let mut text = String::new();
    node.metrics(Format::Prometheus, &mut text);
    thread::sleep(BETWEEN);
    text.clear();
    node.metrics(Format::Prometheus, &mut text);
    match stdout().lock().write_all(text.as_bytes()) {
        // Who has seen enough closes the pipe.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

fn read_arguments(mut arguments: impl Iterator<Item = OsString>) -> Result<Arguments, String> {
    let mut read =
        Arguments { config: None, root: "/".into(), once: false, version: false, help: false };
    while let Some(option) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{} needs a value", option.display()));
        match option.to_str() {
            Some("--config") => read.config = Some(value()?.into()),
            Some("--root") => read.root = value()?.into(),
            Some("--once") => read.once = true,
            Some("--version") => read.version = true,
            Some("--help" | "-h") => read.help = true,
            _ => return Err(format!("there is no option '{}'", option.display())),
        }
    }
    Ok(read)
}
