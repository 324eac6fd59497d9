//! `[[node]]`: the one list of the cluster's computers.

use std::{collections::BTreeSet, net::IpAddr, str::FromStr};

use serde::Deserialize;
use toml::Spanned;
use toml_file::{Source, TomlFileError};
use wire::channel::Processor;

use super::{AGENT_PORT, NodeAddress, NodeEntry, check};

/// Most computers; each costs a connection and an hour of history.
const MAX_NODES: usize = 4096;
/// Colours of the palette.
const COLOURS: i64 = 8;
/// Most characters of a name: those of a host name's part (RFC 1035, 2.3.4), which a node's name is.
const MAX_NAME: usize = 63;
/// Most characters of an address: those of a whole host name.
const MAX_ADDRESS: usize = 253;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NodeTable {
    name: Spanned<String>,
    address: Spanned<String>,
    agent_port: Option<Spanned<i64>>,
    colour: Option<Spanned<i64>>,
    slots: Option<Spanned<i64>>,
    usb_pair: Option<Spanned<i64>>,
    device: Option<Spanned<String>>,
}

/// The tables in the order of the file.
///
/// # Errors
/// Names the first wrong line.
pub(super) fn entries(
    tables: Vec<Spanned<NodeTable>>,
    source: &Source<'_>,
) -> Result<Vec<NodeEntry>, TomlFileError> {
    let mut names = BTreeSet::new();
    let mut entries: Vec<NodeEntry> = Vec::new();
    for (place, table) in tables.into_iter().enumerate() {
        let table = table.into_inner();
        let entry = entry(&table, place, source)?;
        let (name, address) = (&table.name, &table.address);
        check(
            place < MAX_NODES,
            source,
            name,
            "name",
            "is one node too many; 4096 may stand here",
        )?;
        check(
            names.insert(name.get_ref().clone()),
            source,
            name,
            "name",
            "is the name of two nodes; each needs its own",
        )?;
        let is_second = entry.address == NodeAddress::Local
            && entries.iter().any(|other| other.address == NodeAddress::Local);
        check(
            !is_second,
            source,
            address,
            "address",
            "is this machine, which is a node already; write the other one's address",
        )?;
        entries.push(entry);
    }
    Ok(entries)
}

fn entry(table: &NodeTable, place: usize, source: &Source<'_>) -> Result<NodeEntry, TomlFileError> {
    let (name, address) = (table.name.get_ref(), table.address.get_ref());
    let is_name = (1..=MAX_NAME).contains(&name.chars().count())
        && !name.chars().any(|character| character.is_control() || character.is_whitespace());
    check(
        is_name,
        source,
        &table.name,
        "name",
        "is not a node's name; write its host name, at most 63 characters without spaces",
    )?;
    check(
        is_host(address),
        source,
        &table.address,
        "address",
        "is not an address; write \"local\", a host name or an IP address; the port stands in agent_port",
    )?;
    let whole = |value: &Option<Spanned<i64>>, key, range: std::ops::RangeInclusive<i64>| {
        let Some(value) = value else { return Ok(None) };
        let problem = format!("is outside {} to {}", range.start(), range.end());
        check(range.contains(value.get_ref()), source, value, key, &problem)?;
        Ok(Some(*value.get_ref()))
    };
    let port = whole(&table.agent_port, "agent_port", 1..=65535)?;
    let colour = whole(&table.colour, "colour", 1..=COLOURS)?;
    let slots = whole(&table.slots, "slots", 1..=256)?;
    let usb_pair = whole(&table.usb_pair, "usb_pair", 1..=16)?;
    let processor = match &table.device {
        None => Processor::Auto,
        Some(device) => match device.get_ref().parse() {
            Ok(processor) => processor,
            Err(()) => {
                let problem = "is no device; write \"auto\", \"cpu\" or \"gpu\"";
                check(false, source, device, "device", problem)?;
                Processor::Auto
            }
        },
    };
    Ok(NodeEntry {
        name: name.clone(),
        address: match &address[..] {
            "local" => NodeAddress::Local,
            host => NodeAddress::Agent {
                host: host.to_owned(),
                port: port.map_or(AGENT_PORT, |port| port as u16),
            },
        },
        colour: colour.map_or(place, |colour| colour as usize - 1),
        slots: slots.map(|slots| slots as u16),
        usb_pair: usb_pair.map(|pair| pair as u8),
        processor,
    })
}

