//! `hpc-kiosk watch`: prints what a device says, line by line, for owners who look for a fault; needs no display.

mod lines;
mod meter;
mod room;

use std::{
    io::{self, Write},
    net::IpAddr,
    path::Path,
    process,
    str::FromStr,
    time::Instant,
};

use anyhow::Context;
use clap::{Args, Subcommand};
use kiosk::{
    config::{self, AGENT_PORT, Config, Metrics, NodeAddress, RoomEntry, RoomSource},
    telemetry::{
        Trouble,
        gather::Source,
        http::Budget,
        mapping::{self, Counters, Said},
        reading::Reading,
    },
};
use tokio::time::{MissedTickBehavior, interval};

/// What can be watched.
#[derive(Subcommand)]
pub enum Device {
    /// A node of the cluster: its agent, any node_exporter, or this machine itself
    Node(NodeArguments),
    /// The wall power meter of kiosk.toml, or the first that is found
    Meter(Count),
    /// The sensor of the air in the chassis, as kiosk.toml says it is read
    Room(Count),
}

/// For how long.
#[derive(Args)]
pub struct Count {
    /// Stop after so many readings and failed attempts; without it, at Ctrl-C
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
}

/// Which node, and for how long.
#[derive(Args)]
pub struct NodeArguments {
    /// A node of kiosk.toml by its name, or a host name or IP address, with the port where it is not 9101; "local" reads
    /// this machine without an agent
    #[arg(value_name = "NAME|ADDRESS[:PORT]")]
    node: String,
    #[command(flatten)]
    count: Count,
}

/// Prints until it has printed enough, Ctrl-C, or nobody reads it any more; `config` is the file that `--config` names.
///
/// # Errors
/// If the output cannot be written, or none of `--count` attempts gave a reading.
pub fn run(device: &Device, config: Option<&Path>) -> anyhow::Result<()> {
    let config = match (Config::load(config, Path::new(config::INSTALLED)), config) {
        (Ok(config), _) => config,
        (Err(error), Some(_)) => return Err(error.into()),
        // A file that nobody named must not keep an owner from looking for a fault.
        (Err(error), None) => {
            log::warn!("{error}");
            Config::default()
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = runtime.block_on(async {
        tokio::select! {
            outcome = watch(device, config) => outcome,
            stopped = tokio::signal::ctrl_c() => stopped.map(|()| true).context("cannot listen for Ctrl-C"),
        }
    });
    // A name that is being looked up cannot be given up.
    runtime.shutdown_background();
    match outcome {
        Err(error) if is_broken_pipe(&error) => Ok(()),
        // What was wrong has been said, line by line.
        Ok(false) => process::exit(1),
        outcome => outcome.map(drop),
    }
}

/// Whether there was a reading.
async fn watch(device: &Device, config: Config) -> anyhow::Result<bool> {
    match device {
        Device::Node(arguments) => {
            let named = config.nodes.iter().find(|node| node.name == arguments.node);
            let address = match named {
                Some(node) => node.address.clone(),
                None => address(&arguments.node).map_err(anyhow::Error::msg)?,
            };
            node(&address, arguments.count.count).await
        }
        Device::Meter(Count { count }) => {
            meter::follow(config.meter.unwrap_or_default(), *count).await
        }
        Device::Room(Count { count }) => {
            let entry = config.room.unwrap_or(RoomEntry { source: RoomSource::Auto, gpio: 4 });
            room::follow(entry, *count).await
        }
    }
}

async fn node(address: &NodeAddress, count: Option<u64>) -> anyhow::Result<bool> {
    let mut source = Source::at(address)?;
    let (budget, mut counters) = (Budget::default(), Counters::default());
    let mut ticks = interval(Metrics::default().interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut attempts = 0;
    let mut readings = 0;
    while count.is_none_or(|count| attempts < count) {
        ticks.tick().await;
        attempts += 1;
        let heard = source.metrics(&budget).await.and_then(|text| hear(&text, &mut counters));
        let mut text = String::new();
        match heard {
            Ok((reading, refused)) => {
                readings += 1;
                lines::reading(&reading, refused, Instant::now(), &mut text);
            }
            Err(trouble) => lines::trouble(&trouble, &mut text),
        }
        print(&text)?;
    }
    Ok(readings != 0)
}

fn hear(text: &[u8], counters: &mut Counters) -> Result<(Reading, u64), Trouble> {
    let said = Said::read(std::str::from_utf8(text).unwrap_or_default())?;
    Ok((mapping::reading(&said, counters, Instant::now()), said.refused))
}

fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let now = jiff::Zoned::now().strftime("%H:%M:%S%.3f").to_string();
    for line in text.lines() {
        writeln!(out, "{now} {line}")?;
    }
    out.flush()
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// `local`, a host, or a host and a port; an IPv6 address with a port stands in brackets.
fn address(text: &str) -> Result<NodeAddress, String> {
    if text == "local" {
        return Ok(NodeAddress::Local);
    }
    let refused =
        || format!("'{text}' is not a host or an IP address; write it without http:// and path");
    if text.contains(['/', ' ']) {
        return Err(refused());
    }
    let agent = |host: &str, port| NodeAddress::Agent { host: host.to_owned(), port };
    let bracketed = text.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let (host, port) = match bracketed {
        Some((host, "")) => (host, None),
        Some((host, rest)) => (host, Some(rest.strip_prefix(':').unwrap_or(rest))),
        None if IpAddr::from_str(text).is_ok() => (text, None),
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let port = match port {
        None => AGENT_PORT,
        Some(port) => port.parse().map_err(|_| format!("'{port}' is not a port, 1 to 65535"))?,
    };
    if host.is_empty() { Err(refused()) } else { Ok(agent(host, port)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_understood_with_and_without_a_port() {
        let agent = |host: &str, port| Ok(NodeAddress::Agent { host: host.into(), port });
        assert_eq!(address("local"), Ok(NodeAddress::Local));
        assert_eq!(address("major-tom"), agent("major-tom", 9101));
        assert_eq!(address("major-tom:9100"), agent("major-tom", 9100));
        assert_eq!(address("10.0.0.2"), agent("10.0.0.2", 9101));
        assert_eq!(address("fe80::1"), agent("fe80::1", 9101));
        assert_eq!(address("[fe80::1]:80"), agent("fe80::1", 80));
        for wrong in ["", ":9100", "a:b", "a:70000", "http://a:9100/metrics", "[fe80::1]x"] {
            assert!(address(wrong).is_err(), "{wrong}");
        }
    }
}
