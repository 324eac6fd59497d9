//! The text console behind the picture: it shows nothing, hears no key, and is the one in front.

#![allow(unsafe_code, reason = "no library has safe functions for these requests")]

use std::{io, os::fd::AsFd};

use rustix::{
    fs::{fstat, minor},
    ioctl::{IntegerSetter, ioctl},
};

// linux/kd.h, linux/vt.h
const KDSETMODE: u32 = 0x4B3A;
const KD_GRAPHICS: usize = 1;
const KDSKBMODE: u32 = 0x4B45;
const K_OFF: usize = 4;
const VT_ACTIVATE: u32 = 0x5606;

/// Makes the virtual console `terminal` stand in front, without text and without keys: from then on its keyboard switches
/// to no other console, ends nothing and restarts nothing. systemd's `TTYReset=` gives it back.
///
/// # Errors
/// If it is none, or not the one that this process was started on.
pub fn silence(terminal: impl AsFd) -> io::Result<()> {
    let terminal = terminal.as_fd();
    let number = minor(fstat(terminal)?.st_rdev) as usize;
    // SAFETY: each of the three takes an integer as its argument and touches no memory (console_ioctl(2)); on what is no
    // console they are refused.
    unsafe {
        ioctl(terminal, IntegerSetter::<KDSETMODE>::new_usize(KD_GRAPHICS))?;
        ioctl(terminal, IntegerSetter::<KDSKBMODE>::new_usize(K_OFF))?;
        // Somebody may have switched away while nobody listened; a switch takes its time, which is not waited for.
        ioctl(terminal, IntegerSetter::<VT_ACTIVATE>::new_usize(number))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_console_is_refused() {
        let file = tempfile::tempfile().unwrap();
        assert_eq!(silence(file).unwrap_err().raw_os_error(), Some(25)); // ENOTTY
    }
}
