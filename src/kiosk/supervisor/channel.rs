//! Waits for the demo: listens on a socket and lets in the first peer that knows the run's token.
//!
//! Whoever is silent, slow or wrong is dropped and keeps nobody from being let in.

use std::{
    collections::VecDeque,
    hint::black_box,
    io,
    net::{IpAddr, SocketAddr},
    ops::Range,
    path::Path,
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite},
    net::{TcpListener, UnixListener},
    task::{AbortHandle, JoinSet},
    time,
};
use wire::{
    WireError,
    channel::Address,
    demo::{Hello, TOKEN_LEN},
    record::{HEADER_LEN, Header, Kind},
};

/// Where the token stands in a hello, whatever its version.
const TOKEN_AT: Range<usize> = 8..8 + TOKEN_LEN;
/// How long a peer may take from connecting to the end of its hello.
const HELLO: Duration = Duration::from_secs(5);
/// Most peers that are listened to at once; the oldest makes room for the next.
const MAX_PEERS: usize = 8;
/// Most words in the log about peers that were refused: on a network anybody can come.
const MAX_LOGGED: u32 = 10;
/// Pause after the system refused to accept, usually for want of descriptors.
const BACK_OFF: Duration = Duration::from_millis(50);

/// What a demo knows its kiosk by: letters and digits, 160 bits of chance.
pub type Token = [u8; TOKEN_LEN];

/// A new token.
///
/// # Errors
/// If the system has no randomness to give.
pub fn new_token() -> io::Result<Token> {
    const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let mut token = [0; TOKEN_LEN];
    getrandom::fill(&mut token).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(token.map(|byte| LETTERS[usize::from(byte % 32)]))
}

/// A demo that has introduced itself, and both directions of its connection.
pub struct Introduced {
    /// What it said.
    pub hello: Hello,
    /// What it sends.
    pub read: Box<dyn AsyncRead + Send + Unpin>,
    /// What it is sent.
    pub write: Box<dyn AsyncWrite + Send + Unpin>,
}

/// Why a peer was not let in.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// It said nothing, or not all of it, in time.
    #[error("a peer did not say hello in time")]
    Silent,
    /// It left before its hello was complete.
    #[error("a peer left before its hello was complete")]
    Left,
    /// It does not know the token of this run.
    #[error("a peer does not know the token of this run")]
    WrongToken,
    /// Its hello is not one, and it is the demo itself: a local peer can be nobody else, another one knows the token.
    #[error("the demo said: {0}")]
    Garbage(WireError),
}

/// A socket that waits for its demo.
pub struct Listening {
    address: Address,
    listener: Listener,
    token: Token,
    peers: JoinSet<Result<Introduced, Refusal>>,
    oldest_first: VecDeque<AbortHandle>,
    refused: u32,
}

enum Listener {
    Unix(UnixListener),
    Tcp(TcpListener),
}

impl Listening {
    /// Listens in `folder`, which nobody else may enter.
    ///
    /// # Errors
    /// If the socket cannot be made.
    pub fn on_this_machine(folder: &Path, token: Token) -> io::Result<Self> {
        let path = folder.join("channel");
        let listener = Listener::Unix(UnixListener::bind(&path)?);
        Ok(Self::new(Address::Unix(path), listener, token))
    }

    /// Listens on `address`, for a demo whose rank 0 runs on another host.
    ///
    /// # Errors
    /// If no port can be had there.
    pub async fn on_network(address: IpAddr, token: Token) -> io::Result<Self> {
        let listener = TcpListener::bind(SocketAddr::new(address, 0)).await?;
        let address = Address::Tcp(listener.local_addr()?);
        Ok(Self::new(address, Listener::Tcp(listener), token))
    }

    fn new(address: Address, listener: Listener, token: Token) -> Self {
        let (peers, oldest_first) = (JoinSet::new(), VecDeque::new());
        Self { address, listener, token, peers, oldest_first, refused: 0 }
    }

    /// Where the demo finds it.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// The demo, or why somebody else was refused. May be dropped and called again without loss.
    pub async fn next(&mut self) -> Result<Introduced, Refusal> {
        loop {
            tokio::select! {
                accepted = self.listener.accept(self.token) => match accepted {
                    Ok(peer) => self.admit(peer),
                    Err(error) => {
                        log::warn!("cannot accept on {}: {error}", self.address);
                        time::sleep(BACK_OFF).await;
                    }
                },
                Some(peer) = self.peers.join_next() => {
                    // One that was dropped to make room, or panicked, says nothing.
                    if let Ok(introduced) = peer {
                        self.note(&introduced);
                        return introduced;
                    }
                }
            }
        }
    }

    fn note(&mut self, introduced: &Result<Introduced, Refusal>) {
        let Err(refusal) = introduced else { return };
        self.refused = self.refused.saturating_add(1);
        if self.refused <= MAX_LOGGED {
            log::warn!("refused on {}: {refusal}", self.address);
        }
    }

    fn admit(&mut self, peer: impl Future<Output = Result<Introduced, Refusal>> + Send + 'static) {
        self.oldest_first.retain(|peer| !peer.is_finished());
        if MAX_PEERS <= self.oldest_first.len()
            && let Some(oldest) = self.oldest_first.pop_front()
        {
            oldest.abort();
        }
        self.oldest_first.push_back(self.peers.spawn(peer));
    }
}

type Peer = std::pin::Pin<Box<dyn Future<Output = Result<Introduced, Refusal>> + Send>>;

impl Listener {
    async fn accept(&self, token: Token) -> io::Result<Peer> {
        Ok(match self {
            Listener::Unix(listener) => {
                let (read, write) = listener.accept().await?.0.into_split();
                Box::pin(introduce(read, write, token, true))
            }
            Listener::Tcp(listener) => {
                let stream = listener.accept().await?.0;
                stream.set_nodelay(true)?;
                let (read, write) = stream.into_split();
                Box::pin(introduce(read, write, token, false))
            }
        })
    }
}

/// Listens to one peer until it has said hello.
async fn introduce(
    mut read: impl AsyncRead + Send + Unpin + 'static,
    write: impl AsyncWrite + Send + Unpin + 'static,
    token: Token,
    is_local: bool,
) -> Result<Introduced, Refusal> {
    let garbage = |error| if is_local { Refusal::Garbage(error) } else { Refusal::WrongToken };
    let said = async {
        let mut header = [0; HEADER_LEN];
        read.read_exact(&mut header).await.map_err(|_| Refusal::Left)?;
        let [m0, m1, m2, m3, ..] = header;
        let header = Header::decode(header).map_err(garbage)?;
        if header.kind != Kind::Hello {
            return Err(garbage(WireError::Magic([m0, m1, m2, m3])));
        }
        let mut payload = vec![0; header.length as usize];
        read.read_exact(&mut payload).await.map_err(|_| Refusal::Left)?;
        Hello::decode(&payload).map_err(|error| match payload.get(TOKEN_AT) {
            Some(said) if said.try_into().is_ok_and(|said| is_same(said, &token)) => {
                Refusal::Garbage(error)
            }
            _ => garbage(error),
        })
    };
    let hello = time::timeout(HELLO, said).await.map_err(|_| Refusal::Silent)??;
    if !is_same(&hello.token, &token) {
        return Err(Refusal::WrongToken);
    }
    Ok(Introduced { hello, read: Box::new(read), write: Box::new(write) })
}

/// Compares in a time that does not tell where the first difference is.
fn is_same(a: &Token, b: &Token) -> bool {
    let difference = a.iter().zip(b).fold(0, |all, (a, b)| black_box(all | (a ^ b)));
    difference == 0
}
