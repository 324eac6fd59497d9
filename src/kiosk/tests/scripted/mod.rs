//! Servers that do what a script says with whoever asks them: what answers at a node's address when it is no honest agent.

#![allow(dead_code, reason = "not every test needs everything")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

/// A server of this process; it is there until the process ends.
pub struct Scripted {
    /// Where it listens.
    pub address: SocketAddr,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    asked: AtomicU64,
    sent: AtomicU64,
}

/// The connection to somebody who has asked.
pub struct Asker {
    stream: TcpStream,
    counts: Arc<Counts>,
}

impl Scripted {
    /// Starts one that reads a question and then does what `script` says, over and over while that is `Ok`.
    pub fn start(script: impl Fn(&mut Asker) -> io::Result<()> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let counts = Arc::new(Counts::default());
        let (script, shared) = (Arc::new(script), Arc::clone(&counts));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let mut asker = Asker { stream, counts: Arc::clone(&shared) };
                let script = Arc::clone(&script);
                let serve = move || while asker.listen().is_ok() && script(&mut asker).is_ok() {};
                thread::Builder::new().stack_size(128 << 10).spawn(serve).unwrap();
            }
        });
        Self { address, counts }
    }

    /// Starts one that always says this, byte for byte, and then ends the connection.
    pub fn saying(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::start(move |asker| {
            asker.send(&answer)?;
            Err(io::ErrorKind::ConnectionAborted.into())
        })
    }

    /// Starts an honest one with these metrics.
    pub fn honest(text: &str) -> Self {
        let answer = answer("200 OK", "Content-Type: text/plain; version=0.0.4\r\n", text);
        Self::start(move |asker| asker.send(answer.as_bytes()))
    }

    /// How many questions have come.
    pub fn asked(&self) -> u64 {
        self.counts.asked.load(Ordering::Relaxed)
    }

    /// How many bytes were taken, those in the system's buffers included.
    pub fn sent(&self) -> u64 {
        self.counts.sent.load(Ordering::Relaxed)
    }
}

impl Asker {
    fn listen(&mut self) -> io::Result<()> {
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            self.stream.read_exact(&mut byte)?;
            head.push(byte[0]);
        }
        self.counts.asked.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Sends all of it.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)?;
        self.counts.sent.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    /// Sends it again and again, until the other side has enough.
    pub fn send_for_ever(&mut self, bytes: &[u8]) -> io::Result<()> {
        loop {
            self.send(bytes)?;
        }
    }

    /// Sends a byte at a time, `pause` apart.
    pub fn drip(&mut self, bytes: &[u8], pause: Duration) -> io::Result<()> {
        for byte in bytes {
            self.send(&[*byte])?;
            thread::sleep(pause);
        }
        Ok(())
    }

    /// Says nothing more and waits until the other side has gone.
    pub fn fall_silent(&mut self) -> io::Result<()> {
        self.stream.read_to_end(&mut Vec::new())?;
        Err(io::ErrorKind::ConnectionAborted.into())
    }
}

/// An answer of HTTP/1.1 with its length; `headers` end in CRLF.
pub fn answer(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len())
}
