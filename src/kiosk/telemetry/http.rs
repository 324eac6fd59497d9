//! Asks one node for its metrics by HTTP, over one connection that is kept; nothing that answers there can take more than
//! a bounded time and memory.
//!
//! HTTP itself is hyper's: chunked bodies, keep-alive and hostile headers are its daily work.

mod budget;
mod metered;

use std::{io::ErrorKind, net::SocketAddr, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::{
    Request, Response, StatusCode,
    body::{Body, Incoming},
    client::conn::http1::{self, SendRequest},
    header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE, HOST, HeaderName, LOCATION, USER_AGENT},
};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, task::AbortHandle, time};
use wire::metrics::Format;

use super::Trouble;
pub use budget::Budget;
use metered::{Allowance, Metered};

/// How long a name may take to be found, and a computer to take the connection.
const CONNECT: Duration = Duration::from_secs(1);
/// How long everything may take, from the question to the last byte of the answer.
const TOTAL: Duration = Duration::from_secs(2);
/// Most bytes of an answer; a node_exporter of 1,000 cores stays below.
pub const MAX_BODY: usize = 4 << 20;
/// Most bytes that may come for one question before its answer has begun, interim answers and the reader's buffer included.
const MAX_BEFORE: usize = 4 * MAX_HEAD;
/// Most bytes that may come from then on, with everything that HTTP puts around an answer.
const MAX_TRANSFER: usize = 2 * MAX_BODY;
/// Most pieces of an answer: even in the smallest packets of TCP, 536 bytes, one of [`MAX_BODY`] has fewer.
const MAX_PIECES: usize = 8192;
/// Most bytes of the head of an answer.
const MAX_HEAD: usize = 16 << 10;
/// Most headers; agents send three.
const MAX_HEADERS: usize = 64;
/// Most characters of the other side's words in a message.
const MAX_QUOTED: usize = 120;
/// What is said about a head of more than that.
const MANY_HEADERS: &str = "answers with more headers than metrics have";
/// What is asked for: both formats, the newer one rather.
const ACCEPTED: &str = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5";

/// One node's address and the connection to it.
pub struct Client {
    host: String,
    port: u16,
    /// Where the name was found last.
    address: Option<SocketAddr>,
    connection: Option<Connection>,
    reached: Reached,
}

/// How far the newest attempt came: what is wrong if it takes too long.
#[derive(Clone, Copy)]
enum Reached {
    Name,
    Connection,
    Question,
    Answer,
}

struct Connection {
    sender: SendRequest<Empty<Bytes>>,
    driver: AbortHandle,
    allowance: Allowance,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Client {
    /// For the agent on `port` of `host`, a name or an address.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self { host: host.into(), port, address: None, connection: None, reached: Reached::Name }
    }

    /// The text of its metrics, in either format, within two seconds; `budget` is that of all clients together.
    ///
    /// # Errors
    /// What is wrong with the node or its answer; the connection is given up then.
    pub async fn metrics(&mut self, budget: &Budget) -> Result<Bytes, Trouble> {
        self.reached = Reached::Name;
        let outcome = time::timeout(TOTAL, self.attempt(budget)).await;
        let outcome = outcome.unwrap_or_else(|_| {
            let seconds = TOTAL.as_secs();
            Err(match self.reached {
                Reached::Name => Trouble::NoSuchName,
                Reached::Connection => Trouble::NoAnswer,
                Reached::Question => {
                    bad(format!("takes the question and says nothing for {seconds} s"))
                }
                Reached::Answer => bad(format!("does not finish its answer within {seconds} s")),
            })
        });
        if outcome.is_err() {
            self.connection = None;
        }
        outcome
    }

    async fn attempt(&mut self, budget: &Budget) -> Result<Bytes, Trouble> {
        let kept = self.connection.take().filter(|kept| !kept.sender.is_closed());
        let is_kept = kept.is_some();
        let mut connection = match kept {
            Some(kept) => kept,
            None => self.connect().await?,
        };
        self.reached = Reached::Question;
        let response = match self.ask(&mut connection).await {
            // A kept connection may have been closed meanwhile: that is no trouble yet.
            Err(error) if is_kept && !error.is_parse() => {
                connection = self.connect().await?;
                self.reached = Reached::Question;
                self.ask(&mut connection).await
            }
            first => first,
        };
        let text = match response {
            Ok(response) => {
                self.reached = Reached::Answer;
                connection.allowance.renew(MAX_TRANSFER);
                answer(response, budget).await
            }
            Err(error) => Err(broken(&error, "ends the connection without an answer")),
        };
        if text.is_err() && connection.allowance.is_spent() {
            return Err(match self.reached {
                Reached::Answer => too_large(),
                _ => bad(MANY_HEADERS),
            });
        }
        self.connection = Some(connection);
        text
    }

