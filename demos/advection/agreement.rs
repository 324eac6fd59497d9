//! An error on one rank becomes an error on all, and one of them says it.

use parallel::Job;

/// Another rank has said what is wrong.
#[derive(Debug, thiserror::Error)]
#[error("another rank has failed")]
pub struct Elsewhere;

/// Brings the ranks to one conclusion; all must call it.
///
/// # Errors
/// If the result of any rank is an error: that one on the first such rank, [`Elsewhere`] on all others.
pub fn agree<R>(job: &Job, result: anyhow::Result<R>) -> anyhow::Result<R> {
    let own = job.rank() as f64;
    let first = job.minimum(if result.is_err() { own } else { f64::INFINITY });
    if first == own || first.is_infinite() {
        return result;
    }
    Err(Elsewhere.into())
}
