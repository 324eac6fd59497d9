//! The kernel's driver `dht11`, which serves the DHT22 too, through its files.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{Trouble, air::Air};

/// Most devices that are looked at.
const MAX_DEVICES: usize = 256;

/// The folder of the sensor below `root`, if the kernel has one.
pub fn find(root: &Path) -> Option<PathBuf> {
    let devices = fs::read_dir(root.join("sys/bus/iio/devices")).ok()?;
    let mut found: Vec<PathBuf> = devices
        .flatten()
        .take(MAX_DEVICES)
        .map(|device| device.path())
        .filter(|device| {
            // "dht11@4", where 4 is the pin.
            fs::read_to_string(device.join("name")).is_ok_and(|name| name.starts_with("dht11"))
        })
        .collect();
    found.sort();
    found.into_iter().next()
}

/// Asks the driver; blocks for up to a second.
///
/// # Errors
/// What the driver or the sum says.
pub fn read(device: &Path) -> Result<Air, Trouble> {
    // The second of the pair is the same conversion if it is read at once.
    let celsius = thousandths(&device.join("in_temp_input"))?;
    let humidity = thousandths(&device.join("in_humidityrelative_input"))?;
    Air::checked(celsius, humidity)
}

fn thousandths(file: &Path) -> Result<f64, Trouble> {
    let text = fs::read_to_string(file).map_err(|error| trouble(&error))?;
    let value: i32 = text.trim().parse().map_err(|_| Trouble::Absurd)?;
    Ok(f64::from(value) / 1000.0)
}

fn trouble(error: &io::Error) -> Trouble {
    match error.kind() {
        io::ErrorKind::NotFound => Trouble::NoDriver,
        io::ErrorKind::PermissionDenied => Trouble::Denied,
        // "Only N signal edges detected".
        io::ErrorKind::TimedOut => Trouble::NoAnswer,
        // EIO: lost in the pulses, or a wrong sum.
        _ => Trouble::Damaged,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(name: &str, celsius: &str, humidity: &str) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (device, name) in [("iio:device0", "ads1015"), ("iio:device1", name)] {
            let device = root.path().join("sys/bus/iio/devices").join(device);
            fs::create_dir_all(&device).unwrap();
            fs::write(device.join("name"), format!("{name}\n")).unwrap();
            fs::write(device.join("in_temp_input"), celsius).unwrap();
            fs::write(device.join("in_humidityrelative_input"), humidity).unwrap();
        }
        root
    }

    fn read_from(root: &tempfile::TempDir) -> Result<Air, Trouble> {
        read(&find(root.path()).ok_or(Trouble::NoDriver)?)
    }

    #[test]
    fn thousandths_are_read_also_below_zero() {
        let air = |celsius, humidity_percent| Ok(Air { celsius, humidity_percent });
        assert_eq!(read_from(&tree("dht11@4", "23400\n", "48700\n")), air(23.4, 48.7));
        assert_eq!(read_from(&tree("dht11@4", "-10100\n", "65200\n")), air(-10.1, 65.2));
    }

    #[test]
    fn what_is_missing_or_absurd_is_said() {
        assert_eq!(read_from(&tree("bme280", "1", "1")), Err(Trouble::NoDriver));
        assert_eq!(find(Path::new("/nonexistent")), None);
        for (celsius, humidity) in
            [("", "48700"), ("warm", "48700"), ("23400", "148700"), ("99999999999", "1")]
        {
            assert_eq!(read_from(&tree("dht11@4", celsius, humidity)), Err(Trouble::Absurd));
        }
        // Unplugged between the look and the read; and a file that cannot be read.
        let root = tree("dht11@4", "23400", "48700");
        let device = find(root.path()).unwrap();
        fs::remove_file(device.join("in_humidityrelative_input")).unwrap();
        assert_eq!(read(&device), Err(Trouble::NoDriver));
        fs::create_dir(device.join("in_humidityrelative_input")).unwrap();
        assert_eq!(read(&device), Err(Trouble::Damaged));
        assert_eq!(trouble(&io::Error::from_raw_os_error(5)), Trouble::Damaged, "EIO");
        assert_eq!(trouble(&io::Error::from_raw_os_error(110)), Trouble::NoAnswer, "ETIMEDOUT");
    }
}
