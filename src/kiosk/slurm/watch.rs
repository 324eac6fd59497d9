//! Looks at the queue every second and tells who has which computer.

use std::time::{Duration, Instant};

use rustix::process::geteuid;
use tokio::{sync::watch, time::sleep};

use super::{
    ask,
    said::{JOBS, NODES, Seen, Use},
};
use crate::config::Slurm;

/// From one look to the next. A look is two questions that Slurm answers from memory, within 25 ms together.
const EVERY: Duration = Duration::from_secs(1);
/// For so long what was seen last is good enough while Slurm does not answer: it is being started again.
const PATIENCE: Duration = Duration::from_secs(30);

/// Tells what Slurm says, whenever that is new, until nobody listens.
pub async fn run(slurm: Slurm, told: watch::Sender<Seen>) {
    let mut answered = None;
    let mut is_silent = false;
    while !told.is_closed() {
        match look(&slurm).await {
            Ok(seen) => {
                if is_silent {
                    log::info!("Slurm answers again");
                }
                is_silent = false;
                answered = Some(Instant::now());
                tell(&told, seen);
            }
            Err(why) => {
                if !is_silent {
                    log::warn!("Slurm does not say who has the computers: {why}");
                }
                is_silent = true;
                if answered.is_none_or(|answered: Instant| PATIENCE < answered.elapsed()) {
                    tell(&told, Seen::default());
                }
            }
        }
        tokio::select! {
            () = sleep(EVERY) => {}
            () = told.closed() => {}
        }
    }
}

async fn look(slurm: &Slurm) -> Result<Seen, String> {
    let mut nodes = vec!["--noheader".to_owned(), "--Node".into(), NODES.into()];
    nodes.extend(slurm.partition.iter().map(|partition| format!("--partition={partition}")));
    let sinfo = ask(slurm, "sinfo", nodes).await?;
    let squeue = ask(slurm, "squeue", ["--noheader", JOBS]).await?;
    Ok(Seen::of(&sinfo, &squeue, geteuid().as_raw()))
}

fn tell(told: &watch::Sender<Seen>, seen: Seen) {
    told.send_if_modified(|before| {
        for (name, now) in &seen.nodes {
            if let Use::Out { why } = now
                && before.nodes.get(name) != Some(now)
            {
                log::warn!("Slurm gives {name} to nobody: {why}");
            }
        }
        let is_new = *before != seen;
        *before = seen;
        is_new
    });
}
