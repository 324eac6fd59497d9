//! Real-time priority for the thread that watches a pin: whoever is put aside for a millisecond has missed ten bits.
#![allow(unsafe_code, reason = "no library has a safe function for this request")]

use std::io;

/// Above everything that is not urgent, below the kernel's own threads for interrupts (50).
const PRIORITY: i32 = 20;

/// Lets the calling thread go before all others, but not what it starts.
///
/// # Errors
/// If this user may not: the limit is `LimitRTPRIO` of a systemd unit, or `rtprio` of a login.
pub fn raise() -> io::Result<()> {
    let wanted = libc::sched_param { sched_priority: PRIORITY };
    // SAFETY: the kernel reads `wanted`, which outlives the call, and changes nothing but this thread's scheduling.
    match unsafe {
        libc::sched_setscheduler(0, libc::SCHED_FIFO | libc::SCHED_RESET_ON_FORK, &wanted)
    } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, thread};

    use super::*;

    /// The priority that the kernel says the calling thread has: proc(5), field 18; -2 and less is real time.
    fn seen() -> i64 {
        let stat = fs::read_to_string("/proc/thread-self/stat").unwrap();
        let (_, fields) = stat.rsplit_once(") ").unwrap();
        fields.split(' ').nth(15).unwrap().parse().unwrap()
    }

    #[test]
    fn a_thread_has_the_priority_or_a_reason_and_its_children_have_none() {
        let asked = thread::spawn(|| (raise(), seen(), thread::spawn(seen).join().unwrap()));
        match asked.join().unwrap() {
            (Ok(()), own, child) => {
                assert_eq!(own, -1 - i64::from(PRIORITY));
                assert!(0 <= child, "{child}");
            }
            (Err(error), own, _) => {
                assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
                assert!(0 <= own, "{own}");
            }
        }
    }
}
