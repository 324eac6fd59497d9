//! The kiosk as a machine of its own: systemd watches it, the console behind the picture is silent, and a screen that is
//! not there is waited for. On a desktop none of this is used.

pub mod connectors;
pub mod console;
pub mod systemd;
pub mod ways_out;
