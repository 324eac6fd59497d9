//! Where a demo finds the kiosk: the words of two environment variables.

use std::{fmt, net::SocketAddr, path::PathBuf, str::FromStr};

/// The variable that holds the [`Address`].
pub const CHANNEL_VARIABLE: &str = "HPC_KIOSK_CHANNEL";
/// The variable that holds the run's token.
pub const TOKEN_VARIABLE: &str = "HPC_KIOSK_TOKEN";
/// The variable that holds the canvas' size, such as `800x400`.
pub const CANVAS_VARIABLE: &str = "HPC_KIOSK_CANVAS";

/// The variable that is `1` where a demo is started in advance: after its hello it sleeps until it is told to begin.
pub const WAIT_VARIABLE: &str = "HPC_KIOSK_WAIT";

/// A socket that the kiosk listens on: local, or on the network for a demo on another host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// `unix:PATH`
    Unix(PathBuf),
    /// `tcp:ADDRESS:PORT`
    Tcp(SocketAddr),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Unix(path) => write!(f, "unix:{}", path.display()),
            Address::Tcp(address) => write!(f, "tcp:{address}"),
        }
    }
}

/// The text is not the address of a channel.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a channel: write unix:PATH or tcp:ADDRESS:PORT")]
pub struct AddressError(String);

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let parsed = match text.split_once(':') {
            Some(("unix", path)) if !path.is_empty() => Some(Address::Unix(path.into())),
            Some(("tcp", address)) => address.parse().ok().map(Address::Tcp),
            _ => None,
        };
        parsed.ok_or_else(|| AddressError(text.into()))
    }
}

/// Reads a size written as `WIDTHxHEIGHT`, pixels; `None` for anything else.
pub fn parse_size(text: &str) -> Option<(u16, u16)> {
    let (width, height) = text.split_once('x')?;
    Some((width.parse().ok()?, height.parse().ok()?)).filter(|(w, h)| 0 < *w && 0 < *h)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_survive_the_environment() {
        for text in ["unix:/run/user/0/hpc-kiosk/1.sock", "tcp:192.168.0.1:7000", "tcp:[::1]:80"] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn nonsense_is_told_the_two_forms() {
        for text in ["", "unix:", "tcp:host", "http://x"] {
            let error = text.parse::<Address>().unwrap_err().to_string();
            assert!(error.contains("unix:PATH or tcp:ADDRESS:PORT"), "{error}");
        }
    }
}
