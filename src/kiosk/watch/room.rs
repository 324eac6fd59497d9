//! `hpc-kiosk watch room`: what the sensor of the chassis says, line by line, or why it says nothing.

use std::time::Instant;

use kiosk::{
    config::RoomEntry,
    room::{INTERVAL, Room, Sensor, Source, trust::Trust},
};

use super::print;

/// Prints until as many readings and failed attempts were seen as wanted; whether there was a reading.
pub async fn follow(entry: RoomEntry, count: Option<u64>) -> anyhow::Result<bool> {
    let (mut sensor, mut trust, mut room) =
        (Sensor::new(entry, "/".into()), Trust::default(), Room::default());
    let mut attempts = 0;
    while count.is_none_or(|count| attempts < count) {
        if attempts != 0 {
            tokio::time::sleep(INTERVAL).await;
        }
        attempts += 1;
        let before = room.reading;
        // It blocks for up to a second, and nothing else is to be done.
        room.heard(sensor.read(), &mut trust, Instant::now());
        print(&match (room.trouble, room.reading.filter(|_| room.reading != before)) {
            (Some(trouble), _) => format!("no reading: {trouble}"),
            (None, None) => {
                "a reading that is not believed yet: it waits for a second like it".into()
            }
            (None, Some(reading)) => {
                let by = match reading.source {
                    Source::Iio => "measured, by the kernel",
                    Source::Gpio => "measured, at the pin",
                };
                let age = reading.at.elapsed().as_secs_f64();
                let line = |what: &str, value: f64, unit: &str| {
                    format!("{what} = {value:.1} {unit}, {by}, {age:.1} s old")
                };
                let celsius = line("temperature", reading.air.celsius, "\u{b0}C");
                format!("{celsius}\n{}", line("humidity", reading.air.humidity_percent, "%"))
            }
        })?;
    }
    Ok(room.reading.is_some())
}
