//! `hpc-kiosk watch meter`: what the wall power meter says, line by line, or why it says nothing.

use std::{fmt::Write, time::Instant};

use kiosk::{
    config::MeterEntry,
    meter::{Doing, Meter, bluetooth, session::Pace},
};
use tokio::sync::watch;

use super::print;

/// Prints until as many readings and failed attempts were seen as wanted; whether there was a reading.
pub async fn follow(entry: MeterEntry, count: Option<u64>) -> anyhow::Result<bool> {
    let (seen, mut meter) = watch::channel(Meter::default());
    let watching = async {
        let (mut printed, mut readings) = (0, 0u64);
        let mut before = Meter::default();
        while count.is_none_or(|count| printed < count) && meter.changed().await.is_ok() {
            let now = meter.borrow_and_update().clone();
            let mut text = String::new();
            if now.reading != before.reading {
                lines(&now, Instant::now(), &mut text);
                readings += 1;
                printed += 1;
            } else if now.trouble.is_some() && now.again_at != before.again_at {
                trouble(&now, Instant::now(), &mut text);
                printed += u64::from(now.again_at.is_some());
            } else if now.doing != before.doing && now.trouble.is_none() {
                text.push_str(match now.doing {
                    Doing::Connecting => "connecting\n",
                    Doing::LoggingIn => "connected, logging in\n",
                    Doing::Measuring => "measuring\n",
                    Doing::Waiting => "waiting\n",
                });
            }
            before = now;
            print(&text)?;
        }
        anyhow::Ok(readings != 0)
    };
    tokio::select! {
        outcome = watching => outcome,
        () = bluetooth::talk(entry, Pace::default(), seen) => Ok(false),
    }
}

/// The newest measurement and what else is known, a line each.
fn lines(meter: &Meter, now: Instant, out: &mut String) {
    let Some(reading) = &meter.reading else { return };
    let age = now.saturating_duration_since(reading.at).as_secs_f64();
    let measured = &reading.measured;
    let mut line = |quantity: &str, value: String| {
        // Writing into a string does not fail.
        let _ = writeln!(out, "{quantity} = {value}, measured, {age:.1} s old");
    };
    line("power", format!("{:.3} W", measured.watts));
    line("voltage", format!("{:.0} V", measured.volts));
    line("current", format!("{:.3} A", measured.amperes));
    line("frequency", format!("{:.0} Hz", measured.hertz));
    if let Some(factor) = measured.power_factor() {
        line("power factor", format!("{factor:.3}"));
    }
    line("socket", if measured.is_on { "on" } else { "off" }.into());
    if let Some(wh) = measured.total_wh {
        line("energy counter", format!("{wh:.0} Wh"));
    }
    if let Some(day) = &meter.day {
        line(&format!("energy since {}", day.since.strftime("%H:%M")), format!("{:.1} Wh", day.wh));
    }
    if let Some(limit) = meter.limit_watts {
        line("switches off above", format!("{limit} W"));
    }
    if let Some(info) = &meter.info {
        let ((major, minor), (hardware, _)) = (info.firmware, info.hardware);
        line("meter", format!("hardware {hardware}, firmware {major}.{minor:02}"));
    }
}

/// Why there is no reading.
fn trouble(meter: &Meter, now: Instant, out: &mut String) {
    let Some(trouble) = &meter.trouble else { return };
    let _ = write!(out, "no reading: {trouble}");
    if let Some(again) = meter.again_at {
        let seconds = again.saturating_duration_since(now).as_secs_f64();
        let _ = write!(out, "; next attempt in {seconds:.0} s");
    }
    if let Some(reading) = &meter.reading {
        let age = now.saturating_duration_since(reading.at).as_secs_f64();
        let _ = write!(out, "; the last measurement is {age:.0} s old");
    }
    out.push('\n');
}
