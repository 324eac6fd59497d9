//! This machine's addresses, from what the kernel says in /proc: no program has to be there for that.

use std::{
    fs,
    net::{Ipv4Addr, Ipv6Addr},
    path::Path,
};

/// Most bytes of a table that are looked at.
const MAX_BYTES: usize = 1 << 20;

/// All of them below `root`, but for those that only this machine itself can use.
pub fn addresses(root: &Path) -> Vec<String> {
    let read = |name: &str| {
        let bytes = fs::read(root.join(name)).unwrap_or_default();
        String::from_utf8_lossy(&bytes[..bytes.len().min(MAX_BYTES)]).into_owned()
    };
    let mut found = ipv4(&read("proc/net/fib_trie"));
    found.extend(ipv6(&read("proc/net/if_inet6")));
    found
}

/// From /proc/net/fib_trie: the addresses whose next line says that they are this host's own.
fn ipv4(trie: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut address = None;
    for line in trie.lines() {
        if let Some((_, text)) = line.split_once("|-- ") {
            address = text.trim().parse::<Ipv4Addr>().ok();
        } else if line.trim() == "/32 host LOCAL"
            && let Some(own) = address.filter(|own| !own.is_loopback())
            && !found.contains(&own.to_string())
        {
            found.push(own.to_string());
        }
    }
    found
}

/// From /proc/net/if_inet6: address, interface, prefix, scope (0: the whole world's), flags, name.
fn ipv6(table: &str) -> impl Iterator<Item = String> + '_ {
    table.lines().filter_map(|line| {
        let mut fields = line.split_whitespace();
        let address = u128::from_str_radix(fields.next()?, 16).ok()?;
        (fields.nth(2)? == "00").then(|| Ipv6Addr::from(address).to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_addresses_are_told_once_and_loopback_is_not() {
        let trie = "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 0.0.0.0\n        /0 universe UNICAST\n     |-- 192.168.0.0\n        \
             /24 link UNICAST\nLocal:\n     |-- 127.0.0.1\n        /32 host LOCAL\n           |-- 192.168.0.1\n              \
             /32 host LOCAL\n           |-- 192.168.0.255\n              /32 link BROADCAST\n           |-- 192.168.0.1\n              /32 host LOCAL\n";
        assert_eq!(ipv4(trie), ["192.168.0.1"]);
        let table = "fe80000000000000be2411fffe000001 02 40 20 80     eth0\n\
             20010db8000000000000000000000001 02 40 00 80     eth0\n\
             00000000000000000000000000000001 01 80 10 80       lo\n";
        assert_eq!(ipv6(table).collect::<Vec<_>>(), ["2001:db8::1"]);
    }

    #[test]
    fn nonsense_is_no_address() {
        assert_eq!(ipv4("|-- x\n/32 host LOCAL\n/32 host LOCAL"), [] as [String; 0]);
        assert_eq!(ipv6("zz 02 40 00\n1 2\n\n").count(), 0);
    }
}
