//! `hpc-kiosk watch node` as an owner uses it who looks for a fault: in a terminal, in a pipe, at a wrong address.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "../../agent/tests/running/mod.rs"]
mod running;
mod scripted;
#[path = "../../agent/tests/tree/mod.rs"]
mod tree;

use std::{
    io::{BufRead, BufReader},
    process::{Command, Output, Stdio},
};

use running::Agent;
use scripted::{Scripted, answer};
use tree::{Tree, board};

fn watch(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hpc-kiosk"));
    command.args(["watch", "node"]).args(arguments).env_remove("DISPLAY").stdin(Stdio::null());
    command
}

/// What it prints, without the time at the start of each line.
fn lines(output: &Output) -> Vec<String> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines()
        .map(|line| {
            let (time, rest) = line.split_once(' ').unwrap();
            assert_eq!(time.len(), "12:34:56.789".len(), "{line}");
            rest.to_owned()
        })
        .collect()
}

#[test]
fn every_line_has_a_value_its_unit_its_origin_and_its_age() {
    let (nano, pi) = (Tree::of(board("jetson-nano")), Tree::of(board("raspberry-pi-5")));
    let agents = [&nano, &pi].map(|tree| Agent::start_at(tree.root()));
    let said = agents.each_ref().map(|agent| {
        let address = agent.address.to_string();
        // Commands of a captured Pi, which answer later than its files, have answered by the third.
        let output = watch(&[&address, "--count", "4"]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        lines(&output)
    });
    for line in said.iter().flatten() {
        let (_, rest) = line.split_once(" = ").unwrap_or_else(|| panic!("{line}"));
        let parts: Vec<&str> = rest.rsplitn(3, ", ").collect();
        assert!(["measured", "estimated"].contains(&parts[1]), "{line}");
        assert!(parts[0].ends_with(" s old"), "{line}");
    }
    let has = |said: &[String], start: &str| said.iter().any(|line| line.starts_with(start));
    assert!(has(&said[0], "temperature CPU-therm = "), "{:#?}", said[0]);
    assert!(has(&said[0], "rail POM_5V_IN = "), "{:#?}", said[0]);
    assert!(has(&said[0], "gpu 0 load = "), "{:#?}", said[0]);
    assert!(has(&said[1], "power of the board = 7.37 W, estimated, "), "{:#?}", said[1]);
}

#[test]
fn a_node_of_the_configuration_is_known_by_its_name() {
    let agent = Agent::start();
    let file = tempfile::NamedTempFile::new().unwrap();
    let port = agent.address.port();
    let text = format!("[[node]]\nname = 'ziggy'\naddress = '127.0.0.1'\nagent_port = {port}\n");
    std::fs::write(file.path(), text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_hpc-kiosk"));
    command.arg("--config").arg(file.path()).args(["watch", "node", "ziggy", "--count", "1"]);
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(lines(&output).iter().any(|line| line.starts_with("kernel = ")));
}

#[test]
fn this_machine_needs_no_agent() {
    let output = watch(&["local", "--count", "2"]).output().unwrap();
    let said = lines(&output);
    assert!(output.status.success());
    assert!(said.iter().any(|line| line.starts_with("load = ")), "{said:#?}");
}

#[test]
fn what_is_wrong_is_said_and_the_program_fails() {
    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let page = Scripted::saying(answer("200 OK", "Content-Type: text/html\r\n", "<html>"));
    for (address, message) in [
        (unused.to_string(), "no reading: no agent listens there"),
        (
            page.address.to_string(),
            "no reading: answers with 'text/html' instead of metrics; check its address and port",
        ),
    ] {
        let output = watch(&[&address, "--count", "1"]).output().unwrap();
        assert_eq!(
            (output.status.code(), &lines(&output)[..]),
            (Some(1), &[message.to_owned()][..])
        );
    }
    let output = watch(&["http://major-tom:9100/metrics"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("write it without http:// and path"), "{said}");
}

#[test]
fn who_has_seen_enough_closes_the_pipe() {
    let agent = Agent::start();
    let mut watching = watch(&[&agent.address.to_string()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    BufReader::new(watching.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let output = watching.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
}
