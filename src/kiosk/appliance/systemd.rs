//! Tells systemd that the kiosk is up and lives (sd_notify(3), sd_watchdog_enabled(3)): two datagrams do not ask for a library.

use std::{
    io,
    os::{
        linux::net::SocketAddrExt,
        unix::net::{SocketAddr, UnixDatagram},
    },
    sync::Arc,
    time::Duration,
};

use slint::{Timer, TimerMode};
use tokio::sync::Notify;

/// How often the thread that draws says so; a watchdog waits for several of these.
const BEAT: Duration = Duration::from_secs(1);

/// The way to systemd.
#[derive(Debug)]
pub struct Systemd(UnixDatagram);

impl Systemd {
    /// The one that `variable` names in `NOTIFY_SOCKET`; `None` where nobody asks.
    ///
    /// # Errors
    /// If it names one that cannot be reached.
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> io::Result<Option<Self>> {
        let Some(name) = variable("NOTIFY_SOCKET").filter(|name| !name.is_empty()) else {
            return Ok(None);
        };
        let address = match name.strip_prefix('@') {
            Some(name) => SocketAddr::from_abstract_name(name)?,
            None => SocketAddr::from_pathname(&name)?,
        };
        let socket = UnixDatagram::unbound()?;
        socket.connect_addr(&address)?;
        // Whoever waits for systemd is not alive.
        socket.set_nonblocking(true)?;
        Ok(Some(Self(socket)))
    }

    /// It is up, and lives.
    pub fn ready(&self, status: &str) {
        self.say(&format!("READY=1\nWATCHDOG=1\nSTATUS={status}"));
    }

    /// It lives.
    pub fn alive(&self) {
        self.say("WATCHDOG=1");
    }

    /// It is about to end, and means to.
    pub fn stopping(&self) {
        self.say("STOPPING=1");
    }

    fn say(&self, state: &str) {
        // What is lost here is said again in a second; if it is not, the watchdog is right.
        let _ = self.0.send(state.as_bytes());
    }
}

/// The thread that draws says that it does, for as long as this is kept.
pub struct Drawing {
    _timer: Timer,
}

/// What says from now on, on the thread that draws, that its event loop turns; and what hears it elsewhere.
pub fn drawing() -> (Drawing, Arc<Notify>) {
    let drawn = Arc::new(Notify::new());
    let beat = {
        let drawn = Arc::clone(&drawn);
        move || drawn.notify_one()
    };
    // The first one at once: the first turn of the event loop is what "up" means.
    Timer::single_shot(Duration::ZERO, beat.clone());
    let drawing = Timer::default();
    drawing.start(TimerMode::Repeated, BEAT, beat);
    (Drawing { _timer: drawing }, drawn)
}

/// Feeds the watchdog whenever the thread that draws has said that it does; whoever polls this is the other one that lives.
pub async fn feed(systemd: Option<Arc<Systemd>>, drawn: Arc<Notify>) {
    let Some(systemd) = systemd else { return std::future::pending().await };
    drawn.notified().await;
    systemd.ready("the screen is up");
    loop {
        drawn.notified().await;
        systemd.alive();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(socket: &UnixDatagram) -> String {
        let mut bytes = [0; 256];
        let length = socket.recv(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes[..length]).into_owned()
    }

    fn pair() -> (UnixDatagram, Systemd) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let systemd = Systemd::from_environment(|name| {
            (name == "NOTIFY_SOCKET").then(|| path.to_str().unwrap().to_owned())
        });
        (socket, systemd.unwrap().unwrap())
    }

    #[test]
    fn nobody_is_told_where_nobody_asks() {
        assert!(Systemd::from_environment(|_| None).unwrap().is_none());
        assert!(Systemd::from_environment(|_| Some("/nonexistent/socket".into())).is_err());
    }

    #[test]
    fn an_abstract_socket_is_reached_too() {
        let name = format!("hpc-kiosk-test-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let socket = UnixDatagram::bind_addr(&address).unwrap();
        let systemd = Systemd::from_environment(|_| Some(format!("@{name}"))).unwrap().unwrap();
        systemd.alive();
        assert_eq!(heard(&socket), "WATCHDOG=1");
    }

    #[test]
    fn it_is_up_when_it_has_drawn_and_lives_as_often_as_it_draws() {
        let (socket, systemd) = pair();
        let drawn = Arc::new(Notify::new());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let local = tokio::task::LocalSet::new();
        local.spawn_local(feed(Some(Arc::new(systemd)), Arc::clone(&drawn)));
        let turn = || runtime.block_on(local.run_until(tokio::task::yield_now()));
        turn();
        socket.set_nonblocking(true).unwrap();
        let silence = || socket.recv(&mut [0; 64]).unwrap_err().kind();
        assert_eq!(silence(), io::ErrorKind::WouldBlock);
        drawn.notify_one();
        turn();
        turn();
        assert_eq!(heard(&socket), "READY=1\nWATCHDOG=1\nSTATUS=the screen is up");
        // A thread that draws no more feeds nobody.
        turn();
        assert_eq!(silence(), io::ErrorKind::WouldBlock);
        drawn.notify_one();
        turn();
        turn();
        assert_eq!(heard(&socket), "WATCHDOG=1");
        // Nor does a worker that is not polled, however much is drawn.
        drawn.notify_one();
        assert_eq!(silence(), io::ErrorKind::WouldBlock);
    }
}
