//! Answers HTTP: few connections at once, each on a thread of its own and bounded in size and time.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use agent::Node;
use wire::metrics::Format;

use crate::request::{self, MAX_HEAD, Refused, Request};

/// Most connections at once: a kiosk, a Prometheus, their likes, and someone with a browser.
const MAX_CONNECTIONS: usize = 16;
/// Longest time for a request from its first byte, and for the first byte of the first request.
const HEAD_LIMIT: Duration = Duration::from_secs(5);
/// Longest time between two requests of a connection; Prometheus asks every 15 s unless told otherwise.
const IDLE_LIMIT: Duration = Duration::from_secs(60);
/// Longest time for an answer to be taken.
const WRITE_LIMIT: Duration = Duration::from_secs(5);
/// Between two tries to accept when the system has no file descriptor left.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);
/// Stack of a connection's thread; its buffers are on the heap.
const STACK: usize = 128 * 1024;
const PLAIN: &str = "text/plain; charset=utf-8";

/// Listens at `address`. An address that this machine does not have yet, as while its network starts, is tried again
/// every second; `wait` is told of it once.
///
/// # Errors
/// If the address can never be listened at.
pub fn listen(address: SocketAddr, mut wait: impl FnMut()) -> io::Result<TcpListener> {
    let mut told = false;
    loop {
        match TcpListener::bind(address) {
            Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => {
                if !told {
                    wait();
                }
                told = true;
                thread::sleep(Duration::from_secs(1));
            }
            other => return other,
        }
    }
}

/// Serves for ever.
pub fn serve(listener: &TcpListener, node: &Arc<Node>) -> ! {
    let open = Arc::new(AtomicUsize::new(0));
    loop {
        let Ok((stream, _)) = listener.accept() else {
            thread::sleep(ACCEPT_RETRY);
            continue;
        };
        let place = Place::take(&open);
        if MAX_CONNECTIONS < place.0.load(Ordering::Relaxed) {
            refuse(stream);
            continue;
        }
        let node = node.clone();
        let thread = thread::Builder::new().name("connection".into()).stack_size(STACK);
        // Without a thread the connection is closed; the client tries again.
        let _ = thread.spawn(move || {
            let _place = place;
            let _ = Connection::new(stream).serve(&node);
        });
    }
}

/// One of the connections that may be open.
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(open: &Arc<AtomicUsize>) -> Self {
        open.fetch_add(1, Ordering::Relaxed);
        Self(open.clone())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Says that there is no place. A new connection has room for so few bytes: this does not wait.
fn refuse(mut stream: TcpStream) {
    let text = format!("all {MAX_CONNECTIONS} connections are in use; close one or try again\n");
    let answer = answer("503 Service Unavailable", PLAIN, &text, false, false);
    let _ = stream.set_nonblocking(true);
    let _ = stream.write_all(answer.as_bytes());
    let _ = stream.shutdown(Shutdown::Write);
    // What was sent so far is taken, or closing would tear down the answer too.
    let _ = stream.read(&mut [0; MAX_HEAD]);
}

struct Connection {
    stream: TcpStream,
    /// What has arrived and is not answered.
    bytes: Vec<u8>,
}

impl Connection {
    fn new(stream: TcpStream) -> Self {
        Self { stream, bytes: Vec::with_capacity(1024) }
    }

    /// Answers requests until the client or a limit ends it.
    fn serve(mut self, node: &Node) -> io::Result<()> {
        self.stream.set_nodelay(true)?;
        let mut patience = HEAD_LIMIT;
        loop {
            match self.request(patience)? {
                None => return Ok(()),
                Some(Err(refused)) => {
                    let status = match refused {
                        Refused::Malformed => "400 Bad Request",
                        Refused::TooLong => "431 Request Header Fields Too Large",
                    };
                    self.write(&answer(status, PLAIN, status, false, false))?;
                    return self.leave();
                }
                Some(Ok(request)) => {
                    self.write(&answered(&request, node))?;
                    if !request.keep_alive {
                        return self.leave();
                    }
                }
            }
            patience = IDLE_LIMIT;
        }
    }

    /// The next request, whose first byte comes within `patience`; `None` if none comes.
    fn request(&mut self, patience: Duration) -> io::Result<Option<Result<Request, Refused>>> {
        let mut deadline = Instant::now() + patience;
        if !self.bytes.is_empty() {
            deadline = Instant::now() + HEAD_LIMIT;
        }
        loop {
            if !self.bytes.is_empty() {
                match request::parse(&self.bytes) {
                    Ok(None) => {}
                    Ok(Some(request)) => {
                        self.bytes.drain(..request.length);
                        return Ok(Some(Ok(request)));
                    }
                    Err(refused) => return Ok(Some(Err(refused))),
                }
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            self.stream.set_read_timeout(Some(left))?;
            let mut part = [0; 2048];
            let room = part.len().min(MAX_HEAD.saturating_sub(self.bytes.len()).max(1));
            match self.stream.read(&mut part[..room]) {
                Ok(0) => return Ok(None),
                Ok(count) => {
                    if self.bytes.is_empty() {
                        deadline = Instant::now() + HEAD_LIMIT;
                    }
                    self.bytes.extend_from_slice(&part[..count]);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn write(&mut self, text: &str) -> io::Result<()> {
        let deadline = Instant::now() + WRITE_LIMIT;
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            self.stream.set_write_timeout(Some(left))?;
            match self.stream.write(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => rest = &rest[count..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Ends the connection so that the answer arrives: what the client still sends is taken for a moment.
    fn leave(mut self) -> io::Result<()> {
        self.stream.shutdown(Shutdown::Write)?;
        self.stream.set_read_timeout(Some(Duration::from_millis(200)))?;
        let mut taken = 0;
        let mut part = [0; 2048];
        while taken < 8 * MAX_HEAD {
            match self.stream.read(&mut part)? {
                0 => break,
                count => taken += count,
            }
        }
        Ok(())
    }
}

fn answered(request: &Request, node: &Node) -> String {
    let (kept, is_head) = (request.keep_alive, request.method == "HEAD");
    if !is_head && request.method != "GET" {
        let text = "only GET and HEAD are understood here\n";
        return answer("405 Method Not Allowed\r\nAllow: GET, HEAD", PLAIN, text, kept, false);
    }
    match &request.path[..] {
        "/metrics" => {
            let format = Format::accepted(&request.accept);
            let mut body = String::with_capacity(16 * 1024);
            node.metrics(format, &mut body);
            answer("200 OK", format.content_type(), &body, kept, is_head)
        }
        "/" => {
            let text = "hpc-kiosk-agent: what this node does is at /metrics\n";
            answer("200 OK", PLAIN, text, kept, is_head)
        }
        _ => answer("404 Not Found", PLAIN, "there is only /metrics here\n", kept, is_head),
    }
}

/// A whole answer; to `HEAD` without the body.
fn answer(status: &str, kind: &str, body: &str, keep_alive: bool, is_head: bool) -> String {
    let connection = if keep_alive { "keep-alive" } else { "close" };
    let length = body.len();
    let body = if is_head { "" } else { body };
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: {connection}\r\n\r\n{body}"
    )
}
