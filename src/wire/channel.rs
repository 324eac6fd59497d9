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

/// The variable that says what is to compute, as [`Devices`] writes it; where it is not set the demo chooses.
pub const DEVICES_VARIABLE: &str = "HPC_KIOSK_DEVICES";

/// The variable that says how many cores each rank is to compute with; where it is not set the demo chooses.
pub const THREADS_VARIABLE: &str = "HPC_KIOSK_THREADS";

/// What is to compute a rank.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Processor {
    /// What the demo finds best.
    #[default]
    Auto,
    /// The processor.
    Cpu,
    /// A graphics processor, where there is one.
    Gpu,
}

impl Processor {
    const ALL: [(Self, &str); 3] = [(Self::Auto, "auto"), (Self::Cpu, "cpu"), (Self::Gpu, "gpu")];
}

impl fmt::Display for Processor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::ALL.iter().find(|(known, _)| known == self).map_or("", |(_, name)| name);
        f.write_str(name)
    }
}

impl FromStr for Processor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.iter().find(|(_, name)| *name == text).map(|(known, _)| *known).ok_or(())
    }
}

/// What is to compute on each host of a run, in words such as `cpu` or `gpu,ground-control=cpu`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Devices {
    /// Everywhere else.
    pub all: Processor,
    /// On hosts of these names.
    pub hosts: Vec<(String, Processor)>,
}

impl Devices {
    /// What is to compute on `host`.
    pub fn on(&self, host: &str) -> Processor {
        let own = self.hosts.iter().find(|(name, _)| name == host);
        own.map_or(self.all, |(_, processor)| *processor)
    }
}

impl fmt::Display for Devices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.all)?;
        self.hosts.iter().try_for_each(|(name, processor)| write!(f, ",{name}={processor}"))
    }
}

/// The text says of no host what is to compute there.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' names no devices: write auto, cpu or gpu, and after commas HOST=cpu or HOST=gpu")]
pub struct DevicesError(String);

impl FromStr for Devices {
    type Err = DevicesError;

    fn from_str(text: &str) -> Result<Self, DevicesError> {
        let mut words = text.split(',');
        let all = words.next().and_then(|word| word.parse().ok());
        let own = |word: &str| {
            let (name, processor) = word.split_once('=')?;
            Some((name.to_owned(), processor.parse().ok()?))
        };
        let hosts: Option<Vec<_>> = words.map(own).collect();
        let devices = all.zip(hosts).map(|(all, hosts)| Self { all, hosts });
        devices.ok_or_else(|| DevicesError(text.into()))
    }
}

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
    fn devices_survive_the_environment_and_a_host_may_have_its_own() {
        for text in ["auto", "cpu", "gpu,ground-control=cpu", "auto,a=gpu,b=cpu"] {
            assert_eq!(text.parse::<Devices>().unwrap().to_string(), text);
        }
        let devices: Devices = "gpu,ground-control=cpu".parse().unwrap();
        assert_eq!(devices.on("ground-control"), Processor::Cpu);
        assert_eq!(devices.on("major-tom"), Processor::Gpu);
        for text in ["", "GPU", "gpu,", "gpu,a", "gpu,a=b", "a=gpu"] {
            let error = text.parse::<Devices>().unwrap_err().to_string();
            assert!(error.contains("write auto, cpu or gpu"), "{error}");
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
