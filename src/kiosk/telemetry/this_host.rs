//! Reads the machine that the kiosk runs on, without an agent, on a thread of its own: files may block, the nodes must not
//! wait for them.

use std::{io, sync::mpsc, thread, time::Duration};

use bytes::Bytes;
use tokio::{sync::oneshot, time};
use wire::metrics::Format;

use super::Trouble;

/// The reader waits at most 150 ms for its sources; this is for a machine that is out of breath.
const PATIENCE: Duration = Duration::from_secs(2);

/// The thread that reads; it ends when this is dropped.
pub struct ThisHost {
    questions: mpsc::SyncSender<oneshot::Sender<String>>,
}

impl ThisHost {
    /// Starts the thread.
    ///
    /// # Errors
    /// If the system has no thread left.
    pub fn start() -> io::Result<Self> {
        let (questions, asked) = mpsc::sync_channel::<oneshot::Sender<String>>(1);
        thread::Builder::new().name("this-host".into()).spawn(move || {
            let node = agent::Node::start(agent::Settings::default());
            while let Ok(answer) = asked.recv() {
                let mut text = String::new();
                node.metrics(Format::Prometheus, &mut text);
                // Whoever asked has stopped waiting.
                let _ = answer.send(text);
            }
        })?;
        Ok(Self { questions })
    }

    /// What an agent would answer.
    ///
    /// # Errors
    /// If reading takes too long; the thread goes on with it.
    pub async fn metrics(&self) -> Result<Bytes, Trouble> {
        let blocked =
            || Trouble::BadAnswer("reading this machine takes too long; is a disk hanging?".into());
        let (answer, answered) = oneshot::channel();
        self.questions.try_send(answer).map_err(|_| blocked())?;
        let text = time::timeout(PATIENCE, answered).await.map_err(|_| blocked())?;
        text.map(Bytes::from).map_err(|_| blocked())
    }
}