    async fn connect(&mut self) -> Result<Connection, Trouble> {
        self.reached = Reached::Name;
        let addresses = match self.address.take() {
            Some(known) => vec![known],
            None => self.find().await?,
        };
        self.reached = Reached::Connection;
        // A name may have addresses of both kinds, and the agent listen at one of them.
        let connected = time::timeout(CONNECT, TcpStream::connect(&addresses[..])).await;
        let stream =
            connected.map_err(|_| Trouble::NoAnswer)?.map_err(|error| match error.kind() {
                ErrorKind::ConnectionRefused => Trouble::NoAgent,
                _ => Trouble::NoAnswer,
            })?;
        let address = stream.peer_addr().map_err(|_| Trouble::NoAnswer)?;
        // Questions are one packet each; without the option only their delay would change.
        let _ = stream.set_nodelay(true);
        // The name is only looked up again after a connection that did not come about.
        self.address = Some(address);
        let allowance = Allowance::default();
        allowance.renew(MAX_BEFORE);
        let (sender, driver) = http1::Builder::new()
            .max_buf_size(MAX_HEAD)
            .max_headers(MAX_HEADERS)
            .handshake(TokioIo::new(Metered { stream, allowance: allowance.clone() }))
            .await
            .map_err(|error| broken(&error, "ends the connection at once"))?;
        let driver = tokio::spawn(async move {
            // What goes wrong with it is told to whoever asks.
            let _ = driver.await;
        });
        Ok(Connection { sender, driver: driver.abort_handle(), allowance })
    }

    async fn find(&self) -> Result<Vec<SocketAddr>, Trouble> {
        let found = tokio::net::lookup_host((&self.host[..], self.port));
        let found = time::timeout(CONNECT, found).await.map_err(|_| Trouble::NoSuchName)?;
        let found: Vec<SocketAddr> = found.map_err(|_| Trouble::NoSuchName)?.collect();
        if found.is_empty() { Err(Trouble::NoSuchName) } else { Ok(found) }
    }

    async fn ask(&self, connection: &mut Connection) -> hyper::Result<Response<Incoming>> {
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = hyper::Uri::from_static("/metrics");
        let host = match self.host.contains(':') {
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        };
        let headers = request.headers_mut();
        if let Ok(host) = host.parse() {
            headers.insert(HOST, host);
        }
        headers.insert(ACCEPT, hyper::header::HeaderValue::from_static(ACCEPTED));
        headers.insert(USER_AGENT, hyper::header::HeaderValue::from_static("hpc-kiosk"));
        connection.allowance.renew(MAX_BEFORE);
        connection.sender.ready().await?;
        connection.sender.send_request(request).await
    }
}

async fn answer(response: Response<Incoming>, budget: &Budget) -> Result<Bytes, Trouble> {
    let header = |name: HeaderName| response.headers().get(name).map(quoted);
    let status = response.status();
    if status.is_redirection() {
        return Err(bad(match header(LOCATION) {
            Some(target) => format!(
                "answers with a redirect to '{target}', which is not followed; write that address into [[node]]"
            ),
            None => format!("answers {status}; write the address of its agent into [[node]]"),
        }));
    }
    if status != StatusCode::OK {
        return Err(bad(format!("answers {status} instead of metrics; check its agent")));
    }
    match header(CONTENT_TYPE) {
        Some(kind) if Format::of(&kind).is_some() => {}
        Some(kind) => {
            return Err(bad(format!(
                "answers with '{kind}' instead of metrics; check its address and port"
            )));
        }
        None => return Err(bad("does not say what its answer is (no Content-Type)")),
    }
    if let Some(encoding) = header(CONTENT_ENCODING).filter(|encoding| encoding != "identity") {
        return Err(bad(format!("answers in the encoding '{encoding}', which was not asked for")));
    }
    let body = response.into_body();
    let announced = body.size_hint().lower();
    if (MAX_BODY as u64) < announced {
        return Err(too_large());
    }
    let text = collect(body, budget).await?;
    match std::str::from_utf8(&text) {
        Ok(_) => Ok(text),
        Err(_) => Err(bad("answers with something that is not UTF-8 text")),
    }
}

/// The whole body; memory for it is taken as it arrives, never as it is announced.
async fn collect(mut body: Incoming, budget: &Budget) -> Result<Bytes, Trouble> {
    let mut first = Bytes::new();
    let mut text = Vec::new();
    let mut share = budget.share();
    let mut pieces = 0;
    while let Some(frame) = body.frame().await {
        pieces += 1;
        if MAX_PIECES < pieces {
            return Err(bad(
                "answers in more pieces than metrics have; check its address and port",
            ));
        }
        let frame = frame
            .map_err(|error| broken(&error, "ends the connection before its answer is complete"))?;
        let Ok(data) = frame.into_data() else { continue };
        let length = first.len() + text.len() + data.len();
        if MAX_BODY < length {
            return Err(too_large());
        }
        if !share.grow(length) {
            return Err(bad(
                "answers with much text while others do too, more than there is room for",
            ));
        }
        match (first.is_empty(), text.is_empty()) {
            // Most answers are one piece, which need not be copied.
            (true, true) => first = data,
            (false, _) => {
                text.extend_from_slice(&std::mem::take(&mut first));
                text.extend_from_slice(&data);
            }
            (true, false) => text.extend_from_slice(&data),
        }
    }
    Ok(if text.is_empty() { first } else { text.into() })
}

fn bad(words: impl Into<String>) -> Trouble {
    Trouble::BadAnswer(words.into())
}

fn too_large() -> Trouble {
    bad(format!("answers with more than {MAX_BODY} bytes; check its address and port"))
}

/// A broken connection in the owner's words; `ended` if it simply ended.
fn broken(error: &hyper::Error, ended: &str) -> Trouble {
    bad(if error.is_parse_too_large() {
        MANY_HEADERS
    } else if error.is_parse() {
        "answers with something that is not HTTP; check its address and port"
    } else {
        ended
    })
}

/// The other side's words, for a message: short, on one line.
fn quoted(value: &hyper::header::HeaderValue) -> String {
    let text = String::from_utf8_lossy(value.as_bytes());
    text.chars().filter(|character| !character.is_control()).take(MAX_QUOTED).collect()
}
