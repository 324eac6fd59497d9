//! The board: its model, the release of its maker's software, the power mode it is set to.

use std::time::Duration;

use wire::metrics::family;

use super::{Outcome, Source};
use crate::{
    command,
    root::{Root, name, printable},
    samples::Samples,
};

/// None of it changes by itself.
const FRESH: Duration = Duration::from_secs(10);
const KEPT: Duration = Duration::from_secs(30);
/// How long NVIDIA's tool may take.
const LIMIT: Duration = Duration::from_secs(1);

pub struct Board {
    root: Root,
}

impl Board {
    pub fn new(root: Root) -> Self {
        Self { root }
    }
}

impl Source for Board {
    fn name(&self) -> &str {
        "board"
    }

    fn read(&mut self, found: &mut Samples) -> Outcome {
        let release = self.root.text("etc/nv_tegra_release").ok().as_deref().and_then(l4t_release);
        if let Some(model) = model(&self.root) {
            let release = release.clone().unwrap_or_default();
            let labels = [("model", model.into()), ("release", release.into())];
            found.add(&family::BOARD, labels, 1.0);
        }
        // Only Jetsons have modes that we know how to ask for.
        if release.is_some()
            && let Some(mode) = self.power_mode()
        {
            found.add(&family::POWER_MODE, [("mode", mode.into())], 1.0);
        }
        if found.is_empty() { Outcome::Missing } else { Outcome::Read }
    }

    fn fresh_for(&self) -> Duration {
        FRESH
    }

    fn kept_for(&self) -> Duration {
        KEPT
    }
}

impl Board {
    /// By NVIDIA's tool, which some releases answer to root only; else by the file it leaves.
    fn power_mode(&self) -> Option<String> {
        let program = self.root.at("usr/sbin/nvpmodel");
        let said = program.exists().then(|| command::output(&program, &["-q"], LIMIT)).flatten();
        said.as_deref().and_then(said_mode).or_else(|| {
            let status = self.root.text("var/lib/nvpmodel/status").ok()?;
            let modes = self.root.text("etc/nvpmodel.conf").ok()?;
            mode_name(&modes, status_mode(&status)?)
        })
    }
}

/// From the device tree, else from what a PC's maker wrote into its tables.
fn model(root: &Root) -> Option<String> {
    name(&root.at("proc/device-tree/model")).or_else(|| {
        let tables = root.at("sys/class/dmi/id");
        let product = name(&tables.join("product_name"))?;
        let vendor = name(&tables.join("sys_vendor")).unwrap_or_default();
        Some(format!("{vendor} {product}").trim().into())
    })
}

/// `L4T 32.6.1` from `# R32 (release), REVISION: 6.1, ...`.
fn l4t_release(text: &str) -> Option<String> {
    let line = text.lines().next()?.strip_prefix("# R")?;
    let (major, rest) = line.split_once(' ')?;
    let (_, rest) = rest.split_once("REVISION: ")?;
    let minor = rest.split(',').next()?.trim();
    let is_number =
        |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || c == '.');
    (is_number(major) && is_number(minor)).then(|| printable(&format!("L4T {major}.{minor}")))
}

/// `MAXN` from `NV Power Mode: MAXN`.
fn said_mode(said: &str) -> Option<String> {
    let mode = said.lines().find_map(|line| line.split_once("NV Power Mode:"))?.1.trim();
    (!mode.is_empty()).then(|| printable(mode))
}

/// `0` from `pmode:0000`.
fn status_mode(status: &str) -> Option<u32> {
    status.trim().strip_prefix("pmode:")?.split_ascii_whitespace().next()?.parse().ok()
}

/// The name in `< POWER_MODEL ID=0 NAME=MAXN >` of NVIDIA's configuration.
fn mode_name(modes: &str, wanted: u32) -> Option<String> {
    modes.lines().filter(|line| line.trim_start().starts_with("< POWER_MODEL")).find_map(|line| {
        let value = |key| line.split_ascii_whitespace().find_map(|word| word.strip_prefix(key));
        (value("ID=")?.parse() == Ok(wanted)).then(|| value("NAME=").map(printable))?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_release_is_in_the_first_line() {
        // As public listings of `/etc/nv_tegra_release` on a Nano have it.
        let text = "# R32 (release), REVISION: 6.1, GCID: 27863751, BOARD: t210ref, EABI: aarch64, \
            DATE: Mon Jul 26 19:20:30 UTC 2021\n";
        assert_eq!(l4t_release(text).unwrap(), "L4T 32.6.1");
        for text in [
            "",
            "# R32 (release)",
            "# R (release), REVISION: 6.1,",
            "# R32 (release), REVISION: x,",
        ] {
            assert_eq!(l4t_release(text), None, "{text}");
        }
    }

    #[test]
    fn the_mode_is_what_the_tool_says_or_its_file() {
        assert_eq!(
            said_mode("NVPM WARN: fan mode is not set!\nNV Power Mode: 5W\n1\n").unwrap(),
            "5W"
        );
        assert_eq!(said_mode("NVPM ERROR: root is needed\n"), None);
        let modes = "# a comment\n< POWER_MODEL ID=0 NAME=MAXN >\n< POWER_MODEL ID=1 NAME=5W >\n";
        assert_eq!(mode_name(modes, status_mode("pmode:0001\n").unwrap()).unwrap(), "5W");
        assert_eq!(mode_name(modes, 2), None);
        assert_eq!(status_mode("pmode:\n"), None);
    }
}
