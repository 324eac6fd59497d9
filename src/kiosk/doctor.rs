//! `hpc-kiosk doctor`: looks at every piece that a run needs and says what is wrong with it and what to do. Changes nothing.

mod far;
mod here;
mod slurm;
mod versions;

use std::{path::Path, process::Stdio, time::Duration};

use tokio::{process::Command, time::timeout};

use crate::config::{self, Config};

/// How long any one command may take.
const LIMIT: Duration = Duration::from_secs(8);

/// What was found about one piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The piece.
    pub what: String,
    /// What it is like.
    pub found: String,
    /// What to do; `None` if all is well.
    pub remedy: Option<String>,
}

impl Finding {
    fn well(what: impl Into<String>, found: impl Into<String>) -> Self {
        Self { what: what.into(), found: found.into(), remedy: None }
    }

    fn wrong(what: impl Into<String>, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { what: what.into(), found: found.into(), remedy: Some(remedy.into()) }
    }
}

/// Looks at everything, this machine first. `demos` are the folders that `--demos` names; `executable` is this program.
pub async fn examine(
    argument: Option<&Path>,
    demos: &[std::path::PathBuf],
    executable: &Path,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let config = match Config::load(argument, Path::new(config::INSTALLED)) {
        Ok(config) => {
            let file = argument.map_or_else(
                || match Path::new(config::INSTALLED).exists() {
                    true => config::INSTALLED.to_owned(),
                    false => "none; the defaults hold".to_owned(),
                },
                |file| file.display().to_string(),
            );
            findings.push(Finding::well("configuration", file));
            config
        }
        Err(error) => {
            let remedy = "correct that line; until then the kiosk runs with its defaults, and so does this examination";
            findings.push(Finding::wrong("configuration", error.to_string(), remedy));
            Config::default()
        }
    };
    let catalogue = here::demos(demos, executable, &mut findings);
    here::screen(&mut findings);
    let version = here::open_mpi(&config, &mut findings).await;
    far::nodes(&config, &catalogue, version.as_deref(), &mut findings).await;
    slurm::examine(&config, &mut findings).await;
    findings
}

/// What a command says.
struct Said {
    /// Its status; `None` if a signal ended it.
    status: Option<i32>,
    /// Whether it was content.
    is_content: bool,
    /// Its standard output.
    output: String,
    /// The last line of its standard error.
    complaint: String,
}

impl Said {
    /// Whether it is ssh itself that failed, which it says by this status.
    fn is_sshs(&self) -> bool {
        self.status == Some(255)
    }
}

/// Runs a command without input.
///
/// # Errors
/// In a sentence, if it cannot be run or takes too long; it is killed then.
async fn ask(words: &[String]) -> Result<Said, String> {
    let (program, arguments) = words.split_first().ok_or("there is no program to run")?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).env("LC_ALL", "C").kill_on_drop(true);
    let output = timeout(LIMIT, command.output()).await;
    let output = output.map_err(|_| format!("no answer within {} s", LIMIT.as_secs()))?;
    let output = output.map_err(|error| format!("{program} cannot be run: {error}"))?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    Ok(Said {
        status: output.status.code(),
        is_content: output.status.success(),
        output: String::from_utf8_lossy(&output.stdout).into_owned(),
        complaint: complaint.lines().last().unwrap_or_default().trim().to_owned(),
    })
}

/// The findings as lines for a terminal.
pub fn report(findings: &[Finding]) -> String {
    let mut text = String::new();
    for Finding { what, found, remedy } in findings {
        let mark = if remedy.is_none() { "ok   " } else { "WRONG" };
        text += &format!("{mark} {what}: {found}\n");
        if let Some(remedy) = remedy {
            text += &format!("      what to do: {remedy}\n");
        }
    }
    let wrong = findings.iter().filter(|finding| finding.remedy.is_some()).count();
    text += &match wrong {
        0 => "All is well.\n".to_owned(),
        1 => "One thing is wrong.\n".to_owned(),
        several => format!("{several} things are wrong.\n"),
    };
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_counts_what_is_wrong_and_says_what_to_do() {
        let well = Finding::well("screen", "a window");
        let wrong = Finding::wrong("ssh to a", "no answer", "switch it on");
        assert_eq!(report(std::slice::from_ref(&well)), "ok    screen: a window\nAll is well.\n");
        assert_eq!(
            report(&[well, wrong]),
            "ok    screen: a window\nWRONG ssh to a: no answer\n      what to do: switch it on\nOne thing is wrong.\n"
        );
    }

    #[test]
    fn a_command_that_is_not_there_or_fails_is_said() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let ask = |words: &[String]| runtime.block_on(super::ask(words));
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert!(ask(&words("/nonexistent x")).is_err_and(|said| said.contains("/nonexistent")));
        let said = ask(&words("ls /nonexistent")).unwrap();
        assert!(!said.is_content && said.complaint.contains("No such file"), "{}", said.complaint);
    }
}
