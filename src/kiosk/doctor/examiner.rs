//! Examines when it is asked to, beside everything else that the worker does, and says how far it is.

use std::{sync::Arc, time::Instant};

use tokio::sync::{mpsc, watch};

use super::{Finding, Subject, examine};

/// The newest self-test.
#[derive(Clone, Debug, Default)]
pub enum Examination {
    /// There was none.
    #[default]
    Never,
    /// It goes on.
    Going {
        /// When it began.
        since: Instant,
        /// The computers that have not answered yet; none while this machine is looked at.
        awaited: Vec<String>,
    },
    /// It is over.
    Done {
        /// What was found, in the order of a run's needs.
        findings: Arc<Vec<Finding>>,
        /// When it was over.
        at: Instant,
    },
}

/// Examines `subject` whenever `asked` says so, until it is closed; who asks meanwhile gets the one that goes on.
pub async fn examine_when_asked(
    subject: Subject,
    mut asked: mpsc::Receiver<()>,
    said: watch::Sender<Examination>,
) {
    while asked.recv().await.is_some() {
        let since = Instant::now();
        said.send_replace(Examination::Going { since, awaited: Vec::new() });
        let findings = examine(&subject, |awaited| {
            said.send_replace(Examination::Going { since, awaited });
        });
        let findings = Arc::new(findings.await);
        while asked.try_recv().is_ok() {}
        said.send_replace(Examination::Done { findings, at: Instant::now() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_question_gets_an_examination_and_two_at_once_the_same() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (ask, asked) = mpsc::channel(4);
        let (said, mut seen) = watch::channel(Examination::Never);
        let talk = async {
            let mut ends = Vec::new();
            for _ in 0..2 {
                ask.send(()).await.unwrap();
                ask.send(()).await.unwrap();
                seen.wait_for(|now| matches!(now, Examination::Going { .. })).await.unwrap();
                let done = |now: &Examination| matches!(now, Examination::Done { .. });
                let Examination::Done { findings, at } = seen.wait_for(done).await.unwrap().clone()
                else {
                    unreachable!()
                };
                assert!(findings.iter().any(|finding| finding.what == "configuration"));
                ends.push(at);
            }
            drop(ask);
            assert!(ends[0] < ends[1]);
        };
        runtime.block_on(async {
            tokio::join!(examine_when_asked(Subject::default(), asked, said), talk)
        });
    }
}
