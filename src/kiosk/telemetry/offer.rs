//! Tells others what is known of all nodes: a small HTTP server for a Prometheus, off unless the owner wants it.
//!
//! It has a thread of its own, so that a slow client delays no scrape and no picture.

mod text;

use std::{
    convert::Infallible,
    net::{SocketAddr, TcpListener},
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    header::{ACCEPT, ALLOW, CONTENT_TYPE, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{sync::Semaphore, time::timeout};
use tokio_util::sync::CancellationToken;
use wire::metrics::Format;

use super::store::Store;
pub use text::{FAMILIES, Told, metrics};

/// Connections at once; further ones wait to be taken.
const MAX_CONNECTIONS: usize = 16;
/// How long the head of a question may take.
const HEAD: Duration = Duration::from_secs(5);
/// How long a connection may live, and then how long its last answer may take.
const LIFE: Duration = Duration::from_secs(60);
const LAST_ANSWER: Duration = Duration::from_secs(10);
/// Most bytes of the head of a question.
const MAX_HEAD: usize = 16 << 10;
/// Most headers of a question.
const MAX_HEADERS: usize = 64;
/// A text younger than this is told again: many clients cost as much as one.
const FRESH: Duration = Duration::from_millis(250);

/// The server's thread.
pub struct Server {
    stop: CancellationToken,
    thread: JoinHandle<()>,
    address: SocketAddr,
}

impl Server {
    /// Listens at `address` and answers with what `store` knows.
    ///
    /// # Errors
    /// A sentence for the owner, if that address cannot be had.
    pub fn start(address: SocketAddr, store: Arc<Store>) -> Result<Self, String> {
        let refuse = |error: std::io::Error| {
            format!(
                "metrics cannot be offered at {address}: {error}; write a free address of this machine into [metrics] listen"
            )
        };
        let listener = TcpListener::bind(address).map_err(refuse)?;
        listener.set_nonblocking(true).map_err(refuse)?;
        let address = listener.local_addr().map_err(refuse)?;
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(refuse)?;
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let thread = thread::Builder::new().name("offer".into()).spawn(move || {
            let told = Arc::new(Teller { store, told: Mutex::default() });
            runtime.block_on(stopped.run_until_cancelled(serve(listener, told)));
        });
        Ok(Self { stop, thread: thread.map_err(refuse)?, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends it, whoever is connected.
    ///
    /// # Errors
    /// If its thread has panicked.
    pub fn stop(self) -> thread::Result<()> {
        self.stop.cancel();
        self.thread.join()
    }
}

/// What is told, made anew when it is asked for and old.
struct Teller {
    store: Arc<Store>,
    told: Mutex<[Option<(Instant, Bytes)>; 2]>,
}

impl Teller {
    fn tell(&self, format: Format, now: Instant) -> Bytes {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = &mut told[usize::from(format == Format::OpenMetrics)];
        match kept {
            Some((made, text)) if now.saturating_duration_since(*made) < FRESH => text.clone(),
            _ => {
                let text = Bytes::from(metrics(&self.store.words(), format, now));
                *kept = Some((now, text.clone()));
                text
            }
        }
    }
}

async fn serve(listener: TcpListener, teller: Arc<Teller>) {
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => return log::error!("metrics are not offered: {error}"),
    };
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of descriptors, or a client that is gone already: others may have more luck in a moment.
                log::warn!("somebody who asked for metrics was not heard: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let teller = Arc::clone(&teller);
        tokio::spawn(async move {
            let _place = place;
            let service = service_fn(move |request| {
                let teller = Arc::clone(&teller);
                async move { Ok::<_, Infallible>(answer(&request, &teller)) }
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD)
                .max_buf_size(MAX_HEAD)
                .max_headers(MAX_HEADERS)
                .serve_connection(TokioIo::new(stream), service);
            tokio::pin!(connection);
            // A client that breaks off or talks nonsense is its own trouble.
            if timeout(LIFE, connection.as_mut()).await.is_err() {
                connection.as_mut().graceful_shutdown();
                let _ = timeout(LAST_ANSWER, connection).await;
            }
        });
    }
}

fn answer(request: &Request<Incoming>, teller: &Teller) -> Response<Full<Bytes>> {
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    let reply = |status, kind: HeaderValue, body: Bytes| {
        let mut response = Response::new(Full::new(body));
        *response.status_mut() = status;
        response.headers_mut().insert(CONTENT_TYPE, kind);
        response
    };
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let words = Bytes::from_static(b"only GET is answered\n");
        let mut response = reply(StatusCode::METHOD_NOT_ALLOWED, plain, words);
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    match request.uri().path() {
        "/metrics" => {
            let accepts = request.headers().get_all(ACCEPT).iter();
            let accepts: Vec<&str> = accepts.filter_map(|accept| accept.to_str().ok()).collect();
            let format = Format::accepted(&accepts.join(","));
            let kind = HeaderValue::from_static(format.content_type());
            reply(StatusCode::OK, kind, teller.tell(format, Instant::now()))
        }
        "/" => {
            let words = b"hpc-kiosk: what all nodes do is at /metrics\n";
            reply(StatusCode::OK, plain, Bytes::from_static(words))
        }
        _ => {
            let words = b"there is nothing here; metrics are at /metrics\n";
            reply(StatusCode::NOT_FOUND, plain, Bytes::from_static(words))
        }
    }
}
