//! `agent.toml`: what the owner tells the agent.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use agent::Settings;
use serde::Deserialize;
use toml_file::{Source, TomlFileError};

/// Most bytes of the file.
const MAX_FILE: u64 = 64 * 1024;
/// Most folders under `storage`; each is asked at every scrape.
const MAX_STORAGE: usize = 16;
/// The port of our metrics, beside node_exporter's 9100.
const PORT: u16 = 9101;

/// The configuration; every key may be missing.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Address and port to answer at.
    pub listen: SocketAddr,
    /// Folders whose file system's space is reported.
    pub storage: Vec<PathBuf>,
    /// Whether a fan is fitted.
    pub fan_fitted: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, PORT).into(),
            storage: vec!["/mnt/cluster-workspace".into()],
            fan_fitted: true,
        }
    }
}

impl Config {
    /// Reads `file`.
    ///
    /// # Errors
    /// Names the file, and the line and key that are wrong.
    pub fn read(file: &Path) -> Result<Self, TomlFileError> {
        let text = toml_file::read(file, MAX_FILE)?;
        Self::parse(&Source { file, text: &text })
    }

    fn parse(source: &Source) -> Result<Self, TomlFileError> {
        let config: Self = source.parse()?;
        let at = source.text.find("storage").unwrap_or(0);
        let wrong = |problem: String| source.wrong(at..at, "storage", problem);
        if MAX_STORAGE < config.storage.len() {
            return Err(wrong(format!("more than {MAX_STORAGE} folders; name fewer")));
        }
        if let Some(folder) = config.storage.iter().find(|folder| !folder.is_absolute()) {
            let folder = folder.display();
            return Err(wrong(format!("'{folder}' is no absolute path; begin it with '/'")));
        }
        Ok(config)
    }

    /// What of it is the reader's.
    pub fn settings(self, root: PathBuf) -> Settings {
        Settings { root, storage: self.storage, fan_fitted: self.fan_fitted }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Config, String> {
        let source = Source { file: Path::new("agent.toml"), text };
        Config::parse(&source).map_err(|error| error.to_string())
    }

    #[test]
    fn the_shipped_example_says_what_holds_without_it() {
        let example = include_str!("../../assets/agent.toml");
        assert_eq!(parsed(example).unwrap(), Config::default());
        let config = Config::default();
        for key in ["listen", "storage", "fan_fitted"] {
            assert!(example.contains(&format!("\n{key} = ")), "{key} is not explained");
        }
        assert!(config.listen.ip().is_loopback());
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let cases = [
            (
                "lisen = '127.0.0.1:1'\n",
                "agent.toml, line 1, key 'lisen': there is no such key; the nearest known one is 'listen'",
            ),
            ("\nlisten = 'node:x'\n", "agent.toml, line 2, key 'listen': "),
            (
                "storage = ['srv']\n",
                "agent.toml, line 1, key 'storage': 'srv' is no absolute path; begin it with '/'",
            ),
            ("fan_fitted = 'no'\n", "agent.toml, line 1, key 'fan_fitted': "),
        ];
        for (text, message) in cases {
            let said = parsed(text).unwrap_err();
            assert!(said.starts_with(message), "{said}");
        }
        let many = format!("storage = [{}]\n", "'/a', ".repeat(17));
        assert!(parsed(&many).unwrap_err().contains("more than 16 folders"));
    }
}
