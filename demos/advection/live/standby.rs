//! Started before anybody wants it: all ranks are there and asleep until the kiosk says begin, from the start or where
//! another run was.

use std::ops::Range;

use parallel::Job;
use screen::Event;
use wire::demo;

use super::{Front, director::Score, stage::Stage, state::State};

/// What rank 0 tells the others when the sleep is over.
const END: u64 = 0;
const BEGIN: u64 = 1;
const RESUME: u64 = 2;
/// Numbers in that message: what, scheme, flow, motif, clock, whether touched, untouched for, step.
const LEN: usize = 8;

/// Sleeps until the run is to begin, if it was started in advance; every rank calls it. Whether there is anything to begin.
pub fn wait(job: &Job, stage: &mut Stage, mut front: Option<&mut Front>) -> bool {
    let mut waits = [u8::from(front.as_ref().is_some_and(|front| front.screen.waits()))];
    job.broadcast(&mut waits);
    if waits[0] == 0 {
        return true;
    }
    let state = front.as_mut().map(|front| listen(front, stage.size()));
    let mut message = state.as_ref().map_or([0; LEN], encode);
    job.broadcast_asleep(&mut message);
    if message[0] == RESUME {
        let field = match &state {
            Some(Waited::Resume(state)) => Some(&state.field[..]),
            _ => None,
        };
        resume(job, stage, &message, field);
    }
    message[0] != END
}

/// How rank 0's wait ended.
enum Waited {
    End,
    Begin,
    Resume(State),
}

fn listen(front: &mut Front, size: (usize, usize)) -> Waited {
    loop {
        match front.screen.wait() {
            Event::Stop => return Waited::End,
            Event::Begin(bytes) if bytes.is_empty() => return Waited::Begin,
            Event::Begin(bytes) => match State::decode(&bytes, size) {
                Ok(state) => {
                    front.director.resume(state.score);
                    front.reported_steps = state.step;
                    return Waited::Resume(state);
                }
                Err(error) => {
                    parallel::say(format_args!("advection: {error}"));
                    return Waited::Begin;
                }
            },
            other => front.director.hear([other].into_iter()),
        }
    }
}

fn encode(waited: &Waited) -> [u64; LEN] {
    match waited {
        Waited::End => [END, 0, 0, 0, 0, 0, 0, 0],
        Waited::Begin => [BEGIN, 0, 0, 0, 0, 0, 0, 0],
        Waited::Resume(State { score, step, .. }) => {
            let Score { choice, clock, untouched_for } = score;
            let [scheme, flow, motif] =
                [choice.scheme, choice.flow, choice.motif].map(|k| k as u64);
            let untouched = untouched_for.unwrap_or(0);
            [
                RESUME,
                scheme,
                flow,
                motif,
                *clock,
                u64::from(untouched_for.is_some()),
                untouched,
                *step,
            ]
        }
    }
}

/// The cells that a rank has, of all of them one row behind the other.
fn cells(job: &Job, stage: &Stage, rank: usize) -> Range<usize> {
    let (rows, (_, ny)) = (stage.rows(job, rank), stage.size());
    rows.start * ny..rows.end * ny
}

/// Deals the field out and goes on with it.
fn resume(job: &Job, stage: &mut Stage, message: &[u64; LEN], field: Option<&[f32]>) {
    let [_, scheme, flow, motif, clock, is_touched, untouched, step] = *message;
    let [scheme, flow, motif] = [scheme, flow, motif].map(|k| k as usize);
    let choice = super::command::Choice { scheme, flow, motif };
    let score = Score { choice, clock, untouched_for: (is_touched != 0).then_some(untouched) };
    let parts: Vec<_> = (0..job.size()).map(|rank| cells(job, stage, rank)).collect();
    match field {
        Some(field) => {
            for rank in 1..job.size() {
                job.send(rank, &field[parts[rank].clone()]);
            }
            stage.resume(score, step, &field[parts[0].clone()]);
        }
        None => {
            let mut own = vec![0.0; parts[job.rank()].len()];
            job.receive(0, &mut own);
            stage.resume(score, step, &own);
        }
    }
}

/// Brings the field together and hands it to the kiosk; every rank calls it.
pub fn save(job: &Job, stage: &mut Stage, front: Option<&mut Front>) {
    stage.settle();
    let own = stage.strip();
    let Some(front) = front else {
        job.send(0, &own);
        return;
    };
    let (nx, ny) = stage.size();
    let mut field = own;
    field.resize(nx * ny, 0.0);
    for rank in 1..job.size() {
        job.receive(rank, &mut field[cells(job, stage, rank)]);
    }
    let state = State { score: front.director.score(), step: stage.step(), field };
    front.screen.state(demo::State(state.encode((nx, ny))));
}
