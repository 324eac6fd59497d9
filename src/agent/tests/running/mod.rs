//! Programs that a test starts: the agent, and Debian's node_exporter beside it. They end with the test. The kiosk's
//! tests use it too.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "not every test needs everything")]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// Longest wait for anything to start or answer.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// What to do without one of Prometheus' programs.
const REMEDY: &str =
    "./kiosk test fetches it; or apt-get install prometheus prometheus-node-exporter";

/// A program that is killed at the end.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The agent: it lies beside the folder of the tests.
pub fn program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent().unwrap().with_file_name("hpc-kiosk-agent")
}

/// The agent, serving.
pub struct Agent {
    pub running: Running,
    pub address: SocketAddr,
    _folder: TempDir,
}

impl Agent {
    /// Starts it for this machine, at a free port.
    pub fn start() -> Self {
        Self::start_at(Path::new("/"))
    }

    /// Starts it for a captured tree.
    pub fn start_at(root: &Path) -> Self {
        Self::start_again(root, ([127, 0, 0, 1], 0).into())
    }

    /// Starts it at an address.
    pub fn start_again(root: &Path, address: SocketAddr) -> Self {
        let folder = TempDir::new().unwrap();
        let config = folder.path().join("agent.toml");
        std::fs::write(&config, format!("listen = '{address}'\nstorage = ['/']\n")).unwrap();
        let mut command = Command::new(program());
        command.arg("--config").arg(config).arg("--root").arg(root).stderr(Stdio::piped());
        let started = command.spawn().expect("the agent is built (cargo build --workspace)");
        let mut running = Running(started);
        let said = lines(running.0.stderr.take().unwrap());
        let line = said.recv_timeout(PATIENCE).expect("the agent says where it answers");
        let address = line.split("http://").nth(1).and_then(|rest| rest.split('/').next());
        let address = address.and_then(|address| address.parse().ok());
        Self { running, address: address.expect(&line), _folder: folder }
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }
}

/// What a program says, line by line.
pub fn lines(pipe: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        BufReader::new(pipe).lines().map_while(Result::ok).all(|line| sender.send(line).is_ok())
    });
    receiver
}

/// What promtool complains about in a text that it can read.
pub fn complaints(text: &str) -> Vec<String> {
    let promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut promtool = promtool.unwrap_or_else(|error| panic!("promtool: {error}; {REMEDY}"));
    promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    let said =
        String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    let lines: Vec<String> = said.lines().map(str::to_owned).collect();
    // 1 is a text that cannot be read, 3 one whose names or types could be better.
    let expected = if lines.is_empty() { 0 } else { 3 };
    assert_eq!(output.status.code(), Some(expected), "{said}");
    lines
}

/// A real Prometheus that scrapes once a second: its HTTP address, and how many series it has for a query.
pub struct Prometheus {
    _running: Running,
    _folder: TempDir,
    /// Where it answers.
    pub address: SocketAddr,
}

impl Prometheus {
    /// Starts it with these scrape_configs, in YAML.
    pub fn start(scrape_configs: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let config = folder.path().join("prometheus.yml");
        let global = "global: {scrape_interval: 1s, scrape_timeout: 1s}";
        std::fs::write(&config, format!("{global}\n{scrape_configs}")).unwrap();
        let config = format!("--config.file={}", config.display());
        let data = format!("--storage.tsdb.path={}", folder.path().join("data").display());
        let (running, address) = listening("prometheus", &[&config, &data]);
        Self { _running: running, _folder: folder, address }
    }

    /// How many series it has for a query.
    pub fn series(&self, query: &str) -> usize {
        self.api(&format!("query?query={query}")).matches("\"metric\":{").count()
    }

    /// Waits until every one of these queries has at least so many series.
    pub fn until(&self, wanted: &[(&str, usize)]) {
        let deadline = Instant::now() + 2 * PATIENCE;
        while wanted.iter().any(|(query, count)| self.series(query) < *count) {
            let targets = self.api("targets");
            assert!(Instant::now() < deadline, "{targets}");
            thread::sleep(Duration::from_millis(200));
        }
    }

    /// What its HTTP API answers.
    pub fn api(&self, path: &str) -> String {
        get(self.address, &format!("/api/v1/{path}"), "*/*").body
    }
}

/// Debian's node_exporter with these arguments, at a free port.
pub fn node_exporter(arguments: &[&str]) -> (Running, SocketAddr) {
    listening("prometheus-node-exporter", arguments)
}

/// Debian's node_exporter of a captured tree, with the collectors that read nothing but it.
pub fn node_exporter_of(root: &Path) -> (Running, SocketAddr) {
    let (proc, sys) = (root.join("proc"), root.join("sys"));
    std::fs::create_dir_all(&sys).unwrap();
    let paths =
        [format!("--path.procfs={}", proc.display()), format!("--path.sysfs={}", sys.display())];
    let collectors =
        ["cpu", "hwmon", "loadavg", "meminfo", "netdev", "rapl", "stat", "thermal_zone"]
            .map(|collector| format!("--collector.{collector}"));
    let mut arguments = vec!["--collector.disable-defaults", "--no-collector.netdev.netlink"];
    arguments.extend(paths.iter().chain(&collectors).map(String::as_str));
    node_exporter(&arguments)
}

/// A program that takes its address by `--web.listen-address`, once it listens there.
fn listening(program: &str, arguments: &[&str]) -> (Running, SocketAddr) {
    let deadline = Instant::now() + 2 * PATIENCE;
    loop {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let started = Command::new(program)
            .arg(format!("--web.listen-address={address}"))
            .args(arguments)
            .stderr(Stdio::null())
            .spawn();
        let mut running =
            Running(started.unwrap_or_else(|error| panic!("{program}: {error}; {REMEDY}")));
        // Another program may have taken the port in between; then this one ends, and tries another.
        while running.0.try_wait().unwrap().is_none() {
            if TcpStream::connect(address).is_ok() {
                return (running, address);
            }
            assert!(Instant::now() < deadline, "{program} does not listen at {address}");
            thread::sleep(Duration::from_millis(20));
        }
        assert!(Instant::now() < deadline, "{program} ends at once");
    }
}

/// An answer: its head and its body.
#[derive(Debug)]
pub struct Answer {
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn status(&self) -> &str {
        self.head.split(' ').nth(1).unwrap()
    }

    pub fn field(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines
            .into_iter()
            .find(|(field, _)| field.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }
}

/// Asks over a connection that stays open, and takes one answer of a stated length.
pub fn ask(stream: &mut TcpStream, request: &str) -> Answer {
    stream.write_all(request.as_bytes()).unwrap();
    take(stream, !request.starts_with("HEAD"))
}

/// Takes one answer.
pub fn take(stream: &mut TcpStream, with_body: bool) -> Answer {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        assert_eq!(stream.read(&mut byte).unwrap(), 1, "{}", String::from_utf8_lossy(&head));
        head.push(byte[0]);
    }
    let mut answer = Answer { head: String::from_utf8(head).unwrap(), body: String::new() };
    let length = answer.field("Content-Length").unwrap().parse().unwrap();
    if with_body {
        let mut body = vec![0; length];
        stream.read_exact(&mut body).unwrap();
        answer.body = String::from_utf8(body).unwrap();
    }
    answer
}

/// The body at `path`, from a server that closes after it.
pub fn get(address: SocketAddr, path: &str, accept: &str) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let request = format!(
        "GET {path} HTTP/1.0\r\nHost: test\r\nAccept: {accept}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    Answer { head: head.into(), body: body.into() }
}
