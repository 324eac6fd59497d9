//! Who is let in: peers on real sockets, some of which are not the demo.

#![allow(clippy::unwrap_used, reason = "helpers of a test fail as the test does")]

use std::{future::Future, net::IpAddr, time::Duration};

use kiosk::supervisor::channel::{Introduced, Listening, Refusal, Token, new_token};
use tokio::{
    io::{AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpStream, UnixStream},
    time::timeout,
};
use wire::{
    WireError,
    channel::Address,
    demo::{Alive, Device, Hello, PixelFormat, Rank},
};

const PATIENCE: Duration = Duration::from_secs(20);

fn in_time<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { timeout(PATIENCE, test).await.unwrap() })
}

fn hello(token: Token) -> Vec<u8> {
    let rank = Rank { x: 0, y: 0, width: 4, height: 3, device: Device::Cpu, host: "pi".into() };
    let mut bytes = Vec::new();
    Hello { token, format: PixelFormat::Rgb, width: 4, height: 3, ranks: vec![rank] }
        .encode(&mut bytes);
    bytes
}

fn path(listening: &Listening) -> String {
    match listening.address() {
        Address::Unix(path) => path.to_str().unwrap().into(),
        Address::Tcp(address) => address.to_string(),
    }
}

async fn connect(listening: &Listening, bytes: &[u8]) -> Box<dyn AsyncWrite + Unpin> {
    let mut stream: Box<dyn AsyncWrite + Unpin> = match listening.address() {
        Address::Unix(path) => Box::new(UnixStream::connect(path).await.unwrap()),
        Address::Tcp(address) => Box::new(TcpStream::connect(address).await.unwrap()),
    };
    stream.write_all(bytes).await.unwrap();
    stream
}

/// The demo, once all who are refused have been.
async fn admitted(listening: &mut Listening) -> (Introduced, Vec<Refusal>) {
    let mut refused = Vec::new();
    loop {
        match listening.next().await {
            Ok(introduced) => return (introduced, refused),
            Err(refusal) => refused.push(refusal),
        }
    }
}

fn other(token: Token) -> Token {
    let mut other = token;
    other[31] ^= 1;
    other
}

#[test]
fn the_one_who_knows_the_token_is_let_in_past_silent_and_wrong_ones() {
    in_time(async {
        let folder = tempfile::tempdir().unwrap();
        let token = new_token().unwrap();
        let mut listening = Listening::on_this_machine(folder.path(), token).unwrap();
        let mut others = Vec::new();
        for _ in 0..20 {
            others.push(connect(&listening, b"").await);
        }
        others.push(connect(&listening, &hello(other(token))).await);
        others.push(connect(&listening, &hello(token)[..20]).await);
        let demo = connect(&listening, &hello(token)).await;
        let (introduced, refused) = admitted(&mut listening).await;
        assert_eq!((introduced.hello.width, introduced.hello.height), (4, 3));
        assert!(refused.iter().all(|refusal| *refusal == Refusal::WrongToken), "{refused:?}");
        drop((demo, others));
    });
}

#[test]
fn what_comes_right_after_the_hello_is_not_lost() {
    in_time(async {
        let folder = tempfile::tempdir().unwrap();
        let token = new_token().unwrap();
        let mut listening = Listening::on_this_machine(folder.path(), token).unwrap();
        let mut bytes = hello(token);
        let mut alive = Vec::new();
        Alive { step: 9 }.encode(&mut alive);
        bytes.extend_from_slice(&alive);
        // The demo is gone before anybody looked.
        drop(connect(&listening, &bytes).await);
        let (mut introduced, _) = admitted(&mut listening).await;
        let mut rest = Vec::new();
        introduced.read.read_to_end(&mut rest).await.unwrap();
        assert_eq!(rest, alive);
    });
}

#[test]
fn a_peer_that_leaves_early_is_forgotten() {
    in_time(async {
        let folder = tempfile::tempdir().unwrap();
        let token = new_token().unwrap();
        let mut listening = Listening::on_this_machine(folder.path(), token).unwrap();
        drop(connect(&listening, &hello(token)[..50]).await);
        assert_eq!(listening.next().await.err(), Some(Refusal::Left));
        let _demo = connect(&listening, &hello(token)).await;
        assert!(listening.next().await.is_ok());
    });
}

#[test]
fn nonsense_from_this_machine_is_the_demos_fault_and_from_the_network_anybodys() {
    in_time(async {
        let folder = tempfile::tempdir().unwrap();
        let token = new_token().unwrap();
        let local = Listening::on_this_machine(folder.path(), token).unwrap();
        let network = Listening::on_network(IpAddr::from([127, 0, 0, 1]), token).await.unwrap();
        assert!(path(&network).starts_with("127.0.0.1:"));
        for (mut listening, is_local) in [(local, true), (network, false)] {
            let mut version = hello(token);
            version[12] = 2;
            // Whoever knows the token is the demo, wherever it is.
            let _peer = connect(&listening, &version).await;
            let expected = Refusal::Garbage(WireError::Version(2));
            assert_eq!(listening.next().await.err(), Some(expected));
            let mut stranger = hello([b'x'; 32]);
            stranger[12] = 2;
            for (bytes, error) in [
                (stranger, WireError::Version(2)),
                (
                    b"GET / HTTP/1.1\r\n\r\n".to_vec(),
                    WireError::TooLong {
                        kind: "unknown",
                        length: u32::from_le_bytes(*b"/ HT"),
                        limit: 65536,
                    },
                ),
                (b"\x02\0\0\0\x20\0\0\0".to_vec(), WireError::Magic([2, 0, 0, 0])),
            ] {
                let _peer = connect(&listening, &bytes).await;
                let expected = if is_local { Refusal::Garbage(error) } else { Refusal::WrongToken };
                assert_eq!(listening.next().await.err(), Some(expected));
            }
            let _demo = connect(&listening, &hello(token)).await;
            assert!(listening.next().await.is_ok());
        }
    });
}

#[test]
fn tokens_are_letters_and_digits_and_never_the_same() {
    let tokens: Vec<Token> = (0..100).map(|_| new_token().unwrap()).collect();
    assert!(tokens.iter().flatten().all(u8::is_ascii_alphanumeric));
    let different: std::collections::HashSet<_> = tokens.iter().collect();
    assert_eq!(different.len(), tokens.len());
}
