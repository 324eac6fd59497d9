//! `hpc-kiosk bench`: lets every demo that can measure a computer do so, here or elsewhere, and puts together what they print.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Serialize;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::{
    catalogue::{Catalogue, Demo},
    command::{self, Limits},
    config::{Config, Launch, NodeAddress},
};

/// What a demo may take to measure a computer: minutes on a small one.
const LIMITS: Limits = Limits { time: Duration::from_secs(15 * 60), bytes: 1 << 20 };
/// What this computer is called where kiosk.toml has no name for it.
const HERE: &str = "this computer";

/// Everything that was measured.
#[derive(Serialize)]
pub struct Measured {
    hpc_kiosk: &'static str,
    computers: Vec<Computer>,
}

/// What one computer's demos have said.
#[derive(Serialize)]
struct Computer {
    computer: String,
    demos: Vec<Report>,
}

/// What one demo has said there.
#[derive(Serialize)]
struct Report {
    demo: String,
    /// The object that it printed.
    figures: Option<Value>,
    /// Why it printed none.
    trouble: Option<String>,
}

impl Measured {
    /// Whether every demo has measured every computer.
    pub fn is_whole(&self) -> bool {
        self.computers
            .iter()
            .flat_map(|computer| &computer.demos)
            .all(|demo| demo.trouble.is_none())
    }
}

/// A computer to be measured: its name, and its host unless it is this one.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Target {
    name: String,
    host: Option<String>,
}

/// Measures the computers of these names in kiosk.toml, all at the same time; without a name this one. `beside` is the folder of
/// this program.
///
/// # Errors
/// In a sentence, if a name is not there or no demo can measure.
pub async fn measure(
    config: &Config,
    catalogue: &Catalogue,
    names: &[String],
    beside: &Path,
) -> Result<Measured, String> {
    let targets = targets(config, names)?;
    let able: Vec<_> = catalogue.demos.iter().filter(|demo| !demo.bench.is_empty()).collect();
    if able.is_empty() {
        return Err(
            "no demo can measure: none that is installed has 'bench' in its demo.toml".into()
        );
    }
    let mut measured = JoinSet::new();
    for (place, target) in targets.into_iter().enumerate() {
        let demos: Vec<(String, Vec<String>)> = able
            .iter()
            .map(|demo| (demo.id.clone(), words(demo, &target, &config.launch, beside)))
            .collect();
        measured.spawn(async move {
            let mut reports = Vec::new();
            // One after the other: they would measure each other.
            for (demo, words) in demos {
                reports.push(report(demo, &words).await);
            }
            (place, Computer { computer: target.name, demos: reports })
        });
    }
    let mut computers = measured.join_all().await;
    computers.sort_by_key(|(place, _)| *place);
    let computers = computers.into_iter().map(|(_, computer)| computer).collect();
    Ok(Measured { hpc_kiosk: env!("CARGO_PKG_VERSION"), computers })
}

fn targets(config: &Config, names: &[String]) -> Result<Vec<Target>, String> {
    if names.is_empty() {
        let here = config.nodes.iter().find(|node| node.address == NodeAddress::Local);
        let name = here.map_or(HERE, |node| &node.name).to_owned();
        return Ok(vec![Target { name, host: None }]);
    }
    let find = |name: &String| {
        let node = config.nodes.iter().find(|node| node.name == *name).ok_or_else(|| {
            let known: Vec<&str> = config.nodes.iter().map(|node| node.name.as_str()).collect();
            format!("kiosk.toml has no computer named {name}; it has: {}", known.join(", "))
        })?;
        let host = match &node.address {
            NodeAddress::Local => None,
            NodeAddress::Agent { host, .. } => Some(host.clone()),
        };
        Ok(Target { name: name.clone(), host })
    };
    names.iter().map(find).collect()
}

/// The program and its arguments, through ssh where it is another computer's.
fn words(demo: &Demo, target: &Target, launch: &Launch, beside: &Path) -> Vec<String> {
    let (to, program) = match &target.host {
        Some(host) => {
            let to = [launch.ssh.clone(), vec![host.clone()]].concat();
            (to, launch.programs.join(&demo.program))
        }
        None => {
            let places: [PathBuf; 2] =
                [&demo.folder, beside].map(|place| place.join(&demo.program));
            let found = places.iter().find(|path| path.is_file()).unwrap_or(&places[1]);
            (Vec::new(), found.clone())
        }
    };
    [to, vec![program.display().to_string()], demo.bench.clone()].concat()
}

async fn report(demo: String, words: &[String]) -> Report {
    let (figures, trouble) = match figures(words).await {
        Ok(figures) => (Some(figures), None),
        Err(trouble) => (None, Some(trouble)),
    };
    Report { demo, figures, trouble }
}

async fn figures(words: &[String]) -> Result<Value, String> {
    let (program, arguments) = words.split_first().ok_or("there is no program to run")?;
    let said = command::ask(program, arguments, LIMITS).await?;
    if !said.is_content {
        let how =
            said.status.map_or("was killed".into(), |status| format!("ended with status {status}"));
        return Err(format!("{} {how}: {}", words.join(" "), said.complaint));
    }
    let figures = serde_json::from_str(&said.output).ok().filter(Value::is_object);
    figures.ok_or_else(|| format!("{} printed no JSON object", words.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Config {
        Config::parse(Path::new("kiosk.toml"), text).unwrap()
    }

    const NODES: &str = "[[node]]\nname = \"pi\"\naddress = \"local\"\n\
                         [[node]]\nname = \"major-tom\"\naddress = \"10.0.0.2\"\n";

    #[test]
    fn computers_are_those_of_the_names_and_without_one_this() {
        let config = config(NODES);
        let here = Target { name: "pi".into(), host: None };
        let there = Target { name: "major-tom".into(), host: Some("10.0.0.2".into()) };
        assert_eq!(targets(&config, &[]), Ok(vec![here.clone()]));
        assert_eq!(targets(&config, &["major-tom".into(), "pi".into()]), Ok(vec![there, here]));
        let unknown = targets(&config, &["ziggy".into()]).unwrap_err();
        assert_eq!(unknown, "kiosk.toml has no computer named ziggy; it has: pi, major-tom");
        assert_eq!(targets(&Config::default(), &[]).unwrap()[0].host, None);
    }

    #[test]
    fn what_is_no_json_object_is_said_and_so_is_a_failure() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let ask = |line: &str| {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            runtime.block_on(figures(&words))
        };
        assert_eq!(ask("echo {\"a\":1}"), Ok(serde_json::json!({"a": 1})));
        for garbage in ["echo", "echo []", "echo {\"a\":", "echo 1 2"] {
            let said = ask(garbage).unwrap_err();
            assert_eq!(said, format!("{garbage} printed no JSON object"));
        }
        let said = ask("ls /nonexistent").unwrap_err();
        assert!(said.starts_with("ls /nonexistent ended with status 2: "), "{said}");
        assert!(ask("/nonexistent bench").unwrap_err().contains("cannot be run"));
    }
}