/// Whether it is an IP address or may be a host name; a port, a path or a scheme is neither.
pub(super) fn is_host(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let is_name = (1..=MAX_ADDRESS).contains(&text.len()) && text.bytes().all(is_part);
    is_name || IpAddr::from_str(text).is_ok()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use wire::channel::Processor;

    use crate::config::{Config, NodeAddress};

    fn parse(text: &str) -> Result<Config, String> {
        Config::parse(Path::new("kiosk.toml"), text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_node_has_the_agents_port_and_the_colour_of_its_place_unless_it_says_otherwise() {
        let config = parse(
            "[[node]]\nname = 'a'\naddress = 'local'\n\
             [[node]]\nname = 'b'\naddress = 'b.local'\nslots = 4\nusb_pair = 2\ndevice = 'cpu'\n\
             [[node]]\nname = 'c'\naddress = 'fe80::1'\nagent_port = 9100\ncolour = 8\n",
        )
        .unwrap();
        let agent = |host: &str, port| NodeAddress::Agent { host: host.into(), port };
        let nodes = &config.nodes;
        assert_eq!((&nodes[0].address, nodes[0].colour), (&NodeAddress::Local, 0));
        assert_eq!((&nodes[1].address, nodes[1].colour), (&agent("b.local", 9101), 1));
        assert_eq!((nodes[1].slots, nodes[1].usb_pair), (Some(4), Some(2)));
        assert_eq!((nodes[0].processor, nodes[1].processor), (Processor::Auto, Processor::Cpu));
        assert_eq!((&nodes[2].address, nodes[2].colour), (&agent("fe80::1", 9100), 7));
    }

    #[test]
    fn wrong_nodes_are_named_with_line_and_key() {
        let node = |lines: &str| format!("[[node]]\nname = 'a'\naddress = '10.0.0.1'\n{lines}");
        for (text, message) in [
            ("[[node]]\nname = 'a'\n".into(), "line 1, key 'address': the key is missing; add it"),
            (
                node("agent_prt = 1\n"),
                "line 4, key 'agent_prt': there is no such key; the nearest known one is 'agent_port'",
            ),
            (node("agent_port = 0\n"), "line 4, key 'agent_port': '0' is outside 1 to 65535"),
            (node("colour = 9\n"), "line 4, key 'colour': '9' is outside 1 to 8"),
            (node("slots = -1\n"), "line 4, key 'slots': '-1' is outside 1 to 256"),
            (
                node("device = 'tpu'\n"),
                "line 4, key 'device': 'tpu' is no device; write \"auto\", \"cpu\" or \"gpu\"",
            ),
            (node("usb_pair = 17\n"), "line 4, key 'usb_pair': '17' is outside 1 to 16"),
            (
                node("[[node]]\nname = 'a'\naddress = 'b'\n"),
                "line 5, key 'name': 'a' is the name of two nodes; each needs its own",
            ),
            (
                "[[node]]\nname = 'a'\naddress = 'local'\n[[node]]\nname = 'b'\naddress = 'local'\n".into(),
                "line 6, key 'address': 'local' is this machine, which is a node already; write the other one's address",
            ),
            (
                "[[node]]\nname = 'a'\naddress = 'http://b:9101/'\n".into(),
                "line 3, key 'address': 'http://b:9101/' is not an address; write \"local\", a host name or an IP address; the port stands in agent_port",
            ),
            (
                "[[node]]\nname = 'a b'\naddress = 'b'\n".into(),
                "line 2, key 'name': 'a b' is not a node's name; write its host name, at most 63 characters without spaces",
            ),
        ] {
            assert_eq!(parse(&text), Err(format!("kiosk.toml, {message}")));
        }
    }

    #[test]
    fn more_nodes_than_any_cluster_has_are_refused() {
        let text: String =
            (0..4097).map(|n| format!("[[node]]\nname='{n}'\naddress='h'\n")).collect();
        let message = parse(&text).unwrap_err();
        assert!(message.contains("'4096' is one node too many"), "{message}");
    }
}
